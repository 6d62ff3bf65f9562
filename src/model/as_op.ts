/**
 * A model as an op of tfjs: tensors out, gradients to the model's variables, in any graph of tfjs.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs-core";
import { DataError, RuntimeError } from "../errors.ts";
import type { Runtime } from "../runtime/mod.ts";
import type { Scalar, Tensor } from "../runtime/tensor.ts";
import { EncoderModel, type ModelOutput } from "./encoder_model.ts";
import { zeroFill } from "./gradients.ts";
import type { Parameter } from "./parameter.ts";

/** The tensors among a model's outputs, and its loss as a scalar. */
export type OpOutputs<O> =
  & { readonly [K in keyof O as O[K] extends Tensor ? K : never]: O[K] }
  & { readonly loss: Scalar | undefined };

/** Options of {@linkcode asOp}. */
export interface AsOpOptions {
  /**
   * The outputs that are wanted, by name. Default: the loss, if there are labels, and all tensors that have gradients. A
   * masked language model of which `["loss"]` is wanted scores labelled tokens alone.
   */
  outputs?: readonly string[];
}

/** One output within the tensor that holds all. */
interface Part {
  name: string;
  shape: readonly number[];
  size: number;
  /** The number of its first value. */
  first: number;
  fill(target: number): void;
}

/**
 * Makes an ordinary op of a model. In training mode its outputs have gradients with respect to the model's variables: of
 * `tf.variableGrads`, `tf.train.adam` and all else that tfjs has, with heads and losses of your own on top. One forward and
 * one backward pass of the model's own run underneath, whatever stands above.
 *
 * tfjs-core alone has no gradients of its own ops: `registerKernels()` of `@berth/berth/tfjs`, or the package
 * @tensorflow/tfjs, brings them.
 *
 * Parameters with `requires_grad` false are constants. Outputs are yours, to be disposed or left to `tf.tidy`. The op may
 * stand in a graph several times: the model runs forward again for all uses but the last, with the same dropout.
 *
 * @param options Which outputs are wanted.
 * @returns A function of what `model.forward` takes; it fails as that does. Its gradient fails with {RuntimeError} in eval
 * mode, and if weights were changed in between or a fused optimizer holds them.
 * @example
 * ```ts
 * import * as tf from "@tensorflow/tfjs-core";
 * import { asOp, BertModel, BertTokenizer, dispose } from "@berth/berth";
 * import { registerKernels } from "@berth/berth/tfjs";
 * await registerKernels();
 * const tokenizer = await BertTokenizer.from_pretrained("berth-tiny");
 * const model = await BertModel.from_pretrained("berth-tiny", { on_report: () => {} });
 * const encode = asOp(model.train()), optimizer = tf.train.adam(1e-3);
 * const batch = tokenizer(["a fine game", "a dull game"]);
 * for (let step = 0; step < 3; step++) {
 *   const loss = optimizer.minimize(() => {
 *     const score = tf.mean(encode(batch).pooler_output, 1); // a head of one's own
 *     return tf.losses.meanSquaredError([1, 0], score);
 *   }, true);
 *   console.log(loss!.dataSync()[0]);
 *   loss!.dispose();
 * }
 * dispose();
 * ```
 */
export function asOp<M extends EncoderModel<string>>(
  model: M,
  options: AsOpOptions = {},
): (inputs: Parameters<M["forward"]>[0]) => OpOutputs<ReturnType<M["forward"]>> {
  if (!(model instanceof EncoderModel)) {
    throw new DataError(`Cannot make an op of ${model}: a model is wanted`);
  }
  return (inputs) =>
    tf.tidy(() => {
      const { runtime } = model, parameters = model.parameters().filter(({ requires_grad }) => requires_grad);
      checkOptimizers(parameters);
      let parts: Part[] = [];
      const whole = tf.customGrad(() => {
        parts = partsOf(runtime, model.forward(inputs), options.outputs);
        const total = parts.reduce((sum, { size }) => sum + size, 0);
        const { tensor, pointer } = runtime.emptyTensor([total]);
        for (const { first, fill } of parts) fill(pointer + first * 4);
        const backward = backwardOf(model, inputs, parts, parameters);
        return { value: tensor, gradFunc: (dy: Tensor) => backward(dy) };
      })(...parameters.map(({ variable }) => variable));
      const outputs = parts.map((part) => [part.name, partOf(runtime, whole, part)]);
      return Object.fromEntries(outputs) as OpOutputs<ReturnType<M["forward"]>>;
    });
}

