/** Examples from files, URLs, standard input, streams and rows; columns and labels that are found. */
import { deepStrictEqual, match, ok, rejects, strictEqual } from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { peek } from "../../src/datasets/chunks.ts";
import { load_dataset, type LoadOptions } from "../../src/datasets/mod.ts";
import { DataError } from "../../src/errors.ts";
import { encode, file } from "../data/helpers.ts";
import { withFolder } from "../helpers/folder.ts";

const CSV = "id,review,sentiment\n1,Fine.,good\n2,Dull.,bad\n3,So so.,mixed\n";
const EXAMPLES = [{ text: "Fine.", label: 1 }, { text: "Dull.", label: 0 }, { text: "So so.", label: 2 }];

async function gzip(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

Deno.test("columns and labels are found and told; the order of rows does not matter for labels", async () => {
  const dataset = await load_dataset(file(CSV));
  deepStrictEqual(dataset.examples, EXAMPLES);
  deepStrictEqual(dataset.id2label, { 0: "bad", 1: "good", 2: "mixed" });
  deepStrictEqual(dataset.label2id, { bad: 0, good: 1, mixed: 2 });
  strictEqual(dataset.problem_type, "single_label_classification");
  deepStrictEqual(dataset.notes, [
    'label is the column "sentiment" (guessed from its name)',
    'text is the column "review" (guessed from its name)',
  ]);
  const [head, ...rows] = CSV.trimEnd().split("\n");
  const turned = await load_dataset(file([head, ...rows.reverse()].join("\n")));
  deepStrictEqual(turned.id2label, dataset.id2label);
});

Deno.test("pairs of texts are found in GLUE's and SNLI's files", async () => {
  const of = async (header: string, row: string) =>
    (await load_dataset(file(`${header}\n${row}\n`, "a.tsv"))).examples[0];
  deepStrictEqual(await of("index\tsentence1\tsentence2\tlabel", "0\ta\tb\tentailment"), {
    text: "a",
    text_pair: "b",
    label: 0,
  });
  deepStrictEqual(await of("Quality\t#1 ID\t#2 ID\t#1 String\t#2 String", '1\t7\t8\t"x\ty'), {
    text: '"x',
    text_pair: "y",
    label: 0,
  });
  deepStrictEqual(await of("premise\thypothesis\tgold_label", "p\th\tneutral"), {
    text: "p",
    text_pair: "h",
    label: 0,
  });
  deepStrictEqual(await of("id\tquestion1\tquestion2\tis_duplicate", "1\tq\tr\t0"), {
    text: "q",
    text_pair: "r",
    label: 0,
  });
  deepStrictEqual(await of("index\tquestion\tsentence\tlabel", "1\tq\ts\tx"), {
    text: "q",
    text_pair: "s",
    label: 0,
  });
  const alone = await load_dataset(file("sentence1,sentence2,label\na,b,1\n"), { text_pair: null });
  strictEqual(alone.info.columns.text_pair, null);
});

Deno.test("numbers of classes, fractions, lists and separators tell what is to be learned", async () => {
  const load = (text: string, name: string, options: LoadOptions = {}) =>
    load_dataset(file(text, name), options);
  const whole = await load("text,label\na,10\nb,9\nc,10\n", "a.csv");
  deepStrictEqual([whole.problem_type, whole.labels], ["single_label_classification", ["9", "10"]]);
  const scores = await load("text,score\na,0.5\nb,3\n", "a.csv");
  deepStrictEqual([scores.problem_type, scores.num_labels], ["regression", 1]);
  deepStrictEqual(scores.examples.map(({ label }) => label), [0.5, 3]);
  ok(scores.notes.some((note) => /regression/.test(note)));
  const stars = await load("text,stars\na,5\nb,3\n", "a.csv", { problem_type: "regression" });
  deepStrictEqual(stars.examples.map(({ label }) => label), [5, 3]);
  const lists = await load(
    '{"text":"a","labels":["x","z"]}\n{"text":"b","labels":[]}\n{"text":"c","labels":["y"]}',
    "a.jsonl",
  );
  strictEqual(lists.problem_type, "multi_label_classification");
  deepStrictEqual(lists.examples.map(({ label }) => label), [[1, 0, 1], [0, 0, 0], [0, 1, 0]]);
  const separated = await load("text,label\na,x|z\nb,\nc,y\n", "a.csv", { label_separator: "|" });
  deepStrictEqual(separated.examples.map(({ label }) => label), [[1, 0, 1], [0, 0, 0], [0, 1, 0]]);
  const truth = await load('[{"text":"a","label":true},{"text":"b","label":false}]', "a.json");
  deepStrictEqual([truth.labels, truth.examples[0].label], [["false", "true"], 1]);
  const hidden = await load("sentence\tlabel\na\t-1\nb\t-1\n", "test.tsv");
  deepStrictEqual([hidden.problem_type, hidden.examples], [null, [{ text: "a" }, { text: "b" }]]);
});

Deno.test("a test set takes the labels of its training set", async () => {
  const train = await load_dataset(file(CSV));
  const test = await load_dataset(file("text,label\na,mixed\n"), { labels: train.labels });
  deepStrictEqual(test.examples, [{ text: "a", label: 2 }]);
  const unlabeled = await load_dataset(file("text\na\n"), { labels: train.labels });
  deepStrictEqual(unlabeled.examples, [{ text: "a" }]);
});

Deno.test("delimiters are found; files without a header line get names for their columns", async () => {
  for (const delimiter of [",", ";", "\t", "|"]) {
    const { examples, notes } = await load_dataset(file(CSV.replaceAll(",", delimiter)));
    deepStrictEqual(examples, EXAMPLES);
    strictEqual(notes.some((note) => /separated/.test(note)), delimiter !== ",");
  }
  const cola = await load_dataset(file('gj04\t1\t\tThey said "no.\n', "train.tsv"), {
    column_names: ["source", "label", "star", "sentence"],
  });
  deepStrictEqual(cola.examples, [{ text: 'They said "no.', label: 0 }]);
  const numbered = await load_dataset(file("good,Fine.\nbad,Rain.\n"), {
    column_names: true,
    text: "1",
    label: "0",
  });
  deepStrictEqual(numbered.examples[0], { text: "Fine.", label: 1 });
  const single = await load_dataset(file("Just text\nA line\nAnother line\n", "a.csv"));
  deepStrictEqual(single.examples, [{ text: "A line" }, { text: "Another line" }]);
});

Deno.test("files are found by path and URL, compressed or not, with progress", () =>
  withFolder(async (folder) => {
    const url = new URL("a file.csv", folder), packed = new URL("b.tsv.gz", folder);
    writeFileSync(url, CSV);
    writeFileSync(packed, await gzip(encode(CSV.replaceAll(",", "\t"))));
    const events: string[] = [];
    const progress_callback = ({ status, progress }: { status: string; progress?: number }) =>
      void events.push(`${status} ${progress ?? ""}`.trim());
    for (const path of [url, url.href, fileURLToPath(url), packed]) {
      deepStrictEqual((await load_dataset(path, { progress_callback })).examples, EXAMPLES);
    }
    deepStrictEqual(events.slice(0, 3), ["download", "progress 100", "done"]);
    await rejects(
      () => load_dataset(new URL("none.csv", folder)),
      (error) => error instanceof DataError && /none.csv": there is no such file/.test(error.message),
    );
    await rejects(() => load_dataset(folder), /it is a folder, a file is wanted/);
  }));

Deno.test("data comes from a server, with its place in messages", async () => {
  const server = createServer((request, response) => {
    if (request.url !== "/data/a.csv?x=1") return void response.writeHead(404).end();
    const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? "");
    const [begin, end] = range ? [Number(range[1]), Number(range[2] || CSV.length - 1)] : [0, CSV.length - 1];
    response.writeHead(range ? 206 : 200, { "content-range": `bytes ${begin}-${end}/${CSV.length}` });
    response.end(CSV.slice(begin, end + 1));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  try {
    deepStrictEqual((await load_dataset(`${base}/data/a.csv?x=1`)).examples, EXAMPLES);
    const stream = await load_dataset(`${base}/data/a.csv?x=1`, { streaming: true });
    deepStrictEqual(await collect(stream), EXAMPLES);
    await rejects(() => load_dataset(`${base}/none.csv`), /none.csv": the server has no such file/);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

Deno.test("rows may be objects of a list or of a generator", async () => {
  const rows = [{ text: "a", label: "x" }, { text: "b", label: "y" }];
  const generate = async function* () {
    for (const row of rows) yield await Promise.resolve(row);
  };
  for (const input of [rows, generate()]) {
    deepStrictEqual((await load_dataset(input)).examples, [{ text: "a", label: 0 }, { text: "b", label: 1 }]);
  }
  await rejects(
    () => load_dataset([{ text: "a" }, null] as never),
    /"rows", line 2: it is null, wanted an object/,
  );
});

Deno.test("a stream is read anew each time, and finds its labels first", async () => {
  const stream = await load_dataset(file(CSV), { streaming: true });
  deepStrictEqual(stream.labels, ["bad", "good", "mixed"]);
  for (let epoch = 0; epoch < 2; epoch++) deepStrictEqual(await collect(stream), EXAMPLES);
  for await (const first of stream) {
    deepStrictEqual(first, EXAMPLES[0]);
    break; // what is left is not read
  }
});

Deno.test("what can be read once needs its labels, and says so", async () => {
  const bytes = () => new Blob([CSV]).stream();
  await rejects(
    () => load_dataset(bytes(), { streaming: true }),
    /read only once, so the labels must be given/,
  );
  const stream = await load_dataset(bytes(), { streaming: true, labels: ["bad", "good", "mixed"] });
  deepStrictEqual(await collect(stream), EXAMPLES);
  await rejects(() => collect(stream), /it was read already/);
  deepStrictEqual((await load_dataset(bytes())).examples, EXAMPLES);
});

Deno.test("standard input is read", async () => {
  const script = `
    import { load_dataset } from ${
    JSON.stringify(new URL("../../src/datasets/mod.ts", import.meta.url).href)
  };
    console.log(JSON.stringify((await load_dataset("-")).examples));`;
  const config = fileURLToPath(new URL("../../deno.json", import.meta.url));
  const args = [
    "run",
    "-A",
    "--no-check",
    "--config",
    config,
    `data:text/javascript,${encodeURIComponent(script)}`,
  ];
  const started = new Deno.Command(Deno.execPath(), { args, stdin: "piped", stdout: "piped" }).spawn();
  const writer = started.stdin.getWriter();
  await writer.write(encode(CSV));
  await writer.close();
  const { stdout } = await started.output();
  deepStrictEqual(JSON.parse(new TextDecoder().decode(stdout)), EXAMPLES);
});

Deno.test("aborting ends the reading", async () => {
  const controller = new AbortController();
  controller.abort(new Error("enough"));
  await rejects(() => load_dataset(file(CSV), { signal: controller.signal }), /enough/);
  match((await load_dataset(file(CSV))).name, /data.csv/);
});

Deno.test("what was only looked at is closed, though nothing more was read of it", async () => {
  let closed = 0;
  async function* bytes() {
    try {
      yield new Uint8Array(600);
      yield new Uint8Array(600);
    } finally {
      closed++;
    }
  }
  const { head, chunks } = await peek(bytes());
  strictEqual(head.length, 512);
  await chunks[Symbol.asyncIterator]().return?.();
  strictEqual(closed, 1);
  const again = await peek(bytes());
  let length = 0;
  for await (const piece of again.chunks) length += piece.length;
  deepStrictEqual([length, closed], [1200, 2]);
});
