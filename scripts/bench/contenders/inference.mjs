// What every inference contender shares: `JOB` is JSON of { threads, config, batches: { name: input_ids [B][T] } }.
import { speak } from "./speak.mjs";

/** Elements of each batch's last hidden state that are compared. */
export const CHECKED = 256;
/** A turn repeats a batch for so long, after as long without the clock: cores that rested are slow at first. */
const TURN_MS = 150;

/**
 * Shows elements of each batch's output, then runs the batch whose name is the job.
 *
 * @param {Record<string, number[][]>} batches
 * @param {(ids: number[][]) => () => ArrayLike<number> | Promise<ArrayLike<number>>} prepare Makes the run of a batch;
 * it gives the last hidden state [B, T, H].
 * @param {Record<string, unknown>} [more] Other facts for the first line.
 */
export async function serveInference(batches, prepare, more) {
  const runs = new Map(Object.entries(batches).map(([name, ids]) => [name, prepare(ids)])), check = [];
  for (const run of runs.values()) {
    const values = await run();
    for (let i = 0; i < CHECKED; i++) check.push(values[Math.floor((i * values.length) / CHECKED)]);
  }
  await speak(check, async (name) => {
    await repeat(runs.get(name));
    return await repeat(runs.get(name));
  }, more);
}

/**
 * Milliseconds of one of several runs.
 *
 * @param {() => unknown} run
 */
async function repeat(run) {
  const start = performance.now();
  let count = 0, ms = 0;
  for (; ms < TURN_MS; ms = performance.now() - start, count++) await run();
  return ms / count;
}

/**
 * The inputs that the exported model reads, as int64.
 *
 * @param {new (type: string, values: BigInt64Array, shape: number[]) => unknown} Tensor
 * @param {number[][]} ids
 */
export function int64Inputs(Tensor, ids) {
  const flat = ids.flat(), shape = [ids.length, ids[0].length];
  const tensor = (value) => new Tensor("int64", BigInt64Array.from(flat, (id) => BigInt(value(id))), shape);
  return { input_ids: tensor((id) => id), attention_mask: tensor(() => 1), token_type_ids: tensor(() => 0) };
}
