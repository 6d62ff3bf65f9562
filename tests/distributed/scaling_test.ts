/** The cost model's arithmetic, the agreement with what was measured, and that docs/scaling.md shows just that. */
import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { readFileSync } from "node:fs";
import {
  BERT_BASE,
  BERT_LARGE,
  efficiency,
  gradientBytes,
  operations,
  parameters,
  type Run,
  stateBytes,
  step,
  sumSeconds,
  tokensPerSecond,
} from "../../scripts/scaling/model.ts";
import { documents } from "../../scripts/scaling/documents.ts";

const NETWORK = { name: "", latency: 1e-5, bytesPerSecond: 1e9 };
const WORK = { batch: 8, tokens: 128, accumulation: 1 };
const RUN: Run = { shape: BERT_BASE, work: WORK, network: NETWORK, rate: 1e11, overlap: 0 };

Deno.test("parameters are those of transformers' BertForSequenceClassification", () => {
  strictEqual(parameters(BERT_BASE), 109_483_778);
  strictEqual(parameters(BERT_LARGE), 335_143_938);
});

Deno.test("a sum sends 2 (n - 1) / n of the bytes, a tree 2 log2(n) of them, one rank nothing", () => {
  strictEqual(sumSeconds(1e9, 1, NETWORK), 0);
  strictEqual(sumSeconds(1e9, 2, NETWORK), 1 + 2e-5);
  strictEqual(sumSeconds(1e9, 8, NETWORK), 1.75 + 6e-5);
  strictEqual(sumSeconds(1e9, 8, NETWORK, "tree"), 6 + 6e-5);
});

Deno.test("a step without sums is its operations; sums hide behind the last backward pass only", () => {
  strictEqual(step(RUN, 1).total, operations(BERT_BASE, WORK) / 1e11);
  const open = step(RUN, 16), hidden = step({ ...RUN, overlap: 1 }, 16);
  strictEqual(open.total, open.compute + open.sums);
  ok(hidden.total < open.total && hidden.total > Math.max(open.compute, open.total - open.compute * 2 / 3));
  const zero = step({ ...RUN, overlap: 1, zero: true }, 16);
  ok(zero.total >= zero.compute + zero.sums / 2);
});

Deno.test("efficiency is 1 alone, falls with the ranks, and rises with accumulation", () => {
  strictEqual(efficiency(RUN, 1), 1);
  const shares = [2, 4, 64, 1024].map((ranks) => efficiency(RUN, ranks));
  deepStrictEqual(shares, shares.toSorted((a, b) => b - a));
  const more = { ...RUN, work: { ...WORK, accumulation: 8 } };
  ok(efficiency(more, 1024) > efficiency(RUN, 1024));
  ok(tokensPerSecond(RUN, 2) > tokensPerSecond(RUN, 1));
});

Deno.test("rows of the vocabulary are counted once, however many ranks have them", () => {
  strictEqual(gradientBytes(BERT_BASE, WORK, 1000), gradientBytes(BERT_BASE, WORK, 2000));
  ok(gradientBytes(BERT_BASE, WORK, 1) < gradientBytes(BERT_BASE, WORK, 2));
});

Deno.test("bert-large with all of AdamW's moments exceeds WebAssembly's 4 GiB, and fits from 4 ranks on with ZeRO-1", () => {
  ok(stateBytes(BERT_LARGE, 1, false) > 2 ** 32);
  ok(stateBytes(BERT_LARGE, 4, true) < 0.85 * 2 ** 32);
});

Deno.test("the page's tables and plots are what the measured figures give: deno run -A scripts/scaling/write.ts", () => {
  const measured = JSON.parse(read("scaling/measured.json")),
    { page, plots } = documents(measured, read("scaling.md"));
  strictEqual(page, read("scaling.md"));
  for (const [name, svg] of Object.entries(plots)) strictEqual(svg, read(`scaling/${name}.svg`), name);
});

function read(name: string): string {
  return readFileSync(new URL(`../../docs/${name}`, import.meta.url), "utf8");
}
