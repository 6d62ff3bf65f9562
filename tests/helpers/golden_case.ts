/** Compares a golden case with a model: through its own passes, and as a tfjs op. */
import { ok, strictEqual } from "node:assert/strict";
import * as tf from "@tensorflow/tfjs-core";
import { asOp, type BaseModelOutput, type ModelOutput, type Parameter } from "../../src/model/mod.ts";
import { dispose, init } from "../../src/runtime/mod.ts";
import type { Tensor } from "../../src/runtime/tensor.ts";
import { registerKernels } from "../../src/tfjs/mod.ts";
import { worstError } from "./errors.ts";
import type { Golden } from "./golden.ts";
import {
  checkGradients,
  goldenInputs,
  goldenModel,
  goldenOptimizer,
  isBare,
  type Model,
  relative,
} from "./golden_model.ts";

/** A loss's value and its gradients, as each golden case defines it. */
interface Runner {
  model: Model;
  forward(): number;
  backward(): void;
  outputs(): Map<string, Float32Array>;
}

/** An output by its name in the golden file: `logits`, `hidden_states.0`. */
function outputOf(output: ModelOutput, key: string): Float32Array {
  const [name, layer] = key.split("."), value = output[name as keyof ModelOutput] as unknown;
  const tensor = (layer === undefined ? value : (value as unknown[])[Number(layer)]) as Tensor;
  return tensor.dataSync() as Float32Array;
}

async function makeRunner(golden: Golden): Promise<Runner> {
  const model = await goldenModel(golden);
  const inputs = { ...goldenInputs(golden), output_hidden_states: true, output_attentions: true };
  let output: ModelOutput;
  const outputs = () => new Map(Array.from(golden.outputs.keys(), (key) => [key, outputOf(output, key)]));
  if (!isBare(golden)) {
    return {
      ...{ model, outputs, backward: () => model.backward() },
      forward: () => (output = model.forward(inputs)).loss!,
    };
  }
  const mean = (values: Float32Array) => values.reduce((sum, x) => sum + x * x, 0) / values.length;
  const read = () => {
    const { last_hidden_state, pooler_output } = output as BaseModelOutput;
    const states = pooler_output ? { last_hidden_state, pooler_output } : { last_hidden_state };
    return new Map(
      Object.entries(states).map(([name, tensor]) => [name, tensor.dataSync() as Float32Array]),
    );
  };
  return {
    ...{ model, outputs },
    forward: () => {
      output = model.forward(inputs);
      return [...read().values()].reduce((sum, values) => sum + mean(values), 0);
    },
    backward: () => {
      const gradients = Array.from(read(), ([name, x]) => [name, x.map((value) => 2 * value / x.length)]);
      model.backward(Object.fromEntries(gradients));
    },
  };
}

/** Fails unless outputs are within 1e-5, gradients within 1e-4, and losses and norms of AdamW within 1e-4 of the case's. */
export async function checkCase(golden: Golden): Promise<void> {
  await init({ threads: 2 });
  const runner = await makeRunner(golden);
  ok(relative(runner.forward(), golden.json.loss) < 1e-5, "loss");
  for (const [key, values] of runner.outputs()) {
    const error = worstError(values, golden.outputs.get(key)!.values);
    ok(error <= 1e-5, `${golden.name}: ${key} differs by ${error}`);
  }
  runner.backward();
  checkGradients(golden, runner.model, (parameter) => parameter.grad());
  runner.model.zero_grad();
  const { training } = golden.json, { optimizer, schedule } = goldenOptimizer(runner.model, training);
  const [watched, indices] = training.watch_name.split("[", 2);
  strictEqual(indices, "0]");
  for (let step = 0; step < training.total_steps; step++) {
    const loss = runner.forward();
    ok(
      relative(loss, training.losses[step]) < 1e-4,
      `step ${step}: loss ${loss}, expected ${training.losses[step]}`,
    );
    runner.backward();
    const { grad_norm } = optimizer.step({ max_grad_norm: training.max_grad_norm });
    ok(
      relative(grad_norm!, training.grad_norms[step]) < 1e-4,
      `step ${step}: norm ${grad_norm}, expected ${training.grad_norms[step]}`,
    );
    schedule.step();
    optimizer.zero_grad();
    const watch = runner.model.get_parameter(watched).item(0, 0);
    ok(
      Math.abs(watch - training.watch[step]) < 1e-5,
      `step ${step}: ${watched} is ${watch}, expected ${training.watch[step]}`,
    );
  }
  optimizer.dispose();
  runner.model.dispose();
  dispose();
}

/** The same through tf.variableGrads, but for the norms; fails if a tensor is left, too. */
export async function checkOp(golden: Golden): Promise<void> {
  await registerKernels({ threads: 2 });
  const model = await goldenModel(golden), inputs = goldenInputs(golden);
  const op = asOp(model) as unknown as (x: object) => Record<string, Tensor>, { training } = golden.json;
  const { optimizer, schedule } = goldenOptimizer(model, training), before = tf.memory().numTensors;
  const lossOf = (output: Record<string, Tensor>) =>
    (isBare(golden)
      ? tf.addN(Object.values(output).map((state) => tf.mean(tf.square(state))))
      : output.loss) as tf.Scalar;
  for (const [key, tensor] of Object.entries(op(inputs))) {
    if (key !== "loss") ok(worstError(tensor.dataSync(), golden.outputs.get(key)!.values) <= 1e-5, key);
    tensor.dispose();
  }
  for (let step = 0; step < Math.max(1, training.total_steps); step++) {
    const { value, grads } = tf.variableGrads(() => lossOf(op(inputs)));
    ok(
      relative(value.dataSync()[0], training.losses[step] ?? golden.json.loss) < 1e-4,
      `loss of step ${step}`,
    );
    const gradientOf = (parameter: Parameter) => grads[parameter.variable.name].dataSync() as Float32Array;
    if (step === 0) checkGradients(golden, model, gradientOf);
    for (const parameter of model.parameters()) parameter.setGradient(gradientOf(parameter));
    optimizer.step({ max_grad_norm: training.max_grad_norm });
    optimizer.zero_grad();
    schedule.step();
    tf.dispose([value, grads]);
  }
  strictEqual(tf.memory().numTensors, before);
  dispose();
}
