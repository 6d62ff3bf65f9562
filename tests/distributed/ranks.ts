/** What one rank of a test does: `mpiexec -n 2 deno run -A ranks.ts PROGRAM`. */
import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import { CommunicationError } from "../../src/errors.ts";
import type { Communicator, Reducible } from "../../src/distributed/mod.ts";
import { openCommunicator } from "../../src/distributed/mod.ts";

/** Whole numbers, so that every order of summing gives the same. */
const valueOf = (rank: number, i: number) => (rank + 1) * 100 + i % 1000;
const LENGTHS = [0, 1, 2, 3, 7, 64, 1023, 65_537];
type Make = (length: number, rank: number) => Reducible;

/** Views that do not begin where their memory does; the first kind is WebAssembly memory. */
const memory = new WebAssembly.Memory({ initial: 64, maximum: 65536, shared: true });
const KINDS: Record<string, Make> = {
  "shared Float32Array": (length, rank) => fill(new Float32Array(memory.buffer, 12, length), rank),
  Float32Array: (length, rank) => fill(new Float32Array(length + 1).subarray(1), rank),
  Float64Array: (length, rank) => fill(new Float64Array(length), rank),
  Int32Array: (length, rank) => fill(new Int32Array(length), rank),
};

function fill<T extends Reducible | Uint8Array>(values: T, rank: number): T {
  for (let i = 0; i < values.length; i++) values[i] = valueOf(rank, i);
  return values;
}

/** Compares values with f(i), and tells the first difference. */
function check(what: string, values: Reducible | Uint8Array, wanted: (i: number) => number): void {
  const i = values.findIndex((value: number, at: number) => value !== wanted(at));
  if (i >= 0) throw new Error(`${what}: value ${i} of ${values.length} is ${values[i]}, not ${wanted(i)}`);
}

function sumAt(size: number, i: number): number {
  let sum = 0;
  for (let rank = 0; rank < size; rank++) sum += valueOf(rank, i);
  return sum;
}

/** Every operation, over kinds and lengths, against plain sums. */
function everyOperation(ranks: Communicator): void {
  const { rank, size } = ranks;
  for (const [kind, make] of Object.entries(KINDS)) {
    for (const length of LENGTHS) {
      const what = `${kind} of ${length}`;
      const summed = make(length, rank);
      ranks.allReduce(summed);
      check(`allReduce, ${what}`, summed, (i) => sumAt(size, i));
      const least = make(length, rank);
      ranks.allReduce(least, "min");
      check(`min, ${what}`, least, (i) => valueOf(0, i));
      const most = make(length, rank);
      ranks.allReduce(most, "max");
      check(`max, ${what}`, most, (i) => valueOf(size - 1, i));

      const counts = unevenCounts(length, size);
      const begin = counts.slice(0, rank).reduce((sum, count) => sum + count, 0), end = begin + counts[rank];
      const scattered = make(length, rank);
      ranks.reduceScatter(scattered, counts);
      check(`reduceScatter, ${what}`, scattered.subarray(begin, end), (i) => sumAt(size, begin + i));
      const gathered = make(length, rank);
      gathered.fill(-1, 0, begin).fill(-1, end);
      ranks.allGather(gathered, counts);
      check(`allGather, ${what}`, gathered, (i) => valueOf(ownerOf(counts, i), i));

      for (let root = 0; root < size; root++) {
        const reduced = make(length, rank);
        ranks.startReduce(reduced, root).wait();
        check(`startReduce, ${what}`, reduced, (i) => rank === root ? sumAt(size, i) : valueOf(rank, i));
        const cast = make(length, rank);
        ranks.broadcast(cast, root);
        check(`broadcast, ${what}`, cast, (i) => valueOf(root, i));
      }
    }
  }
  const bytes = fill(new Uint8Array(1001), rank), counts = unevenCounts(1001, size);
  ranks.allGather(bytes, counts);
  check("allGather of bytes", bytes, (i) => valueOf(ownerOf(counts, i), i) & 255);
  const cast = fill(new Uint8Array(1001), rank);
  ranks.startBroadcast(cast, size - 1).wait();
  check("broadcast of bytes", cast, (i) => valueOf(size - 1, i) & 255);
}

/** Parts of several lengths, the first of them empty. */
function unevenCounts(length: number, size: number): number[] {
  const counts = Array.from({ length: size }, (_, r) => r === 0 ? 0 : Math.floor(length / size));
  counts[size - 1] += length - counts.reduce((sum, count) => sum + count, 0);
  return counts;
}

function ownerOf(counts: readonly number[], i: number): number {
  let rank = 0, end = counts[0];
  while (i >= end) end += counts[++rank];
  return rank;
}

