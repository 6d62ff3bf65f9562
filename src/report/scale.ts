/**
 * Axes: from the range of the data to a range with round ends, its ticks and their labels.
 *
 * @module
 */

import { exponentOf, formatTick } from "./number.ts";

/** One axis. */
export interface Axis {
  /** The tick values, ascending, all inside the axis. */
  readonly ticks: readonly number[];
  /** Where a value lies: 0 is the axis's begin, 1 its end; NaN if it cannot be shown. */
  place(value: number): number;
  /** The text at a tick. */
  label(tick: number): string;
}

/** What an axis may be told. */
export interface AxisOptions {
  /** About how many ticks fit; at least 2. */
  count: number;
  /** Whether all values are whole numbers, so that ticks are too. */
  whole?: boolean;
  /** Whether the axis ends at the data instead of at the next tick. */
  tight?: boolean;
  /** Whether 1 is labelled `100%`. */
  percent?: boolean;
}

/** Larger numbers are treated as infinite, so that no sum or product on the way to a pixel overflows. */
export const LARGEST = 1e280;

/** Ticks may lie a little beyond the largest number. */
const BEYOND = 2 * LARGEST;

/**
 * Ranges narrower than this share of their values are shown as one value: ticks are rounded to 14 digits, and the
 * rounding must stay below a pixel.
 */
const NARROWEST = 1e-6;

/** Smaller ranges count as none, so that a tick's step never underflows. */
const SMALLEST = 1e-290;

/** The round step (1, 2 or 5 times a power of ten) that cuts `span` into at most `count` parts. */
export function niceStep(span: number, count: number): number {
  const rough = span / count;
  const exponent = exponentOf(rough);
  for (const mantissa of [1, 2, 5]) {
    const step = Number(`${mantissa}e${exponent}`);
    if (step >= rough * (1 - 1e-9)) return step;
  }
  return Number(`1e${exponent + 1}`);
}

/** The multiples of `step` from `low` to `high`, free of rounding noise. */
function multiples(low: number, high: number, step: number): number[] {
  const ticks: number[] = [];
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  for (let i = first; i <= last; i++) ticks.push(Number((i * step).toPrecision(14)) + 0);
  return ticks;
}

/** A linear axis over the data's range. A range near or across 0 includes it. */
export function linearAxis(low: number, high: number, options: AxisOptions): Axis {
  const ceiling = options.percent && high <= 1 ? 1 : Infinity;
  if (high - low <= Math.max(SMALLEST, NARROWEST * Math.max(Math.abs(low), Math.abs(high)))) {
    const margin = options.whole || Math.abs(low) <= SMALLEST ? 1 : Math.abs(low) / 10;
    low -= margin;
    high += margin;
  } else if (!options.tight && low > 0 && low < 0.35 * high) {
    low = 0;
  }
  let step = niceStep(high - low, options.count);
  if (options.whole) step = Math.max(1, step);
  if (!options.tight) {
    low = Math.floor(low / step + 1e-9) * step;
    high = Math.min(ceiling, Math.ceil(high / step - 1e-9) * step);
  }
  const span = high - low;
  return {
    ticks: multiples(low, high, step),
    place: (value) => Math.abs(value) <= BEYOND ? (value - low) / span : NaN,
    label: (tick) => options.percent ? `${formatTick(tick * 100, step * 100)}%` : formatTick(tick, step),
  };
}

/** A logarithmic axis over the positive values' range; other values cannot be shown. */
export function logAxis(low: number, high: number, options: AxisOptions): Axis {
  if (high <= low * (1 + NARROWEST)) {
    low /= 2;
    high *= 2;
  }
  const ticks = logTicks(low, high, options.count);
  const step = Math.min(...ticks.map((tick, i) => i === 0 ? tick : tick - ticks[i - 1]));
  const begin = Math.log10(Math.min(low, ticks[0] ?? low));
  const span = Math.log10(Math.max(high, ticks[ticks.length - 1] ?? high)) - begin;
  return {
    ticks,
    place: (value) => value > 0 && value <= BEYOND ? (Math.log10(value) - begin) / span : NaN,
    label: (tick) => options.percent ? `${formatTick(tick * 100, step * 100)}%` : formatTick(tick, step),
  };
}

/** Powers of ten; over a shorter range with 2 and 5 between them; over one shorter still, linear ticks. */
function logTicks(low: number, high: number, count: number): number[] {
  const decades = Math.log10(high / low);
  if (decades < 0.7) return multiples(low, high, niceStep(high - low, count));
  const mantissas = decades <= 2 ? [1, 2, 5] : [1];
  const stride = Math.ceil(decades / Math.max(4, count));
  const ticks: number[] = [];
  const last = exponentOf(high) + 1;
  for (let exponent = exponentOf(low); exponent <= last; exponent++) {
    if (exponent % stride === 0) {
      for (const mantissa of mantissas) ticks.push(Number(`${mantissa}e${exponent}`));
    }
  }
  // One tick beyond each end, if it is near.
  return ticks.filter((tick) => tick > 0 && tick >= low / 2.5 && tick <= high * 2.5);
}
