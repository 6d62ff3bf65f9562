/** The worker that holds the model: trains, classifies, saves, loads. Everything that it needs comes by message. */
import { BertForSequenceClassification, BertTokenizer, init, predict } from "@berth/berth";
import { filesFromMap } from "@berth/berth/weights";
import { fineTune } from "./fine_tune.ts";
import type { Files, Report, Request, Start, TrainingData, TrainSettings } from "./messages.ts";
import { tryToSend } from "./try_to_send.ts";

let base: Files, tokenizer: BertTokenizer, model: BertForSequenceClassification | undefined;
let isStopped = false, goOn = () => {};

const tell = (report: Report): void => postMessage(report);

async function start({ profile, kernels, tfjs, scripts, model: files }: Start): Promise<void> {
  const { threads } = await init({ profile, wasm: { kernels, tfjs }, assets: (name) => scripts[name] });
  base = files;
  tokenizer = await BertTokenizer.from_pretrained(filesFromMap("berth-tiny", base));
  tell({ type: "started", threads });
}

async function train(data: TrainingData, settings: TrainSettings): Promise<void> {
  isStopped = false;
  model?.dispose();
  tokenizer = await BertTokenizer.from_pretrained(filesFromMap("berth-tiny", base));
  model = await BertForSequenceClassification.from_pretrained(filesFromMap("berth-tiny", base), {
    id2label: Object.fromEntries(data.labels.map((label, i) => [String(i), label])),
    on_report: () => {}, // a new classifier is what we want
  });
  let elapsedMs = 0;
  const steps = await fineTune(model, tokenizer, data, settings, {
    onStep: (report) => {
      elapsedMs = report.elapsedMs;
      tell({ type: "step", report });
    },
    onJudged: (step, accuracy) => tell({ type: "judged", step, accuracy }),
    turn: async () => {
      await new Promise((turn) => setTimeout(turn));
      if (!isStopped) return;
      tell({ type: "paused" });
      await new Promise<void>((resolve) => goOn = resolve);
    },
  });
  tell({ type: "trained", steps, elapsedMs });
}

async function classify(text: string): Promise<void> {
  if (!model) throw new Error("There is no model yet: train one, or open a saved one.");
  const { config } = model, [{ scores }] = await predict(model, tokenizer, [text]);
  const named = scores.map((score, i) => ({ label: config.id2label[i], score }));
  tell({ type: "classified", text, scores: named.sort((a, b) => b.score - a.score) });
}

async function save(): Promise<void> {
  if (!model) throw new Error("There is no model yet: train one first.");
  const files = new Map<string, Uint8Array<ArrayBuffer>>();
  for (const [name, blob] of Object.entries(model.to_files())) {
    files.set(name, new Uint8Array(await blob.arrayBuffer()));
  }
  for (const [name, text] of Object.entries(tokenizer.to_files())) {
    files.set(name, new TextEncoder().encode(text));
  }
  tell({ type: "saved", files });
}

async function load(files: Files): Promise<void> {
  const folder = filesFromMap("your model", files);
  const newTokenizer = await BertTokenizer.from_pretrained(folder);
  const loaded = await BertForSequenceClassification.from_pretrained(folder, { on_report: () => {} });
  model?.dispose();
  [model, tokenizer] = [loaded, newTokenizer];
  tell({ type: "loaded", labels: Object.values(model.config.id2label) });
}

function answer(request: Request): Promise<void> | void {
  if (request.type === "start") return start(request.start);
  if (request.type === "train") return train(request.data, request.settings);
  if (request.type === "classify") return classify(request.text);
  if (request.type === "save") return save();
  if (request.type === "load") return load(request.files);
  if (request.type === "try_to_send") {
    return tryToSend(request.url, "the model's worker").then((attempts) => tell({ type: "sent", attempts }));
  }
  isStopped = request.type === "pause";
  if (!isStopped) goOn();
}

addEventListener("message", async ({ data }: MessageEvent<Request>) => {
  try {
    await answer(data);
  } catch (error) {
    tell({
      type: "failed",
      during: data.type,
      message: error instanceof Error ? error.message : String(error),
    });
  }
});
