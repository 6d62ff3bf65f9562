/**
 * Builds an ONNX graph operation by operation: each call adds a node and gives the name of its output. Pure.
 *
 * @module
 */
import type { Attribute, ElementType, Graph, GraphNode, GraphValue, Initializer } from "./onnx_file.ts";

/** The name of a value in the graph. */
export type Value = string;

/** A graph that is being built. */
export class GraphBuilder {
  readonly #inputs: GraphValue[] = [];
  readonly #outputs: GraphValue[] = [];
  readonly #values: GraphValue[] = [];
  readonly #nodes: GraphNode[] = [];
  readonly #initializers = new Map<string, Initializer>();
  readonly #counts = new Map<string, number>();

  /** Adds an input. */
  input(name: string, type: ElementType, dims: readonly (number | string)[]): Value {
    this.#inputs.push({ name, type, dims });
    return name;
  }

  /** Makes a value an output of that name. */
  output(value: Value, name: string, dims: readonly (number | string)[]): void {
    this.#nodes.push({
      op: "Identity",
      name: `${name}/Identity`,
      inputs: [value],
      outputs: [name],
      attributes: {},
    });
    this.#outputs.push({ name, type: "float32", dims });
  }

  /** Tells the dimensions of a value where they do not follow from the inputs' alone; runtimes fuse operations by them. */
  declare(value: Value, dims: readonly (number | string)[]): Value {
    this.#values.push({ name: value, type: "float32", dims });
    return value;
  }

  /**
   * Adds an operation.
   *
   * @param place The part of the model that it belongs to; becomes a part of its name.
   */
  op(
    op: string,
    inputs: readonly Value[],
    place: string,
    attributes: Readonly<Record<string, Attribute>> = {},
  ): Value {
    return this.several(op, inputs, 1, place, attributes)[0];
  }

  /** Adds an operation with several outputs. */
  several(
    op: string,
    inputs: readonly Value[],
    outputs: number,
    place: string,
    attributes: Readonly<Record<string, Attribute>> = {},
  ): Value[] {
    const plain = `${place}/${op}`, count = this.#counts.get(plain) ?? 0;
    this.#counts.set(plain, count + 1);
    const name = count === 0 ? plain : `${plain}_${count}`;
    const names = Array.from({ length: outputs }, (_, i) => `${name}/output_${i}`);
    this.#nodes.push({ op, name, inputs, outputs: names, attributes });
    return names;
  }

  /** Adds a constant once; the name is its identity. */
  constant(initializer: Initializer): Value {
    const { name } = initializer;
    if (!this.#initializers.has(name)) this.#initializers.set(name, initializer);
    return name;
  }

  /** A constant number. */
  scalar(value: number): Value {
    return this.constant({
      name: `float_${value}`,
      type: "float32",
      dims: [],
      data: () => new Float32Array([value]),
    });
  }

  /** A constant whole number: an index. */
  index(value: number): Value {
    const data = () => BigInt64Array.of(BigInt(value));
    return this.constant({ name: `index_${value}`, type: "int64", dims: [], data });
  }

  /** A constant list of whole numbers: a shape, axes. */
  integers(...values: number[]): Value {
    return this.constant({
      ...{ name: `integers_${values.join("_")}`, type: "int64", dims: [values.length] },
      data: () => BigInt64Array.from(values, BigInt),
    });
  }

  /** The graph. */
  build(name: string): Graph {
    return {
      ...{ name, inputs: this.#inputs, outputs: this.#outputs, values: this.#values, nodes: this.#nodes },
      initializers: [...this.#initializers.values()],
    };
  }
}
