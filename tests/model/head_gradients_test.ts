/** Gradients under dropout, of every head of both families, against differences of the 32-bit loss, tensor by tensor; without dropout finite_differences_test.ts is exact. */
import "../../src/hub/mod.ts";
import { ok } from "node:assert/strict";
import type { Parameter } from "../../src/model/mod.ts";
import { dispose, init } from "../../src/runtime/mod.ts";
import { HEADS, newModel } from "../helpers/heads.ts";

/** So far a tensor is moved along its gradient. */
const STEP = 2e-3;

function length(values: Float32Array): number {
  return Math.sqrt(values.reduce((sum, x) => sum + x * x, 0));
}

/** The slope of the loss along the parameter's gradient, by the differences of four losses. */
function slope(parameter: Parameter, gradient: Float32Array, loss: () => number): number {
  const values = parameter.values(), before = values.slice(), unit = STEP / length(gradient);
  const set = (steps: number) => {
    values.set(before.map((x, i) => x + steps * unit * gradient[i]));
    parameter.markWritten();
  };
  const [a, b, c, d] = [-2, -1, 1, 2].map((steps) => {
    set(steps);
    return loss();
  });
  set(0);
  return (a - 8 * b + 8 * c - d) / (12 * STEP);
}

for (const head of HEADS) {
  Deno.test(`${head.name}: every tensor's gradient is the loss's slope within 2 %`, async () => {
    await init({ threads: 2 });
    const model = await newModel(head), inputs = head.inputs([5, 3, 7]) as never;
    for (const parameter of model.parameters()) {
      if (parameter.shape.length < 2) continue;
      parameter.values().forEach((x, i, values) => values[i] = 8 * x); // so that the loss is far from flat
      parameter.markWritten();
    }
    const loss = () => {
      model.seed(1); // the same dropout each time
      return model.train().forward(inputs).loss!;
    };
    loss();
    model.backward();
    let checked = 0;
    for (const [name, parameter] of model.named_parameters()) {
      const gradient = parameter.grad()?.slice(), wanted = gradient ? length(gradient) : 0;
      if (wanted < 1e-2) continue; // too small for differences of 32-bit losses
      const actual = slope(parameter, gradient!, loss);
      ok(Math.abs(actual - wanted) < 0.02 * wanted, `${name}: ${wanted}, by differences ${actual}`);
      checked++;
    }
    ok(checked > 0.6 * model.parameters().length, `${checked} tensors`);
    dispose();
  });
}
