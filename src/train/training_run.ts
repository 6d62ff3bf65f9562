/**
 * A run that is under way: its optimizer, schedule, data and state, one step after the other; as bytes and back.
 *
 * @module
 */
import { DataError } from "../errors.ts";
import type { TrainableModel } from "../model/mod.ts";
import { savedFiles } from "../model/pretrained.ts";
import type { FileChunks } from "../runtime/files.ts";
import { Turns } from "../runtime/turns.ts";
import { type Checkpoint, safetensorsChunks } from "../weights/mod.ts";
import { AdamW, type ParameterGroup } from "./adamw.ts";
import { type FullArguments, warmupSteps } from "./arguments.ts";
import { ARGS_FILE, OPTIMIZER_FILE, STATE_FILE } from "./checkpoints.ts";
import type { Example } from "./dataset.ts";
import { ExactTree } from "./distributed/exact_tree.ts";
import { FlatGradients } from "./distributed/flat_gradients.ts";
import { GradientBuckets } from "./distributed/gradient_buckets.ts";
import { type GradientSum, OWN_SUM } from "./distributed/gradient_sum.ts";
import type { Ranks } from "./distributed/ranks.ts";
import { Shards } from "./distributed/shards.ts";
import { stepSizes } from "./distributed/step_sizes.ts";
import { divergence } from "./divergence.ts";
import type { EventBody, Metrics, TrainingStep } from "./events.ts";
import type { InputMaker } from "./features.ts";
import { get_scheduler, LearningRateSchedule } from "./schedule.ts";
import {
  bestTensors,
  checkAgreement,
  encodeSnapshot,
  hashFrozen,
  loadOptimizer,
  loadWeights,
  optimizerSteps,
  optimizerTensors,
  type SnapshotHeader,
  trainedParameters,
  type Weights,
  weightTensors,
} from "./snapshot.ts";
import type { TrainingData } from "./training_data.ts";
import { type LogEntry, newState, type TrainerState } from "./training_state.ts";
import { findWatches, type Watch } from "./watch.ts";

/** What a run asks of its surroundings. */
export interface Surroundings {
  /** Tells an event. */
  tell(event: EventBody): Promise<void>;
  /** True if the run is to end at once. */
  interrupted(): boolean;
}

/** The steps of a run. */
export class TrainingRun {
  /** How far it has come. */
  state: TrainerState;
  readonly #optimizer: AdamW;
  readonly #schedule: LearningRateSchedule;
  readonly #watches: readonly Watch[];
  readonly #turns = new Turns();
  #layout: FlatGradients | undefined;
  #shards: Shards | undefined;
  #gradients: GradientSum | undefined;
  #frozen: Promise<string> | undefined;

