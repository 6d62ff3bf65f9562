/** One line of progress on stderr: rewritten in a terminal, a line every tenth otherwise. */
import process from "node:process";

export interface ProgressLine {
  update(done: number, total: number, note?: string): void;
  end(): void;
}

export function progressLine(label: string): ProgressLine {
  const terminal = process.stderr.isTTY === true, start = performance.now();
  let lastTenth = -1, written = false;
  return {
    update: (done, total, note = "") => {
      const elapsed = (performance.now() - start) / 1000, left = elapsed / done * (total - done);
      const text = `${label} ${done}/${total}  ${(done / elapsed).toFixed(1)}/s  ${
        left.toFixed(0)
      } s left  ${note}`;
      const tenth = Math.floor(done / total * 10);
      if (terminal) process.stderr.write(`\r${text}\x1b[K`);
      else if (tenth !== lastTenth) process.stderr.write(`${text}\n`);
      lastTenth = tenth;
      written = true;
    },
    end: () => {
      if (terminal && written) process.stderr.write("\n");
    },
  };
}
