/**
 * What a run leaves for people: results.json, report.html and figures/.
 *
 * @module
 */
import type { TextExample } from "../data/mod.ts";
import { SequenceClassifier, type TrainableModel } from "../model/mod.ts";
import { runtimeName } from "../runtime/platform.ts";
import type {
  BaselineComparison,
  PredictionRow,
  RunReport,
  Scalar,
  ScaleCard,
  SpeedCard,
} from "../report/mod.ts";
import { type Metrics, plan, type TrainerState } from "../train/mod.ts";
import { compareWithBaseline } from "./baseline.ts";
import { explained } from "./explain.ts";
import type { PeakMemory } from "./peak_memory.ts";
import type { PreparedRun } from "./prepared_run.ts";
import { Progress } from "./progress.ts";
import { evaluationRecords, stepRecords, withoutPrefix, writeResults } from "./run_results.ts";
import type { RunLog } from "./run_log.ts";
import type { DataSummary, TestResults } from "./tasks/mod.ts";
import { adapterCode, useCode } from "./use_code.ts";
import { VERSION } from "../version.ts";

/** What the report is made of. */
export interface ReportParts {
  run: PreparedRun;
  model: TrainableModel;
  log: RunLog;
  state: Readonly<TrainerState>;
  /** Of the test, if there was one. */
  tested: { readonly metrics: Metrics; readonly results: TestResults } | undefined;
  summary: DataSummary;
  startedAt: string;
  peak: PeakMemory;
  /** What several processes told each other, if there were several. */
  scale: ScaleCard | undefined;
  /** The run's folder. */
  out: URL;
}

/** Compares with a simpler method, explains the hardest answers, and writes all of it. */
export async function writeRunReport(parts: ReportParts): Promise<void> {
  const { run, model, log, state, tested, summary, startedAt, scale, out } = parts;
  const { settings, data, task, context } = run, { config } = model;
  const { answers: _, metrics: more, ...results } = tested?.results ?? { answers: undefined, metrics: {} };
  const metrics = { ...withoutPrefix(tested?.metrics ?? {}), ...more };
  const report: RunReport = {
    title: `Fine-tuning ${baseName(settings.model)} on ${baseName(settings.train)}`,
    ...{ startedAt, elapsedMs: log.elapsedMs },
    model: {
      ...{
        name: baseName(settings.model),
        parameters: model.num_parameters(),
        layers: config.num_hidden_layers,
      },
      trainable_parameters: model.num_parameters({ only_trainable: true }),
      ...{ hidden_size: config.hidden_size, details: { class: model.typeName } },
    },
    data: {
      ...{
        name: baseName(settings.train),
        train: data.stream ? state.num_samples_seen : data.train.length,
        dev: data.eval?.length,
        test: data.test?.length,
      },
      labelCounts: summary.labelCounts,
      ...task.card?.({ train: data.train, eval: data.eval, test: data.test }, context),
    },
    settings: shownSettings(settings),
    environment: {
      ...{ runtime: runtimeName(), profile: model.runtime.profile, threads: model.runtime.threads },
      version: VERSION,
    },
    ...{ steps: stepRecords(log.steps), evaluations: evaluationRecords(log.evaluations), watch: state.watch },
    ...{ metrics: Object.keys(metrics).length > 0 ? metrics : undefined, speed: speedOf(parts), scale },
    ...await hardest(parts),
    code: settings.merge ?? true
      ? useCode(task.name, `${settings.out}/model`, model.typeName)
      : adapterCode(settings.model, `${settings.out}/adapter`, model.typeName),
  };
  await writeResults(out, { ...results, ...report });
}

/** The last part of a path or URL; an id on the hub as it is. */
function baseName(path: string): string {
  const parts = path.split(/[/\\]+/).filter((part) => part !== "");
  return path === "-"
    ? "standard input"
    : parts.length < 3 && !/^[./~]/.test(path)
    ? path
    : parts.at(-1) ?? path;
}

/** Settings as the table shows them. */
function shownSettings(settings: object): Record<string, Scalar> {
  const known = Object.entries(settings).filter(([, value]) => value !== undefined);
  return Object.fromEntries(
    known.map(([name, value]) => [name, typeof value === "object" ? JSON.stringify(value) : value as Scalar]),
  );
}

/** The comparison with a simpler method, and the hardest answers with their telling words: of one class a text. */
async function hardest(
  { run, model, tested }: ReportParts,
): Promise<{ comparison?: BaselineComparison; worst?: PredictionRow[]; uncertain?: PredictionRow[] }> {
  const { settings, data, context: { tokenizer, known: { labels }, max_length }, terminal } = run;
  const { answers, worst = [], uncertain = [] } = tested?.results ?? {};
  if (!answers || !(model instanceof SequenceClassifier)) return {};
  const test = (data.test ?? data.eval) as TextExample[];
  let comparison: BaselineComparison | undefined;
  if (settings.baseline ?? true) {
    const progress = new Progress(terminal, "baseline", "steps");
    const follow = (done: number, total: number) => progress.update(done, total);
    comparison = compareWithBaseline(data.train as TextExample[], test, labels, answers, follow);
  }
  if (!(settings.explain ?? true)) return { comparison };
  const progress = new Progress(terminal, "explain", "texts");
  const lists = [worst, uncertain, comparison?.only_model ?? [], comparison?.only_baseline ?? []];
  const [a, b, only_model, only_baseline] = await explained(model, tokenizer, lists, labels, {
    ...{ max_length, onProgress: (done, total) => progress.update(done, total) },
  });
  return { comparison: comparison && { ...comparison, only_model, only_baseline }, worst: a, uncertain: b };
}

/** Memory at its peak, and what a step of the longest examples was planned to take. */
function speedOf({ run, model, summary, peak }: ReportParts): SpeedCard {
  const memory = {
    wasm_bytes: peak.wasmBytes,
    process_bytes: peak.processBytes,
  };
  const { longest } = summary;
  if (longest === undefined || run.settings.lora_rank !== undefined) return memory; // adapters are not planned
  const { args = {} } = run.trainerOptions(model), batch_size = args.per_device_train_batch_size ?? 8;
  const { bytes } = plan(model.config, {
    ...{ model: model.constructor as NonNullable<Parameters<typeof plan>[1]>["model"], batch_size },
    sequence_length: longest,
    gradient_checkpointing: args.gradient_checkpointing,
    requires_grad: (name) => model.get_parameter(name).requires_grad,
    optimizer: { state_dtype: args.state_dtype, fused_backward: args.fused_backward },
  });
  return {
    ...memory,
    plan_bytes: { ...bytes },
    plan_of: `${batch_size} sequences of ${longest} tokens, the longest`,
  };
}
