/**
 * A run before its first step: the task, the examples, the tokenizer, the model, and what a Trainer is made of.
 *
 * @module
 */
import { compute_class_weight } from "../data/mod.ts";
import type { Communicator } from "../distributed/mod.ts";
import { BertTokenizer } from "../hub/mod.ts";
import { BertConfig, type PeftModel, type TrainableModel } from "../model/mod.ts";
import type { Runtime } from "../runtime/mod.ts";
import {
  type Dataset,
  type EvalPrediction,
  type Metrics,
  Trainer,
  type TrainerOptions,
} from "../train/mod.ts";
import { adapt, groupsOf } from "./adaptation.ts";
import { chooseSettings } from "./defaults.ts";
import { agreedLabels } from "./known_labels.ts";
import { hubOptions, readConfig, startRuntime } from "./models.ts";
import { Progress } from "./progress.ts";
import { readRunData, type RunData } from "./run_data.ts";
import { argumentsOf, type FullSettings } from "./run_settings.ts";
import { chooseTask } from "./tasks/detect.ts";
import { repeatable } from "./tasks/files.ts";
import {
  type DataSummary,
  type Task,
  type TaskContext,
  taskOfModel,
  TASKS,
  type TaskSet,
  type TestResults,
} from "./tasks/mod.ts";
import type { Terminal } from "./terminal.ts";
import { UsageError } from "./usage_error.ts";

/** What a model did on a set. */
export interface Measured {
  readonly metrics: Metrics;
  readonly results: TestResults;
}

/** The examples of a run with what the Trainer takes of them. */
export interface RunSets {
  readonly train: { readonly examples: readonly object[]; readonly rows: Dataset };
  readonly eval?: TaskSet;
  readonly test?: TaskSet;
}

/** A run that may begin. */
export class PreparedRun {
  /**
   * All that was read.
   *
   * @param settings All settings, with those that were chosen by the size of model and data.
   * @param choice What was chosen, in words.
   * @param sets The examples with what the Trainer takes of them.
   */
  constructor(
    readonly settings: FullSettings,
    readonly choice: string,
    readonly task: Task,
    readonly data: RunData,
    readonly sets: RunSets,
    readonly context: TaskContext,
    readonly runtime: Runtime,
    readonly terminal: Terminal,
  ) {}

  /** What the training examples are like. */
  summary(): DataSummary {
    const { train, stream, test, eval: other, known } = this.data;
    if (stream) {
      return { text: `examples are read while training goes on; classes: ${known.labels.join(", ")}` };
    }
    const set = { examples: train, rows: this.sets.train.rows as readonly object[] };
    return this.task.summary(set, test ?? other, this.context);
  }

  /** Loads the model, with a new head if it has none that fits, and adapts it. */
  async loadModel(): Promise<{ model: TrainableModel; adapter: PeftModel | undefined }> {
    const { settings, task, terminal, context } = this;
    const model = await task.model.from_pretrained(settings.model, {
      ...hubOptions(settings, terminal),
      ...task.modelOptions(context.known),
      ...{ ignore_mismatched_sizes: true, seed: settings.seed ?? 42 },
      on_report: ({ newlyInitialized, mismatched }) => {
        const drawn = [...newlyInitialized, ...mismatched];
        if (drawn.length > 0) terminal.note(`new weights: ${drawn.join(", ")}`);
      },
    });
    return { model, adapter: adapt(model, settings, task) };
  }

  /** What a Trainer is made of, but for listeners. */
  trainerOptions(model: TrainableModel): TrainerOptions {
    const { settings, task, sets, context } = this;
    return {
      ...{ model, tokenizer: context.tokenizer, data_collator: task.collator?.(context) },
      ...{ train_dataset: sets.train.rows, eval_dataset: sets.eval?.rows },
      args: { ...argumentsOf(settings, sets.eval !== undefined), ...this.#classWeights() },
      compute_metrics: sets.eval && this.metricsOf(sets.eval),
      ...groupsOf(settings),
    };
  }

  /** The metrics of a set. */
  metricsOf(set: TaskSet): ((prediction: EvalPrediction) => Metrics) | undefined {
    return this.task.metrics?.(set, this.context);
  }

  /** Measures a model on a set. */
  async measure(
    model: TrainableModel,
    set: TaskSet,
    prefix: string,
    communicator?: Communicator,
  ): Promise<Measured> {
    return await measure(model, this.task, set, this.context, this.terminal, prefix, communicator);
  }

  #classWeights(): { class_weights?: number[] } {
    const { settings, task, data, context: { known } } = this;
    if (!settings.balanced) return {};
    if (!task.classes || known.problem_type === "multi_label_classification") {
      throw new UsageError(`Cannot use --balanced: ${task.name} has no classes of which each text has one`);
    }
    return { class_weights: compute_class_weight(task.classes(data.train, known), known.labels.length) };
  }
}

