/**
 * Transpose: dimensions in another order, by copies of rows or blocks of one pair of dimensions.
 *
 * @module
 */
import { type Call, type Kernel, sizeOf } from "./kernel.ts";
import { stridesOf } from "./products.ts";

/** Rows of a block of the kernel. */
const ROWS = 32;

interface Dimension {
  size: number;
  /** Strides in the output and in the input. */
  to: number;
  from: number;
}

/** tf.transpose of 4-byte values. */
export const transpose: Kernel = {
  name: "Transpose",
  accepts: (call) =>
    (call.inputs.x.dtype === "float32" || call.inputs.x.dtype === "int32") && dimensions(call).length > 1,
  run(call) {
    const { kernels, backend, inputs: { x }, attrs } = call, { runtime } = kernels;
    const shape = (attrs.perm as number[]).map((d) => x.shape[d]), all = dimensions(call);
    const { info, pointer } = kernels.output(backend, shape, x.dtype as "float32" | "int32");
    if (sizeOf(shape) === 0) return info;
    const columns = all.pop()!;
    // Rows: what is contiguous in the input; where that is the columns, the next longest run of copies.
    const at = columns.from === 1 ? all.length - 1 : all.findIndex(({ from }) => from === 1);
    const [rows] = all.splice(at, 1);
    const words = all.flatMap(({ size, to, from }) => [size, to, from]);
    const table = runtime.arena.floats(words.length);
    runtime.heap.i32.set(words, table / 4);
    const units = sizeOf(all.map(({ size }) => size)) * Math.ceil(rows.size / ROWS);
    const grain = Math.max(1, Math.ceil(8192 / (ROWS * columns.size)));
    runtime.pool.run(
      ...["transpose", units, grain, pointer, kernels.pointerOf(x), table, all.length] as const,
      ...[rows.size, columns.size, rows.to, rows.from, columns.from] as const,
    );
    return info;
  },
};

/** The output's dimensions: those of size 1 left out, those that stay neighbours joined. One or none: nothing moves. */
function dimensions({ inputs: { x }, attrs }: Call): Dimension[] {
  const perm = attrs.perm as number[], strides = stridesOf(x.shape);
  const joined: Dimension[] = [];
  let to = sizeOf(x.shape);
  for (const d of perm) {
    const size = x.shape[d], from = strides[d], last = joined.at(-1);
    if (size === 1) continue;
    to /= size || 1;
    if (last && last.from === from * size) joined[joined.length - 1] = { size: last.size * size, to, from };
    else joined.push({ size, to, from });
  }
  return joined;
}
