/** Sums and lines of download progress. */
import assert from "node:assert/strict";
import {
  type DownloadProgress,
  formatBytes,
  formatSeconds,
  formatTotals,
  progressBar,
  ProgressSum,
} from "../../src/hub/mod.ts";

function event(
  file: string,
  status: DownloadProgress["status"],
  loaded?: number,
  total?: number,
): DownloadProgress {
  return {
    name: "m",
    file,
    status,
    ...(loaded === undefined ? {} : { loaded, total, progress: 100 * loaded / total! }),
  };
}

Deno.test("the sum counts files and bytes; the rate leaves out what an earlier download brought", () => {
  const sum = new ProgressSum();
  sum.add(event("cached", "initiate"), 0);
  sum.add(event("cached", "done"), 0);
  assert.deepEqual(sum.totals(), {
    files: 0,
    filesDone: 0,
    loaded: 0,
    total: 0,
    bytesPerSecond: 0,
    secondsLeft: undefined,
  });
  sum.add(event("a", "download"), 0);
  sum.add(event("a", "progress", 600, 1000), 0);
  sum.add(event("b", "download"), 0);
  sum.add(event("b", "progress", 0, 200), 0);
  sum.add(event("a", "progress", 800, 1000), 2000);
  assert.deepEqual(sum.totals(), {
    files: 2,
    filesDone: 0,
    loaded: 800,
    total: 1200,
    bytesPerSecond: 100,
    secondsLeft: 4,
  });
  sum.add(event("b", "progress", 200, 200), 3000);
  sum.add(event("b", "done"), 3000);
  sum.add(event("a", "load", 1, 5), 3000);
  assert.equal(formatTotals(sum.totals()), "1 of 2 files, 1.00 kB / 1.20 kB, 133 B/s, 2 s left");
  sum.add(event("a", "progress", 1000, 1000), 60_000);
  assert.ok(sum.totals().bytesPerSecond < 10);
});

Deno.test("bytes and times are short", () => {
  const bytes = [0, 570, 999, 1000, 9994, 9996, 99_960, 999_400, 999_600, 437_955_512, 1.3e9, 5e15];
  assert.deepEqual(bytes.map(formatBytes), [
    ...[
      "0 B",
      "570 B",
      "999 B",
      "1.00 kB",
      "9.99 kB",
      "10.0 kB",
      "100 kB",
      "999 kB",
      "1.00 MB",
      "438 MB",
      "1.30 GB",
      "5000 TB",
    ],
  ]);
  assert.deepEqual([0, 59.4, 59.6, 185, 7800].map(formatSeconds), [
    "0 s",
    "59 s",
    "1 min 0 s",
    "3 min 5 s",
    "2 h 10 min",
  ]);
});

function draw(stream: { isTTY?: boolean; columns?: number }, events: [number, DownloadProgress][]): string {
  let text = "", nowMs = 0;
  const bar = progressBar({ ...stream, write: (part: string) => text += part }, () => nowMs);
  for (const [atMs, happened] of events) {
    nowMs = atMs;
    bar(happened);
  }
  return text;
}

const STORY: [number, DownloadProgress][] = [
  [0, event("vocab.txt", "initiate")],
  [0, event("vocab.txt", "done")], // cached
  [0, event("model.safetensors", "initiate")],
  [0, event("model.safetensors", "download")],
  [0, event("model.safetensors", "progress", 0, 4e8)],
  [50, event("model.safetensors", "progress", 1e6, 4e8)], // too soon to draw
  [2000, event("model.safetensors", "progress", 1e8, 4e8)],
  [12_000, event("model.safetensors", "progress", 3e8, 4e8)],
  [16_000, event("model.safetensors", "progress", 4e8, 4e8)],
  [16_000, event("model.safetensors", "done")],
  [16_000, event("model.safetensors", "load", 1, 200)],
];

Deno.test("a terminal has one line that moves, and one for each file that is done", () => {
  const lines = draw({ isTTY: true, columns: 100 }, STORY).split("\r\x1b[K").slice(1);
  assert.deepEqual(lines, [
    "model.safetensors   0 % [--------------------] 0 B / 400 MB",
    "model.safetensors  25 % [#####---------------] 100 MB / 400 MB, 50.0 MB/s, 6 s left",
    "model.safetensors  75 % [###############-----] 300 MB / 400 MB, 20.0 MB/s, 5 s left",
    "model.safetensors 100 % [####################] 400 MB / 400 MB, 25.0 MB/s, 0 s left",
    "model.safetensors 400 MB, done\n",
  ]);
  const narrow = draw({ isTTY: true, columns: 40 }, STORY).split("\r\x1b[K");
  assert.ok(narrow.every((line) => line.length < 40));
});

Deno.test("what is no terminal gets few plain lines, without control characters", () => {
  assert.equal(
    draw({}, STORY),
    `Downloading model.safetensors of m
model.safetensors  75 % 300 MB / 400 MB, 20.0 MB/s, 5 s left
model.safetensors 400 MB, done
`,
  );
  // deno-lint-ignore no-control-regex
  assert.doesNotMatch(draw({}, [[0, event("\x1b[2J\r", "download")]]), /[\x00-\x09\x0b-\x1f]/);
});
