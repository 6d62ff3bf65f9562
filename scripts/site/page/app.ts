/**
 * The page: loads everything, gives up its right to connect, and then lets its worker train on what the visitor types.
 *
 * @module
 */
import { announce, byId, make, showFailure } from "./dom.ts";
import { loadFiles, prepareStart, scriptUrl, type Sizes } from "./load.ts";
import { addPolicy, LOCKED, STARTING } from "./lock.ts";
import type { Attempt, Report, Request } from "./messages.ts";
import { ModelPanel } from "./model_panel.ts";
import { SentencesPanel } from "./sentences_panel.ts";
import { TrainingPanel } from "./training_panel.ts";
import { tryToSend } from "./try_to_send.ts";

/** Set by the build: the bytes of each file that the page loads. */
declare const FILES: Sizes;

const ORIGIN = new URL("probe", document.baseURI).href;

let worker: Worker | undefined, hasModel = false;
const training = new TrainingPanel(ask);
const models = new ModelPanel(ask);
const sentences = new SentencesPanel((reading) => training.take(reading));

function ask(request: Request): void {
  showFailure(undefined);
  worker?.postMessage(request);
  if (request.type === "train") hasModel = false;
  update();
}

function update(): void {
  models.allow({ trained: hasModel, idle: worker !== undefined && !training.isBusy });
}

const check = byId("check", HTMLButtonElement);
check.addEventListener("click", async () => {
  check.disabled = true;
  byId("attempts", HTMLElement).replaceChildren();
  showAttempts(await tryToSend(ORIGIN, "the page"));
  ask({ type: "try_to_send", url: ORIGIN });
});

function showAttempts(attempts: readonly Attempt[]): void {
  byId("attempts", HTMLElement).append(...attempts.map(({ way, refused }) => {
    const item = make("li", `${way}: `, make("b", refused ? "refused by the browser" : "it went out"));
    if (!refused) item.className = "came-through";
    return item;
  }));
}

function receive(report: Report, onStarted: (threads: number) => void): void {
  if (report.type === "started") onStarted(report.threads);
  else if (report.type === "step") return training.onStep(report.report);
  else if (report.type === "judged") return training.onJudged(report.step, report.accuracy);
  else if (report.type === "paused") training.onPaused();
  else if (report.type === "trained") {
    hasModel = true;
    training.onTrained(report.steps, report.elapsedMs);
  } else if (report.type === "classified") models.onClassified(report.text, report.scores);
  else if (report.type === "saved") void models.onSaved(report.files);
  else if (report.type === "loaded") {
    hasModel = true;
    models.onLoaded(report.labels);
  } else if (report.type === "sent") {
    showAttempts(report.attempts);
    check.disabled = false;
  } else {
    if (report.during === "train") training.onFailed();
    if (report.during === "save" || report.during === "load") models.onFailed();
    showFailure(report.message);
  }
  update();
}

/** Starts the worker from a blob, so that it is under the page's own rules. */
function startWorker(script: Uint8Array<ArrayBuffer>): { started: Worker; threads: Promise<number> } {
  const started = new Worker(scriptUrl(script), { type: "module" });
  const threads = new Promise<number>((resolve, reject) => {
    started.onmessage = ({ data }: MessageEvent<Report>) => {
      if (data.type === "failed" && data.during === "start") reject(new Error(data.message));
      else receive(data, resolve);
    };
    started.onerror = (event) => reject(new Error(event.message || "the worker could not start"));
  });
  return { started, threads };
}

async function begin(): Promise<void> {
  const bar = byId("loading-bar", HTMLProgressElement), text = byId("loading-text", HTMLElement);
  const loaded = await loadFiles(FILES, (done, total) => {
    bar.value = done / total;
    text.textContent = `Loading the model… ${(done / 1e6).toFixed(1)} of ${(total / 1e6).toFixed(1)} MB`;
  });
  text.textContent = "Starting…";
  const start = await prepareStart(loaded);
  addPolicy(STARTING);
  const { started, threads } = startWorker(loaded.files.get("worker.js")!);
  started.postMessage({ type: "start", start } satisfies Request);
  const running = await threads;
  addPolicy(LOCKED);
  worker = started;
  byId("lock", HTMLElement).dataset.state = "closed";
  byId("lock-text", HTMLElement).textContent = "Nothing leaves this tab";
  byId("loading", HTMLElement).hidden = true;
  byId("machine", HTMLElement).textContent = `berth, ${
    running === 1 ? "one thread" : `${running} threads`
  } of your machine`;
  check.disabled = false;
  sentences.offerExample(new TextDecoder().decode(loaded.files.get("example.csv")));
  training.allow();
  update();
  announce("Ready. The page is locked: nothing leaves this tab.");
}

begin().catch((error) => {
  byId("loading", HTMLElement).hidden = true;
  showFailure(
    `The page cannot start: ${error instanceof Error ? error.message : error} Reload it to try again.`,
  );
});