/** Several operations under way at once, waited for in another order. */
function overlapping(ranks: Communicator): void {
  const lengths = [100_000, 0, 3, 250_000],
    values = lengths.map((n) => fill(new Float32Array(n), ranks.rank));
  const pending = values.map((view) => ranks.startAllReduce(view));
  let looks = 0;
  while (!pending[3].test()) looks++;
  for (const operation of pending.toReversed()) operation.wait();
  for (const operation of pending) strictEqual(operation.test(), true);
  values.forEach((view, k) => check(`bucket ${k} after ${looks} looks`, view, (i) => sumAt(ranks.size, i)));
}

/** 100 MB of WebAssembly memory, one sum. */
function large(ranks: Communicator): void {
  const length = 25_000_000, own = new WebAssembly.Memory({ initial: 1600, maximum: 65536, shared: true });
  const values = fill(new Float32Array(own.buffer, 64, length), ranks.rank);
  ranks.allReduce(values);
  check("100 MB", values, (i) => sumAt(ranks.size, i));
  strictEqual(ranks.times.bytes, 4 * length);
  strictEqual(ranks.times.calls, 1);
}

/** Pairs, and pairs of pairs: a tree of sums whose bits all ranks share. */
function pairs(ranks: Communicator): void {
  const { rank, size } = ranks, pair = ranks.split(rank >> 1, rank);
  deepStrictEqual([pair.rank, pair.size, pair.engine], [rank & 1, 2, ranks.engine]);
  const values = Float32Array.from({ length: 1001 }, (_, i) => Math.fround(1 / (rank * 1001 + i + 1)));
  const at = (r: number, i: number) => Math.fround(1 / (r * 1001 + i + 1));
  pair.allReduce(values);
  const below = (r: number, i: number) => Math.fround(at(r & ~1, i) + at(r | 1, i));
  check("pairs", values, (i) => below(rank, i));
  if (size === 4) {
    const across = ranks.split(rank & 1, rank);
    across.allReduce(values);
    check("pairs of pairs", values, (i) => Math.fround(below(0, i) + below(2, i)));
    across.close();
  }
  const reversed = ranks.split(0, -rank);
  strictEqual(reversed.rank, size - 1 - rank);
  reversed.close();
  pair.close();
}

const PROGRAMS: Record<string, (ranks: Communicator) => void> = {
  operations(ranks) {
    everyOperation(ranks);
    overlapping(ranks);
    pairs(ranks);
    strictEqual(openCommunicator(), ranks);
  },
  pieces: everyOperation,
  large,
  abort(ranks) {
    if (ranks.rank === 1) ranks.abort(3);
    ranks.barrier();
  },
  "killed rank": (ranks) => sumWhile(ranks, () => Deno.kill(Deno.pid, "SIGKILL")),
  "stopped rank": (ranks) => sumWhile(ranks, () => Deno.kill(Deno.pid, "SIGSTOP")),
  /** Every rank stays within its deadline, although one comes much later than the others' deadline before. */
  "late rank"(ranks) {
    ranks.deadlineSeconds = Infinity;
    if (ranks.rank === 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 3000);
    ranks.barrier();
    ok(ranks.rank === 0 || ranks.times.seconds > 2, `waited for ${ranks.times.seconds} s`);
  },
  /** Wrong arguments are refused before they reach MPI. */
  refusals(ranks) {
    const values = new Float32Array(10);
    throws(() => ranks.broadcast(values, ranks.size), /the root is 2, a rank from 0 to 1 is wanted/);
    throws(
      () => ranks.reduceScatter(values, [5]),
      /the counts are \[5\], 2 of them are wanted that sum up to 10/,
    );
    throws(() => ranks.allGather(values, [5, 6]), CommunicationError);
    throws(() => ranks.allGather(values, [-1, 11]), CommunicationError);
    throws(() => ranks.split(-1, 0), /the color is -1, the key 0; whole numbers are wanted/);
    ranks.allReduce(values);
  },
};

/** What the environment of the test says about pieces and deadlines. */
const OPTIONS = JSON.parse(Deno.env.get("BERTH_TEST_OPTIONS") ?? "{}");

/** Sums without an end; in the midst of it the last rank does something. */
function sumWhile(ranks: Communicator, act: () => void): void {
  const values = new Float32Array(100_000);
  for (let round = 0;; round++) {
    if (ranks.rank === ranks.size - 1 && round === 50) act();
    ranks.allReduce(values);
  }
}

let ranks: Communicator | undefined;
try {
  ranks = openCommunicator(OPTIONS);
  PROGRAMS[Deno.args[0]](ranks);
  console.log(`rank ${ranks.rank} of ${ranks.size} is done (${ranks.engine})`);
  ranks.close();
} catch (error) {
  console.error(`${(error as Error).name}: ${(error as Error).message}`);
  if (ranks) ranks.abort(1);
  Deno.exit(1);
}
