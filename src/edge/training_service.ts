/**
 * Training in slices: a run is begun by one request, each further request makes some of its steps, and what it comes to
 * stands in a store between them. All slices together give the bits of one uninterrupted run.
 *
 * @module
 */
import { ConfigError, RequestError } from "../errors.ts";
import { BertConfig, BertForSequenceClassification, predict, type Prediction } from "../model/mod.ts";
import { BertTokenizer } from "../hub/tokenizer.ts";
import { Trainer, type TrainerCallback, type TrainerState, type TrainingStep } from "../train/mod.ts";
import { decodeSnapshot } from "../train/snapshot.ts";
import { type ModelFiles, parseConfigJson } from "../weights/mod.ts";
import { exclusively } from "./exclusive.ts";
import { checkId, checkNumber, checkTexts, SERVICE_LIMITS, type ServiceLimits } from "./limits.ts";
import { describeRun, type RunDescription, type RunRequest } from "./run_description.ts";
import type { StateStore, StoredState } from "./store.ts";

/** What a {@linkcode TrainingService} is made of. */
export interface TrainingServiceOptions {
  /** The model that runs begin with, of {@linkcode readModelFiles}. */
  files: ModelFiles;
  /** Where runs are kept. */
  store: StateStore;
  /** What is accepted; default: {@linkcode SERVICE_LIMITS}. */
  limits?: Partial<ServiceLimits>;
  /**
   * Operations of matrix products that one request may make; it decides how many steps a slice has. Default 3e10: at most
   * 30 seconds where a processor makes only 1e9 a second, and about 2 where it makes 15e9.
   */
  sliceFlops?: number;
}

/** How far a run has come. */
export interface RunStatus {
  /** The run's name. */
  id: string;
  /** Names of the labels, by number. */
  labels: readonly string[];
  /** Steps done. */
  step: number;
  /** Steps in all. */
  steps: number;
  /** True when all are done. */
  done: boolean;
  /** Steps that one request makes. */
  slice: number;
  /** The mean loss of all steps so far; null before the first. */
  training_loss: number | null;
}

/** What a slice gives. */
export interface SliceResult extends RunStatus {
  /** The loss of each step of this slice. */
  losses: number[];
}

/** Options of {@linkcode TrainingService.run}. */
export interface SliceOptions {
  /** Steps to make. Default, and at most: the run's `slice`. */
  steps?: number;
  /** Ends the slice after its current step; what is done is kept. */
  signal?: AbortSignal;
}

/** Trains and serves text classifiers, run by run. */
export class TrainingService {
  /** What is accepted. */
  readonly limits: ServiceLimits;
  readonly #files: ModelFiles;
  readonly #store: StateStore;
  readonly #sliceFlops: number;
  #madeTokenizer: BertTokenizer | undefined;

  /**
   * A service; nothing is read or computed yet.
   *
   * @throws {RangeError} if `sliceFlops` is no number above 0.
   */
  constructor({ files, store, limits, sliceFlops = 3e10 }: TrainingServiceOptions) {
    if (!(sliceFlops > 0)) {
      throw new RangeError(`Cannot train with sliceFlops ${sliceFlops}: a number above 0 is wanted`);
    }
    this.limits = { ...SERVICE_LIMITS, ...limits };
    this.#files = files;
    this.#store = store;
    this.#sliceFlops = sliceFlops;
  }

