/**
 * Writes the tables and plots of docs/scaling.md; with the results of a benchmark (`deno task bench --only mpi`, and
 * pytorch_step for bert-base), from these.
 *
 *     deno run -A scripts/scaling/write.ts [out/bench/bench.json]
 */
import { readFileSync, writeFileSync } from "node:fs";
import type { Results } from "../bench/docs.ts";
import { machineLine } from "../bench/machine.ts";
import { SUM_BYTES, sumName, TRANSPORTS } from "../bench/suites/mpi.ts";
import { documents, type Measured } from "./documents.ts";

const DOCS = new URL("../../docs/", import.meta.url), FIGURES = new URL("scaling/measured.json", DOCS);
const STEP = { batch: 8, tokens: 128 }, STEP_NAME = "train step, bert-base, 8 x 128";

/** The figures that the model takes from a benchmark's results. */
function figuresOf({ machine, suites }: Results): Measured {
  const rows = suites.flatMap((suite) => suite.rows), mpi = suites.find(({ name }) => name === "mpi");
  const best = (work: string) => {
    const row = rows.find((row) => row.work === work);
    if (!row) throw new RangeError(`Cannot take the figures: the results have no "${work}"`);
    return Number(row.ours.min.toPrecision(4));
  };
  const sums = ["MPICH", "Open MPI"].flatMap((engine) =>
    TRANSPORTS.flatMap((transport) =>
      SUM_BYTES.map((bytes) => ({ engine, transport, bytes, ms: best(sumName(engine, transport, bytes)) }))
    )
  );
  return {
    ...{ date: mpi!.date, machine: machineLine(machine), sums },
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
