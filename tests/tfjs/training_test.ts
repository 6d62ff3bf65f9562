/** Training ordinary tfjs programs on our kernels: gradients, AdamW, learning. */
import { deepStrictEqual, ok, rejects, strictEqual, throws } from "node:assert/strict";
import * as tf from "@tensorflow/tfjs-core";
import type { Tensor, Variable } from "../../src/runtime/tensor.ts";
import { adamw, dispose, registerKernels } from "../../src/tfjs/mod.ts";
import { worstError } from "../helpers/errors.ts";
import { randomFloats } from "../helpers/kernels.ts";
import { numericalGradient } from "../reference/layers.ts";
import { K, lossOf, lossReference, SHAPES, V } from "./attention_block.ts";

const sizeOf = (shape: number[]) => shape.reduce((a, b) => a * b, 1);

function parameters(): Record<string, Variable> {
  return Object.fromEntries(
    Object.entries(SHAPES).map(([name, shape], i) => {
      const values = randomFloats(sizeOf(shape), i + 1, name === "weight" ? 1.5 : 0.7);
      return [name, tf.tidy(() => tf.variable(tf.tensor(values, shape), true))];
    }),
  );
}

Deno.test("gradients of embeddings, attention, LayerNorm, gelu and cross-entropy match f64 finite differences within 2e-5", async () => {
  await registerKernels({ threads: 2 });
  const variables = parameters();
  const values = Object.fromEntries(
    Object.entries(variables).map(([name, v]) => [name, Float64Array.from(v.dataSync())]),
  );
  const { value, grads } = tf.variableGrads(() => lossOf(variables) as never);
  ok(Math.abs(value.dataSync()[0] - lossReference(values)) < 1e-6);
  for (const [name, variable] of Object.entries(variables)) {
    const wanted = numericalGradient(
      (x) => Float64Array.of(lossReference({ ...values, [name]: x })),
      values[name],
      [1],
    );
    ok(worstError(grads[variable.name].dataSync(), wanted) < 2e-5, name);
  }
  dispose();
});

/** Sentences of six words whose class is the first word's, modulo K. */
function sentences(count: number): { tokens: number[][]; classes: number[] } {
  const random = randomFloats(count * 4, 99);
  const tokens = Array.from(
    { length: count },
    (_, i) => Array.from(random.subarray(i * 4, i * 4 + 4), (x) => Math.floor((x + 1) / 2 * V) % V),
  );
  return { tokens, classes: tokens.map(([first]) => first % K) };
}

for (const name of ["tf.train.adam", "adamw"]) {
  Deno.test(`an ordinary program with ${name} learns, leaves no tensor behind, and gives the same bits on 1 and 2 threads`, async () => {
    const { tokens, classes } = sentences(16), losses: number[][] = [];
    for (const threads of [1, 2]) {
      await registerKernels({ threads });
      const variables = parameters(), optimizer = name === "adamw" ? adamw(0.02) : tf.train.adam(0.02);
      const list = Object.values(variables) as never[];
      let numTensors = 0;
      const run = Array.from({ length: 60 }, (_, step) => {
        const loss = optimizer.minimize(() => lossOf(variables, tokens, classes) as never, true, list)!;
        const [value] = loss.dataSync();
        loss.dispose();
        if (step === 1) numTensors = tf.memory().numTensors;
        if (step > 1) strictEqual(tf.memory().numTensors, numTensors);
        return value;
      });
      ok(run[0] > 0.9 && run[59] < 0.1, `${run[0]} to ${run[59]}`);
      losses.push(run);
      optimizer.dispose();
      dispose();
    }
    deepStrictEqual(losses[1], losses[0]);
  });
}

Deno.test("adamw follows its equations within 2e-6 over 30 steps, for sizes around the chunk's", async () => {
  await registerKernels({ threads: 2 });
  for (const size of [1, 5, 16_384, 40_001]) {
    const start = randomFloats(size, 1), variable = tf.tidy(() => tf.variable(tf.tensor1d(start)));
    const [lr, beta1, beta2, epsilon, weightDecay] = [0.01, 0.8, 0.95, 1e-6, 0.1];
    const optimizer = adamw(lr, { beta1, beta2, epsilon, weightDecay });
    const p = Float64Array.from(start), m = new Float64Array(size), v = new Float64Array(size);
    for (let t = 1; t <= 30; t++) {
      const g = randomFloats(size, t + 10);
      tf.tidy(() => optimizer.applyGradients({ [variable.name]: tf.tensor1d(g) }));
      for (let i = 0; i < size; i++) {
        m[i] = beta1 * m[i] + (1 - beta1) * g[i];
        v[i] = beta2 * v[i] + (1 - beta2) * g[i] * g[i];
        const rate = lr / (1 - beta1 ** t), root = Math.sqrt(v[i] / (1 - beta2 ** t));
        p[i] = p[i] * (1 - lr * weightDecay) - rate * m[i] / (root + epsilon);
      }
    }
    ok(worstError(variable.dataSync(), p) < 2e-6, `size ${size}`);
    optimizer.dispose();
    variable.dispose();
  }
  dispose();
});

