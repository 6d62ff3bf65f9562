/**
 * What a run's evaluations suggest for the next one.
 *
 * @module
 */
import type { EvaluationLine } from "./run_log.ts";
import type { RunSettings } from "./training_flags.ts";

/** A loss at the end so many times the least one is told. */
const MUCH_WORSE = 1.5;

/** A sentence, if the loss of the evaluations rose while training went on; else empty. */
export function overfittingAdvice(
  evaluations: readonly EvaluationLine[],
  { load_best_model_at_end }: Pick<RunSettings, "load_best_model_at_end">,
): string {
  const losses = evaluations.flatMap(({ step, metrics: { eval_loss } }) =>
    Number.isFinite(eval_loss) ? [{ step, loss: eval_loss }] : []
  );
  const last = losses.at(-1);
  if (!last || load_best_model_at_end) return "";
  const least = losses.reduce((best, one) => one.loss < best.loss ? one : best);
  if (last.loss < MUCH_WORSE * least.loss) return "";
  return `the loss of the evaluations was least after step ${least.step} (${least.loss.toPrecision(4)}, ` +
    `${
      last.loss.toPrecision(4)
    } at the end): more examples, fewer epochs or --load-best-model-at-end may do better`;
}
