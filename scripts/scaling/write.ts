/**
 * Writes the tables and plots of docs/scaling.md; with the results of a benchmark (`deno task bench --only mpi`, and
 * pytorch_step for bert-base), from these.
 *
 *     deno run -A scripts/scaling/write.ts [out/bench/bench.json]
 */
import { readFileSync, writeFileSync } from "node:fs";
import type { Results } from "../bench/docs.ts";
import { machineLine } from "../bench/machine.ts";
import { LINKS, linksName, SUM_BYTES, sumName, TRANSPORTS } from "../bench/suites/mpi.ts";
import { documents, type Measured } from "./documents.ts";

const DOCS = new URL("../../docs/", import.meta.url), FIGURES = new URL("scaling/measured.json", DOCS);
const STEP = { batch: 8, tokens: 128 }, STEP_NAME = "train step, bert-base, 8 x 128";

/** The figures that the model takes from a benchmark's results: the best of the turns. */
function figuresOf({ machine, suites }: Results): Measured {
  const rows = suites.flatMap((suite) => suite.rows), mpi = suites.find(({ name }) => name === "mpi");
  const find = (work: string) => {
    const row = rows.find((row) => row.work === work);
    if (!row) throw new RangeError(`Cannot take the figures: the results have no "${work}"`);
    return row;
  };
  const best = (work: string) => Number(find(work).ours.min.toPrecision(4));
  const engines = ["MPICH", "Open MPI"], { bytes, megabits } = LINKS;
  return {
    ...{ date: mpi!.date, machine: machineLine(machine) },
    sums: engines.flatMap((engine) =>
      TRANSPORTS.flatMap((transport) =>
        SUM_BYTES.map((bytes) => ({ engine, transport, bytes, ms: best(sumName(engine, transport, bytes)) }))
      )
    ),
    links: engines.flatMap((engine) =>
      LINKS.ranks.map((ranks) => ({
        ...{ engine, ranks, bytes, megabits, ms: best(sumName(engine, linksName(ranks), bytes)) },
      }))
    ),
    step: { ...STEP, threads: machine.threads, ms: best(STEP_NAME) },
  };
}

const [results] = Deno.args;
if (results) {
  const figures = figuresOf(JSON.parse(readFileSync(results, "utf8")));
  writeFileSync(FIGURES, JSON.stringify(figures, null, 2) + "\n");
}
const page = new URL("scaling.md", DOCS), measured = JSON.parse(readFileSync(FIGURES, "utf8")) as Measured;
const written = documents(measured, readFileSync(page, "utf8"));
writeFileSync(page, written.page);
for (const [name, svg] of Object.entries(written.plots)) {
  writeFileSync(new URL(`scaling/${name}.svg`, DOCS), svg);
}
