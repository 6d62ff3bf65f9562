/** AdamW with moments of fewer bits: near its equations, unbiased over many steps, the same bits for any threads. */
import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import { BertConfig, BertForSequenceClassification, Parameter } from "../../src/model/mod.ts";
import { dispose, init, type Profile, type Runtime } from "../../src/runtime/mod.ts";
import { AdamW, type AdamWOptions, clip_grad_norm_ } from "../../src/train/mod.ts";
import { randomFloats } from "../helpers/kernels.ts";

const SHORT = ["bfloat16", "int8"] as const;

function parameterOf(values: Float32Array, shape: number[] = [values.length], sparse = false): Parameter {
  const parameter = new Parameter(shape, sparse);
  parameter.values().set(values);
  return parameter;
}

function giveGradient(runtime: Runtime, parameter: Parameter, values: Float32Array): void {
  runtime.heap.f32.set(values, parameter.beginGradient().pointer / 4);
}

/** How far two ways from `start` differ, in parts of the second's length. */
function wayError(start: Float32Array, actual: ArrayLike<number>, wanted: ArrayLike<number>): number {
  let difference = 0, length = 0;
  for (let i = 0; i < start.length; i++) {
    difference += (actual[i] - wanted[i]) ** 2;
    length += (wanted[i] - start[i]) ** 2;
  }
  return Math.sqrt(difference / length);
}

/** AdamW in f64. */
class Reference {
  readonly #m: Float64Array;
  readonly #v: Float64Array;
  #t = 0;

  constructor(readonly p: Float64Array, readonly lr: number) {
    this.#m = new Float64Array(p.length);
    this.#v = new Float64Array(p.length);
  }

  step(g: Float32Array): void {
    const t = ++this.#t, m = this.#m, v = this.#v;
    for (let i = 0; i < this.p.length; i++) {
      m[i] = 0.9 * m[i] + 0.1 * g[i];
      v[i] = 0.999 * v[i] + 0.001 * g[i] * g[i];
      this.p[i] -= this.lr / (1 - 0.9 ** t) * m[i] / (Math.sqrt(v[i] / (1 - 0.999 ** t)) + 1e-8);
    }
  }
}

/** Gradients whose sizes differ by a factor of up to a million within a block, with noise of their own size. */
function gradientOf(size: number, step: number): Float32Array {
  const noise = randomFloats(size, step + 10);
  return noise.map((x, i) => (x + 0.5) * 10 ** -((i * 7) % 7));
}

for (const [dtype, within] of [["bfloat16", 0.02], ["int8", 0.08]] as const) {
  Deno.test(`AdamW with ${dtype} moments goes AdamW's way within ${within * 100} % over 200 steps, for all sizes`, async () => {
    const runtime = await init({ threads: 2 });
    for (const size of [1, 3, 4, 5, 255, 256, 257, 20_001]) {
      const start = randomFloats(size, 1), parameter = parameterOf(start);
      const settings = { lr: 0.01, weight_decay: 0, state_dtype: dtype };
      const optimizer = new AdamW([parameter], settings),
        reference = new Reference(Float64Array.from(start), 0.01);
      for (let t = 0; t < 200; t++) {
        const g = gradientOf(size, t);
        giveGradient(runtime, parameter, g);
        optimizer.step();
        reference.step(g);
      }
      const error = wayError(start, parameter.values(), reference.p);
      ok(error < (size < 100 ? 2 : 1) * within, `size ${size}: ${error}`);
      optimizer.dispose();
      parameter.dispose();
    }
    dispose();
  });

  Deno.test(`${dtype} moments follow gradients that shrink a thousandfold: v is not stuck`, async () => {
    const runtime = await init({ threads: 2 }), size = 512;
    const start = new Float32Array(size), parameter = parameterOf(start);
    const optimizer = new AdamW([parameter], { lr: 0.01, weight_decay: 0, state_dtype: dtype });
    const reference = new Reference(new Float64Array(size), 0.01);
    let before = { ours: 0, theirs: 0 };
    const mean = (values: ArrayLike<number>) => Array.from(values).reduce((a, b) => a + b, 0) / size;
    for (let t = 0; t < 6000; t++) {
      if (t === 5900) before = { ours: mean(parameter.values()), theirs: mean(reference.p) };
      const g = new Float32Array(size).fill(t < 100 ? 1 : 1e-3);
      giveGradient(runtime, parameter, g);
      optimizer.step();
      reference.step(g);
    }
    const ours = mean(parameter.values()) - before.ours, theirs = mean(reference.p) - before.theirs;
    ok(Math.abs(ours / theirs - 1) < 3 * within, `${ours} ${theirs}`);
    dispose();
  });
}

