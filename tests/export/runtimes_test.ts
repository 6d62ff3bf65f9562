/** Exported models in the runtimes that they are for: onnxruntime in Python, Node and WASM, and transformers.js. */
import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { execFile } from "node:child_process";
import { copyFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { BertTokenizer, dispose, pipeline } from "../../mod.ts";
import { installPackages } from "../../scripts/browser/packages.ts";
import { largestDifference } from "../helpers/errors.ts";
import { withFolder } from "../helpers/folder.ts";
import { largest } from "../helpers/golden.ts";
import { hasPython, runPython } from "../helpers/python.ts";
import { type Batch, CLASSES, TASKS, type Values, writeExports, writePipeline } from "./exported.ts";

const NPM = new URL("../../out/onnx/npm/", import.meta.url);
/** It brings onnxruntime-node and onnxruntime-web. */
const PACKAGES = ["@huggingface/transformers@4.3.1"];
/** So far 8-bit outputs of random weights may be off, as a share of the largest output. */
const QUANTIZED = 0.15;

const FILES = ["model.onnx", "model_quantized.onnx", "model_int8.onnx", "model_uint8.onnx"];

type Outputs = Record<string, Record<string, Record<string, Values>[]>>;

/** Runs a program of this folder in Node beside the packages; undefined if npm cannot be reached. */
async function runNode(program: string, ...args: string[]): Promise<unknown> {
  try {
    await installPackages(NPM, PACKAGES);
  } catch (error) {
    if (!/ENOTFOUND|EAI_AGAIN|ECONN|ETIMEDOUT|ENETUNREACH|ENOTCACHED/.test(String(error))) throw error;
    console.log(`Skipped: comparisons with ${PACKAGES}; npm cannot be reached`);
    return undefined;
  }
  const copy = new URL(program, NPM);
  copyFileSync(new URL(program, import.meta.url), copy);
  const options = { maxBuffer: 2 ** 28, env: { ...Deno.env.toObject(), NO_COLOR: "1" } };
  const { stdout } = await promisify(execFile)("node", [fileURLToPath(copy), ...args], options);
  return JSON.parse(stdout);
}

/** Fails unless 32-bit outputs are within 1e-4, and 8-bit ones within their bound but not equal. */
function compare(expected: Map<string, Batch[]>, outputs: Outputs, wanted = FILES): void {
  deepStrictEqual(Object.keys(outputs).sort(), [...CLASSES].sort());
  for (const [name, files] of Object.entries(outputs)) {
    deepStrictEqual(Object.keys(files).sort(), [...wanted].sort(), name);
    for (const [file, runs] of Object.entries(files)) {
      runs.forEach((found, i) => {
        const wanted = expected.get(name)![i].outputs, exact = file === "model.onnx";
        deepStrictEqual(Object.keys(found).sort(), Object.keys(wanted).sort(), name);
        for (const [key, { dims, data }] of Object.entries(found)) {
          const place = `${name} ${file} ${key} of batch ${i}`;
          deepStrictEqual(dims, wanted[key].dims, place);
          const error = largestDifference(data, wanted[key].data);
          ok(
            error <= (exact ? 1e-4 : QUANTIZED * (1 + largest(wanted[key].data))),
            `${place}: off by ${error}`,
          );
          ok(exact || error > 1e-7, place);
        }
      });
    }
  }
}

Deno.test({
  name: "onnxruntime in Python: every class within 1e-4, 8 bits within a bound, axes of any size",
  ignore: !hasPython("onnxruntime"),
  fn: () =>
    withFolder(async (folder) => {
      const expected = await writeExports(folder);
      dispose();
      compare(expected, await runPython(new URL("run_onnx.py", import.meta.url), folder) as Outputs);
    }),
});

for (const [name, files] of [["onnxruntime-node", FILES], ["onnxruntime-web", FILES.slice(0, 2)]] as const) {
  Deno.test(`${name}: every class within 1e-4, 8 bits within a bound, axes of any size`, () =>
    withFolder(async (folder) => {
      const expected = await writeExports(folder);
      dispose();
      const outputs = await runNode("run_onnx.mjs", fileURLToPath(folder), name, files.join());
      if (outputs) compare(expected, outputs as Outputs, [...files]);
    }));
}

/** Without unknown tokens: transformers.js leaves those out of what it finds. */
const TEXTS = ["The team won the game.", "Rain, wind and caf\u00e9s: so DULL!", "x"];
/** What each pipeline is called with, there and here. */
const CALLS: Readonly<Record<string, unknown[][]>> = {
  "text-classification": TEXTS.map((text) => [text, { top_k: null }]),
  "token-classification": TEXTS.map((text) => [text]),
  "question-answering": [["Who won the game?", "The team won the game and the crowd loved it."]],
  "fill-mask": [["The [MASK] won the game.", { top_k: 3 }], ["[MASK]", { top_k: 2 }]],
  "feature-extraction": TEXTS.map((text) => [text, { pooling: "mean", normalize: true }]),
};

/** Fails where transformers.js says something else; what berth says besides, such as places in the text, may be there. */
function same(theirs: unknown, own: unknown, place: string, tolerance: number): void {
  if (typeof theirs === "number") {
    ok(Math.abs(theirs - (own as number)) <= tolerance, `${place}: ${theirs} there, ${own} here`);
  } else if (typeof theirs === "object" && theirs !== null) {
    for (const [key, value] of Object.entries(theirs)) {
      same(value, (own as Record<string, unknown>)[key], `${place}.${key}`, tolerance);
    }
  } else strictEqual(own, theirs, place);
}

Deno.test("transformers.js: pipelines of exported folders say what pipelines here say, within 1e-4", () =>
  withFolder(async (folder) => {
    const tokenizer = await BertTokenizer.from_pretrained("berth-tiny");
    const jobs: { task: string; model: string; dtype: string; calls: unknown[][] }[] = [],
      own: unknown[][] = [];
    for (const [task, head] of Object.entries(TASKS)) {
      for (const family of ["Bert", "DistilBert"]) {
        const model = await writePipeline(folder, family + head, tokenizer), calls = CALLS[task];
        const run = await pipeline(task as "ner", model as never, { tokenizer }), said: unknown[] = [];
        for (const call of calls) {
          const found = await (run as unknown as (...call: unknown[]) => Promise<unknown>)(...call);
          const { dims, data } = found as { dims?: number[]; data?: Float32Array };
          said.push(dims ? { dims, data: Array.from(data!) } : found);
        }
        model.dispose();
        jobs.push({ task, model: family + head, dtype: "fp32", calls });
        own.push(said);
        if (!["text-classification", "feature-extraction"].includes(task)) continue; // others may choose otherwise
        jobs.push({ task, model: family + head, dtype: "q8", calls });
        own.push(said);
      }
    }
    dispose();
    writeFileSync(new URL("pipelines.json", folder), JSON.stringify(jobs));
    const theirs = await runNode("run_pipelines.mjs", fileURLToPath(folder), "@huggingface/transformers") as
      | unknown[][]
      | undefined;
    theirs?.forEach((said, i) => {
      const { task, model, dtype } = jobs[i], place = `${task} ${model} ${dtype}`;
      if (dtype === "fp32") same(said, own[i], place, 1e-4);
      else same(sorted(said), sorted(own[i]), place, 0.1);
    });
  }));

/** Lists of labels by their names: near scores may change places. */
function sorted(said: unknown[]): unknown[] {
  return said.map((one) => Array.isArray(one) ? one.toSorted((a, b) => a.label < b.label ? -1 : 1) : one);
}