  /** Begins at step 0, unless a snapshot is loaded. */
  constructor(
    readonly model: TrainableModel,
    readonly args: FullArguments,
    readonly data: TrainingData,
    readonly inputs: InputMaker,
    readonly ranks: Ranks,
    groups: readonly ParameterGroup[],
    options: { schedule?: (step: number) => number; isSharded?: boolean } = {},
  ) {
    this.state = newState(totalSteps(args, data.perEpoch));
    this.#watches = findWatches(model, args.watch);
    this.#optimizer = new AdamW(groups, {
      ...{ lr: args.learning_rate, betas: [args.adam_beta1, args.adam_beta2], eps: args.adam_epsilon },
      variant: args.optim === "adamw_hf" ? "transformers" : "pytorch",
      ...{ state_dtype: args.state_dtype, fused_backward: args.fused_backward },
    });
    if (options.isSharded && ranks.size > 1) {
      this.#layout = new FlatGradients(model);
      this.#shards = new Shards(this.#layout, ranks.communicator);
      this.#optimizer.shard(this.#shards);
    }
    const { schedule } = options;
    this.#schedule = schedule
      ? new LearningRateSchedule(this.#optimizer, schedule)
      : get_scheduler(args.lr_scheduler_type, this.#optimizer, {
        ...args.lr_scheduler_kwargs,
        num_warmup_steps: warmupSteps(args, this.state.max_steps),
        num_training_steps: this.state.max_steps,
      });
    this.state.watch = this.#watches.map(({ name, read }) => ({ name, values: [read()] }));
  }

  /** True when all steps are made, or early stopping has ended the run. */
  get ended(): boolean {
    return this.state.early_stopped || this.state.global_step >= this.state.max_steps;
  }

  /** True if the ranks share AdamW's moments. */
  get isSharded(): boolean {
    return this.#shards !== undefined;
  }

  /** The next step's batches; none if the epoch is over. */
  async nextBatches(): Promise<Example[][]> {
    const { epoch, batch } = this.state.position;
    return await this.data.take(epoch, batch, this.args.gradient_accumulation_steps);
  }

  /**
   * Makes one optimizer step: encode, forward, loss, backward; sum, clip, step, schedule.
   *
   * @param batches The micro-batches of all ranks; this one works on its share.
   * @returns Undefined if it was interrupted; nothing has changed then.
   * @throws {DivergenceError} if the loss or a gradient is no finite number; nothing has changed then.
   */
  async step(
    batches: readonly Example[][],
    { tell, interrupted }: Surroundings,
  ): Promise<Omit<TrainingStep, "elapsedMs"> | undefined> {
    const { model, args, state, ranks } = this, guard = args.stop_on_non_finite, isAlone = ranks.size === 1;
    const { begin, end } = ranks.part(args.gradient_accumulation_steps);
    const parts = batches.slice(begin, end).map((batch, i) =>
      this.inputs.inputs(batch, state.passes + begin + i, true)
    );
    const { labels, samples, tokens, counted } = stepSizes(
      ranks,
      parts,
      begin,
      batches.length,
      args.class_weights,
    );
    const losses = new Float64Array(batches.length), gradients = this.#gradients ??= this.#gradientSum();
    const last = parts.findLastIndex((_, i) => labels[begin + i] > 0);
    model.train();
    gradients.begin();
    for (let i = 0; i < end - begin; i++) {
      const part = parts[i], number = begin + i, scale = labels[number] / counted;
      if (part && labels[number] > 0) {
        model.seed(args.seed, state.passes + number);
        const { loss: mean } = model.forward(part);
        if (mean === undefined) throw new DataError("Cannot train: the examples of a batch have no labels");
        losses[number] = scale * mean;
        if (guard && isAlone && !Number.isFinite(losses[number])) throw this.#diverged(sum(losses));
        gradients.add(() => model.backward({ scale }), i === last);
      } else gradients.add(undefined, false);
      if (!part) continue;
      await tell({ type: "substep_end", done: i + 1, total: parts.length });
      await this.#turns.yield();
      if (isAlone && i + 1 < parts.length && interrupted()) {
        this.#forgetGradients();
        return undefined;
      }
    }
    gradients.finish();
    const loss = sum(ranks.sum(losses));
    if (guard && !Number.isFinite(loss)) throw this.#diverged(loss);
    await tell({ type: "pre_optimizer_step" });
    const [learning_rate] = this.#schedule.get_last_lr();
    const { grad_norm } = this.#optimizer.step({
      max_grad_norm: args.max_grad_norm || undefined,
      only_finite: guard && !args.fused_backward,
    });
    if (guard && grad_norm !== undefined && !Number.isFinite(grad_norm)) throw this.#diverged(loss);
    this.#schedule.step();
    model.zero_grad();
    this.#advance(batches.length, loss, grad_norm);
    state.num_samples_seen += sum(samples);
    state.num_input_tokens_seen += sum(tokens);
    return { step: state.global_step, epoch: state.epoch, loss, learning_rate, grad_norm };
  }

  /** How gradients add up; asked once all parameters that are frozen are. */
  #gradientSum(): GradientSum {
    const { args: { exact, gradient_accumulation_steps: all }, ranks, ranks: { size } } = this;
    if (!exact && size === 1) return OWN_SUM;
    const layout = this.#layout ??= new FlatGradients(this.model);
    return exact
      ? new ExactTree(layout, ranks.communicator, all / size)
      : new GradientBuckets(layout, ranks, this.#shards);
  }

  #forgetGradients(): void {
    this.model.zero_grad();
    this.#gradients?.cancel();
  }

  #diverged(loss: number): Error {
    const error = divergence(this.model, this.state.global_step + 1, loss);
    this.#forgetGradients();
    return error;
  }

  /** Counts a step. */
  #advance(batches: number, loss: number, grad_norm: number | undefined): void {
    const { state } = this;
    state.global_step++;
    state.passes += batches;
    state.position.batch += batches;
    state.total_loss += loss;
    state.losses.push(loss);
    state.grad_norms.push(grad_norm ?? null);
    const perEpoch = this.data.perEpoch ?? state.max_steps * this.args.gradient_accumulation_steps;
    state.epoch = state.position.epoch + state.position.batch / perEpoch;
    this.#watches.forEach(({ read }, i) => state.watch[i].values.push(read()));
  }

  /** Writes the mean loss since the last entry into the log. */
  log({ learning_rate, grad_norm }: Pick<TrainingStep, "learning_rate" | "grad_norm">): LogEntry {
    const { state } = this, { global_step: step, epoch, total_loss, logged } = state;
    const loss = (total_loss - logged.total_loss) / (step - logged.step);
    const norm: { grad_norm?: number } = grad_norm === undefined ? {} : { grad_norm };
    const entry = { step, epoch, loss, learning_rate, ...norm } as LogEntry;
    state.log_history.push(entry);
    state.logged = { total_loss, step };
    return entry;
  }

  /**
   * Writes an evaluation into the log, and sees whether it is the best so far, and whether training should stop early.
   *
   * @returns True if it is the best.
   * @throws {RangeError} if `metric_for_best_model` is wanted and not among the metrics.
   */
  judge(metrics: Metrics): boolean {
    const { state, args } = this,
      { global_step: step, epoch } = state,
      patience = args.early_stopping_patience;
    state.log_history.push({ step, epoch, ...metrics });
    const given = args.metric_for_best_model, name = given.startsWith("eval_") ? given : `eval_${given}`;
    const value = metrics[name], best = state.best_metric;
    if (value === undefined) {
      if (!args.load_best_model_at_end && patience === 0) return false;
      throw new RangeError(
        `Cannot use metric_for_best_model "${given}": the evaluation gave ${Object.keys(metrics).join(", ")}`,
      );
    }
    const gain = best === null ? Infinity : args.greater_is_better ? value - best : best - value;
    state.early_stopping_patience_counter = gain > args.early_stopping_threshold
      ? 0
      : state.early_stopping_patience_counter + 1;
    state.early_stopped = patience > 0 && state.early_stopping_patience_counter >= patience;
    if (!(gain > 0)) return false;
    Object.assign(state, { best_metric: value, best_global_step: step });
    return true;
  }

  /** A copy of the trained weights. */
  weights(): Weights {
    const trained = trainedParameters(this.model);
    return new Map(Array.from(trained, ([name, parameter]) => [name, parameter.values().slice()]));
  }

  /** What a snapshot says of this run. */
  async header(): Promise<SnapshotHeader> {
    this.#frozen ??= hashFrozen(this.model);
    return {
      ...{
        version: 1,
        state: this.state,
        args: this.args,
        optimizer_steps: optimizerSteps(this.model, this.#optimizer),
      },
      ...{ frozen: await this.#frozen, data: await this.data.hash() },
    };
  }

  /** The run in one array: what is trained, with the best weights so far if they are elsewhere nowhere. */
  async bytes(best: Weights | undefined): Promise<Uint8Array<ArrayBuffer>> {
    const { model } = this, tensors = optimizerTensors(model, this.#optimizer);
    return await encodeSnapshot(await this.header(), [
      ...weightTensors(model),
      ...tensors,
      ...(best ? bestTensors(model, best) : []),
    ]);
  }

  /** The run as files: the model as `save_pretrained` writes it, moments, state and settings. */
  async files(best: Weights | undefined): Promise<FileChunks[]> {
    const { args, state, ...berth } = await this.header(), { model } = this;
    const tensors = optimizerTensors(model, this.#optimizer);
    const all = [...tensors, ...(best ? bestTensors(model, best) : [])];
    const json = (value: unknown) => [new TextEncoder().encode(JSON.stringify(value, null, 2) + "\n")];
    return [
      ...Object.entries(savedFiles(model)).map(([name, chunks]) => ({ name, chunks: () => chunks })),
      { name: OPTIMIZER_FILE, chunks: () => safetensorsChunks(all) },
      { name: STATE_FILE, chunks: () => json({ ...state, berth }) },
      { name: ARGS_FILE, chunks: () => json(args) },
    ];
  }

  /**
   * Goes on from a snapshot, which the first rank has: `weights` are the trained ones, each name with the prefix, `moments`
   * are AdamW's.
   *
   * @throws {TrainingError} if it is of another run; nothing has changed then.
   */
  async load(
    header: SnapshotHeader,
    weights: Checkpoint | undefined,
    prefix: string,
    moments: Checkpoint | undefined,
  ): Promise<void> {
    const { model, ranks } = this, { max_steps } = this.state, own = await this.header();
    await ranks.onFirst(() => {
      checkAgreement(header, own, trainedParameters(model), weights!, prefix);
      return Promise.resolve();
    });
    await loadWeights(model, weights, prefix, ranks);
    await loadOptimizer(model, this.#optimizer, moments, header.optimizer_steps, ranks);
    this.state = { ...structuredClone(header.state), max_steps };
    this.state.finished &&= this.ended;
    this.#schedule.last_step = this.state.global_step;
    await this.data.close();
  }

  /** Frees the optimizer's memory, and lets go of a stream. */
  async dispose(): Promise<void> {
    this.#optimizer.dispose();
    this.#gradients?.dispose();
    await this.data.close();
  }
}

/** Optimizer steps of a run. */
function totalSteps(args: FullArguments, perEpoch: number | undefined): number {
  if (args.max_steps > 0) return args.max_steps;
  if (perEpoch === undefined) {
    throw new RangeError("Cannot train on a stream without max_steps: its length is unknown");
  }
  if (perEpoch === 0) {
    const { per_device_train_batch_size: size } = args;
    throw new DataError(`Cannot train: the training data has no batch (per_device_train_batch_size ${size})`);
  }
  return Math.ceil(args.num_train_epochs * Math.ceil(perEpoch / args.gradient_accumulation_steps));
}

function sum(values: Float64Array): number {
  return values.reduce((a, b) => a + b, 0);
}
