/**
 * metrics.jsonl: one line a step and one an evaluation, written as they come.
 *
 * @module
 */
import { appendToFile, readText, writeFileWhole } from "../runtime/files.ts";
import type { Metrics, TrainerState, TrainingStep } from "../train/mod.ts";

/** The name of the file in a run's folder. */
export const LOG_FILE = "metrics.jsonl";

/** One optimizer step. `tokens` is how many the run has seen. */
export interface StepLine extends TrainingStep {
  type: "step";
  tokens: number;
}

/** One evaluation. */
export interface EvaluationLine {
  type: "evaluate";
  step: number;
  epoch: number;
  metrics: Metrics;
  /** How long it took. */
  durationMs?: number;
}

/** A line of the file. */
export type Line = StepLine | EvaluationLine;

/** The file of a run. */
export class RunLog {
  /** All lines, those of the run before it was resumed too. */
  readonly lines: Line[] = [];

  /** @param file Where it is. */
  constructor(readonly file: URL) {}

  /**
   * Begins: keeps what was written up to where the run stands, as it is resumed, or nothing.
   *
   * @param state Where the run stands.
   */
  async begin({ global_step, log_history }: Readonly<TrainerState>): Promise<void> {
    const evaluated = new Set(log_history.filter((entry) => "eval_loss" in entry).map(({ step }) => step));
    const known = global_step === 0 ? [] : parseLog(await readText(this.file) ?? "");
    this.lines.push(
      ...known.filter(({ type, step }) => type === "step" ? step <= global_step : evaluated.has(step)),
    );
    const text = this.lines.map((line) => JSON.stringify(line) + "\n").join("");
    await writeFileWhole(this.file, [new TextEncoder().encode(text)]);
  }

  /** Milliseconds that the lines before took. */
  get elapsedMs(): number {
    return this.steps.at(-1)?.elapsedMs ?? 0;
  }

  get steps(): StepLine[] {
    return this.lines.filter((line) => line.type === "step");
  }

  get evaluations(): EvaluationLine[] {
    return this.lines.filter((line) => line.type === "evaluate");
  }

  /** Writes a line. */
  add(line: Line): void {
    this.lines.push(line);
    appendToFile(this.file, JSON.stringify(line) + "\n");
  }
}

/** The lines of a file; one that was cut when the program was ended is left out. */
export function parseLog(text: string): Line[] {
  return text.split("\n").flatMap((line): Line[] => {
    try {
      return [JSON.parse(line) as Line];
    } catch {
      return [];
    }
  });
}
