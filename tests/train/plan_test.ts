/** plan() against what a real step takes, and the errors that come before anything is taken. */
import { deepStrictEqual, match, ok, strictEqual, throws } from "node:assert/strict";
import {
  BaseModelOutput,
  BertConfig,
  BertForSequenceClassification,
  BertModel,
} from "../../src/model/mod.ts";
import { attentionScratchBytes } from "../../src/runtime/paper.ts";
import { dispose, init } from "../../src/runtime/mod.ts";
import { AdamW, formatPlan, plan, type PlanOptions } from "../../src/train/mod.ts";
import { Random } from "../../src/random.ts";

const SHAPE = {
  ...{ vocab_size: 97, hidden_size: 48, num_hidden_layers: 3, num_attention_heads: 3, intermediate_size: 80 },
  ...{ max_position_embeddings: 200 },
};

/** Bytes and operations of two real steps of a new model in a new backend. */
async function realStep(shape: Record<string, unknown>, options: PlanOptions) {
  const runtime = await init({ threads: options.threads }), { training = true, optimizer = {} } = options;
  const free = runtime.freeBytes;
  const lengths = options.lengths ?? new Array(options.batch_size!).fill(options.sequence_length!);
  const ModelClass = (options.model ?? BertForSequenceClassification) as typeof BertForSequenceClassification;
  const model = await ModelClass.from_config(new BertConfig(shape));
  for (const [name, parameter] of model.named_parameters()) {
    parameter.requires_grad = options.requires_grad?.(name) ?? true;
  }
  if (options.gradient_checkpointing) model.gradient_checkpointing_enable();
  const random = new Random(1), { num_labels } = model.config;
  const input_ids = lengths.map((n) => Array.from({ length: n }, () => random.below(97)));
  const labels = lengths.map((_, i) => num_labels === 1 ? i / 2 : i % num_labels);
  const steps = training && optimizer ? new AdamW(model.parameters(), optimizer) : undefined;
  model.train(training);
  let flops = 0;
  for (let step = 0; step < 2; step++) {
    const before = runtime.flops;
    const output = model.forward({ input_ids, ...(options.model ? {} : { labels }) });
    if (output instanceof BaseModelOutput) {
      const { last_hidden_state, pooler_output } = output;
      if (training) model.backward({ last_hidden_state, pooler_output } as object);
    } else {
      void output.logits;
      if (training) model.backward();
    }
    steps?.step();
    steps?.zero_grad();
    flops = runtime.flops - before;
  }
  const minimum = runtime.threads << 20, bytes = runtime.tfjsBytes + minimum + free - runtime.freeBytes;
  const arena = runtime.arena.capacity;
  model.dispose();
  steps?.dispose();
  dispose();
  return { bytes, arena, flops };
}

const frozenBelow = (layer: number) => (name: string) =>
  !/embeddings/.test(name) && !(Number(/layer\.(\d+)/.exec(name)?.[1] ?? Infinity) < layer);
const CASES: [name: string, shape: Record<string, unknown>, options: PlanOptions][] = [
  ["ragged training", SHAPE, { lengths: [5, 2, 150, 1] }],
  ["one thread", SHAPE, { lengths: [40, 60], threads: 1 }],
  ["one token", SHAPE, { batch_size: 1, sequence_length: 1 }],
  ["few tokens, without optimizer", SHAPE, { batch_size: 2, sequence_length: 6, optimizer: null }],
  ["long sequences", { ...SHAPE, hidden_size: 96, intermediate_size: 384 }, {
    batch_size: 9,
    sequence_length: 200,
  }],
  ["without dropout, tanh", { ...SHAPE, hidden_dropout_prob: 0, hidden_act: "tanh" }, { lengths: [30, 9] }],
  ["regression", { ...SHAPE, num_labels: 1 }, { lengths: [30, 9] }],
  ["checkpointing", SHAPE, { lengths: [70, 80], gradient_checkpointing: true }],
  ["frozen embeddings and first layer", SHAPE, { lengths: [70, 80], requires_grad: frozenBelow(1) }],
  ["frozen up to the last layer", SHAPE, { lengths: [70, 80], requires_grad: frozenBelow(2) }],
  ["frozen but the head", SHAPE, { lengths: [70, 80], requires_grad: (name) => /classifier/.test(name) }],
  ["bfloat16 moments", SHAPE, { lengths: [70, 80], optimizer: { state_dtype: "bfloat16" } }],
  ["8-bit moments, fused", SHAPE, {
    ...{ lengths: [70, 80], gradient_checkpointing: true },
    optimizer: { state_dtype: "int8", fused_backward: true },
  }],
  ["few tokens, fused, bfloat16 moments", SHAPE, {
    ...{ lengths: [9, 11], optimizer: { state_dtype: "bfloat16", fused_backward: true } },
  }],
  ["few tokens, fused, odd sizes, 8-bit moments", { ...SHAPE, hidden_size: 9, intermediate_size: 257 }, {
    ...{ lengths: [2, 1], optimizer: { state_dtype: "int8", fused_backward: true } },
  }],
  ["inference", SHAPE, { lengths: [70, 80, 3], training: false }],
  ["the bare encoder, training", SHAPE, { lengths: [70, 80, 3], model: BertModel }],
  ["the bare encoder, inference", SHAPE, { lengths: [7, 1], model: BertModel, training: false }],
];