/** The outputs that are wanted, one after another. */
function partsOf(runtime: Runtime, output: ModelOutput, wanted: readonly string[] | undefined): Part[] {
  const { loss, results } = output, all: Omit<Part, "size" | "first">[] = [...results];
  if (loss !== undefined) {
    const fill = (target: number) => void runtime.heap.floats(target, 1).fill(loss);
    all.unshift({ name: "loss", shape: [], fill });
  }
  const names = all.map(({ name }) => name), unknown = wanted?.find((name) => !names.includes(name));
  if (unknown !== undefined) {
    throw new DataError(`Cannot give the output "${unknown}": one of ${names.join(", ")} is wanted`);
  }
  let first = 0;
  return all.filter(({ name }) => wanted?.includes(name) ?? true).map(({ name, shape, fill }) => {
    const size = shape.reduce((a, b) => a * b, 1), part = { name, shape, size, first, fill };
    first += size;
    return part;
  });
}

/** One output as a tensor of its own. */
function partOf(runtime: Runtime, whole: Tensor, { shape, size, first }: Part): Tensor {
  const copy = (to: number, from: number) => runtime.heap.u8.copyWithin(to, from, from + size * 4);
  return tf.customGrad((...args) => {
    const all = args[0] as Tensor, { tensor, pointer } = runtime.emptyTensor([...shape]);
    copy(pointer, runtime.pointerOf(all) + first * 4);
    const gradFunc = (dy: Tensor) => {
      const { tensor, pointer } = runtime.emptyTensor(all.shape);
      zeroFill(runtime, pointer, all.size);
      copy(pointer + first * 4, runtime.pointerOf(dy));
      return tensor;
    };
    return { value: tensor, gradFunc };
  })(whole);
}

/** The backward pass of the forward pass that the model has just made: gradients of `parameters`, as tensors. */
function backwardOf(
  model: EncoderModel<string>,
  inputs: Parameters<EncoderModel<string>["forward"]>[0],
  parts: readonly Part[],
  parameters: readonly Parameter[],
): (dy: Tensor) => Tensor[] {
  const { runtime, lastPass, dropoutState } = model, versions = model.parameters().map((p) => p.version);
  return (dy) => {
    if (model.parameters().some((parameter, i) => parameter.version !== versions[i])) {
      throw new RuntimeError(
        "Cannot compute the op's gradient: the weights were changed since it ran; call it again",
      );
    }
    if (model.lastPass !== lastPass || lastPass === undefined) model.replay(inputs, dropoutState);
    const outside: Record<string, Float32Array> = {};
    let lossScale = 0;
    for (const { name, first, size } of parts) {
      const values = runtime.heap.floats(runtime.pointerOf(dy) + first * 4, size).slice();
      if (name === "loss") lossScale = values[0];
      else if (values.some((x) => x !== 0)) outside[name] = values;
    }
    return withoutGradients(model, () => {
      model.backwardFrom(outside, 1, lossScale);
      return parameters.map((parameter) => gradientTensor(runtime, parameter));
    });
  };
}

/** Runs with no gradient on the parameters, and puts those back that there were. */
function withoutGradients<T>(model: EncoderModel<string>, body: () => T): T {
  const before = model.parameters().map((parameter) => [parameter, parameter.grad()] as const);
  model.zero_grad();
  try {
    return body();
  } finally {
    model.zero_grad();
    for (const [parameter, values] of before) if (values) parameter.setGradient(values);
  }
}

function gradientTensor(runtime: Runtime, { shape, size, gradientPointer: from }: Parameter): Tensor {
  const { tensor, pointer } = runtime.emptyTensor([...shape]);
  if (from === 0) zeroFill(runtime, pointer, size);
  else runtime.heap.u8.copyWithin(pointer, from, from + size * 4);
  return tensor;
}

function checkOptimizers(parameters: readonly Parameter[]): void {
  const fused = parameters.find((parameter) => parameter.optimizer?.fused);
  if (!fused) return;
  throw new RuntimeError(
    `Cannot make an op of the model: a fused optimizer changes "${fused.name}"; dispose() that one first`,
  );
}
