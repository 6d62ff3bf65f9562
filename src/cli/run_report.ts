/**
 * report.html of a run.
 *
 * @module
 */
import type { TrainableModel } from "../model/mod.ts";
import { runtimeName } from "../runtime/platform.ts";
import { type RunReport, type Scalar, trainingReport } from "../report/mod.ts";
import type { TrainerState } from "../train/mod.ts";
import type { RunData } from "./run_data.ts";
import type { RunLog } from "./run_log.ts";
import type { DataSummary, TestResults } from "./tasks/mod.ts";
import type { RunSettings } from "./training_flags.ts";
import { VERSION } from "../version.ts";

/** What the report is made of. */
export interface ReportParts {
  settings: RunSettings;
  data: RunData;
  model: TrainableModel;
  log: RunLog;
  state: Readonly<TrainerState>;
  results: TestResults | undefined;
  summary: DataSummary;
  startedAt: string;
}

/** Writes the report as one page. */
export function runReport(parts: ReportParts): string {
  const { settings, data, model, log, state, results, summary, startedAt } = parts;
  const { config } = model, folder = JSON.stringify(`${settings.out}/model`);
  const hasAccuracy = log.evaluations.every(({ metrics }) => metrics.eval_accuracy !== undefined);
  const report: RunReport = {
    title: `Fine-tuning ${settings.model} on ${settings.train}`,
    ...{ startedAt, elapsedMs: log.elapsedMs },
    model: {
      ...{ name: settings.model!, parameters: model.num_parameters(), layers: config.num_hidden_layers },
      ...{
        trainable_parameters: model.num_parameters({ only_trainable: true }),
        hidden_size: config.hidden_size,
      },
    },
    data: {
      ...{ name: settings.train, train: data.train.length, dev: data.eval?.length, test: data.test?.length },
      labelCounts: summary.labelCounts,
    },
    settings: Object.fromEntries(
      Object.entries(settings).map((
        [name, value],
      ) => [name, typeof value === "object" ? JSON.stringify(value) : value]),
    ) as Record<string, Scalar>,
    environment: {
      ...{ runtime: runtimeName(), profile: model.runtime.profile, threads: model.runtime.threads },
      version: VERSION,
    },
    steps: log.steps,
    evaluations: hasAccuracy
      ? log.evaluations.map(({ step, epoch, metrics }) => ({
        ...{ step, epoch, loss: metrics.eval_loss, accuracy: metrics.eval_accuracy },
      }))
      : [],
    watch: state.watch,
    ...results,
    code: [
      { title: "Command line", language: "sh", text: `berth predict --model ${folder} "A text."` },
      {
        ...{ title: "Deno, Node, browsers", language: "ts" },
        text: `import { dispose, pipeline } from "@berth/berth";

const classify = await pipeline("text-classification", ${folder});
console.log(await classify("A text."));
dispose();`,
      },
      {
        ...{ title: "Python", language: "python" },
        text: `from transformers import pipeline

classify = pipeline("text-classification", ${folder})
print(classify("A text."))`,
      },
    ],
  };
  return trainingReport(report);
}
