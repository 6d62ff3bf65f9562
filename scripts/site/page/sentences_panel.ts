/** The first card: sentences are typed, pasted, dropped or opened, and what was read is told. */
import { byId, count, make, showFailure } from "./dom.ts";
import { readExamples, type Reading } from "./examples.ts";

/** Larger files are no list of sentences. */
const MAX_FILE_BYTES = 8 * 2 ** 20;

/** Lines that are complained of one by one. */
const MAX_SHOWN = 8;

const area = byId("sentences", HTMLTextAreaElement), drop = byId("drop", HTMLElement);
const file = byId("file", HTMLInputElement), example = byId("example", HTMLButtonElement);
const summary = byId("summary", HTMLElement), labels = byId("labels", HTMLElement);
const wanted = byId("wanted", HTMLElement), problems = byId("problems", HTMLDetailsElement);

/** The card; tells whenever there is something new to train on. */
export class SentencesPanel {
  reading: Reading = readExamples("");
  #reading: ReturnType<typeof setTimeout> | undefined;

  constructor(readonly onChange: (reading: Reading) => void) {
    area.addEventListener("input", () => {
      clearTimeout(this.#reading);
      this.#reading = setTimeout(() => this.#read(), 200);
    });
    file.addEventListener("change", () => {
      if (file.files?.[0]) void this.#open(file.files[0]);
      file.value = "";
    });
    this.#acceptDrops();
  }

  /** Offers sentences to begin with. */
  offerExample(text: string): void {
    example.disabled = false;
    example.addEventListener("click", () => this.#fill(text));
  }

  #fill(text: string): void {
    area.value = text;
    this.#read();
  }

  #read(): void {
    clearTimeout(this.#reading);
    this.reading = readExamples(area.value);
    showReading(this.reading);
    this.onChange(this.reading);
  }

  async #open(opened: File): Promise<void> {
    showFailure(undefined);
    if (opened.size > MAX_FILE_BYTES) {
      return showFailure(`${opened.name} is too large: at most 8 MB of sentences can be read here.`);
    }
    const text = await opened.text().catch(() => undefined);
    if (text === undefined) return showFailure(`${opened.name} could not be read.`);
    if (text.includes("\0")) return showFailure(`${opened.name} is no text file. A CSV file is wanted.`);
    this.#fill(text);
  }

  #acceptDrops(): void {
    const leave = () => drop.classList.remove("over");
    drop.addEventListener("dragover", (event) => {
      if (!event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault();
      drop.classList.add("over");
    });
    drop.addEventListener("dragleave", leave);
    drop.addEventListener("drop", (event) => {
      leave();
      const dropped = event.dataTransfer?.files[0];
      if (!dropped) return;
      event.preventDefault();
      void this.#open(dropped);
    });
  }
}

function showReading(reading: Reading): void {
  const { examples, problems: found } = reading;
  summary.textContent = examples.length === 0
    ? found.length > 0 ? "No sentence with a label yet." : "No sentences yet."
    : `${count(examples.length, "sentence")}, ${count(reading.labels.length, "label")}`;
  labels.hidden = reading.labels.length === 0;
  labels.replaceChildren(
    ...reading.labels.slice(0, 50).map(({ label, count }) => make("li", label, make("b", String(count)))),
  );
  wanted.hidden = reading.wanted === undefined;
  wanted.textContent = reading.wanted ?? "";
  problems.hidden = found.length === 0;
  byId("problems-title", HTMLElement).textContent = found.length === 1
    ? "One line is left out"
    : `${found.length} lines are left out`;
  const lines = found.slice(0, MAX_SHOWN).map(({ line, message }) => make("li", `Line ${line}: ${message}.`));
  if (found.length > MAX_SHOWN) lines.push(make("li", `and ${found.length - MAX_SHOWN} more`));
  byId("problems-list", HTMLElement).replaceChildren(...lines);
}
