/**
 * Sums between processes of this machine: two ranks through shared memory and through TCP, and ranks in network
 * namespaces whose links are slow enough that the machine's two cores do not matter.
 */
import { type Bench, denoContender, type Row, startContender, type Suite, takeTurns } from "../harness.ts";
import { type Engine, ENGINES, isInstalled, Network } from "../mpi_engines.ts";

export const suite: Suite = { name: "mpi", title: "Sums of ranks (MPI_Iallreduce, in place)", run };

/** How values travel between two ranks of this machine. */
export const TRANSPORTS = ["shared memory", "TCP"] as const;
/** A loss; a bias; a bucket of gradients; sixteen of them. */
export const SUM_BYTES = [4, 65_536, 4_194_304, 67_108_864] as const;
/** Of links of their own: the bits per second of each, how many ranks, and what is summed. */
export const LINKS = { megabits: 400, ranks: [2, 4], bytes: 16_777_216 } as const;

/** The name of a row. */
export function sumName(engine: string, way: string, bytes: number): string {
  return `${bytes} bytes, ${engine}, ${way}`;
}

/** The way of ranks in namespaces. */
export function linksName(ranks: number): string {
  return `${ranks} links of ${LINKS.megabits} Mb/s`;
}

async function run(bench: Bench): Promise<Row[]> {
  const rows: Row[] = [], network = new Network(Math.max(...LINKS.ranks), `${LINKS.megabits}mbit`);
  const refusal = network.open();
  if (refusal) bench.say(`no links: this machine makes no network namespaces (${refusal})`);
  try {
    for (const engine of ENGINES.filter(isInstalled)) {
      for (const transport of TRANSPORTS) {
        const launcher = [engine.mpiexec, ...engine.flags, ...transport === "TCP" ? engine.tcp : []];
        rows.push(...await timeSums(bench, engine, [...launcher, "-n", "2"], 2, transport, SUM_BYTES));
      }
      for (const ranks of refusal ? [] : LINKS.ranks) {
        const launcher = [...network.launcher(engine, ranks), "-n", String(ranks)];
        rows.push(...await timeSums(bench, engine, launcher, ranks, linksName(ranks), [LINKS.bytes]));
      }
    }
  } finally {
    network.close();
  }
  return rows;
}

async function timeSums(
  bench: Bench,
  { name }: Engine,
  launcher: string[],
  ranks: number,
  way: string,
  sizes: readonly number[],
): Promise<Row[]> {
  const contender = await startContender([...launcher, ...denoContender("mpi.ts")], {
    name: `${name}, ${way}`,
  });
  const rows: Row[] = [], [found] = contender.check;
  if (found !== ranks) throw new Error(`Cannot time ${name}: there are ${found} ranks, ${ranks} are wanted`);
  for (const bytes of sizes) {
    const work = sumName(name, way, bytes);
    bench.say(work);
    const [ours] = await takeTurns([contender], bench.rounds, 1, bytes);
    rows.push({
      ...{ work, ours, command: "deno task bench --only mpi" },
      verified: `the sums of ${ranks} ranks, ${contender.info.engine}`,
    });
  }
  await contender.end();
  return rows;
}
