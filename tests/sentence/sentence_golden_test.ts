/** Sentence vectors against sentence-transformers: folders read and written, vectors, losses, gradients, training. */
import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import {
  AdamW,
  BertTokenizer,
  CosineSimilarityLoss,
  dispose,
  MultipleNegativesRankingLoss,
  type PoolingMode,
  type SentenceLoss,
  SentenceTransformer,
  TripletLoss,
} from "../../mod.ts";
import { largestDifference } from "../helpers/errors.ts";
import { withFolder } from "../helpers/folder.ts";
import { largest, SHARED } from "../helpers/golden.ts";
import { hasPython, runPython } from "../helpers/python.ts";
import { readTensors, withPrefix } from "../helpers/tensors.ts";

const FOLDER = new URL("golden/folder/", import.meta.url), SCRIPT = new URL("run_encode.py", import.meta.url);
const GOLDEN = JSON.parse(readFileSync(new URL("golden/golden.json", import.meta.url), "utf8"));
const TEXTS: string[] = GOLDEN.texts;
const GRADIENTS = await readTensors(new URL("golden/gradients.safetensors", import.meta.url));
const withPython = hasPython("sentence_transformers");

interface Case {
  pooling: PoolingMode;
  normalize: boolean;
  loss: keyof typeof LOSSES;
  columns: number;
  value: number;
  values: number[];
}

const LOSSES = {
  ranking: new MultipleNegativesRankingLoss(),
  ranking_hard: new MultipleNegativesRankingLoss({ scale: 7 }),
  cosine: new CosineSimilarityLoss(),
  triplet: new TripletLoss(),
  triplet_cosine: new TripletLoss({ distance_metric: "cosine", triplet_margin: 0.5 }),
  triplet_manhattan: new TripletLoss({ distance_metric: "manhattan", triplet_margin: 3 }),
} satisfies Record<string, SentenceLoss>;

function assertVectors(own: readonly Float32Array[], theirs: number[][], tolerance = 1e-5): void {
  strictEqual(own.length, theirs.length);
  own.forEach((vector, i) => ok(largestDifference(vector, theirs[i]) < tolerance, `text ${i}`));
}

Deno.test("a folder of sentence-transformers gives its vectors, in every way of pooling", async () => {
  const model = await SentenceTransformer.from_pretrained(FOLDER);
  strictEqual(model.pooling_mode, "mean");
  strictEqual(model.normalize, true);
  strictEqual(model.max_seq_length, 14);
  deepStrictEqual(model.prompts, { document: "", query: "" });
  for (const [key, vectors] of Object.entries(GOLDEN.vectors as Record<string, number[][]>)) {
    const [pooling, normalize] = key.split(" ");
    model.pooling_mode = pooling as PoolingMode;
    model.normalize = normalize === "True";
    for (const batch_size of [3, 32]) {
      assertVectors(await model.encode(TEXTS, { batch_size }), vectors);
    }
  }
  dispose();
});

Deno.test("similarity is that of sentence-transformers; one text gives one vector; prompts go before", async () => {
  const model = await SentenceTransformer.from_pretrained(FOLDER), vectors = await model.encode(TEXTS);
  ok(largestDifference(model.similarity(vectors, vectors).flat(), GOLDEN.similarity.flat()) < 1e-5);
  deepStrictEqual(await model.encode(TEXTS[1]), (await model.encode([TEXTS[1]]))[0]);
  const [asked] = await model.encode(["game"], { prompt: "the " });
  ok(largestDifference(asked, vectors[0]) < 1e-6);
  await rejects(model.encode(["game"], { prompt_name: "title" }), /no prompt|these prompts: document, query/);
  model.normalize = false;
  const [unit] = await model.encode(["game"], { normalize_embeddings: true });
  ok(Math.abs(unit.reduce((sum, x) => sum + x * x, 0) - 1) < 1e-6);
  deepStrictEqual(await model.encode([]), []);
  dispose();
});

