/** What strangers send: each refusal has its status and says what was wanted. */
import { deepStrictEqual, match, ok, rejects, strictEqual } from "node:assert/strict";
import {
  DataError,
  dispose,
  httpStatus,
  init,
  MemoryError,
  memoryStore,
  readModelFiles,
  RequestError,
  RuntimeError,
  TokenizerError,
  WeightsError,
} from "../../src/edge/mod.ts";
import { type Client, SMALL_RUN } from "./client.ts";
import { fileOf, localClient } from "./local_service.ts";

async function refused(
  client: Client,
  method: string,
  path: string,
  body: unknown,
  status: number,
  error: RegExp,
) {
  const response = await client.send(method, path, body), answer = await response.json();
  strictEqual(response.status, status, JSON.stringify(answer));
  deepStrictEqual(Object.keys(answer), ["error"]);
  match(answer.error, error);
}

const SMALL = { examples: 40, texts: 3, textLength: 100, labels: 3, bodyBytes: 10_000, steps: 50 };
const TWO = [{ text: "Good.", label: "yes" }, { text: "Bad.", label: "no" }];

Deno.test("malformed runs are refused with 400", async () => {
  const client = await localClient({ limits: SMALL });
  const bad: [body: unknown, error: RegExp][] = [
    ["{", /Cannot read the body/],
    ["[1]", /a JSON object is wanted/],
    [{}, /a list of examples is wanted/],
    [{ examples: [] }, /at least one text/],
    [{ examples: [null] }, /text 0: it is missing/],
    [{ examples: [{ text: 7, label: "x" }] }, /text 0: it is 7, a text is wanted/],
    [{ examples: [{ text: "  ", label: "x" }] }, /a text is wanted/],
    [{ examples: [{ text: "One.", label: "x" }] }, /at least two different labels/],
    [{ examples: [...TWO, { text: "Else." }] }, /label null|missing|labels/],
    [{ examples: [...TWO, { text: "Else.", label: "<script>" }] }, /Cannot use the label "<script>"/],
    [{ examples: [...TWO, { text: "Else.", label: "__proto__" }] }, /Cannot use the label "__proto__"/],
    [{ examples: TWO, labels: ["yes", "yes"] }, /different labels/],
    [{ examples: TWO, labels: ["yes", "maybe"] }, /example 1: its label "no" is none of the labels/],
    [{ examples: TWO, train: "constructor" }, /"head", "top" or "all" is wanted/],
    [{ examples: TWO, num_train_epochs: 1.5 }, /num_train_epochs 1.5: a whole number from 1 to 100/],
    [{ examples: TWO, batch_size: 0 }, /batch_size 0/],
    [{ examples: TWO, learning_rate: "fast" }, /learning_rate "fast"/],
    [{ examples: TWO, learning_rate: 1e9 }, /learning_rate/],
    [{ examples: TWO, seed: -1 }, /seed -1/],
    [{ examples: TWO, id: "../other" }, /Cannot use the id "..\/other"/],
    [{ examples: TWO, id: "" }, /Cannot use the id ""/],
    [{ examples: TWO, id: 5 }, /Cannot use the id 5/],
  ];
  for (const [body, error] of bad) await refused(client, "POST", "/train", body, 400, error);
  dispose();
});

Deno.test("what is too large is refused with 413, before anything is computed", async () => {
  const client = await localClient({ limits: SMALL }), long = "a".repeat(101);
  const large: [body: unknown, error: RegExp][] = [
    [{ examples: TWO, more: "x".repeat(10_000) }, /at most 10000 bytes/],
    [{ examples: Array.from({ length: 41 }, () => TWO[0]) }, /41 texts: at most 40/],
    [{ examples: [...TWO, { text: long, label: "no" }] }, /text 2: it has 101 characters, at most 100/],
    [{ examples: ["a", "b", "c", "d"].map((label) => ({ text: "Text.", label })) }, /4 labels: at most 3/],
    [{ examples: TWO, num_train_epochs: 51 }, /51 steps: at most 50/],
  ];
  for (const [body, error] of large) await refused(client, "POST", "/train", body, 413, error);
  await client.begin("two", { examples: TWO });
  await refused(client, "POST", "/predict/two", { texts: ["a", "b", "c", "d"] }, 413, /4 texts: at most 3/);
  dispose();
});

Deno.test("a body without a length is cut off where it is too long", async () => {
  await init();
  const client = await localClient({ limits: SMALL });
  let sent = 0;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      sent += 1000;
      controller.enqueue(new Uint8Array(1000).fill(32));
    },
  });
  const response = await client.ask(
    new Request("http://local/train", { method: "POST", body, duplex: "half" } as RequestInit),
  );
  strictEqual(response.status, 413);
  ok(sent < 20_000);
  dispose();
});