/** Reads all that a run is made of, and starts the backend. */
export async function prepareRun(settings: FullSettings, terminal: Terminal): Promise<PreparedRun> {
  const hub = hubOptions(settings, terminal), json = await readConfig(settings.model, hub);
  const train = settings.stream ? settings.train : await repeatable(settings.train);
  const ofModel = taskOfModel(json.architectures);
  const told = await chooseTask(train, settings, terminal, ofModel?.name);
  if (told.note !== "") terminal.note(told.note);
  const task = TASKS[told.name], config = new BertConfig(json);
  const saved = ofModel === task && json.id2label ? task.labelsOf(config).labels : undefined;
  const data = await readRunData(
    task,
    train,
    settings,
    terminal,
    (found) => agreedLabels(found, settings.label_names, saved),
  );
  const tokenizer = await BertTokenizer.from_pretrained(settings.model, hub);
  const context = contextOf(settings, tokenizer, config, data.known), sets = setsOf(task, data, context);
  const { hidden_size } = config, rows = Array.isArray(sets.train.rows) ? sets.train.rows.length : undefined;
  const { settings: chosen, note } = chooseSettings(settings, { rows, hidden_size });
  const full = { ...settings, ...chosen }, runtime = await startRuntime(settings);
  return new PreparedRun(full, note, task, data, sets, { ...context, settings: full }, runtime, terminal);
}

function setsOf(task: Task, data: RunData, context: TaskContext): RunSets {
  const setOf = (examples: readonly object[], measured: boolean): TaskSet => ({
    ...{ examples, rows: task.rows(examples, context, measured) },
  });
  return {
    train: data.stream ? { examples: [], rows: data.stream } : setOf(data.train, false),
    eval: data.eval && setOf(data.eval, true),
    test: data.test && setOf(data.test, true),
  };
}

/** What examples and outputs are read with. */
export function contextOf(
  settings: FullSettings | { max_length?: number },
  tokenizer: BertTokenizer,
  { max_position_embeddings }: BertConfig,
  known: TaskContext["known"],
): TaskContext {
  const limit = Math.min(tokenizer.model_max_length, max_position_embeddings);
  return { settings, tokenizer, known, max_length: settings.max_length ?? limit };
}

/** Measures a model on a set; metrics have the prefix before their names. */
export async function measure(
  model: TrainableModel,
  task: Task,
  set: TaskSet,
  context: TaskContext,
  terminal: Terminal,
  prefix: string,
  communicator?: Communicator,
): Promise<Measured> {
  const { tokenizer, settings, max_length } = context,
    progress = new Progress(terminal, "evaluate", "examples");
  const trainer = new Trainer({
    ...{ model, tokenizer, communicator, compute_metrics: task.metrics?.(set, context) },
    data_collator: task.collator?.(context),
    args: {
      ...{ max_length, seed: settings.seed, eval_weights: settings.eval_weights as "packed" | undefined },
      per_device_eval_batch_size: settings.per_device_eval_batch_size ?? EVAL_BATCH,
    },
    callbacks: [{ on_prediction_step: ({ done, total }) => progress.update(done, total) }],
  });
  if (!task.metrics) { // outputs over the whole vocabulary are not kept
    const loss = { [`${prefix}_loss`]: (await trainer.evaluate(set.rows))[`eval_loss`] };
    return { metrics: task.derived?.(loss) ?? loss, results: { predictions: [], worst: [] } };
  }
  const prediction = await trainer.predict(set.rows, { metric_key_prefix: prefix });
  return { metrics: prediction.metrics, results: task.results(prediction, set, context) };
}

/** Examples of a pass of an evaluation, unless the user says otherwise. */
const EVAL_BATCH = 32;