Deno.test("v is never zero where m is not: tiny beside large gradients make no large steps", async () => {
  const runtime = await init({ threads: 2 }), size = 256;
  for (const dtype of SHORT) {
    const parameter = parameterOf(new Float32Array(size));
    const optimizer = new AdamW([parameter], { lr: 1, weight_decay: 0, eps: 0, state_dtype: dtype });
    let last = parameter.values().slice();
    for (let t = 0; t < 300; t++) {
      giveGradient(runtime, parameter, randomFloats(size, t).map((x, i) => x * 10 ** -(i % 16)));
      optimizer.step();
      const now = parameter.values().slice();
      now.forEach((x, i) => ok(Math.abs(x - last[i]) < 16, `step ${t}, value ${i}: ${x - last[i]}`));
      last = now;
    }
    parameter.dispose();
  }
  dispose();
});

for (const [dtype, width] of [["float32", 12], ["bfloat16", 12], ["int8", 256]] as const) {
  Deno.test(`touched embedding rows get what a dense pass gives, others nothing (${dtype})`, async () => {
    const runtime = await init({ threads: 2 }), rows = 150;
    const start = randomFloats(rows * width, 5);
    const sparse = parameterOf(start, [rows, width], true), dense = parameterOf(start, [rows, width]);
    const optimizers = [sparse, dense].map((p) =>
      new AdamW([p], { lr: 0.1, weight_decay: 0, state_dtype: dtype })
    );
    for (let step = 0; step < 20; step++) {
      const gradient = new Float32Array(rows * width);
      for (const row of [3, 7 + step, 149]) {
        gradient.set(randomFloats(width, step * 1000 + row), row * width);
        runtime.heap.u8[sparse.touched + row] = 1;
      }
      for (const parameter of [sparse, dense]) giveGradient(runtime, parameter, gradient);
      for (const optimizer of optimizers) optimizer.step();
      sparse.zero_grad();
      dense.zero_grad();
    }
    deepStrictEqual(sparse.values().slice(), dense.values().slice());
    deepStrictEqual(sparse.values().slice(0, 3 * width), start.slice(0, 3 * width));
    dispose();
  });
}

Deno.test("rows of an embedding of odd width do not touch each other's short moments", async () => {
  const runtime = await init({ threads: 2 }), [rows, width] = [9, 7];
  for (const dtype of SHORT) {
    const values = (used: number[]) => {
      const table = parameterOf(new Float32Array(rows * width), [rows, width], true);
      const optimizer = new AdamW([table], { lr: 0.1, weight_decay: 0, state_dtype: dtype });
      for (let step = 0; step < 10; step++) {
        const gradient = new Float32Array(rows * width);
        for (const row of used) {
          gradient.set(randomFloats(width, step * 100 + row), row * width);
          runtime.heap.u8[table.touched + row] = 1;
        }
        giveGradient(runtime, table, gradient);
        optimizer.step();
        table.zero_grad();
      }
      return table.values().slice();
    };
    deepStrictEqual(
      values([0, 1, 2, 4, 8]).slice(4 * width, 5 * width),
      values([4]).slice(4 * width, 5 * width),
    );
  }
  dispose();
});

const SHAPE = {
  ...{ vocab_size: 97, hidden_size: 48, num_hidden_layers: 2, num_attention_heads: 3, intermediate_size: 80 },
  ...{ max_position_embeddings: 200 },
};
/** Rows that no block of moments fits. */
const ODD = { ...SHAPE, hidden_size: 39, intermediate_size: 257 };
const INPUTS = {
  input_ids: [[1, 2, 3, 4, 5], [6, 7], Array.from({ length: 150 }, (_, i) => i % 97), [96]],
  labels: [0, 1, 0, 1],
};
/** So few tokens that a fused step never stores a weight's gradient. */
const FEW = { input_ids: [[7, 8, 9, 10, 11], [3, 4, 5, 6, 7, 8]], labels: [1, 0] };

