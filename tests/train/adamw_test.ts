/** AdamW against plain loops of its equations, and what it may skip. */
import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import * as tf from "@tensorflow/tfjs-core";
import { Parameter } from "../../src/model/mod.ts";
import { dispose, init, type Runtime } from "../../src/runtime/mod.ts";
import { AdamW, clip_grad_norm_, get_linear_schedule_with_warmup } from "../../src/train/mod.ts";
import { worstError } from "../helpers/errors.ts";
import { randomFloats } from "../helpers/kernels.ts";

function parameterOf(values: Float32Array, shape: number[] = [values.length], sparse = false): Parameter {
  const parameter = new Parameter(shape, sparse);
  parameter.values().set(values);
  return parameter;
}

function giveGradient(runtime: Runtime, parameter: Parameter, values: Float32Array): void {
  runtime.heap.f32.set(values, parameter.beginGradient().pointer / 4);
}

for (const variant of ["pytorch", "transformers"] as const) {
  Deno.test(`AdamW (${variant}) follows its equations within 2e-6 over 30 steps, for sizes around the vector width`, async () => {
    const runtime = await init({ threads: 2 });
    for (const size of [1, 3, 4, 5, 50_001]) {
      const start = randomFloats(size, 1), parameter = parameterOf(start);
      const [lr, b1, b2, eps, decay] = [0.01, 0.8, 0.95, 1e-6, 0.1];
      const optimizer = new AdamW([parameter], { lr, betas: [b1, b2], eps, weight_decay: decay, variant });
      const p = Float64Array.from(start), m = new Float64Array(size), v = new Float64Array(size);
      for (let t = 1; t <= 30; t++) {
        const g = randomFloats(size, t + 10);
        giveGradient(runtime, parameter, g);
        optimizer.step();
        for (let i = 0; i < size; i++) {
          m[i] = b1 * m[i] + (1 - b1) * g[i];
          v[i] = b2 * v[i] + (1 - b2) * g[i] * g[i];
          const c1 = 1 - b1 ** t, c2 = 1 - b2 ** t;
          if (variant === "pytorch") {
            p[i] = p[i] * (1 - lr * decay) - lr / c1 * m[i] / (Math.sqrt(v[i] / c2) + eps);
          } else p[i] = (p[i] - lr * Math.sqrt(c2) / c1 * m[i] / (Math.sqrt(v[i]) + eps)) * (1 - lr * decay);
        }
      }
      ok(worstError(parameter.values(), p) < 2e-6, `size ${size}`);
      optimizer.dispose();
      parameter.dispose();
    }
    dispose();
  });
}

for (const weight_decay of [0, 0.01]) {
  Deno.test(`AdamW gives untouched embedding rows exactly what a dense pass gives (decay ${weight_decay})`, async () => {
    const runtime = await init({ threads: 2 });
    const [rows, h] = [40, 12], start = randomFloats(rows * h, 5);
    const sparse = parameterOf(start, [rows, h], true), dense = parameterOf(start, [rows, h]);
    const optimizers = [sparse, dense].map((p) => new AdamW([p], { lr: 0.1, weight_decay }));
    for (let step = 0; step < 5; step++) {
      const gradient = new Float32Array(rows * h);
      for (const row of [3, 7 + step]) {
        gradient.set(randomFloats(h, step * 100 + row), row * h);
        runtime.heap.u8[sparse.touched + row] = 1;
      }
      for (const parameter of [sparse, dense]) giveGradient(runtime, parameter, gradient);
      for (const optimizer of optimizers) optimizer.step();
      sparse.zero_grad();
      dense.zero_grad();
    }
    deepStrictEqual(sparse.values().slice(), dense.values().slice());
    dispose();
  });
}

Deno.test("a tf.matMul on a parameter uses the new weights after a step", async () => {
  const runtime = await init({ threads: 2 });
  const parameter = parameterOf(new Float32Array(64 * 64).fill(1), [64, 64]), x = tf.ones([64, 64]);
  const product = () =>
    tf.tidy(() => tf.matMul(x, parameter.variable as unknown as tf.Tensor2D).dataSync()[0]);
  strictEqual(product(), 64);
  giveGradient(runtime, parameter, new Float32Array(64 * 64).fill(1));
  new AdamW([parameter], { lr: 0.5, eps: 0, weight_decay: 0 }).step();
  ok(Math.abs(product() - 32) < 1e-4);
  dispose();
});

Deno.test("clipping in step and clip_grad_norm_ agree, and a parameter without gradient is left alone", async () => {
  const runtime = await init({ threads: 2 });
  const values = randomFloats(1000, 1), g = randomFloats(1000, 2, 3);
  const norm = Math.sqrt(g.reduce((sum, x) => sum + x * x, 0));
  const [a, b, idle] = [parameterOf(values), parameterOf(values), parameterOf(values)];
  for (const p of [a, b]) giveGradient(runtime, p, g);
  const { grad_norm } = new AdamW([a, idle], { lr: 0.1 }).step({ max_grad_norm: 1 });
  ok(Math.abs(grad_norm! - norm) < 1e-9 * norm);
  ok(Math.abs(clip_grad_norm_([b], 1) - norm) < 1e-9 * norm);
  new AdamW([b], { lr: 0.1 }).step();
  ok(worstError(a.values(), b.values()) < 1e-6);
  deepStrictEqual(idle.values().slice(), values);
  strictEqual(idle.grad(), null);
  dispose();
});

Deno.test("AdamW refuses settings out of range and a parameter in two groups", async () => {
  await init({ threads: 1 });
  const parameter = parameterOf(new Float32Array(4));
  throws(() => new AdamW([parameter], { lr: -1 }), /lr -1/);
  throws(() => new AdamW([parameter], { betas: [1, 0.9] }), /betas\[0\] 1/);
  throws(() => new AdamW([{ params: [parameter] }, { params: [parameter] }]), /two groups/);
  dispose();
});

Deno.test("the linear schedule rises over the warm-up and falls to zero", async () => {
  await init({ threads: 1 });
  const optimizer = new AdamW([parameterOf(new Float32Array(1))], { lr: 2 });
  const schedule = get_linear_schedule_with_warmup(optimizer, 2, 6), rates: number[] = [];
  for (let i = 0; i < 7; i++) {
    rates.push(schedule.get_last_lr()[0]);
    schedule.step();
  }
  deepStrictEqual(rates, [0, 1, 2, 1.5, 1, 0.5, 0]);
  dispose();
});
