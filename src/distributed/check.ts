/** What every operation asks of its arguments, before a wrong one could reach native code. */
import { CommunicationError } from "../errors.ts";

/** @throws {CommunicationError} if the root is no rank. */
export function checkRoot(operation: string, root: number, size: number): void {
  if (Number.isInteger(root) && root >= 0 && root < size) return;
  throw new CommunicationError(
    `Cannot ${operation}: the root is ${root}, a rank from 0 to ${size - 1} is wanted`,
  );
}

/** @throws {CommunicationError} if the counts are not one for each rank, and together all values. */
export function checkCounts(
  operation: string,
  values: { length: number },
  counts: readonly number[],
  size: number,
): void {
  const sum = counts.reduce((total, count) => total + count, 0);
  const isRight = counts.length === size && counts.every((count) => Number.isInteger(count) && count >= 0);
  if (isRight && sum === values.length) return;
  throw new CommunicationError(
    `Cannot ${operation}: the counts are [${counts.join(", ")}], ` +
      `${size} of them are wanted that sum up to ${values.length}`,
  );
}

/** @throws {CommunicationError} if the color is no whole number from 0 on, or the key no whole number. */
export function checkColor(color: number, key: number): void {
  if (Number.isInteger(color) && color >= 0 && Number.isInteger(key)) return;
  throw new CommunicationError(
    `Cannot split the ranks: the color is ${color}, the key ${key}; whole numbers are wanted, the color 0 or more`,
  );
}
