/** 200 random cases of each kind against scikit-learn, SciPy, seqeval and SQuAD's numbers (make_golden.py). */
import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type Golden, GROUPS, resultsOf, type Value } from "./cases.ts";

const TOLERANCE = 1e-9;
const PYTHON = Deno.env.get("BERTH_PYTHON");
if (!PYTHON) {
  console.log("Skipped: metrics live against Python; BERTH_PYTHON names one with scikit-learn and seqeval");
}

function isNear(actual: Value, wanted: Value): boolean {
  if (Array.isArray(actual) && Array.isArray(wanted)) {
    return actual.length === wanted.length && actual.every((value, i) => isNear(value, wanted[i]));
  }
  if (typeof actual !== "number" || typeof wanted !== "number") return actual === wanted;
  return Math.abs(actual - wanted) <= TOLERANCE * Math.max(1, Math.abs(wanted));
}

/** Compares all cases of a group; gives how many numbers were compared. */
function compare(golden: Golden, group: keyof typeof GROUPS): number {
  const { names, rows } = golden[group] as { names: string[]; rows: Value[][] };
  strictEqual(rows.length, 200);
  let count = 0;
  rows.forEach((row, i) => {
    const results = resultsOf(group, golden.seed, i);
    deepStrictEqual(Object.keys(results), names);
    row.forEach((wanted, k) => {
      const actual = results[names[k]];
      ok(
        isNear(actual, wanted),
        `${group} ${names[k]} of case ${i} is ${JSON.stringify(actual)}, wanted ${JSON.stringify(wanted)}`,
      );
      count += Array.isArray(wanted) ? wanted.length : 1;
    });
  });
  return count;
}

const golden: Golden = JSON.parse(readFileSync(new URL("golden/metrics.json", import.meta.url), "utf8"));
for (const group of Object.keys(GROUPS) as (keyof typeof GROUPS)[]) {
  Deno.test(`metrics equal Python's within 1e-9 on 200 cases: ${group}`, () => {
    ok(compare(golden, group) >= 1000);
  });
}

Deno.test({
  name: "metrics equal a live Python within 1e-9 on 200 other cases of each kind",
  ignore: !PYTHON,
  async fn() {
    const script = fileURLToPath(new URL("make_golden.py", import.meta.url));
    const seed = crypto.getRandomValues(new Uint16Array(1))[0] + 2;
    const { stdout, stderr, success } = await new Deno.Command(PYTHON!, {
      args: [script, "--seed", `${seed}`],
    }).output();
    ok(success, new TextDecoder().decode(stderr));
    const live: Golden = JSON.parse(new TextDecoder().decode(stdout));
    for (const group of ["classification", "multilabel", "ranking", "regression", "seqeval"] as const) {
      ok(compare(live, group) >= 1000, `seed ${seed}`);
    }
  },
});
