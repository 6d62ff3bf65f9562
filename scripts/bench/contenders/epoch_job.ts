/** One epoch of fine-tuning that both programs make: data, order, settings. Written to a file, as JSON. */

/** What the programs of the suite `epoch` are given. */
export interface EpochJob {
  threads: number;
  /** Folders and files. */
  checkpoint: string;
  train: string;
  dev: string;
  /** The sentences' numbers in the order of the epoch. */
  order: number[];
  batch_size: number;
  max_length: number;
  lr: number;
  weight_decay: number;
  warmup_ratio: number;
  max_grad_norm: number;
  /** Losses of so many steps without dropout are what is compared. */
  checkSteps: number;
  /** Batches of one turn. */
  turnBatches: number;
}

/** A sentence and its class, from lines of `text TAB label`. */
export interface Example {
  text: string;
  label: number;
}

export function parseExamples(tsv: string): Example[] {
  return tsv.split("\n").filter((line) => line.includes("\t")).map((line) => {
    const at = line.lastIndexOf("\t");
    return { text: line.slice(0, at), label: Number(line.slice(at + 1)) };
  });
}
