/** Compares what pipelines say with what Python's say. */
import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import type { Answer, FoundEntity } from "../../mod.ts";

/** Fails where two numbers differ by more than 1e-5, or anything else differs at all. */
export function same(actual: unknown, wanted: unknown, place: string): void {
  if (typeof wanted === "number") {
    ok(Math.abs(actual as number - wanted) <= 1e-5, `${place}: ${actual}, expected ${wanted}`);
  } else if (typeof wanted === "object" && wanted !== null) {
    const keys = Object.keys(wanted);
    deepStrictEqual(Object.keys(actual as object).sort(), keys.sort(), place);
    for (const key of keys) {
      same(
        (actual as Record<string, unknown>)[key],
        (wanted as Record<string, unknown>)[key],
        `${place}.${key}`,
      );
    }
  } else strictEqual(actual, wanted, place);
}

/** Entities as outputs.py gives them. */
export function entityRows(entities: readonly FoundEntity[]): unknown[][] {
  return entities.map(({ entity, entity_group, score, start, end, word, index }) =>
    [entity ?? entity_group, score, start, end, word, index].filter((value) => value !== undefined)
  );
}

/** Answers as outputs.py gives them. */
export function answerRows(answers: Answer | readonly Answer[]): unknown[][] {
  return [answers].flat().map(({ answer, score, start, end }) => [answer, score, start, end]);
}