for (const [i, golden] of (GOLDEN.cases as Case[]).entries()) {
  const { pooling, normalize, loss, columns } = golden;
  Deno.test(`${loss} over ${pooling}${normalize ? ", normalised" : ""}: loss, gradients and 10 steps`, async () => {
    const model = await SentenceTransformer.from_pretrained(FOLDER);
    model.pooling_mode = pooling;
    model.normalize = normalize;
    const texts = Array.from(
      { length: columns },
      (_, c) => (GOLDEN.triples as string[][]).map((row) => row[c]),
    );
    const { input_ids } = model.tokenizer!(texts.flat(), { truncation: true, max_length: 14 });
    const inputs = { input_ids, columns, loss: LOSSES[loss], labels: GOLDEN.labels };
    const output = model.train().forward(inputs);
    ok(Math.abs(output.loss! - golden.value) < 1e-5 * (1 + golden.value), `${output.loss} ${golden.value}`);
    model.backward();
    const wanted = withPrefix(GRADIENTS, `${i}.`);
    const top = Math.max(...Array.from(wanted.values(), largest));
    for (const [name, parameter] of model.named_parameters()) {
      const gradient = parameter.grad();
      strictEqual(gradient !== null, wanted.has(name), name);
      if (!gradient) continue;
      // Gradients that are zero but for rounding: of key biases, and of the last bias under distances.
      const tolerance = 1e-4 * largest(wanted.get(name)!) + 1e-6 * top;
      ok(largestDifference(gradient, wanted.get(name)!) < tolerance, name);
    }
    model.zero_grad();
    const optimizer = new AdamW(model.parameters(), { lr: 2e-3 });
    for (const value of golden.values) {
      const { loss } = model.forward(inputs);
      ok(Math.abs(loss! - value) < 1e-4 * (1 + value), `${loss} ${value}`);
      model.backward();
      optimizer.step();
      optimizer.zero_grad();
    }
    dispose();
  });
}

Deno.test("a saved folder gives the same bits when it is loaded again", async () => {
  const model = await SentenceTransformer.from_pretrained(FOLDER), vectors = await model.encode(TEXTS);
  await withFolder(async (folder) => {
    await model.save_pretrained(folder);
    for (const name of ["1_Pooling/config.json", "2_Normalize/config.json", "sentence_bert_config.json"]) {
      ok(existsSync(new URL(name, folder)), name);
    }
    const again = await SentenceTransformer.from_pretrained(folder);
    deepStrictEqual([again.pooling_mode, again.normalize, again.max_seq_length], ["mean", true, 14]);
    deepStrictEqual(await again.encode(TEXTS), vectors);
  });
  dispose();
});

Deno.test("a BERT without such files gets mean pooling", async () => {
  const model = await SentenceTransformer.from_pretrained("berth-tiny", { on_report: () => {} });
  deepStrictEqual([model.pooling_mode, model.normalize, model.max_seq_length], ["mean", false, 128]);
  const [near, far, other] = await model.encode(["A fine game.", "The match was great.", "Rain all day."]);
  ok(model.similarity([near], [far])[0][0] > model.similarity([near], [other])[0][0]);
  dispose();
});

/** 100 texts of different lengths. */
function hundredTexts(): string[] {
  const lines = readFileSync(new URL("data/sst2_dev.tsv", SHARED), "utf8").trim().split("\n").slice(0, 100);
  return lines.map((line) => line.split("\t")[0]);
}

const minilm = new URL("checkpoints/minilm-l6/", SHARED);
Deno.test({
  name: "sentence-transformers loads folders written here, with equal vectors: three poolings, and minilm-l6",
  ignore: !withPython,
  async fn() {
    await withFolder(async (folder) => {
      const texts = existsSync(SHARED) ? hundredTexts() : TEXTS,
        own: Float32Array[][] = [];
      const folders: URL[] = [], list = new URL("texts.json", folder);
      writeFileSync(list, JSON.stringify(texts));
      const save = async (model: SentenceTransformer, name: string) => {
        const target = new URL(`${name}/`, folder);
        await model.save_pretrained(target);
        folders.push(target);
        own.push(await model.encode(texts));
      };
      const model = await SentenceTransformer.from_pretrained(FOLDER);
      for (const mode of ["cls", "max", "mean_sqrt_len_tokens"] as const) {
        model.pooling_mode = mode;
        model.normalize = mode !== "max";
        await save(model, mode);
      }
      if (existsSync(minilm)) await save(await SentenceTransformer.from_pretrained(minilm), "minilm");
      dispose();
      const theirs = await runPython(SCRIPT, list, ...folders) as number[][][];
      theirs.forEach((vectors, i) => assertVectors(own[i], vectors));
    });
  },
});

Deno.test("the tokenizer of a saved folder is the model's", async () => {
  const model = await SentenceTransformer.from_pretrained(FOLDER);
  await withFolder(async (folder) => {
    await model.save_pretrained(folder);
    const tokenizer = await BertTokenizer.from_pretrained(folder);
    deepStrictEqual(tokenizer(TEXTS).input_ids, model.tokenizer!(TEXTS).input_ids);
  });
  dispose();
});
