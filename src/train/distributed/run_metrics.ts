/**
 * What a run took: time, rates, and the communication of its ranks.
 *
 * @module
 */
import type { Metrics } from "../events.ts";
import type { TrainerState } from "../training_state.ts";
import type { Ranks } from "./ranks.ts";

/** Begins to measure. @returns Ends, and gives the metrics of a run that came to `after` meanwhile. */
export function measureRun(ranks: Ranks, before: Readonly<TrainerState>): (after: TrainerState) => Metrics {
  const start = performance.now(), { overlap, communicator: { times } } = ranks;
  const { global_step: steps, num_samples_seen: samples, num_input_tokens_seen: tokens } = before;
  const { underWay, waited } = overlap, { seconds: communicated } = times;
  return ({ global_step, epoch, total_loss, ...after }) => {
    const seconds = (performance.now() - start) / 1000, sums = overlap.underWay - underWay;
    return {
      ...{ train_runtime: seconds, train_loss: total_loss / Math.max(1, global_step), epoch },
      train_steps_per_second: (global_step - steps) / seconds,
      train_samples_per_second: (after.num_samples_seen - samples) / seconds,
      train_tokens_per_second: (after.num_input_tokens_seen - tokens) / seconds,
      ...(ranks.size > 1
        ? { train_ranks: ranks.size, train_communication_seconds: times.seconds - communicated }
        : {}),
      ...(sums > 0 ? { train_communication_overlap: 1 - (overlap.waited - waited) / sums } : {}),
    };
  };
}