  /**
   * Begins a run: checks it and keeps its examples. No step is made yet.
   *
   * @param id The run's name. Default: a random one.
   * @throws {RequestError} 400 or 413 if the request is not accepted, 409 if there is such a run.
   */
  async begin(request: RunRequest, id: string = crypto.randomUUID()): Promise<RunStatus> {
    checkId(id);
    const run = await exclusively(async () =>
      describeRun(request, {
        ...{ config: await this.#config(), tokenizer: await this.#tokenizer() },
        ...{ limits: this.limits, sliceFlops: this.#sliceFlops },
      })
    );
    const json = new TextEncoder().encode(JSON.stringify(run));
    if (await this.#store.put(runKey(id), json, null) === null) {
      throw new RequestError(409, `Cannot begin the run "${id}": there is one of that name`);
    }
    return statusOf(id, run, null);
  }

  /**
   * Makes the next steps of a run and keeps what it comes to. Nothing is written before all of them are made: a request
   * that dies loses its own steps only.
   *
   * @throws {RequestError} 404 without such a run, 409 if another request made steps of it in the meantime.
   */
  async run(id: string, options: SliceOptions = {}): Promise<SliceResult> {
    const [run, stored] = await this.#find(id);
    const steps = options.steps === undefined ? run.slice : checkNumber("steps", options.steps, 1, run.slice);
    const { progress, state, losses } = await exclusively(() =>
      this.#train(run, stored, steps, options.signal)
    );
    if (state && await this.#store.put(stateKey(id), state, stored?.version ?? null) === null) {
      throw new RequestError(
        409,
        `Cannot keep these steps of "${id}": another request was faster; go on from its step`,
      );
    }
    return { ...statusOf(id, run, progress), losses };
  }

  /** How far a run has come. */
  async status(id: string): Promise<RunStatus> {
    const [run, stored] = await this.#find(id);
    return statusOf(id, run, stored && (await decodeSnapshot(stored.bytes)).header.state);
  }

  /**
   * Classifies texts by what a run has learnt so far.
   *
   * @throws {RequestError} 400 or 413 if the texts are not accepted, 404 without such a run.
   */
  async predict(id: string, texts: unknown): Promise<Prediction[]> {
    const checked = checkTexts(texts, this.limits.texts, this.limits), [run, stored] = await this.#find(id);
    return await exclusively(() =>
      this.#goOn(
        run,
        stored,
        ({ model }, tokenizer) => predict(model.eval({ weights: "plain" }), tokenizer, checked),
      )
    );
  }

  /** Makes steps from what is stored. */
  #train(
    run: RunDescription,
    stored: StoredState | null,
    steps: number,
    signal?: AbortSignal,
  ): Promise<Slice> {
    const losses: number[] = [];
    const callback = { on_step_end: ({ step }: { step: TrainingStep }) => void losses.push(step.loss) };
    return this.#goOn(run, stored, async (trainer) => {
      const { state } = await trainer.run({ steps, signal });
      return { progress: trainer.state, losses, state: losses.length > 0 ? state : undefined };
    }, callback);
  }

  /** Lends a run as it stands. Waits for nothing but computing. */
  async #goOn<T>(
    { labels, args, examples: train_dataset }: RunDescription,
    stored: StoredState | null,
    body: (trainer: Trainer<BertForSequenceClassification>, tokenizer: BertTokenizer) => Promise<T>,
    ...callbacks: TrainerCallback[]
  ): Promise<T> {
    const tokenizer = await this.#tokenizer();
    const model = await BertForSequenceClassification.from_pretrained(this.#files, {
      ...{ id2label: Object.fromEntries(labels.map((label, i) => [String(i), label])), seed: args.seed },
      on_report: () => {}, // the classifier is new
    });
    const trainer = new Trainer({ model, tokenizer, train_dataset, args, callbacks });
    try {
      if (stored) await trainer.load_state(stored.bytes);
      return await body(trainer, tokenizer);
    } finally {
      await trainer.dispose();
      model.dispose();
    }
  }

  async #tokenizer(): Promise<BertTokenizer> {
    return this.#madeTokenizer ??= await BertTokenizer.from_pretrained(this.#files);
  }

  async #config(): Promise<BertConfig> {
    const json = await this.#files.read("config.json");
    if (json) return new BertConfig(parseConfigJson(json));
    throw new ConfigError(`Cannot train "${this.#files.name}": it has no config.json`);
  }

  async #find(id: string): Promise<[RunDescription, StoredState | null]> {
    const [run, state] = await Promise.all([
      this.#store.get(runKey(checkId(id))),
      this.#store.get(stateKey(id)),
    ]);
    if (!run) throw new RequestError(404, `Cannot find the run "${id}"`);
    return [JSON.parse(new TextDecoder().decode(run.bytes)) as RunDescription, state];
  }
}

/** What a slice comes to; without bytes if it made no step. */
interface Slice {
  progress: TrainerState;
  losses: number[];
  state: Uint8Array<ArrayBuffer> | undefined;
}

function statusOf(
  id: string,
  { labels, steps, slice }: RunDescription,
  state: TrainerState | null,
): RunStatus {
  const step = state?.global_step ?? 0, training_loss = state && step > 0 ? state.total_loss / step : null;
  return { id, labels, step, steps, done: step >= steps, slice, training_loss };
}

function runKey(id: string): string {
  return `${id}/run.json`;
}

function stateKey(id: string): string {
  return `${id}/state.safetensors`;
}
