/** How far numbers are from what they should be. A NaN anywhere makes the result NaN, which is below no tolerance. */

function worstOf(
  actual: ArrayLike<number>,
  wanted: ArrayLike<number>,
  error: (actual: number, wanted: number) => number,
): number {
  if (actual.length !== wanted.length) {
    throw new Error(`Lengths differ: ${actual.length}, expected ${wanted.length}`);
  }
  let worst = 0;
  for (let i = 0; i < wanted.length; i++) worst = Math.max(worst, error(actual[i], wanted[i])); // keeps a NaN
  return worst;
}

/** The largest |a - b| / (floor + |b|): with floor 1, below a tolerance that is absolute plus relative. */
export function worstError(actual: ArrayLike<number>, wanted: ArrayLike<number>, floor = 1): number {
  return worstOf(actual, wanted, (a, b) => Math.abs(a - b) / (floor + Math.abs(b)));
}

/** The largest |a - b|. */
export function largestDifference(actual: ArrayLike<number>, wanted: ArrayLike<number>): number {
  return worstOf(actual, wanted, (a, b) => Math.abs(a - b));
}
