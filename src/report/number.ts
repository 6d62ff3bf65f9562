/**
 * Numbers as short text: `1e-5`, `0.0017`, `1.2k`, `81.5%`, `3 min 05 s`. Independent of the runtime's locale.
 *
 * @module
 */

const UNITS: readonly [number, string][] = [[1e12, "T"], [1e9, "B"], [1e6, "M"], [1e3, "k"]];

/** The decimal exponent of a finite number that is not 0: 3 for 1000, -5 for 2e-5. */
export function exponentOf(value: number): number {
  return Number(value.toExponential().split("e")[1]);
}

/**
 * A number with at most `digits` significant digits and no trailing zeros.
 *
 * @param value Any number.
 * @param digits Significant digits, 1 to 15; default 3.
 * @returns Such as `0.0017`, `1e-5`, `1.2k`, `3.4M`, `NaN`, `∞`.
 */
export function formatNumber(value: number, digits = 3): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "-∞";
  const rounded = Number(value.toPrecision(digits));
  const size = Math.abs(rounded);
  if (size === 0) return "0";
  if (size < 1e-3 || size >= 1e15) {
    const [mantissa, exponent] = rounded.toExponential().split("e");
    return `${mantissa}e${Number(exponent)}`;
  }
  for (const [unit, suffix] of UNITS) {
    if (size >= unit) return `${Number((rounded / unit).toPrecision(digits))}${suffix}`;
  }
  return String(rounded);
}

/** An axis label: as many digits as tell `value`, a multiple of `step`, from its neighbours. */
export function formatTick(value: number, step: number): string {
  if (value === 0) return "0";
  const digits = exponentOf(value) - exponentOf(step) + 1;
  return formatNumber(value, Math.min(15, Math.max(1, digits)));
}

/** A share as a percentage: 0.8153 is `81.5%`. */
export function formatPercent(share: number, decimals = 1): string {
  return Number.isFinite(share) ? `${(share * 100).toFixed(decimals)}%` : formatNumber(share);
}

/** A whole number with its thousands set apart: `1,838,210`. Other numbers as {@linkcode formatNumber} has them. */
export function formatCount(count: number): string {
  if (!Number.isSafeInteger(count)) return formatNumber(count);
  return String(count).replace(/\B(?=(?:\d{3})+$)/g, ",");
}

/** A duration: `870 ms`, `12.3 s`, `3 min 05 s`, `2 h 03 min`. */
export function formatDuration(ms: number): string {
  if (!Number.isFinite(ms) || ms < 0) return formatNumber(ms);
  if (ms < 999.5) return `${formatNumber(ms)} ms`;
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${twoDigits(seconds % 60)} s`;
  const minutes = Math.round(seconds / 60);
  return `${formatCount(Math.floor(minutes / 60))} h ${twoDigits(minutes % 60)} min`;
}

function twoDigits(count: number): string {
  return String(count).padStart(2, "0");
}
