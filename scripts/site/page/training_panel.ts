/** The second card: starts, stops and goes on, and shows how it goes. */
import { LossChart } from "./chart.ts";
import { announce, byId, count, percent } from "./dom.ts";
import type { Reading } from "./examples.ts";
import { splitExamples } from "./examples.ts";
import type { Request, StepReport, TrainSettings } from "./messages.ts";

/** Training takes about this many sentences in all, so that a few sentences are gone through more often. */
const SENTENCES_IN_ALL = 1400;

const train = byId("train", HTMLButtonElement), pause = byId("pause", HTMLButtonElement);
const bar = byId("training-bar", HTMLProgressElement), text = byId("training-text", HTMLElement);
const before = byId("before", HTMLElement),
  after = byId("after", HTMLElement),
  speed = byId("speed", HTMLElement);
const epochs = byId("epochs", HTMLInputElement), rate = byId("rate", HTMLSelectElement);

type State = "waiting" | "running" | "stopped";

/** The card. */
export class TrainingPanel {
  #state: State = "waiting";
  #reading: Reading | undefined;
  #isReady = false;
  #accuracy: { before: number; now: number } = { before: NaN, now: NaN };
  readonly #chart = new LossChart(byId("chart", SVGSVGElement));

  constructor(readonly ask: (request: Request) => void) {
    train.addEventListener("click", () => this.#start());
    pause.addEventListener("click", () => {
      pause.disabled = true; // until the worker has stopped, or goes on
      this.ask({ type: this.#state === "running" ? "pause" : "resume" });
      if (this.#state === "stopped") this.#enter("running");
    });
  }

  /** True while a run has not ended. */
  get isBusy(): boolean {
    return this.#state !== "waiting";
  }

  /** The model is loaded. */
  allow(): void {
    this.#isReady = true;
    this.#enter("waiting");
  }

  /** Takes what can be trained on. */
  take(reading: Reading): void {
    this.#reading = reading;
    this.#enter(this.#state);
  }

  #start(): void {
    if (!this.#reading) return;
    const data = splitExamples(this.#reading), settings = settingsFor(data.train.length);
    const total = Math.ceil(data.train.length / settings.batch_size) * settings.epochs;
    this.#chart.clear(total);
    [before.textContent, after.textContent, speed.textContent] = ["–", "–", "–"];
    bar.value = 0;
    text.textContent = "Looking at the held-out sentences…";
    announce(
      `Training begins: ${count(data.train.length, "sentence")}, ${
        count(data.test.length, "sentence")
      } held out.`,
    );
    this.ask({ type: "train", data, settings });
    this.#enter("running");
  }

  onStep({ step, total, loss, elapsedMs }: StepReport): void {
    this.#chart.add(loss);
    bar.value = step / total;
    const perSecond = 1000 * step / elapsedMs, left = (total - step) / perSecond;
    speed.textContent = perSecond.toFixed(perSecond < 10 ? 1 : 0);
    text.textContent = `Step ${step} of ${total}` + (left >= 1.5 ? `, about ${Math.round(left)} s left` : "");
  }

  onJudged(step: number, accuracy: number): void {
    if (step === 0) this.#accuracy.before = accuracy;
    this.#accuracy.now = accuracy;
    (step === 0 ? before : after).textContent = percent(accuracy);
  }

  onPaused(): void {
    this.#enter("stopped");
    text.textContent += ". Stopped.";
    announce("Stopped.");
  }

  onTrained(steps: number, elapsedMs: number): void {
    this.#enter("waiting");
    const { before, now } = this.#accuracy, ends = this.#chart.ends;
    const seconds = (elapsedMs / 1000).toFixed(elapsedMs < 10_000 ? 1 : 0);
    text.textContent = `Done: ${count(steps, "step")} in ${seconds} s.`;
    announce(
      `Training is done. Right: ${percent(before)} before, ${percent(now)} now. You can try sentences.`,
    );
    if (ends) {
      const [first, last] = ends.map((loss) => loss.toFixed(2));
      byId("chart", SVGSVGElement).setAttribute(
        "aria-label",
        `Loss: fell from ${first} to ${last} in ${count(steps, "step")}`,
      );
    }
  }

  onFailed(): void {
    this.#enter("waiting");
    text.textContent = "It did not come to an end.";
  }

  #enter(state: State): void {
    const hadFocus = document.activeElement === pause;
    this.#state = state;
    const canTrain = this.#isReady && this.#reading && this.#reading.examples.length > 0 &&
      !this.#reading.wanted;
    train.disabled = !canTrain || state !== "waiting";
    train.textContent = state === "waiting" ? "Train" : "Training…";
    pause.hidden = state === "waiting";
    pause.disabled = false;
    pause.textContent = state === "stopped" ? "Go on" : "Stop";
    if (hadFocus && pause.hidden) train.focus();
    else if (document.activeElement === document.body && state === "running") pause.focus();
  }
}

function settingsFor(sentences: number): TrainSettings {
  const chosen = Math.round(Number(epochs.value));
  const automatic = Math.min(24, Math.max(3, Math.round(SENTENCES_IN_ALL / sentences)));
  return {
    epochs: chosen >= 1 ? Math.min(200, chosen) : automatic,
    batch_size: sentences < 200 ? 8 : 16,
    learning_rate: Number(rate.value),
  };
}
