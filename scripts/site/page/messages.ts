/** What the page and its worker say to each other. */

/** A sentence and the number of its label. */
export interface Example {
  text: string;
  label: number;
}

/** How the model is trained. */
export interface TrainSettings {
  epochs: number;
  batch_size: number;
  learning_rate: number;
}

/** What is trained on, and what the model is judged by. */
export interface TrainingData {
  train: Example[];
  /** Held out. */
  test: Example[];
  labels: string[];
}

/** A model's files by name. */
export type Files = ReadonlyMap<string, Uint8Array<ArrayBuffer>>;

/** All that the worker needs; it loads nothing by itself. */
export interface Start {
  profile: "simd" | "single";
  kernels: WebAssembly.Module;
  tfjs: WebAssembly.Module;
  /** Where the workers' scripts are, by name: blobs of the page. */
  scripts: Readonly<Record<string, string>>;
  model: Files;
}

/** What the page asks for. */
export type Request =
  | { type: "start"; start: Start }
  | { type: "train"; data: TrainingData; settings: TrainSettings }
  | { type: "pause" }
  | { type: "resume" }
  | { type: "classify"; text: string }
  | { type: "save" }
  | { type: "load"; files: Files }
  | { type: "try_to_send"; url: string };

/** One step of training. */
export interface StepReport {
  step: number;
  total: number;
  loss: number;
  elapsedMs: number;
}

/** What the worker tells. */
export type Report =
  | { type: "started"; threads: number }
  | { type: "judged"; step: number; accuracy: number }
  | { type: "step"; report: StepReport }
  | { type: "paused" }
  | { type: "trained"; steps: number; elapsedMs: number }
  | { type: "classified"; text: string; scores: { label: string; score: number }[] }
  | { type: "saved"; files: Files }
  | { type: "loaded"; labels: string[] }
  | { type: "sent"; attempts: Attempt[] }
  | { type: "failed"; during: Request["type"]; message: string };

/** One way to send something out, and what became of it. */
export interface Attempt {
  way: string;
  refused: boolean;
}
