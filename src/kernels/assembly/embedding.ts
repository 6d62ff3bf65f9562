// Embeddings: gather of word, position and token type rows, and the scatter-add of their gradients.
// The scatter is split by columns, so that no two threads add to the same float and the order is that of the tokens.

/** z[n, h] = word[ids] + type[types] + position[positions]; ids are i32, `type` may be 0. Range: tokens. */
export function embedding_forward(
  z: usize, word: usize, position: usize, type: usize, ids: usize, positions: usize, types: usize, h: i32, begin: i32, end: i32,
): void {
  const ld = <usize>h << 2;
  for (let i = begin; i < end; i++) {
    const o = <usize>i << 2, out = z + <usize>i * ld;
    const w = word + <usize>load<i32>(ids + o) * ld;
    const p = position + <usize>load<i32>(positions + o) * ld;
    let j = 0;
    if (type == 0) {
      for (; j + 4 <= h; j += 4) {
        const x = <usize>j << 2;
        v128.store(out + x, f32x4.add(v128.load(w + x), v128.load(p + x)));
      }
      for (; j < h; j++) {
        const x = <usize>j << 2;
        store<f32>(out + x, load<f32>(w + x) + load<f32>(p + x));
      }
      continue;
    }
    const t = type + <usize>load<i32>(types + o) * ld;
    for (; j + 4 <= h; j += 4) {
      const x = <usize>j << 2;
      v128.store(out + x, f32x4.add(f32x4.add(v128.load(w + x), v128.load(t + x)), v128.load(p + x)));
    }
    for (; j < h; j++) {
      const x = <usize>j << 2;
      store<f32>(out + x, load<f32>(w + x) + load<f32>(t + x) + load<f32>(p + x));
    }
  }
}

/**
 * dtable[ids] += dz, rows [0, n); marks `touched[id]`. Row `padding` (-1 for none) gets no gradient.
 * Range: blocks of 16 columns.
 */
export function embedding_backward(
  dtable: usize, touched: usize, dz: usize, ids: usize, n: i32, h: i32, padding: i32, begin: i32, end: i32,
): void {
  const ld = <usize>h << 2, from = begin << 4, to = min(h, end << 4);
  for (let i = 0; i < n; i++) {
    const id = load<i32>(ids + (<usize>i << 2));
    if (id == padding) continue;
    store<u8>(touched + id, 1);
    const g = dz + <usize>i * ld, out = dtable + <usize>id * ld;
    let j = from;
    for (; j + 4 <= to; j += 4) {
      const x = <usize>j << 2;
      v128.store(out + x, f32x4.add(v128.load(out + x), v128.load(g + x)));
    }
    for (; j < to; j++) {
      const x = <usize>j << 2;
      store<f32>(out + x, load<f32>(out + x) + load<f32>(g + x));
    }
  }
}

/** Zeroes the touched rows of table[rows, h]. Range: rows. */
export function zero_touched_rows(table: usize, touched: usize, h: i32, begin: i32, end: i32): void {
  const ld = <usize>h << 2;
  for (let i = begin; i < end; i++) if (load<u8>(touched + i)) memory.fill(table + <usize>i * ld, 0, ld);
}

/** y[i] = x[rows[i]]: picks rows of width h. Range: rows of y. */
export function gather_rows(y: usize, x: usize, rows: usize, h: i32, begin: i32, end: i32): void {
  const ld = <usize>h << 2;
  for (let i = begin; i < end; i++) memory.copy(y + <usize>i * ld, x + <usize>load<i32>(rows + (<usize>i << 2)) * ld, ld);
}

/** y[rows[i]] = x[i]: puts rows of width h back; `rows` has no row twice. Range: rows of x. */
export function scatter_rows(y: usize, x: usize, rows: usize, h: i32, begin: i32, end: i32): void {
  const ld = <usize>h << 2;
  for (let i = begin; i < end; i++) memory.copy(y + <usize>load<i32>(rows + (<usize>i << 2)) * ld, x + <usize>i * ld, ld);
}

/** y[rows[i]] += x[i] for row numbers without repetition. Range: rows of x. */
export function add_rows(y: usize, x: usize, rows: usize, h: i32, begin: i32, end: i32): void {
  const ld = <usize>h << 2;
  for (let i = begin; i < end; i++) {
    const out = y + <usize>load<i32>(rows + (<usize>i << 2)) * ld, from = x + <usize>i * ld;
    for (let j = 0; j < h; j++) {
      const o = <usize>j << 2;
      store<f32>(out + o, load<f32>(out + o) + load<f32>(from + o));
    }
  }
}

/** Fills `n` bytes with zero. Range: blocks of 64 KiB. */
export function zero(p: usize, n: usize, begin: i32, end: i32): void {
  const from = <usize>begin << 16, to = min(n, <usize>end << 16);
  memory.fill(p + from, 0, to - from);
}
