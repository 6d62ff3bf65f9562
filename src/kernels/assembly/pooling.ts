// One vector a sequence out of one a token, and vectors of length 1: what sentence vectors need beside the encoder.
//
// `sequences` are (first row, keys, rows) as in batch.ts: the real tokens stand first, masked ones behind them.

/** How a sequence's rows become one: their mean, the largest value of each column; else their sum over the root of their number. */
const MEAN: i32 = 0, MAX: i32 = 1;

// @ts-ignore: decorator
@inline
function factorOf(mode: i32, n: i32): f32 {
  return <f32>(1.0 / (mode == MEAN ? <f64>n : Math.sqrt(<f64>n)));
}

/** y[sequences, h] of x[rows, h]; of the largest values, their rows to `places` (i32, [sequences, h]). Range: sequences. */
export function pool_forward(
  y: usize, places: usize, x: usize, sequences: usize, h: i32, mode: i32, begin: i32, end: i32,
): void {
  const ld = <usize>h << 2, vectors = <usize>(h & ~3) << 2;
  for (let s = begin; s < end; s++) {
    const table = sequences + <usize>s * 12, first = load<i32>(table), n = load<i32>(table, 4);
    const out = y + <usize>s * ld, place = places + <usize>s * ld;
    if (mode == MAX) {
      for (let p: usize = 0; p < ld; p += 4) {
        let best = first, top = load<f32>(x + <usize>first * ld + p);
        for (let row = first + 1; row < first + n; row++) {
          const value = load<f32>(x + <usize>row * ld + p);
          if (value > top || value != value) {
            top = value;
            best = row;
          }
        }
        store<f32>(out + p, top);
        store<i32>(place + p, best);
      }
      continue;
    }
    memory.copy(out, x + <usize>first * ld, ld);
    for (let row = first + 1; row < first + n; row++) {
      const from = x + <usize>row * ld;
      let p: usize = 0;
      for (; p < vectors; p += 16) v128.store(out + p, f32x4.add(v128.load(out + p), v128.load(from + p)));
      for (; p < ld; p += 4) store<f32>(out + p, load<f32>(out + p) + load<f32>(from + p));
    }
    const factor = factorOf(mode, n), factors = f32x4.splat(factor);
    let p: usize = 0;
    for (; p < vectors; p += 16) v128.store(out + p, f32x4.mul(v128.load(out + p), factors));
    for (; p < ld; p += 4) store<f32>(out + p, load<f32>(out + p) * factor);
  }
}

/** dx[rows, h] of dy[sequences, h]; zero for masked tokens. Range: sequences. */
export function pool_backward(
  dx: usize, dy: usize, places: usize, sequences: usize, h: i32, mode: i32, begin: i32, end: i32,
): void {
  const ld = <usize>h << 2, vectors = <usize>(h & ~3) << 2;
  for (let s = begin; s < end; s++) {
    const table = sequences + <usize>s * 12, first = load<i32>(table), n = load<i32>(table, 4), rows = load<i32>(table, 8);
    const from = dy + <usize>s * ld, place = places + <usize>s * ld, keys = mode == MAX ? 0 : n;
    memory.fill(dx + <usize>(first + keys) * ld, 0, <usize>(rows - keys) * ld);
    if (mode == MAX) {
      for (let p: usize = 0; p < ld; p += 4) store<f32>(dx + <usize>load<i32>(place + p) * ld + p, load<f32>(from + p));
      continue;
    }
    const factor = factorOf(mode, n), factors = f32x4.splat(factor);
    for (let row = first; row < first + n; row++) {
      const out = dx + <usize>row * ld;
      let p: usize = 0;
      for (; p < vectors; p += 16) v128.store(out + p, f32x4.mul(v128.load(from + p), factors));
      for (; p < ld; p += 4) store<f32>(out + p, load<f32>(from + p) * factor);
    }
  }
}

/** y = x / max(|x|, eps), row by row, [n, h]; 1 / that length to `inverse` [n], negative where it is eps. Range: rows. */
export function normalize_forward(y: usize, inverse: usize, x: usize, h: i32, eps: f32, begin: i32, end: i32): void {
  const ld = <usize>h << 2;
  for (let row = begin; row < end; row++) {
    const from = x + <usize>row * ld, out = y + <usize>row * ld;
    let squares: f64 = 0;
    for (let p = from; p < from + ld; p += 4) squares += <f64>load<f32>(p) * <f64>load<f32>(p);
    const length = Math.sqrt(squares), isShort = length < <f64>eps, factor = 1.0 / (isShort ? <f64>eps : length);
    for (let p: usize = 0; p < ld; p += 4) store<f32>(out + p, <f32>(<f64>load<f32>(from + p) * factor));
    store<f32>(inverse + (<usize>row << 2), <f32>(isShort ? -factor : factor));
  }
}

/** dx = (dy - y (y . dy)) / |x|, row by row. Range: rows. */
export function normalize_backward(
  dx: usize, dy: usize, y: usize, inverse: usize, h: i32, begin: i32, end: i32,
): void {
  const ld = <usize>h << 2;
  for (let row = begin; row < end; row++) {
    const g = dy + <usize>row * ld, unit = y + <usize>row * ld, out = dx + <usize>row * ld;
    const factor = <f64>load<f32>(inverse + (<usize>row << 2));
    let along: f64 = 0;
    if (factor > 0) for (let p: usize = 0; p < ld; p += 4) along += <f64>load<f32>(g + p) * <f64>load<f32>(unit + p);
    for (let p: usize = 0; p < ld; p += 4) {
      const across = <f64>load<f32>(g + p) - along * <f64>load<f32>(unit + p);
      store<f32>(out + p, <f32>(across * Math.abs(factor)));
    }
  }
}
