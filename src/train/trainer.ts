/**
 * The Trainer: from examples to a fine-tuned model, with evaluations, checkpoints, and exact resumption.
 *
 * @module
 */
import { alone } from "../distributed/alone.ts";
import { DivergenceError, TrainingError } from "../errors.ts";
import { freeze, type TrainableModel } from "../model/mod.ts";
import { onStopSignal } from "../runtime/platform.ts";
import {
  type FullArguments,
  fullArguments,
  interval,
  type IntervalStrategy,
  lossOptions,
  passesOfRank,
  patternOf,
} from "./arguments.ts";
import { FolderStore } from "./checkpoint_store.ts";
import type { Dataset } from "./dataset.ts";
import { Ranks } from "./distributed/ranks.ts";
import { measureRun } from "./distributed/run_metrics.ts";
import { checkSameStart } from "./distributed/same_start.ts";
import { parameterGroups } from "./parameter_groups.ts";
import { evaluateDataset, type Evaluation, type PredictionOutput } from "./evaluation.ts";
import {
  emit,
  type EventBody,
  type Metrics,
  NO_WISHES,
  type TrainerControl,
  type TrainingEvent,
} from "./events.ts";
import { defaultDataCollator, featureMaker, InputMaker } from "./features.ts";
import { RunKeeper } from "./run_keeper.ts";
import { writeReceipt } from "./receipt.ts";
import { decodeSnapshot, hashWeights, type SnapshotHeader } from "./snapshot.ts";
import { requireModel } from "./trainer_options.ts";
import type { RunSlice, StopReason, TrainerOptions, TrainOptions, TrainOutput } from "./trainer_options.ts";
import { TrainingData } from "./training_data.ts";
import { TrainingRun } from "./training_run.ts";
import { newState, type TrainerState } from "./training_state.ts";

/**
 * Fine-tunes a model of any head, as transformers' Trainer does: its argument names, defaults, schedules and log.
 * It prints nothing; callbacks get typed events. A run that was stopped anywhere and resumed gives the same bits as one
 * that was not.
 *
 * @example
 * ```ts
 * import { BertForSequenceClassification, BertTokenizer, dispose, Trainer } from "@berth/berth";
 * const trainer = new Trainer({
 *   model: await BertForSequenceClassification.from_pretrained("berth-tiny", { num_labels: 2, on_report: () => {} }),
 *   tokenizer: await BertTokenizer.from_pretrained("berth-tiny"),
 *   train_dataset: [{ text: "I love baseball.", label: 1 }, { text: "I hate baseball.", label: 0 }],
 *   args: { num_train_epochs: 10, learning_rate: 1e-3 },
 *   callbacks: [{ on_step_end: ({ step }) => console.log(step.step, step.loss) }],
 * });
 * await trainer.train();
 * console.log(await trainer.evaluate([{ text: "We love baseball.", label: 1 }])); // { eval_loss: ..., eval_accuracy: 1 }
 * dispose();
 * ```
 */
export class Trainer<M extends TrainableModel = TrainableModel> {
  /** The model that is trained. */
  readonly model: M;
  /** All settings. */
  readonly args: FullArguments;
  readonly #options: TrainerOptions<M>;
  readonly #inputs: InputMaker;
  readonly #keeper: RunKeeper;
  readonly #ranks: Ranks;
  #isChecked = false;
  readonly #control: TrainerControl = { ...NO_WISHES };
  #run: TrainingRun | undefined;

