// A tensor of 4-byte values with its dimensions in another order, by blocks of one pair of dimensions.

/** Rows of a block. */
const ROWS: i32 = 32;

/** Copies rows that are contiguous in both tensors. Strides in bytes. */
function copyRows(y: usize, yStep: usize, x: usize, xStep: usize, rows: i32, columns: i32): void {
  const bytes = <usize>columns << 2;
  for (const end = y + <usize>rows * yStep; y < end; y += yStep, x += xStep) memory.copy(y, x, bytes);
}

/** y[r, c] = x[c, r]: rows of y are `yStep`, rows of x `xStep` bytes apart. */
function transposeBlock(y: usize, yStep: usize, x: usize, xStep: usize, rows: i32, columns: i32): void {
  let c = 0;
  for (; c + 4 <= columns; c += 4, y += 16, x += 4 * xStep) {
    let from = x, to = y, r = 0;
    for (; r + 4 <= rows; r += 4, from += 16, to += 4 * yStep) {
      const r0 = v128.load(from), r1 = v128.load(from + xStep);
      const r2 = v128.load(from + 2 * xStep), r3 = v128.load(from + 3 * xStep);
      const t0 = v128.shuffle<f32>(r0, r1, 0, 4, 1, 5), t1 = v128.shuffle<f32>(r2, r3, 0, 4, 1, 5);
      const t2 = v128.shuffle<f32>(r0, r1, 2, 6, 3, 7), t3 = v128.shuffle<f32>(r2, r3, 2, 6, 3, 7);
      v128.store(to, v128.shuffle<f32>(t0, t1, 0, 1, 4, 5));
      v128.store(to + yStep, v128.shuffle<f32>(t0, t1, 2, 3, 6, 7));
      v128.store(to + 2 * yStep, v128.shuffle<f32>(t2, t3, 0, 1, 4, 5));
      v128.store(to + 3 * yStep, v128.shuffle<f32>(t2, t3, 2, 3, 6, 7));
    }
    for (; r < rows; r++, from += 4, to += yStep) {
      for (let i = 0; i < 4; i++) store<u32>(to + (<usize>i << 2), load<u32>(from + <usize>i * xStep));
    }
  }
  for (; c < columns; c++, y += 4, x += xStep) {
    let from = x, to = y;
    for (const end = x + (<usize>rows << 2); from < end; from += 4, to += yStep) store<u32>(to, load<u32>(from));
  }
}

/**
 * y[outer, r, c] = x[outer, c, r] with any strides in 4-byte values; columns are contiguous in y. `xRow` or `xColumn` is 1;
 * a stride of 0 repeats.
 * `dims` [outer, 3] i32: size, stride in y and in x of each outer dimension. Range: blocks of 32 rows of one outer index
 * after another.
 */
export function transpose(
  y: usize, x: usize, dims: usize, outer: i32, rows: i32, columns: i32, yRow: i32, xRow: i32, xColumn: i32,
  begin: i32, end: i32,
): void {
  const blocks = (rows + ROWS - 1) / ROWS;
  for (let unit = begin; unit < end; unit++) {
    const row = unit % blocks * ROWS;
    let to = y + (<usize>row * yRow << 2), from = x + (<usize>row * xRow << 2), rest = unit / blocks;
    for (let d = dims + <usize>outer * 12; d > dims;) {
      d -= 12;
      const size = load<i32>(d), index = <usize>(rest % size);
      rest /= size;
      to += index * load<i32>(d, 4) << 2;
      from += index * load<i32>(d, 8) << 2;
    }
    const height = min(ROWS, rows - row);
    if (xColumn == 1) copyRows(to, <usize>yRow << 2, from, <usize>xRow << 2, height, columns);
    else transposeBlock(to, <usize>yRow << 2, from, <usize>xColumn << 2, height, columns);
  }
}
