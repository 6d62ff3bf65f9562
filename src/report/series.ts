/**
 * Curves for the screen: as few points as show every extreme, broken where a value is missing, and smoothed.
 *
 * @module
 */

/** Marks a break in {@linkcode keptPoints}' list. */
export const GAP = -1;

/**
 * Which points of a curve to draw. Up to four a pixel column are all kept; of more, each column keeps its first, lowest,
 * highest and last, so that the drawing is the same. A gap inside one column cannot be seen and is not kept.
 *
 * @param px Horizontal pixels, NaN where there is none.
 * @param py Vertical pixels, NaN where there is none.
 * @param columns The width of the plot in pixels.
 * @returns Indices in order, with {@linkcode GAP} where the curve breaks.
 */
export function keptPoints(px: Float64Array, py: Float64Array, columns: number): number[] {
  const dense = px.length > 4 * columns;
  const kept: number[] = [];
  let group: { column: number; first: number; low: number; high: number; last: number } | undefined;
  let broken = false;
  const flush = () => {
    if (group === undefined) return;
    const order = [group.first, group.low, group.high, group.last].sort((a, b) => a - b);
    order.forEach((index, i) => {
      if (i === 0 || index !== order[i - 1]) kept.push(index);
    });
  };
  for (let i = 0; i < px.length; i++) {
    if (Number.isNaN(px[i]) || Number.isNaN(py[i])) {
      broken = true;
      continue;
    }
    const column = dense ? Math.floor(px[i]) : i;
    if (group?.column === column) {
      if (py[i] < py[group.low]) group.low = i;
      if (py[i] > py[group.high]) group.high = i;
      group.last = i;
    } else {
      flush();
      if (broken && kept.length > 0) kept.push(GAP);
      group = { column, first: i, low: i, high: i, last: i };
    }
    broken = false;
  }
  flush();
  return kept;
}

/** The data of an SVG path through the kept points; a point between two gaps becomes a dot (a line of length 0). */
export function pathData(kept: readonly number[], px: Float64Array, py: Float64Array): string {
  let data = "";
  kept.forEach((index, i) => {
    if (index === GAP) return;
    const begins = i === 0 || kept[i - 1] === GAP;
    const ends = i === kept.length - 1 || kept[i + 1] === GAP;
    data += `${begins ? "M" : "L"}${round(px[index])} ${round(py[index])}`;
    if (begins && ends) data += "h0";
  });
  return data;
}

/** A coordinate with one decimal. */
export function round(value: number): number {
  return Math.round(value * 10) / 10 + 0;
}

/** The smoothed curve has about this many points. */
const SMOOTH_POINTS = 600;

/** Fewer finite points are not smoothed. */
const FEWEST_POINTS = 10;

/** A run of missing values longer than this share of the curve breaks the smoothed curve too. */
const SMOOTH_BREAK = 0.02;

/**
 * Smooths a curve by local linear regression with tricube weights (Cleveland's LOWESS, first pass) over the points'
 * order. Unlike an exponential average it does not lag, and it keeps a slope at both ends.
 *
 * @param x The places.
 * @param y The values; those that are not finite are passed over.
 * @param share The window as a share of the points, 0 to 1.
 * @returns The smoothed curve, at most about 600 points, NaN where a long gap breaks it; empty below 10 finite values.
 */
export function smoothCurve(
  x: ArrayLike<number>,
  y: ArrayLike<number>,
  share: number,
): { x: number[]; y: number[] } {
  const longest = Math.max(2, SMOOTH_BREAK * y.length);
  const bins = binned(x, y, longest);
  const curve: { x: number[]; y: number[] } = { x: [], y: [] };
  if (bins.length === 0) return curve;
  const half = Math.max(2, Math.round(share * bins.length / 2));
  bins.forEach((bin, i) => {
    if (i > 0 && bin.first - bins[i - 1].last > longest) {
      curve.x.push(bin.x);
      curve.y.push(NaN);
    }
    curve.x.push(bin.x);
    curve.y.push(localLine(bins, i, half));
  });
  return curve;
}

interface Bin {
  x: number;
  y: number;
  first: number;
  last: number;
}

/** The finite points, averaged in equal runs to about {@linkcode SMOOTH_POINTS}; no run spans a gap over `longest`. */
function binned(x: ArrayLike<number>, y: ArrayLike<number>, longest: number): Bin[] {
  const finite: number[] = [];
  for (let i = 0; i < y.length; i++) if (Number.isFinite(x[i]) && Number.isFinite(y[i])) finite.push(i);
  if (finite.length < FEWEST_POINTS) return [];
  const size = Math.ceil(finite.length / SMOOTH_POINTS);
  const bins: Bin[] = [];
  let begin = 0;
  for (let end = 1; end <= finite.length; end++) {
    const cut = end === finite.length || end - begin === size || finite[end] - finite[end - 1] > longest;
    if (!cut) continue;
    const bin: Bin = { x: 0, y: 0, first: finite[begin], last: finite[end - 1] };
    for (let i = begin; i < end; i++) {
      bin.x += x[finite[i]] / (end - begin);
      bin.y += y[finite[i]] / (end - begin);
    }
    bins.push(bin);
    begin = end;
  }
  return bins;
}

/** The value at bin `i` of the weighted least-squares line through the bins around it. */
function localLine(bins: readonly Bin[], i: number, half: number): number {
  let s0 = 0, s1 = 0, s2 = 0, t0 = 0, t1 = 0;
  for (let j = Math.max(0, i - half); j <= Math.min(bins.length - 1, i + half); j++) {
    const d = j - i;
    const weight = (1 - (Math.abs(d) / (half + 1)) ** 3) ** 3;
    s0 += weight;
    s1 += weight * d;
    s2 += weight * d * d;
    t0 += weight * bins[j].y;
    t1 += weight * d * bins[j].y;
  }
  return (s2 * t0 - s1 * t1) / (s0 * s2 - s1 * s1);
}
