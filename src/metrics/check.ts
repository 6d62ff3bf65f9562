/**
 * What all metrics check about their input, and the order of classes.
 *
 * @module
 */
import { DataError } from "../errors.ts";

/** A class: its number or its name. */
export type Label = string | number;

/** Makes sure that there is something, and as much of one as of the other. */
export function checkPair(what: string, expected: ArrayLike<unknown>, predicted: ArrayLike<unknown>): void {
  if (expected.length !== predicted.length) {
    throw new DataError(
      `Cannot compute the ${what}: there are ${expected.length} expected and ${predicted.length} predicted values, ` +
        "wanted as many",
    );
  }
  if (expected.length === 0) {
    throw new DataError(`Cannot compute the ${what}: there are no examples, wanted at least one`);
  }
}

/** Makes sure that every number is one, and none is infinite. */
export function checkFinite(
  what: string,
  values: ArrayLike<number>,
  least = -Infinity,
  most = Infinity,
): void {
  for (let i = 0; i < values.length; i++) {
    if (Number.isFinite(values[i]) && values[i] >= least && values[i] <= most) continue;
    const range = least === -Infinity ? "a finite number" : `a number from ${least} to ${most}`;
    throw new DataError(`Cannot compute the ${what}: value ${i} is ${values[i]}, wanted ${range}`);
  }
}

/** Numbers by value, before strings by code points, as numpy orders them. */
export function compareLabels(a: Label, b: Label): number {
  if (typeof a === "number" && typeof b === "number") return a - b;
  if (typeof a !== typeof b) return typeof a === "number" ? -1 : 1;
  return compareCodePoints(String(a), String(b));
}

/** JavaScript's own order is that of UTF-16 units, which puts U+FF5E behind an emoji. */
function compareCodePoints(a: string, b: string): number {
  const left = Array.from(a), right = Array.from(b);
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    const difference = left[i].codePointAt(0)! - right[i].codePointAt(0)!;
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}

/** Every class that occurs, in order. */
export function classesOf<T extends Label>(...all: ArrayLike<T>[]): T[] {
  const classes = new Set<T>();
  for (const labels of all) for (let i = 0; i < labels.length; i++) classes.add(labels[i]);
  return [...classes].sort(compareLabels);
}

/** The mean of numbers; NaN of none. */
export function mean(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i];
  return sum / values.length;
}

/** The mean of numbers by weight; without weights if all of them are 0. NaN among the numbers is left out. */
export function nanMean(values: readonly number[], weights?: readonly number[]): number {
  let sum = 0, total = 0;
  values.forEach((value, i) => {
    if (Number.isNaN(value)) return;
    sum += value * (weights?.[i] ?? 1);
    total += weights?.[i] ?? 1;
  });
  return weights && total === 0 ? nanMean(values) : sum / total;
}

/** For each class its number. */
export function numberOf<T extends Label>(
  what: string,
  classes: readonly T[],
): (label: T, i: number) => number {
  const numbers = new Map(classes.map((label, k) => [label, k]));
  if (numbers.size !== classes.length) {
    throw new DataError(`Cannot compute the ${what}: the labels name a class twice`);
  }
  return (label, i) => {
    const found = numbers.get(label);
    if (found !== undefined) return found;
    throw new DataError(
      `Cannot compute the ${what}: the class of example ${i} is "${label}", wanted one of the ${classes.length} labels`,
    );
  };
}
