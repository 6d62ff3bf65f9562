/**
 * Matrix products of BERT's shapes against a native C kernel on one thread, against one thread of our own, and against
 * tfjs's own WASM kernels and jax-js on all threads.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import process from "node:process";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";
import { CHECKED, GEMM_CASES, type GemmCase, operations, reference } from "../contenders/gemm_cases.ts";
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
  type Timing,
  toGflops,
} from "../harness.ts";

/** Turns are short here, so there are more of them; not where a peer needs seconds. */
const SHORT_TURNS = 3;

/** The largest error of an element over sqrt(k): elements are about 0.08, f32 sums of 3,072 products keep 2e-6. */
const TOLERANCE = 1e-5;

const NATIVE_GOAL = 0.85, THREADS_GOAL = 1.8, JAX_GOAL = 1.3;
/** Where tfjs uses XNNPACK, where it has batches, and where it has a transposed matrix. */
const STOCK_GOALS: Record<GemmCase["kind"], number> = { forward: 1, dX: 30, dW: 30, "QK^T": 10, PV: 10 };

export const suite: Suite = { name: "gemm", title: "Matrix products", run };

/** Products that the native kernel computes: it packs ahead, which few rows do not repay. */
const isLarge = ({ m, k, batch }: GemmCase): boolean => batch === 1 && m > 100 && k > 100;

async function run(bench: Bench): Promise<Row[]> {
  const { threads } = bench, modules = await bench.peers.nodeModules();
  const numbers = [...GEMM_CASES.keys()].filter((i) => !bench.quick || GEMM_CASES[i].quick);
  const large = numbers.filter((i) => isLarge(GEMM_CASES[i]));
  const folder = mkdtempSync(`${tmpdir()}/berth-gemm-`);
  const started: Contender[] = [];
  const start = async (name: string, list: readonly number[], command: string[]): Promise<Contender> => {
    bench.say(`starting ${name}`);
    const contender = await startContender(command, { name });
    started.push(contender);
    const wanted = list.flatMap((i) => reference(GEMM_CASES[i]));
    compareChecks(contender, { name: "sums in f64", check: wanted }, TOLERANCE);
    return contender;
  };
  try {
    const native = compileNative(bench, `${folder}/native_gemm`);
    const list = numbers.join(",");
    const one = await start("berth, 1 thread", numbers, denoContender("berth_gemm.ts", 1, list));
    const all = threads === 1
      ? one
      : await start(`berth, ${threads} threads`, numbers, denoContender("berth_gemm.ts", threads, list));
    const c = native && await start("C, 128-bit FMA, 1 thread", large, [native, ...large.map(nativeCase)]);
    const stock = await start("tfjs wasm", numbers, denoContender("tfjs_gemm.ts", threads, list));
    const jax = await start("jax-js wasm", numbers, denoContender("jax_gemm.ts", modules, threads, list));
    const rows: Row[] = [];
    for (const i of numbers) {
      bench.say(GEMM_CASES[i].name);
      const peers = [...(c && large.includes(i) ? [c] : []), ...(all === one ? [] : [one]), stock, jax];
      rows.push(...await timeCase(bench, i, one, all, peers));
    }
    return rows;
  } finally {
    await Promise.all(started.map((contender) => contender.end()));
    rmSync(folder, { recursive: true });
  }
}

/** Times one product by all, and makes a row of each peer. */
async function timeCase(
  bench: Bench,
  number: number,
  one: Contender,
  all: Contender,
  peers: Contender[],
): Promise<Row[]> {
  const gemm = GEMM_CASES[number], check = reference(gemm), rows: Row[] = [];
  const isSlow = ({ name }: Contender) =>
    name.startsWith("tfjs") && (gemm.kind === "dX" || gemm.kind === "dW");
  const times = new Map<Contender, Map<Contender, Timing>>();
  for (const slow of [false, true]) {
    const group = peers.filter((peer) => isSlow(peer) === slow);
    if (group.length === 0) continue;
    const contenders = [...new Set(slow ? [all, ...group] : [all, one, ...group])];
    const list = await takeTurns(contenders, bench.rounds * (slow ? 1 : SHORT_TURNS), 1, number);
    const ofAll = new Map(contenders.map((contender, i) => [contender, list[i]]));
    for (const peer of group) times.set(peer, ofAll);
  }
  for (const peer of peers) {
    const isNative = peer.name.startsWith("C,"), mine = isNative ? one : all;
    const rateOf = (contender: Contender) => toGflops(times.get(peer)!.get(contender)!, operations(gemm));
    const error = Math.max(...[mine, peer].map((contender) => {
      const at = checkStart(contender, number, bench.quick);
      return compareChecks(
        { name: contender.name, check: contender.check.slice(at, at + CHECKED) },
        { name: "sums in f64", check },
        TOLERANCE,
      );
    }));
    const atLeast = isNative
      ? NATIVE_GOAL
      : peer === one
      ? THREADS_GOAL
      : peer.name.startsWith("jax")
      ? JAX_GOAL
      : STOCK_GOALS[gemm.kind];
    const row = {
      ...{ work: `${gemm.name} (${sizes(gemm)})${isNative ? ", 1 thread" : ""}`, peer: peer.name },
      ...{ ours: rateOf(mine), theirs: rateOf(peer) },
      verified: `${CHECKED} elements of each with sums in f64: ${error.toExponential(1)}`,
      command: "deno task bench --only gemm",
    };
    rows.push(compare(row, { atLeast }));
  }
  return rows;
}

/** Where a contender's numbers of a product begin. */
function checkStart(contender: Contender, number: number, quick: boolean): number {
  const numbers = [...GEMM_CASES.keys()].filter((i) =>
    (!quick || GEMM_CASES[i].quick) && (!contender.name.startsWith("C,") || isLarge(GEMM_CASES[i]))
  );
  return numbers.indexOf(number) * CHECKED;
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