/** Losses and all weights after some steps with two groups. */
async function trainSome(
  threads: number,
  options: AdamWOptions,
  profile?: Profile,
  shape = SHAPE,
): Promise<unknown[]> {
  await init({ threads, profile });
  const model = await BertForSequenceClassification.from_config(new BertConfig(shape), { seed: 3 });
  const plain: Parameter[] = [], decayed: Parameter[] = [];
  for (const [name, parameter] of model.named_parameters()) {
    (/bias|LayerNorm/.test(name) ? plain : decayed).push(parameter);
  }
  const groups = [{ params: decayed }, { params: plain, weight_decay: 0, lr: 2e-3 }];
  const optimizer = new AdamW(groups, { lr: 1e-3, ...options }), seen: unknown[] = [];
  model.seed(11);
  model.train();
  for (let step = 0; step < 5; step++) {
    // A parameter that joins late has a bias correction of its own.
    model.get_parameter("classifier.weight").requires_grad = step > 1;
    seen.push(model.forward(step % 2 ? FEW : INPUTS).loss);
    model.backward();
    optimizer.step();
    optimizer.zero_grad();
    for (const group of optimizer.param_groups) group.lr *= 0.9;
  }
  for (const [name, parameter] of model.named_parameters()) seen.push(name, parameter.values().slice());
  model.dispose();
  optimizer.dispose();
  strictEqual(model.parameters()[0].optimizer, undefined);
  dispose();
  return seen;
}

for (const state_dtype of ["float32", ...SHORT] as const) {
  Deno.test(`fused_backward and any number of threads give the same bits (${state_dtype})`, async () => {
    const one = await trainSome(1, { state_dtype }, "simd");
    deepStrictEqual(await trainSome(3, { state_dtype }, "simd"), one);
    deepStrictEqual(await trainSome(1, { state_dtype }, "single"), one);
    deepStrictEqual(await trainSome(2, { state_dtype, fused_backward: true }, "simd"), one);
    const odd = await trainSome(2, { state_dtype }, undefined, ODD);
    deepStrictEqual(await trainSome(3, { state_dtype, fused_backward: true }, undefined, ODD), odd);
    const relaxed = await trainSome(2, { state_dtype, variant: "transformers" });
    deepStrictEqual(
      await trainSome(1, { state_dtype, variant: "transformers", fused_backward: true }),
      relaxed,
    );
  });
}

Deno.test("fused_backward keeps no gradient but the embeddings', and refuses what needs one", async () => {
  await init({ threads: 2 });
  const model = await BertForSequenceClassification.from_config(new BertConfig(SHAPE), { seed: 3 });
  const optimizer = new AdamW(model.parameters(), { fused_backward: true });
  throws(() => new AdamW(model.parameters()), /a fused optimizer changes it; dispose\(\) that one first/);
  model.train().forward(INPUTS);
  model.backward();
  for (const [name, parameter] of model.named_parameters()) {
    strictEqual(parameter.grad() !== null, /_embeddings/.test(name), name);
  }
  throws(() => optimizer.step({ max_grad_norm: 1 }), /Cannot clip gradients: fused_backward/);
  throws(() => clip_grad_norm_(model.parameters(), 1), /a fused optimizer has used it/);
  const weights = model.parameters().map((parameter) => parameter.values().slice());
  model.forward(INPUTS);
  throws(
    () => model.backward(),
    /does not add up gradients; call the optimizer's step\(\) after each backward/,
  );
  deepStrictEqual(model.parameters().map((parameter) => parameter.values().slice()), weights);
  optimizer.step();
  model.backward();
  optimizer.step();
  dispose();
});

Deno.test("a state_dtype that there is not is refused", async () => {
  await init({ threads: 1 });
  const parameter = parameterOf(new Float32Array(4));
  throws(
    () => new AdamW([parameter], { state_dtype: "int4" as "int8" }),
    /"int4": one of float32, bfloat16, int8/,
  );
  dispose();
});
