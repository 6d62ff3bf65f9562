/**
 * The notebook that berth started from, cell by cell: the module tree, the configuration, the report of from_pretrained,
 * the state's names, the encoding of two sentences, 100 steps of AdamW, and one weight drawn over the steps.
 *
 *     deno task notebook [--model FOLDER | --hashed] [--steps 100] [--threads N] [--out FOLDER]
 */
import { parseArgs } from "node:util";
import { folderUrl, writeFileWhole } from "../../src/runtime/files.ts";
import {
  AdamW,
  BertConfig,
  BertForSequenceClassification,
  BertModel,
  BertTokenizer,
  dispose,
  init,
} from "../../mod.ts";
import type { PreTrainedModel } from "../../mod.ts";
import { linePlot } from "../../src/report/mod.ts";
import { progressLine } from "../progress_line.ts";
import { hashWeights } from "./hashed_weights.ts";

const HELP = `The notebook's cells, in order.

  --model FOLDER   a checkpoint; default: berth-tiny, which the package carries
  --hashed         the full bert-base-uncased shape with weights from a hash, dropout off
  --steps N        training steps; default 100
  --threads N      default: all logical cores
  --out FOLDER     where the SVG goes; default: out/notebook`;

const { values: flags } = parseArgs({
  options: {
    model: { type: "string", default: "berth-tiny" },
    hashed: { type: "boolean", default: false },
    steps: { type: "string", default: "100" },
    threads: { type: "string" },
    out: { type: "string", default: "out/notebook" },
    help: { type: "boolean", default: false },
  },
});

/** The pieces of the two sentences at their numbers in bert-base-uncased's vocabulary, the other places unused. */
function notebookTokenizer(): BertTokenizer {
  const known: Record<string, number> = {
    "[PAD]": 0,
    "[UNK]": 100,
    "[CLS]": 101,
    "[SEP]": 102,
    "[MASK]": 103,
  };
  Object.assign(known, { ".": 1012, i: 1045, love: 2293, baseball: 3598, hate: 5223 });
  const pieces = Array.from({ length: 30522 }, (_, i) => `[unused${i}]`);
  for (const [piece, id] of Object.entries(known)) pieces[id] = piece;
  return BertTokenizer.from_vocab(pieces, { do_lower_case: true });
}

/** Gives a new model hash weights, with progress. */
function hashed<T extends PreTrainedModel>(ModelClass: new (config: BertConfig) => T): T {
  const config = new BertConfig({ num_labels: 2, hidden_dropout_prob: 0, attention_probs_dropout_prob: 0 });
  const model = new ModelClass(config), progress = progressLine("hash weights");
  hashWeights(model, (done, total) => progress.update(done, total));
  progress.end();
  return model;
}

/** A list of lists as PyTorch prints a tensor inside a dictionary. */
function tensorText(rows: number[][]): string {
  const width = Math.max(...rows.flat().map((x) => String(x).length));
  const lines = rows.map((row) => `[${row.map((x) => String(x).padStart(width)).join(", ")}]`);
  return `tensor([${lines.join(",\n        ")}])`;
}

async function main(): Promise<void> {
  const runtime = await init({ threads: flags.threads ? Number(flags.threads) : undefined });
  console.log(`berth on ${runtime.threads} threads, profile ${runtime.profile}\n`);

  const quiet = { on_report: () => {} };
  const bert_model = flags.hashed ? hashed(BertModel) : await BertModel.from_pretrained(flags.model, quiet);
  console.log(`${bert_model}\n`);
  console.log(`${bert_model.config}`);
  bert_model.dispose();

  const sc_model = flags.hashed
    ? hashed(BertForSequenceClassification)
    : await BertForSequenceClassification.from_pretrained(flags.model, quiet);
  if (sc_model.loadReport && !sc_model.loadReport.isComplete) console.log(`${sc_model.loadReport}\n`);
  console.log(`odict_keys([${[...sc_model.state_dict().keys()].map((name) => `'${name}'`).join(", ")}])\n`);

  const optimizer = new AdamW(sc_model.parameters(), { lr: 1e-5, variant: "transformers" });

  const tokenizer = flags.hashed ? notebookTokenizer() : await BertTokenizer.from_pretrained(flags.model);
  const sentences = ["I love baseball.", "I hate baseball."];
  const tokenized = tokenizer(sentences, { padding: true, truncation: true });
  const fields = (["input_ids", "token_type_ids", "attention_mask"] as const)
    .map((name) => `'${name}': ${tensorText(tokenized[name] as number[][])}`);
  console.log(`{${fields.join(", ")}}\n`);

  sc_model.train();
  const labels = [1, 0]; // the sentences' classes
  const layer = sc_model.config.num_hidden_layers - 1;
  const watched = sc_model.get_parameter(`bert.encoder.layer.${layer}.output.dense.weight`);
  const weight_record: number[] = [], losses: number[] = [], steps = Number(flags.steps);
  const progress = progressLine("train");
  const start = performance.now();
  for (let i = 0; i < steps; i++) {
    const { loss } = sc_model.forward({ ...tokenized, labels });
    sc_model.backward(); // never zeroed: gradients add up, as in the notebook
    optimizer.step();
    losses.push(loss!);
    weight_record.push(watched.item(0, 0));
    progress.update(i + 1, steps, `loss ${loss!.toFixed(4)}`);
  }
  progress.end();
  const milliseconds = (performance.now() - start) / steps;
  console.log(
    `${steps} steps, ${milliseconds.toFixed(1)} ms each; loss ${losses[0].toFixed(6)} -> ${
      losses.at(-1)!.toFixed(6)
    }`,
  );
  const name = `${watched.name}[0][0]`;
  console.log(`${name}: ${weight_record[0]} -> ${weight_record.at(-1)}`);
  const svg = linePlot({
    ...{ title: name, xLabel: "step", yLabel: "weight" },
    series: [{ name, x: weight_record.map((_, i) => i), y: weight_record }],
  });
  const file = new URL("weight.svg", folderUrl(flags.out));
  await writeFileWhole(file, [new TextEncoder().encode(svg)]);
  console.log(`wrote ${flags.out}/weight.svg`);
  dispose();
}

if (flags.help) console.log(HELP);
else await main();
