/** Files that are malformed, and files that only look so: what `berth train` says of them. */
import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { withFolder } from "../helpers/folder.ts";
import { berth } from "./program.ts";
import { writeFiles } from "./task_data.ts";

const GOOD = "text,label\nfine,good\nrain,bad\nsun,good\n";

/** A line of 10 MB, in a file that is fine otherwise. */
const LONG = GOOD + `${"x".repeat(10 * 2 ** 20)},good\n`;

const REFUSED: readonly [file: string, content: string | Uint8Array, flags: string[], message: RegExp][] = [
  ["label.csv", "comment,mood\nfine,good\n", [], /--label COLUMN names it \(there are "comment", "mood"\)/],
  ["ragged.csv", "text,label\nfine,good\nrain,bad,worse\n", [], /"[^"]*ragged\.csv", line 3, column 10: /],
  ["short.csv", 'text,label\n"two\nlines",good\nrain\n', [], /line 4, column \d+: /],
  [
    "delimiter.csv",
    "text;label\nfine;good\n",
    ["--delimiter", ","],
    /line 1: the delimiter "," does not occur in it; ";" would/,
  ],
  ["empty.csv", "", [], /"[^"]*empty\.csv": it is empty/],
  ["header.csv", "text,label\n", [], /"[^"]*header\.csv": it has no rows/],
  ["long.csv", LONG, [], /line 5: the record .* has more than 1048576 characters|line 5[^\n]*1048576/],
  ["quote.csv", 'text,label\n"fine,good\nrain,bad\n', [], /line 2[^\n]*(quote|no end)/],
  ["nan.csv", "text,label\nfine,0.5\nrain,NaN\n", [], /line 3, column "label": the label is NaN/],
  ["none.csv", "text,label\nfine,good\nrain,\n", [], /line 3, column "label": the label is missing/],
  [
    "column.csv",
    GOOD,
    ["--label", "labels"],
    /there is no column "labels" for the label; there are "text", "label"; do you mean "label"\?/,
  ],
  [
    "odd.csv",
    "txt2,label\nfine,good\n",
    ["--text", "txt"],
    /there is no column "txt" for the text/,
  ],
  [
    "latin.csv",
    Buffer.from("text,label\ncaf\xe9,good\n", "latin1"),
    [],
    /line 2, column 4: the byte 0xe9 is no UTF-8; save the file as UTF-8/,
  ],
  [
    "utf16.csv",
    Buffer.from(GOOD, "utf16le"),
    [],
    /line 1, column 2: there is a NUL byte, which text has not \(UTF-16 needs a byte order mark\)/,
  ],
  ["broken.jsonl", '{"text": "a", "label": 1}\n{"text": "b" "label": 0}\n', [], /line 2, column \d+: /],
  ["page.csv", "<!doctype html><title>Log in</title>", [], /it is a web page/],
];

Deno.test("what is malformed is refused in one line with its place", async () => {
  await withFolder(async (folder) => {
    const path = writeFiles(folder, Object.fromEntries(REFUSED.map(([file, content]) => [file, content])));
    await Promise.all(REFUSED.map(async ([file, , flags, message]) => {
      const { code, stdout, stderr } = await berth(["train", "--train", path(file), "-q", ...flags]);
      deepStrictEqual([code, stdout], [1, ""], file);
      match(stderr, /^berth: [^\n]{1,400}\n$/, file);
      match(stderr, message, file);
    }));
  });
});

Deno.test("a byte order mark, UTF-16 with one, and semicolons are read; labels of a test must be known", async () => {
  await withFolder(async (folder) => {
    const path = writeFiles(folder, {
      "bom.csv": "\ufeff" + GOOD,
      "utf16.csv": Buffer.from("\ufeff" + GOOD.replaceAll("\n", "\r\n"), "utf16le"),
      "semicolons.csv": GOOD.replaceAll(",", ";"),
      "test.csv": "text,label\nfine,good\nfog,grey\n",
    });
    const run = (file: string, ...flags: string[]) =>
      berth([
        "train",
        "--train",
        path(file),
        "--threads",
        "1",
        "--max-steps",
        "1",
        "--out",
        path(`out-${file}`),
        ...flags,
      ]);
    const all = await Promise.all([run("bom.csv"), run("utf16.csv"), run("semicolons.csv")]);
    for (const { code, stderr } of all) {
      strictEqual(code, 0, stderr);
      match(stderr, /\n3 examples\n {2}bad +1 /);
    }
    match(all[2].stderr, /fields are separated by ";"/);
    const { code, stderr } = await run("bom.csv", "--test", path("test.csv"));
    strictEqual(code, 1);
    match(
      stderr,
      /test\.csv", line 3, column "label": the label "grey" is unknown; there are "bad", "good"\n$/,
    );
  });
});

Deno.test("a folder that is no model, and a model that is none, are told as such", async () => {
  await withFolder(async (folder) => {
    const path = writeFiles(folder, { "ok.csv": GOOD, "config.json": "{}" });
    const [none, empty, missing] = await Promise.all([
      berth(["train", "--train", path("ok.csv"), "-m", path(".") + "/nowhere", "-q"]),
      berth(["train", "--train", path("ok.csv"), "-m", path("."), "-q"]),
      berth(["predict", "-m", path("ok.csv"), "A text."]),
    ]);
    for (const { code, stdout, stderr } of [none, empty, missing]) {
      deepStrictEqual([code, stdout], [1, ""]);
      match(stderr, /^berth: Cannot [^\n]+\n$/);
    }
  });
});

Deno.test("--stream trains on a file or standard input that is never held whole, and verifies; it says what it needs", async () => {
  await withFolder(async (folder) => {
    const lines = Array.from({ length: 400 }, (_, i) => i % 2 ? `fine day ${i},good` : `much rain ${i},bad`);
    const path = writeFiles(folder, { "rows.csv": ["text,label", ...lines].join("\n") + "\n" });
    const train = (name: string, ...flags: string[]) => [
      ...[
        "train",
        "--stream",
        "--max-steps",
        "8",
        "--threads",
        "1",
        "--out",
        path(name),
        "--save-steps",
        "4",
      ],
      ...["--per-device-train-batch-size", "4", "--shuffle-buffer", "16", ...flags],
    ];
    const csv = ["text,label", ...lines].join("\n");
    const [file, input, endless, unnamed] = await Promise.all([
      berth(train("file", "--train", path("rows.csv"))),
      berth(train("input", "--train", "-", "--label-names", "bad,good"), csv),
      berth(["train", "--stream", "--train", path("rows.csv")]),
      berth(train("no", "--train", "-"), csv),
    ]);
    deepStrictEqual(
      [file.code, input.code, endless.code, unnamed.code],
      [0, 0, 2, 2],
      file.stderr + input.stderr,
    );
    match(file.stderr, /examples are read while training goes on; classes: bad, good/);
    match(endless.stderr, /Cannot use --stream without --max-steps N/);
    match(unnamed.stderr, /Cannot stream standard input without --label-names/);
    const { stdout, stderr } = await berth(["verify", path("file"), "--threads", "1"]);
    strictEqual(stdout, "the same bits: steps 5 to 8, training data, weights after step 8\n", stderr);
  });
});