Deno.test("adamw changes nothing but its variables: not the tensor they were made of, not clones, not reshaped ones", async () => {
  await registerKernels({ threads: 2 });
  const start = tf.ones([3, 4]), variable = tf.variable(start), optimizer = adamw(0.1);
  const step = () => optimizer.applyGradients([{ name: variable.name, tensor: tf.ones([3, 4]) }]);
  const [before, shaped] = [tf.clone(variable), tf.reshape(variable, [12])];
  step();
  const between = tf.clone(variable), kept = between.dataSync()[0];
  step();
  ok(variable.dataSync().every((x) => x < kept) && kept < 1);
  for (const tensor of [start, before, shaped]) ok(tensor.dataSync().every((x) => x === 1));
  ok(between.dataSync().every((x) => x === kept));
  dispose();
});

Deno.test("after a step of adamw tfjs's own kernels use the new values, not what they packed before", async () => {
  const registration = await registerKernels({ threads: 2 });
  registration.unregister();
  const variable = tf.tidy(() => tf.variable(tf.ones([64, 64]))), x = tf.ones([64, 64]);
  const product = () => tf.tidy(() => tf.matMul(x, variable).dataSync()[0]);
  strictEqual(product(), 64);
  adamw(0.5, { epsilon: 0, weightDecay: 0 }).applyGradients([{
    name: variable.name,
    tensor: tf.ones([64, 64]),
  }]);
  ok(Math.abs(product() - 32) < 1e-4);
  dispose();
});

Deno.test("adamw goes on from its saved weights with the same bits", async () => {
  await registerKernels({ threads: 2 });
  const make = () => tf.tidy(() => tf.variable(tf.tensor1d(randomFloats(50, 1)), true));
  const step = (variable: Variable, optimizer: ReturnType<typeof adamw>, seed: number) =>
    tf.tidy(() =>
      optimizer.applyGradients([{ name: variable.name, tensor: tf.tensor1d(randomFloats(50, seed)) }])
    );
  const variable = make(), optimizer = adamw(0.1);
  for (let i = 0; i < 3; i++) step(variable, optimizer, i);
  const resumed = adamw(0.1), weights = await optimizer.getWeights();
  deepStrictEqual(weights.map(({ name }) => name), ["iter", `${variable.name}/m`, `${variable.name}/v`]);
  const values = variable.dataSync().slice();
  await resumed.setWeights(weights.map(({ name, tensor }) => ({ name, tensor: tf.clone(tensor) })));
  step(variable, optimizer, 7);
  const wanted = variable.dataSync().slice();
  variable.assign(tf.tensor1d(values));
  step(variable, resumed, 7);
  deepStrictEqual(variable.dataSync().slice(), wanted);
  deepStrictEqual(resumed.getConfig(), {
    learningRate: 0.1,
    beta1: 0.9,
    beta2: 0.999,
    epsilon: 1e-8,
    weightDecay: 0.01,
  });
  dispose();
});

Deno.test("adamw says what is wrong: settings, unknown names, other types, no backend", async () => {
  throws(() => adamw(-1), /Cannot use learningRate -1/);
  throws(() => adamw(0.1, { beta2: 1 }), /Cannot use beta2 1/);
  await rejects(async () => await adamw(0.1).applyGradients([]), /the backend is not started/);
  await registerKernels({ threads: 1 });
  const integers = tf.variable(tf.tensor1d([1, 2], "int32"));
  const step = (name: string, tensor: Tensor) => () => adamw(0.1).applyGradients([{ name, tensor }]);
  throws(step("nobody", tf.ones([2])), /Cannot step "nobody": it is no variable/);
  throws(step(integers.name, tf.ones([2])), /it is int32 \[2\]/);
  dispose();
});
