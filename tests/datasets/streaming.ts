/** A large CSV file, and how much memory it takes to stream it. */
import { closeSync, openSync, readFileSync, writeSync } from "node:fs";
import { load_dataset } from "../../src/datasets/mod.ts";

/** Writes a CSV file of that many MB. */
export function writeCsv(path: string | URL, megabytes: number): number {
  const file = openSync(path, "w");
  let lines = "", rows = 0;
  for (let i = 0; lines.length < 2 ** 20; i++) {
    const text = i % 7 === 0
      ? `"Line ${i}, with ""quotes"" and\nan end of line"`
      : `Sentence ${i} is of some length and é`;
    lines += `${text},${i % 3}\n`;
    rows++;
  }
  writeSync(file, "text,label\n");
  for (let i = 0; i < megabytes; i++) writeSync(file, lines);
  closeSync(file);
  return rows * megabytes;
}

/** Streams a file and gives the growth of the peak of resident memory, in MB; run in a process of its own. */
export async function streamed(path: string): Promise<{ grownMb: number; rows: number; seconds: number }> {
  const peakMb = () => Number(/VmHWM:\s+(\d+)/.exec(readFileSync("/proc/self/status", "utf8"))![1]) / 1024;
  const start = peakMb(), startMs = performance.now();
  const stream = await load_dataset(path, {
    streaming: true,
    labels: ["0", "1", "2"],
    problem_type: "single_label_classification",
  });
  let rows = 0;
  for await (const batch of stream.batches()) rows += batch.length;
  return { grownMb: peakMb() - start, rows, seconds: (performance.now() - startMs) / 1000 };
}

if (import.meta.main) console.log(JSON.stringify(await streamed(Deno.args[0])));