for (const [name, shape, options] of CASES) {
  Deno.test(`plan is exact in bytes and operations: ${name}`, async () => {
    const all = { threads: 2, ...options }, planned = plan(new BertConfig(shape), all);
    const { bytes, arena, flops } = await realStep(shape, all);
    deepStrictEqual({ bytes, arena, flops }, {
      bytes: planned.bytes.total,
      arena: planned.bytes.activations,
      flops: planned.flops.step,
    });
    ok(planned.fits);
  });
}

Deno.test("plan's operations are those of BERT's formula", () => {
  const { hidden_size: h, intermediate_size: i, num_hidden_layers: n } = new BertConfig();
  const [b, t] = [4, 32],
    rows = b * t,
    { flops } = plan(new BertConfig(), { batch_size: b, sequence_length: t });
  const layer = 2 * rows * (4 * h * h + 2 * h * i),
    attention = 4 * b * t * t * h,
    head = 2 * b * (h * h + 2 * h);
  strictEqual(flops.forward, n * (layer + attention) + head);
  strictEqual(flops.backward, n * (2 * layer + 2.5 * attention) + 2 * head);
});

Deno.test("bert-base at 16 x 128 fits, and the plan's table says what it takes", () => {
  const planned = plan(new BertConfig(), { batch_size: 16, sequence_length: 128, threads: 2 });
  ok(planned.fits && planned.bytes.total < 3.2 * 2 ** 30);
  const text = formatPlan(planned);
  match(text, /109,483,778 parameters, 109,483,778 of them trained/);
  match(text, /training on 16 sequences, 2,048 tokens, the longest of 128; 2 threads/);
  match(text, /weights +417\.\d\d MiB[\s\S]*total +2\.\d\d GiB of 4\.00 GiB[\s\S]*step +1,077\.\d+ Gflop/);
  match(formatPlan(plan(new BertConfig(), { batch_size: 64 })), /does not fit/);
});

Deno.test("plan refuses lengths that the model cannot take", () => {
  throws(() => plan(new BertConfig(), { lengths: [513] }), /position_ids\[0\]\[512\] is 512/);
  throws(() => plan(new BertConfig(), { batch_size: 0 }), /whole numbers above 0/);
  throws(() => plan(new BertConfig(), { lengths: [1.5] }), /\[1\.5\]/);
});

Deno.test("the scratch bytes of attention on paper are those of the kernel", async () => {
  const { pool } = await init({ threads: 1 });
  for (const t of [1, 2, 4, 5, 7, 8, 9, 119, 120, 121, 128, 511, 512, 2000]) {
    for (const d of [1, 2, 3, 8, 16, 31, 32, 64, 100, 128]) {
      strictEqual(attentionScratchBytes(t, d), pool.exports.attention_scratch_bytes(t, d), `${t} ${d}`);
    }
  }
  dispose();
});

Deno.test("on 4 ranks a plan has a quarter of the moments, and the blocks of an exact tree", () => {
  const config = new BertConfig(), options = { batch_size: 1, sequence_length: 8, threads: 1, ranks: 4 };
  const one = plan(config, { ...options, ranks: 1 }).bytes, whole = plan(config, options).bytes;
  const parts = plan(config, { ...options, zero_stage: 1 }).bytes,
    params = plan(config, options).parameters.total;
  ok(Math.abs(whole.gradients / one.gradients - 1) < 1e-5);
  strictEqual(whole.optimizer, one.optimizer);
  ok(Math.abs((whole.optimizer - parts.optimizer) / (8 * params) - 3 / 4) < 1e-3);
  for (const [gradient_accumulation_steps, blocks] of [[1, 1], [2, 2], [3, 3], [4, 3], [8, 4]]) {
    const { gradients } = plan(config, { ...options, exact: true, gradient_accumulation_steps }).bytes;
    strictEqual(gradients, blocks * whole.gradients);
  }
});
