/** Real checkpoints: what loads, what is reported, and vectors equal to PyTorch's. */
import { deepStrictEqual, match, ok, rejects, strictEqual } from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import {
  BertConfig,
  BertForSequenceClassification,
  BertModel,
  BertTokenizer,
  dispose,
  init,
  type LoadReport,
} from "../../mod.ts";
import { worstError } from "../helpers/errors.ts";
import { withFolder } from "../helpers/folder.ts";
import { SHARED } from "../helpers/golden.ts";

const MINILM = new URL("checkpoints/minilm-l6/", SHARED);

/** Means of the hidden states over each text's tokens. */
function sentenceVectors(model: BertModel, tokenizer: BertTokenizer, texts: string[]) {
  const encoded = tokenizer(texts, { padding: true }), output = model.forward(encoded);
  const mask = encoded.attention_mask as number[][], hidden = output.last_hidden_state.arraySync();
  const vectors = hidden.map((rows, b) => {
    const real = rows.filter((_, t) => mask[b][t] === 1);
    return real[0].map((_, j) => real.reduce((sum, row) => sum + row[j], 0) / real.length);
  });
  return { vectors, pooled: output.pooler_output.arraySync() };
}

for (const [name, source] of [["berth-tiny", "berth-tiny"], ["minilm-l6", MINILM]] as const) {
  Deno.test({
    name: `${name}: mean and pooled sentence vectors equal PyTorch's within 1e-5`,
    ignore: source instanceof URL && !existsSync(source), // the shared checkpoint is absent
    fn: async () => {
      const golden = JSON.parse(
        readFileSync(new URL(`./golden/vectors_${name}.json`, import.meta.url), "utf8"),
      );
      const reports: LoadReport[] = [];
      const model = await BertModel.from_pretrained(source, { on_report: (report) => reports.push(report) });
      const { vectors, pooled } = sentenceVectors(
        model,
        await BertTokenizer.from_pretrained(source),
        golden.texts,
      );
      vectors.forEach((vector, i) => ok(worstError(vector, golden.vectors[i]) < 1e-5, golden.texts[i]));
      pooled.forEach((vector, i) =>
        ok(worstError(vector.slice(0, 8), golden.pooled[i]) < 1e-5, golden.texts[i])
      );
      const heads = name === "berth-tiny" ? 5 : 0; // the masked-LM head of berth-tiny has no place here
      deepStrictEqual([reports[0].unused.length, reports[0].newlyInitialized.length], [heads, 0]);
      dispose();
    },
  });
}