Deno.test("unknown runs, paths and methods are told apart", async () => {
  const client = await localClient();
  await client.begin("known", { examples: TWO });
  await refused(client, "POST", "/train", { examples: TWO, id: "known" }, 409, /there is one of that name/);
  await refused(client, "GET", "/train/other", undefined, 404, /Cannot find the run "other"/);
  await refused(client, "POST", "/predict/other", { texts: ["a"] }, 404, /Cannot find the run "other"/);
  await refused(client, "GET", "/train", undefined, 405, /POST is wanted/);
  await refused(client, "DELETE", "/train/known", undefined, 405, /GET or POST is wanted/);
  await refused(client, "GET", "/", undefined, 404, /Cannot find this/);
  await refused(client, "POST", "/train/known/more", {}, 404, /Cannot find this/);
  await refused(client, "POST", "/train/known", { steps: 0 }, 400, /steps 0: a whole number from 1 to/);
  await refused(client, "POST", "/train/known", { steps: 1e9 }, 400, /steps 1000000000/);
  await refused(client, "POST", "/predict/known", { texts: "a" }, 400, /a list of at least one text/);
  dispose();
});

Deno.test("a run whose steps take too much memory or time is refused when it begins", async () => {
  await init({ memoryLimit: 20 * 2 ** 20 });
  const client = await localClient();
  const run = {
    ...SMALL_RUN,
    examples: SMALL_RUN.examples.map((e) => ({ ...e, text: `${e.text} `.repeat(30) })),
  };
  await refused(
    client,
    "POST",
    "/train",
    { ...run, batch_size: 64 },
    413,
    /MiB of memory, 20\.00 MiB are there/,
  );
  dispose();
  const hurried = await localClient({ sliceFlops: 1e8 });
  await refused(hurried, "POST", "/train", SMALL_RUN, 413, /e9 operations, a request may take 0.10e9/);
  dispose();
});

Deno.test("slices are as long as their operations allow: shorter for longer texts and more trained layers", async () => {
  await init({ memoryLimit: 256 * 2 ** 20 });
  const client = await localClient({ sliceFlops: 1e10 });
  const sliceOf = async (id: string, run: object) => (await client.begin(id, { ...SMALL_RUN, ...run })).slice;
  const head = await sliceOf("head", { train: "head" }), top = await sliceOf("top", {});
  const all = await sliceOf("all", { train: "all" }), small = await sliceOf("small", { batch_size: 4 });
  ok(head > top && top > all && small > 3 * top && all >= 1, `${head} ${top} ${all} ${small}`);
  dispose();
});

Deno.test("errors mean the statuses of HTTP", () => {
  const statuses = [
    new RequestError(418, ""),
    new MemoryError("", 0, 0),
    new DataError(""),
    new TokenizerError(""),
    new WeightsError(""),
    new TypeError(""),
    "thrown",
  ].map(httpStatus);
  deepStrictEqual(statuses, [418, 413, 400, 400, 500, 500, 500]);
});

Deno.test("the start names the module that is missing or another", async () => {
  const kernels = new WebAssembly.Module(
    Deno.readFileSync(new URL("../../src/kernels/generated/kernels_single.wasm", import.meta.url)),
  );
  const start = (wasm: object) =>
    init({ wasm: wasm as { tfjs: WebAssembly.Module; kernels: WebAssembly.Module } });
  await rejects(
    start({ kernels }),
    (e: Error) => e instanceof RuntimeError && /wasm.tfjs is missing/.test(e.message),
  );
  await rejects(
    start({ tfjs: new Uint8Array(8), kernels }),
    /wasm.tfjs is Uint8Array, a compiled WebAssembly.Module/,
  );
  await rejects(start({ tfjs: kernels, kernels }), (e: Error) => e instanceof RuntimeError);
});

Deno.test("models are read from bytes, buffers, answers and objects of a bucket; limits hold", async () => {
  const asked: string[] = [];
  const files = await readModelFiles((name) => {
    asked.push(name);
    const bytes = fileOf(name);
    if (!bytes) return name.startsWith("added") ? new Response("", { status: 404 }) : null;
    if (name === "vocab.txt") return bytes.slice().buffer;
    if (name === "config.json") return { arrayBuffer: () => Promise.resolve(bytes.slice().buffer) };
    return name.endsWith(".safetensors") ? new Response(bytes.slice()) : bytes;
  });
  ok(asked.includes("tokenizer.json") && !asked.includes("pytorch_model.bin"));
  for (const name of ["config.json", "vocab.txt", "model.safetensors", "tokenizer_config.json"]) {
    deepStrictEqual(Uint8Array.from((await files.read(name))!), Uint8Array.from(fileOf(name)!), name);
  }
  strictEqual(await files.read("tokenizer.json"), null);
  await rejects(readModelFiles(fileOf, { maxBytes: 1000 }), /at most 1000 are wanted/);
  await rejects(readModelFiles(() => new Response("", { status: 503 })), /HTTP status 503/);
});

Deno.test("a model without a configuration is the service's fault, and callers see no more than that", async () => {
  const errors: unknown[] = [],
    files = await readModelFiles((name) => name === "vocab.txt" ? fileOf(name) : null);
  const client = await localClient({ files, store: memoryStore() }, {
    onError: (error) => errors.push(error),
  });
  await refused(client, "POST", "/train", { examples: TWO }, 500, /^The service failed$/);
  match(String(errors[0]), /ConfigError: .*no config.json/);
  dispose();
});
