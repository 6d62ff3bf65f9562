/**
 * The layers of BERT as ONNX operations, with weights in 32 or 8 bits. Pure.
 *
 * @module
 */
import { ConfigError } from "../errors.ts";
import type { GraphBuilder, Value } from "./graph_builder.ts";
import type { Initializer } from "./onnx_file.ts";
import { type QuantizedType, quantizeRows, rowScales, transposed, ZERO_POINTS } from "./quantize.ts";

/** A weight by its name in the checkpoint. */
export interface NamedTensor {
  readonly shape: readonly number[];
  /** A view of the values; it is used at once. */
  readonly values: () => Float32Array;
}

/** The form of the weights that are multiplied or looked up; biases and norms have 32 bits in any. */
export type WeightType = "float32" | QuantizedType;

/** Adds layers to a graph, and knows which weights they have taken. */
export class LayerGraphs {
  readonly #unused: Set<string>;
  /** Values that were quantized already: several Linears read the same. */
  readonly #quantized = new Map<Value, Value[]>();

  constructor(
    readonly graph: GraphBuilder,
    readonly tensors: ReadonlyMap<string, NamedTensor>,
    readonly type: WeightType,
  ) {
    this.#unused = new Set(tensors.keys());
  }

  /** Names of weights that no layer has taken. */
  get unused(): string[] {
    return [...this.#unused];
  }

  /** y[..., O] = x[..., I] weight[O, I]^T + bias[O] */
  linear(x: Value, name: string): Value {
    const weight = `${name}.weight`;
    this.#take(weight);
    const product = this.type === "float32"
      ? this.graph.op("MatMul", [x, this.#matrix(weight)], name)
      : this.#integerProduct(x, this.#integers(weight, this.type, true), weight, name);
    return this.graph.op("Add", [product, this.vector(`${name}.bias`)], name);
  }

  /** y[..., V] = x[..., H] table[V, H]^T + bias[V], where the table may be an embedding's, too. */
  tableLinear(x: Value, table: string, bias: string, place: string): Value {
    const { graph, type } = this;
    this.#take(table);
    const stored = type === "float32" ? this.#plain(table) : this.#integers(table, type, false);
    const matrix = graph.op("Transpose", [stored], place, { perm: { ints: [1, 0] } }); // [H, V]
    const product = type === "float32"
      ? graph.op("MatMul", [x, matrix], place)
      : this.#integerProduct(x, matrix, table, place);
    return graph.op("Add", [product, this.vector(bias)], place);
  }

  /** Rows [..., H] of a table [n, H]; `select` takes the same rows of any tensor [n, ...]. */
  rows(name: string, select: (table: Value) => Value): Value {
    const { graph, type } = this, place = name.replace(/\.weight$/, "");
    this.#take(name);
    if (type === "float32") return select(this.#plain(name));
    const whole = graph.op("Cast", [select(this.#integers(name, type, false))], place, {
      to: { element: "float32" },
    });
    const centred = type === "int8"
      ? whole
      : graph.op("Sub", [whole, graph.scalar(ZERO_POINTS[type])], place);
    const scales = graph.op("Unsqueeze", [select(this.#scales(name)), graph.integers(-1)], place);
    return graph.op("Mul", [centred, scales], place);
  }

  /** LayerNorm over the last axis. */
  layerNorm(x: Value, name: string, epsilon: number): Value {
    const inputs = [x, this.vector(`${name}.weight`), this.vector(`${name}.bias`)];
    return this.graph.op("LayerNormalization", inputs, name, {
      axis: { int: -1 },
      epsilon: { float: epsilon },
    });
  }

  /** A bias or another weight that is used as it is. */
  vector(name: string): Value {
    this.#take(name);
    return this.#plain(name);
  }

  #take(name: string): NamedTensor {
    const tensor = this.tensors.get(name);
    if (!tensor) throw new ConfigError(`Cannot export the model: it has no weight "${name}"`);
    this.#unused.delete(name);
    return tensor;
  }

  #plain(name: string): Value {
    const { shape, values } = this.tensors.get(name)!;
    return this.graph.constant({ name, type: "float32", dims: shape, data: values });
  }

  /** [O, I] as [I, O] */
  #matrix(name: string): Value {
    const { shape: [outputs, inputs], values } = this.tensors.get(name)!;
    return this.graph.constant({
      ...{ name: `${name}.transposed`, type: "float32", dims: [inputs, outputs] },
      data: () => transposed(values(), outputs),
    });
  }

  #integers(name: string, type: QuantizedType, transpose: boolean): Value {
    const { shape: [rows, columns], values } = this.tensors.get(name)!;
    return this.graph.constant({
      ...{ name: `${name}.quantized`, type, dims: transpose ? [columns, rows] : [rows, columns] },
      data: () => quantizeRows(values(), rows, type, transpose),
    });
  }

  #scales(name: string): Value {
    const { shape: [rows], values } = this.tensors.get(name)!;
    const scales: Initializer = {
      ...{ name: `${name}.scale`, type: "float32", dims: [rows] },
      data: () => rowScales(values(), rows),
    };
    return this.graph.constant(scales);
  }

  /** x quantized for the whole batch at once, times whole numbers [I, O], back in 32-bit floats [..., O]. */
  #integerProduct(x: Value, matrix: Value, weight: string, place: string): Value {
    const { graph } = this, type = this.type as QuantizedType;
    let quantized = this.#quantized.get(x);
    if (!quantized) this.#quantized.set(x, quantized = graph.several("DynamicQuantizeLinear", [x], 3, place));
    const [whole, scale, zeroPoint] = quantized;
    const zero = graph.constant({
      ...{ name: `zero_point_${type}`, type, dims: [] },
      data: () => Uint8Array.of(ZERO_POINTS[type]),
    });
    const sum = graph.op("MatMulInteger", [whole, matrix, zeroPoint, zero], place);
    const scales = graph.op("Mul", [scale, this.#scales(weight)], place);
    return graph.op("Mul", [graph.op("Cast", [sum], place, { to: { element: "float32" } }), scales], place);
  }
}
