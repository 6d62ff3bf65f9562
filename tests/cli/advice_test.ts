/** What berth train says about a run's evaluations. */
import { match, strictEqual } from "node:assert/strict";
import { overfittingAdvice } from "../../src/cli/advice.ts";
import type { EvaluationLine } from "../../src/cli/run_log.ts";

const evaluations = (...losses: number[]): EvaluationLine[] =>
  losses.map((eval_loss, i) => ({
    type: "evaluate",
    step: 10 * (i + 1),
    epoch: i + 1,
    metrics: { eval_loss },
  }));

Deno.test("a loss of evaluations that rose is told, with the step where it was least and what may help", () => {
  match(
    overfittingAdvice(evaluations(0.7, 0.5, 0.9), {}),
    /least after step 20 \(0\.5000, 0\.9000 at the end\): .*--load-best-model-at-end/,
  );
  match(overfittingAdvice(evaluations(0.5, 0.75), {}), /least after step 10/);
});

Deno.test("nothing is said of losses that fell or rose a little, or if the best weights are kept", () => {
  strictEqual(overfittingAdvice(evaluations(0.7, 0.5, 0.4), {}), "");
  strictEqual(overfittingAdvice(evaluations(0.5, 0.74), {}), "");
  strictEqual(overfittingAdvice(evaluations(0.5), {}), "");
  strictEqual(overfittingAdvice([], {}), "");
  strictEqual(overfittingAdvice(evaluations(0.7, 0.5, 0.9), { load_best_model_at_end: true }), "");
  strictEqual(overfittingAdvice(evaluations(NaN, NaN), {}), "");
});