Deno.test("the report names unused and newly initialised weights in transformers' words", async () => {
  await init({ threads: 2 });
  let report: LoadReport | undefined;
  await BertForSequenceClassification.from_pretrained("berth-tiny", {
    num_labels: 3,
    on_report: (r) => report = r,
  });
  deepStrictEqual(report!.newlyInitialized, ["classifier.weight", "classifier.bias"]);
  deepStrictEqual([...report!.unused].sort(), [
    ...[
      "cls.predictions.bias",
      "cls.predictions.transform.LayerNorm.bias",
      "cls.predictions.transform.LayerNorm.weight",
    ],
    ...["cls.predictions.transform.dense.bias", "cls.predictions.transform.dense.weight"],
  ]);
  match(
    String(report),
    /^Some weights of the model checkpoint at berth-tiny were not used when initializing BertForSequenceClassification: \['cls/,
  );
  match(
    String(report),
    /newly initialized: \['classifier.weight', 'classifier.bias'\]\nYou should probably TRAIN this model/,
  );
  dispose();
});

Deno.test("the module tree is printed as PyTorch prints it", async () => {
  await init({ threads: 1 });
  const config = new BertConfig({
    ...{
      vocab_size: 30,
      hidden_size: 8,
      num_hidden_layers: 1,
      num_attention_heads: 2,
      intermediate_size: 16,
    },
    ...{ max_position_embeddings: 12, layer_norm_eps: 1e-5 },
  });
  strictEqual(
    String(new BertForSequenceClassification(config)),
    `BertForSequenceClassification(
  (bert): BertModel(
    (embeddings): BertEmbeddings(
      (word_embeddings): Embedding(30, 8, padding_idx=0)
      (position_embeddings): Embedding(12, 8)
      (token_type_embeddings): Embedding(2, 8)
      (LayerNorm): LayerNorm((8,), eps=1e-05, elementwise_affine=True)
      (dropout): Dropout(p=0.1, inplace=False)
    )
    (encoder): BertEncoder(
      (layer): ModuleList(
        (0): BertLayer(
          (attention): BertAttention(
            (self): BertSelfAttention(
              (query): Linear(in_features=8, out_features=8, bias=True)
              (key): Linear(in_features=8, out_features=8, bias=True)
              (value): Linear(in_features=8, out_features=8, bias=True)
              (dropout): Dropout(p=0.1, inplace=False)
            )
            (output): BertSelfOutput(
              (dense): Linear(in_features=8, out_features=8, bias=True)
              (LayerNorm): LayerNorm((8,), eps=1e-05, elementwise_affine=True)
              (dropout): Dropout(p=0.1, inplace=False)
            )
          )
          (intermediate): BertIntermediate(
            (dense): Linear(in_features=8, out_features=16, bias=True)
          )
          (output): BertOutput(
            (dense): Linear(in_features=16, out_features=8, bias=True)
            (LayerNorm): LayerNorm((8,), eps=1e-05, elementwise_affine=True)
            (dropout): Dropout(p=0.1, inplace=False)
          )
        )
      )
    )
    (pooler): BertPooler(
      (dense): Linear(in_features=8, out_features=8, bias=True)
      (activation): Tanh()
    )
  )
  (dropout): Dropout(p=0.1, inplace=False)
  (classifier): Linear(in_features=8, out_features=2, bias=True)
)`,
  );
  dispose();
});

Deno.test("a saved model loads again, bit for bit, with its labels", () =>
  withFolder(async (folder) => {
    await init({ threads: 2 });
    const options = { id2label: { 0: "bad", 1: "good", 2: "fine" }, on_report: () => {} };
    const model = await BertForSequenceClassification.from_pretrained("berth-tiny", options);
    await model.save_pretrained(folder);
    for (const source of [folder, fileURLToPath(folder)]) {
      const again = await BertForSequenceClassification.from_pretrained(source, {
        on_report: (r) => ok(r.isComplete),
      });
      deepStrictEqual(again.config.label2id, { bad: 0, good: 1, fine: 2 });
      for (const [name, parameter] of again.named_parameters()) {
        deepStrictEqual(parameter.values().slice(), model.get_parameter(name).values().slice());
      }
    }
    await rejects(
      BertForSequenceClassification.from_pretrained(folder, { num_labels: 2 }),
      /"classifier.weight": its shape is \[3, 128\], expected \[2, 128\]/,
    );
    let mismatched: readonly string[] = [];
    const ignore = {
      num_labels: 2,
      ignore_mismatched_sizes: true,
      on_report: (r: LoadReport) => mismatched = r.mismatched,
    };
    await BertForSequenceClassification.from_pretrained(folder, ignore);
    deepStrictEqual(mismatched, ["classifier.weight", "classifier.bias"]);
    dispose();
  }));

Deno.test("configurations that are no BERT, or contradict themselves, are refused with the key", () => {
  const fails = (options: Record<string, unknown>, message: RegExp) => {
    try {
      new BertConfig(options);
    } catch (error) {
      return match((error as Error).message, message);
    }
    throw new Error(`${JSON.stringify(options)} was accepted`);
  };
  fails({ hidden_size: 10, num_attention_heads: 3 }, /hidden_size 10.*num_attention_heads 3/);
  fails({ hidden_act: "swiglu" }, /hidden_act "swiglu": one of gelu/);
  fails({ model_type: "roberta" }, /model_type "roberta"/);
  fails({ position_embedding_type: "relative_key" }, /relative_key/);
  fails({ hidden_size: "768" }, /hidden_size "768"/);
  fails({ hidden_dropout_prob: 1 }, /hidden_dropout_prob 1/);
  fails({ is_decoder: true }, /is_decoder/);
  fails({ problem_type: "ranking" }, /problem_type "ranking"/);
});

Deno.test("the configuration keeps unknown keys, and prints as the notebook shows it", () => {
  const config = new BertConfig({
    architectures: ["BertForMaskedLM"],
    made_by: "someone",
    classifier_dropout: null,
  });
  strictEqual(config.toJSON().made_by, "someone");
  const printed = String(new BertConfig({ architectures: ["BertForMaskedLM"], hidden_dropout_prob: 0.1 }));
  strictEqual(
    printed,
    `{
  "architectures": [
    "BertForMaskedLM"
  ],
  "attention_probs_dropout_prob": 0.1,
  "finetuning_task": null,
  "hidden_act": "gelu",
  "hidden_dropout_prob": 0.1,
  "hidden_size": 768,
  "initializer_range": 0.02,
  "intermediate_size": 3072,
  "layer_norm_eps": 1e-12,
  "max_position_embeddings": 512,
  "model_type": "bert",
  "num_attention_heads": 12,
  "num_hidden_layers": 12,
  "num_labels": 2,
  "output_attentions": false,
  "output_hidden_states": false,
  "pad_token_id": 0,
  "pruned_heads": {},
  "torchscript": false,
  "type_vocab_size": 2,
  "vocab_size": 30522
}
`,
  );
});