  /**
   * Sets the model up for training: what is frozen, whether it checkpoints.
   *
   * @throws {RangeError} if a setting is out of range or contradicts another.
   */
  constructor(options: TrainerOptions<M>) {
    const { model, args = {}, tokenizer, columns, data_collator } = this.#options = requireModel(options);
    const store = options.store ??
      (args.output_dir === undefined ? undefined : new FolderStore(args.output_dir));
    this.model = model;
    this.#ranks = new Ranks(options.communicator ?? alone);
    this.args = fullArguments(args, store !== undefined, this.#ranks.size);
    const tell = (event: EventBody) => this.#tell(event);
    this.#keeper = new RunKeeper(model, this.args, store, tokenizer, this.#ranks, tell);
    if (this.args.freeze.length > 0) freeze(model, this.args.freeze.map(patternOf));
    if (this.args.gradient_checkpointing) model.gradient_checkpointing_enable();
    const features = featureMaker(model.config, tokenizer, columns, this.args.max_length);
    const collator = data_collator ?? defaultDataCollator;
    this.#inputs = new InputMaker(features, collator, this.args.seed, lossOptions(model.typeName, this.args));
  }

  /**
   * A Trainer that goes on from the bytes of {@linkcode Trainer.run}, with their settings.
   *
   * @param options As for a new one. The model is loaded as it was for the first slice; settings replace those of the bytes.
   * @throws {TrainingError} if the bytes are damaged, or of another run.
   */
  static async restore<M extends TrainableModel>(
    state: Uint8Array,
    options: TrainerOptions<M>,
  ): Promise<Trainer<M>> {
    const { header } = await decodeSnapshot(state);
    const { save_strategy: _, gradient_accumulation_steps: passes, ...args } = header.args;
    const gradient_accumulation_steps = passesOfRank(passes, options.communicator?.size ?? 1);
    const trainer = new Trainer({
      ...options,
      args: { ...args, gradient_accumulation_steps, ...options.args },
    });
    await trainer.load_state(state);
    return trainer;
  }

  /** Optimizer steps of the whole run. */
  get max_steps(): number {
    return this.#theRun().state.max_steps;
  }

  /** How far training has come. */
  get state(): Readonly<TrainerState> {
    return this.#run?.state ?? newState(0);
  }

  /**
   * Trains to the end.
   *
   * @throws {DivergenceError} if a loss or gradient is no finite number, {HubError} if a checkpoint cannot be written,
   * {TrainingError} if there is a checkpoint of an earlier run, or the one to go on from is damaged or of another run.
   */
  async train(options: TrainOptions = {}): Promise<TrainOutput> {
    const { resume_from_checkpoint: resume = false, signal } = options;
    await this.#checkRanks();
    if (resume !== false) await this.load_checkpoint(resume);
    else if (!this.state.begun) await this.#keeper.begin(this.#options.args?.overwrite_output_dir ?? false);
    const run = this.#theRun(), measured = measureRun(this.#ranks, run.state);
    const stopped = await this.#go(Infinity, signal);
    if (stopped !== "signal") {
      await this.#keeper.loadBest(run);
      const folder = this.#options.args?.output_dir;
      if (folder !== undefined && this.#ranks.isFirst) {
        await writeReceipt(folder, this.#options, this.args, run.state);
      }
    }
    const { global_step } = run.state, metrics = measured(run.state);
    const output = { global_step, training_loss: metrics.train_loss, metrics };
    return { ...output, stopped: stopped === "slice" ? "finished" : stopped };
  }

  /**
   * Trains for some steps, and gives the run as bytes: another program can go on with them where this one stopped, with
   * the same result as one long run. Weights that are not trained are not in them.
   *
   * @param options `steps`: optimizer steps of this slice, at most.
   * @throws {DivergenceError} if a loss or gradient is no finite number.
   */
  async run(options: { steps: number; signal?: AbortSignal }): Promise<RunSlice> {
    const { steps, signal } = options;
    if (!(Number.isInteger(steps) && steps > 0)) {
      throw new RangeError(`Cannot train for ${steps} steps: a whole number above 0 is wanted`);
    }
    await this.#checkRanks();
    const run = this.#theRun(), stopped = await this.#go(steps, signal);
    const done = stopped !== "slice" && stopped !== "signal", state = await this.state_bytes();
    if (done) await this.#keeper.loadBest(run);
    return { done, global_step: run.state.global_step, max_steps: run.state.max_steps, state };
  }

  /** The run as it stands, as bytes for {@linkcode Trainer.load_state}. */
  async state_bytes(): Promise<Uint8Array<ArrayBuffer>> {
    return await this.#keeper.bytes(this.#theRun());
  }

  /**
   * Goes on from bytes of {@linkcode Trainer.run} or {@linkcode Trainer.state_bytes}.
   *
   * @throws {TrainingError} if they are damaged, or of a run with another model, other data or other settings; nothing
   * has changed then.
   */
  async load_state(state: Uint8Array): Promise<void> {
    await this.#checkRanks();
    await this.#keeper.restore((header) => this.#theRun(header), state);
  }

  /**
   * Goes on from a checkpoint; see {@linkcode TrainOptions.resume_from_checkpoint}.
   *
   * @throws {TrainingError} or {HubError} if it is damaged or of another run.
   */
  async load_checkpoint(from: true | number | string | URL): Promise<void> {
    await this.#checkRanks();
    await this.#keeper.resume((header) => this.#theRun(header), from);
  }

  /**
   * The loss and metrics on a data set.
   *
   * @param dataset Default: `eval_dataset`.
   * @param options `metric_key_prefix` stands before each name; default `eval`.
   * @returns Such as `{ eval_loss, eval_accuracy, eval_runtime, eval_samples_per_second, epoch }`, times in seconds.
   */
  async evaluate(
    dataset: Dataset | undefined = this.#options.eval_dataset,
    options: { metric_key_prefix?: string; signal?: AbortSignal } = {},
  ): Promise<Metrics> {
    if (!dataset) throw new TrainingError("Cannot evaluate: there is no eval_dataset");
    const { metric_key_prefix: prefix = "eval" } = options, start = performance.now();
    const evaluation = await this.#evaluate(dataset, options.signal);
    const metrics = evaluation.metrics(prefix, this.#options.compute_metrics);
    const seconds = (performance.now() - start) / 1000;
    await this.#tell({ type: "evaluate", metrics, elapsedMs: seconds * 1000 });
    return {
      ...metrics,
      [`${prefix}_runtime`]: seconds,
      [`${prefix}_samples_per_second`]: evaluation.samples / seconds,
      epoch: this.state.epoch,
    };
  }

  /** The model's outputs on a data set, in its order, and the metrics as far as it has labels. */
  async predict(
    dataset: Dataset,
    options: { metric_key_prefix?: string; signal?: AbortSignal } = {},
  ): Promise<PredictionOutput> {
    const evaluation = await this.#evaluate(dataset, options.signal, false);
    const metrics = evaluation.metrics(options.metric_key_prefix ?? "test", this.#options.compute_metrics);
    return { ...evaluation.prediction(), metrics };
  }

  /** Writes the model and the tokenizer into a folder, for berth's and transformers' `from_pretrained`. */
  async save_model(folder: string | URL | undefined = this.#options.args?.output_dir): Promise<void> {
    if (folder === undefined) throw new TrainingError("Cannot save the model: there is no output_dir");
    if (!this.#ranks.isFirst) return;
    await this.model.save_pretrained(folder);
    const { tokenizer } = this.#options;
    if (tokenizer && "save_pretrained" in tokenizer) {
      await (tokenizer as { save_pretrained(folder: string | URL): Promise<void> }).save_pretrained(folder);
    }
  }

  /** Frees the optimizer's memory; the model stays. */
  async dispose(): Promise<void> {
    await this.#run?.dispose();
    this.#run = undefined;
  }

  /** Compares what the ranks begin with, once. */
  async #checkRanks(): Promise<void> {
    if (!this.#isChecked) await checkSameStart(this.#ranks, this.#options, this.args);
    this.#isChecked = true;
  }

  /** The run; begins one if there is none, with as many passes of a step as the one that it goes on from. */
  #theRun(before?: SnapshotHeader): TrainingRun {
    if (this.#keeper.replaced) {
      throw new TrainingError(
        "Cannot go on: the run has ended and the best weights have replaced the last ones; resume from a checkpoint in a " +
          "new Trainer",
      );
    }
    if (this.#run) return this.#run;
    const { train_dataset, eval_dataset, parameter_groups, schedule } = this.#options, { args, model } = this;
    if (before && this.#options.args?.gradient_accumulation_steps === undefined) {
      const passes = before.args.gradient_accumulation_steps, { size } = this.#ranks;
      args.gradient_accumulation_steps = passesOfRank(passes, size) * size;
    }
    if (!train_dataset) throw new TrainingError("Cannot train: there is no train_dataset");
    if (args.eval_strategy !== "no" && !eval_dataset) {
      throw new TrainingError(
        `Cannot train with eval_strategy "${args.eval_strategy}": there is no eval_dataset`,
      );
    }
    const groups = parameter_groups?.(model, args) ??
      parameterGroups(model, { weight_decay: args.weight_decay });
    const data = new TrainingData(train_dataset, args, this.#inputs.features);
    const isSharded = this.#options.args?.zero_stage === 1;
    return this.#run = new TrainingRun(model, args, data, this.#inputs, this.#ranks, groups, {
      schedule,
      isSharded,
    });
  }

  /** Makes up to `limit` steps, with all that belongs to them. */
  async #go(limit: number, signal?: AbortSignal): Promise<StopReason | "slice"> {
    const run = this.#theRun();
    let signalled = false;
    Object.assign(this.#control, NO_WISHES);
    const stopListening = this.#options.args?.handle_signals
      ? onStopSignal(() => signalled = true)
      : () => {};
    const interrupted = () => signalled || (signal?.aborted ?? false);
    try {
      await this.#tell({ type: "train_begin" });
      const stopped = await this.#steps(run, limit, interrupted);
      if (stopped === "signal" && this.#keeper.store) await this.#keeper.save(run);
      await this.#tell({ type: "train_end" });
      return stopped;
    } catch (error) {
      throw error instanceof DivergenceError ? await this.#keeper.recover(run, error) : error;
    } finally {
      stopListening();
    }
  }

  async #steps(run: TrainingRun, limit: number, interrupted: () => boolean): Promise<StopReason | "slice"> {
    const control = this.#control, start = performance.now();
    const surroundings = { tell: (event: EventBody) => this.#tell(event), interrupted };
    if (!run.state.begun) {
      run.state.begun = true;
      if (this.#keeper.store) run.state.base_weights = await hashWeights(run.model.named_parameters());
      control.should_evaluate = this.args.eval_on_start;
      await this.#follow(run);
    }
    for (let made = 0;;) {
      if (run.ended && !run.state.finished) await this.#endEpoch(run, true);
      if (run.ended) return run.state.early_stopped ? "early_stopping" : "finished";
      if (control.should_training_stop) return "callback";
      if (this.#ranks.any(interrupted())) return "signal";
      if (made === limit) return "slice";
      const batches = await run.nextBatches();
      if (batches.length === 0) {
        await this.#endEpoch(run, false);
        continue;
      }
      const { epoch, batch } = run.state.position;
      if (batch === 0) await this.#tell({ type: "epoch_begin", epoch });
      await this.#tell({ type: "step_begin" });
      const stepStart = performance.now(), step = await run.step(batches, surroundings);
      if (!step) return "signal";
      this.#ranks.learnStepTime((performance.now() - stepStart) / 1000);
      made++;
      this.#wish(run.state, "steps");
      await this.#tell({ type: "step_end", step: { ...step, elapsedMs: performance.now() - start } });
      await this.#follow(run, step);
    }
  }

  async #endEpoch(run: TrainingRun, last: boolean): Promise<void> {
    const { epoch } = run.state.position;
    if (last) run.state.finished = true;
    else run.state.position = { epoch: epoch + 1, batch: 0 };
    this.#wish(run.state, "epoch");
    await this.#tell({ type: "epoch_end", epoch });
    await this.#follow(run);
  }

  /** Sets what the settings want after a step or epoch. */
  #wish({ global_step: step, max_steps }: TrainerState, at: IntervalStrategy): void {
    const { args } = this, control = this.#control;
    const due = (strategy: IntervalStrategy, every: number) =>
      strategy === at && (at === "epoch" || step % interval(every, max_steps) === 0);
    control.should_log = due("steps", args.logging_steps) || step === 1 && args.logging_first_step;
    control.should_evaluate = due(args.eval_strategy, args.eval_steps);
    control.should_save = due(args.save_strategy, args.save_steps) ||
      at === "steps" && args.save_strategy === "steps" && step === max_steps;
  }

  /** Logs, evaluates and saves as is wanted. */
  async #follow(run: TrainingRun, step?: { learning_rate: number; grad_norm?: number }): Promise<void> {
    const control = this.#control;
    this.#ranks.agree(control);
    const { should_log, should_evaluate } = control;
    Object.assign(control, { should_log: false, should_evaluate: false });
    if (should_log && step) await this.#tell({ type: "log", log: run.log(step) });
    if (should_evaluate) {
      const start = performance.now(), evaluation = await this.#evaluate(this.#options.eval_dataset!);
      const metrics = evaluation.metrics("eval", this.#options.compute_metrics);
      if (run.judge(metrics) && this.#keeper.keepBest(run)) control.should_save = true;
      await this.#tell({ type: "evaluate", metrics, elapsedMs: performance.now() - start });
    }
    if (control.should_save) await this.#keeper.save(run);
    control.should_save = false;
  }

  async #evaluate(dataset: Dataset, signal?: AbortSignal, lossOnly?: boolean): Promise<Evaluation> {
    const { args, model } = this, wholeVocabulary = /MaskedLM|PreTraining/.test(model.typeName);
    const few = args.prediction_loss_only ?? (wholeVocabulary && !this.#options.compute_metrics);
    return await evaluateDataset(model, dataset, {
      ...{ batch_size: args.per_device_eval_batch_size, weights: args.eval_weights },
      ...{ inputs: this.#inputs, lossOnly: lossOnly ?? few, ranks: this.#ranks, signal },
      onBatch: (done, total) => this.#tell({ type: "prediction_step", done, total }),
    });
  }

  async #tell(event: EventBody): Promise<void> {
    const { callbacks = [] } = this.#options;
    if (!this.#ranks.isFirst) return;
    await emit(callbacks, { ...event, state: this.state } as TrainingEvent, this.#control);
  }
}
