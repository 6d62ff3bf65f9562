/** The third and fourth cards: a model is tried, downloaded, opened again. */
import { packFiles, unpackFiles } from "./archive.ts";
import { announce, byId, make, percent, showFailure } from "./dom.ts";
import type { Files, Request } from "./messages.ts";

const MAX_ANSWERS = 5;

const field = byId("try", HTMLInputElement), button = byId("try-button", HTMLButtonElement);
const answer = byId("answer", HTMLElement), kept = byId("kept", HTMLElement);
const save = byId("save", HTMLButtonElement), open = byId("open", HTMLInputElement);

/** The cards. */
export class ModelPanel {
  constructor(readonly ask: (request: Request) => void) {
    byId("try-form", HTMLFormElement).addEventListener("submit", (event) => {
      event.preventDefault();
      const text = field.value.trim();
      if (text) this.ask({ type: "classify", text });
    });
    save.addEventListener("click", () => {
      save.disabled = true;
      kept.textContent = "Packing the model…";
      this.ask({ type: "save" });
    });
    open.addEventListener("change", () => void this.#open([...open.files ?? []]));
  }

  /** Says which parts can be used: without a model only opening one. */
  allow({ trained, idle }: { trained: boolean; idle: boolean }): void {
    field.disabled = button.disabled = save.disabled = !trained || !idle;
    open.disabled = !idle;
  }

  onClassified(text: string, scores: { label: string; score: number }[]): void {
    const rows = scores.slice(0, MAX_ANSWERS).map(({ label, score }) => {
      const bar = make("progress");
      bar.max = 1;
      bar.value = score;
      bar.setAttribute("aria-hidden", "true");
      return make("li", "", make("span", label), make("b", percent(score)), bar);
    });
    const list = make("ol", "", ...rows);
    list.className = "answers";
    answer.replaceChildren(make("blockquote", text), list);
  }

  async onSaved(files: Files): Promise<void> {
    const zip = await packFiles(files), link = make("a");
    link.href = URL.createObjectURL(zip);
    link.download = "berth-model.zip";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
    save.disabled = false;
    kept.textContent = `berth-model.zip, ${(zip.size / 1e6).toFixed(1)} MB, is in your downloads.`;
  }

  async #open(picked: File[]): Promise<void> {
    open.value = "";
    if (picked.length === 0) return;
    showFailure(undefined);
    kept.textContent = "Opening the model…";
    try {
      this.ask({ type: "load", files: await unpackFiles(picked) });
    } catch (error) {
      kept.textContent = "";
      showFailure((error as Error).message);
    }
  }

  onLoaded(labels: readonly string[]): void {
    kept.textContent = `Opened. It tells apart: ${labels.join(", ")}.`;
    answer.replaceChildren();
    announce("The model is open. You can try sentences.");
  }

  onFailed(): void {
    kept.textContent = "";
    save.disabled = false;
  }
}
