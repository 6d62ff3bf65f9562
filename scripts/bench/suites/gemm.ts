/**
 * Matrix products of BERT's shapes against a native C kernel on one thread, against one thread of our own, and against
 * tfjs's own WASM kernels and jax-js on all threads.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import process from "node:process";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";
import {
  CHECKED,
  GEMM_CASES,
  type GemmCase,
  isLarge,
  operations,
  reference,
} from "../contenders/gemm_cases.ts";
import {
  type Bench,
  compare,
  compareChecks,
  type Contender,
  denoContender,
  type Row,
  startContender,
  type Suite,
  takeTurns,
  toGflops,
} from "../harness.ts";

/** Turns are short here, so there are more of them; not where a peer needs seconds. */
const SHORT_TURNS = 2;

/** The largest error of an element over sqrt(k): elements are about 0.08, f32 sums of 3,072 products keep 2e-6. */
const TOLERANCE = 1e-5;

const NATIVE_GOAL = 0.85, THREADS_GOAL = 1.8, JAX_GOAL = 1.3;
/** Where tfjs uses XNNPACK, where it has batches, and where it has a transposed matrix. */
const STOCK_GOALS: Record<GemmCase["kind"], number> = { forward: 1, dX: 30, dW: 30, "QK^T": 10, PV: 10 };

export const suite: Suite = { name: "gemm", title: "Matrix products", run };

/** A contender, the products that it knows, and its largest error in each. */
interface Racer {
  contender: Contender;
  kind: "one" | "all" | "native" | "stock" | "jax";
  errors: Map<number, number>;
}

async function run(bench: Bench): Promise<Row[]> {
  const { threads } = bench, modules = await bench.peers.nodeModules();
  const numbers = [...GEMM_CASES.keys()].filter((i) => !bench.quick || GEMM_CASES[i].quick);
  const folder = mkdtempSync(`${tmpdir()}/berth-gemm-`), racers: Racer[] = [];
  const start = async (kind: Racer["kind"], name: string, known: number[], command: string[]) => {
    bench.say(`starting ${name}`);
    const contender = await startContender(command, { name });
    racers.push({ contender, kind, errors: errorsOf(contender, known) });
  };
  try {
    const deno = (file: string, known: number[], ...args: (string | number)[]) =>
      denoContender(file, ...args, known.join(","));
    await start("one", "berth, 1 thread", numbers, deno("berth_gemm.ts", numbers, 1));
    if (threads > 1) {
      await start("all", `berth, ${threads} threads`, numbers, deno("berth_gemm.ts", numbers, threads));
    }
    const native = compileNative(bench, `${folder}/native_gemm`);
    const large = numbers.filter((i) => isLarge(GEMM_CASES[i])); // it packs ahead, which few rows do not repay
    if (native) await start("native", "C, 128-bit FMA, 1 thread", large, [native, ...large.map(nativeCase)]);
    const quick = numbers.filter((i) => !GEMM_CASES[i].stockTakesSeconds);
    await start("stock", "tfjs wasm", quick, deno("tfjs_gemm.ts", quick, threads));
    await start("jax", "jax-js wasm", numbers, deno("jax_gemm.ts", numbers, modules, threads));
    const rows: Row[] = [];
    for (const number of numbers) {
      bench.say(GEMM_CASES[number].name);
      rows.push(...await timeCase(bench, number, racers.filter(({ errors }) => errors.has(number))));
    }
    return rows;
  } finally {
    await Promise.all(racers.map(({ contender }) => contender.end()));
    rmSync(folder, { recursive: true });
  }
}

/** @throws {Error} if a result is wrong. */
function errorsOf({ name, check }: Contender, known: readonly number[]): Map<number, number> {
  if (check.length !== known.length * CHECKED) {
    throw new Error(
      `Cannot time ${name}: it gives ${check.length} numbers to check for ${known.length} products`,
    );
  }
  return new Map(known.map((number, i) => {
    const own = {
      name: `${name}, ${GEMM_CASES[number].name}`,
      check: check.slice(i * CHECKED, (i + 1) * CHECKED),
    };
    return [
      number,
      compareChecks(own, { name: "sums in f64", check: reference(GEMM_CASES[number]) }, TOLERANCE),
    ];
  }));
}

/** Times one product by all, and makes a row of each peer. */
async function timeCase(bench: Bench, number: number, racers: Racer[]): Promise<Row[]> {
  const gemm = GEMM_CASES[number], one = racers.find(({ kind }) => kind === "one")!;
  const all = racers.find(({ kind }) => kind === "all") ?? one;
  const isSlow = ({ kind }: Racer) => kind === "stock" && (gemm.kind === "dX" || gemm.kind === "dW");
  const rows: Row[] = [];
  for (const group of [racers.filter((racer) => !isSlow(racer)), [all, ...racers.filter(isSlow)]]) {
    const rounds = bench.rounds * (group.some(isSlow) ? 1 : SHORT_TURNS);
    if (group.length === 1) continue;
    const times = await takeTurns(group.map(({ contender }) => contender), rounds, 1, number);
    const rateOf = (racer: Racer) => toGflops(times[group.indexOf(racer)], operations(gemm));
    for (const peer of group.filter((racer) => racer !== all)) {
      const mine = peer.kind === "native" ? one : all,
        error = Math.max(peer.errors.get(number)!, mine.errors.get(number)!);
      rows.push(compare({
        ...{
          work: `${gemm.name} (${sizes(gemm)})${mine === one ? ", 1 thread" : ""}`,
          peer: peer.contender.name,
        },
        ...{ ours: rateOf(mine), theirs: rateOf(peer), command: "deno task bench --only gemm" },
        verified: `${CHECKED} elements of each with sums in f64: ${error.toExponential(1)}`,
      }, { atLeast: goalOf(peer, gemm) }));
    }
  }
  return rows;
}

function goalOf({ kind }: Racer, gemm: GemmCase): number | undefined {
  if (kind === "native") return NATIVE_GOAL;
  if (kind === "one") return isLarge(gemm) ? THREADS_GOAL : undefined; // few rows wait for memory
  return kind === "jax" ? JAX_GOAL : STOCK_GOALS[gemm.kind];
}

function sizes({ m, n, k, batch }: GemmCase): string {
  return `${batch > 1 ? `${batch} of ` : ""}${m} x ${n} x ${k}`;
}

function nativeCase(number: number): string {
  const { m, n, k } = GEMM_CASES[number];
  return [number, m, n, k].join(",");
}

/** Compiles the native kernel; without gcc its rows are left out, which a line says. */
function compileNative(bench: Bench, program: string): string | undefined {
  const source = fileURLToPath(new URL("../contenders/native_gemm.c", import.meta.url));
  const fma = process.arch === "x64" ? ["-mfma"] : [];
  try {
    execFileSync("gcc", ["-O3", ...fma, "-ffp-contract=fast", source, "-lm", "-o", program], {
      stdio: "pipe",
    });
    return program;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    bench.say("gemm: no gcc here, so there are no rows against native C");
    return undefined;
  }
}
