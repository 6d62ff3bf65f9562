/**
 * An ONNX graph -> the bytes of a ModelProto, and of the file beside it where the weights do not fit into one message.
 * Field numbers are those of https://github.com/onnx/onnx/blob/main/onnx/onnx.proto. Pure.
 *
 * @module
 */
import { type ByteStream, joinSmall, Message } from "./protobuf.ts";

/** Element types that BERT's graphs have, by their number in ONNX, and the bytes of an element. */
const ELEMENTS = {
  float32: { number: 1, bytes: 4 },
  uint8: { number: 2, bytes: 1 },
  int8: { number: 3, bytes: 1 },
  int64: { number: 7, bytes: 8 },
} as const;

/** An element type. */
export type ElementType = keyof typeof ELEMENTS;

/** A constant of the graph. */
export interface Initializer {
  readonly name: string;
  readonly type: ElementType;
  readonly dims: readonly number[];
  /** Gives the values in C order; called each time the file is written. */
  readonly data: () => ArrayBufferView;
}

/** A number, a list of whole numbers or an element type as a node's attribute; a number is whole if its type says so. */
export type Attribute = { int: number } | { float: number } | { ints: readonly number[] } | {
  element: ElementType;
};

/** One operation. */
export interface GraphNode {
  readonly op: string;
  readonly name: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, Attribute>>;
}

/** An input or output; a dimension that differs from run to run has a name. */
export interface GraphValue {
  readonly name: string;
  readonly type: ElementType;
  readonly dims: readonly (number | string)[];
}

/** A whole graph. */
export interface Graph {
  readonly name: string;
  readonly inputs: readonly GraphValue[];
  readonly outputs: readonly GraphValue[];
  /** Values whose dimensions do not follow from the inputs' alone. */
  readonly values: readonly GraphValue[];
  readonly nodes: readonly GraphNode[];
  readonly initializers: readonly Initializer[];
}

/** The operator set that the graphs need. */
export const OPSET = 17;
/** The file format that goes with it. */
const IR_VERSION = 8;
/** A message has at most 2^31 - 1 bytes; beside the weights there is less than a MiB. */
const MESSAGE_LIMIT = 2 ** 31 - 2 ** 20;
/** Small constants stay in the graph: shape inference needs to read them. */
const EXTERNAL_FROM = 1024;
/** Weights in a file of their own begin at multiples of a page, so that they can be mapped. */
const PAGE = 4096;
const CHUNK_BYTES = 2 ** 22;

/** Bytes of a constant's values. */
export function initializerBytes({ type, dims }: Omit<Initializer, "data" | "name">): number {
  return dims.reduce((product, n) => product * n, ELEMENTS[type].bytes);
}

/** The parts of one ONNX model. */
export interface OnnxStreams {
  /** The model. */
  readonly model: ByteStream;
  /** The weights, if they are not in the model. */
  readonly data: ByteStream | undefined;
}

/**
 * The bytes of a graph.
 *
 * @param dataFile The name of the weights' own file.
 * @param external Whether there is one. Default: only if one message cannot hold the weights.
 */
export function onnxStreams(
  graph: Graph,
  dataFile: string,
  external = graph.initializers.reduce((sum, tensor) => sum + initializerBytes(tensor), 0) > MESSAGE_LIMIT,
): OnnxStreams {
  const message = new Message(), pieces: { tensor: Initializer; padding: number }[] = [];
  let offset = 0;
  for (const node of graph.nodes) message.embed(1, nodeMessage(node));
  message.text(2, graph.name);
  for (const tensor of graph.initializers) {
    const bytes = initializerBytes(tensor);
    if (external && bytes >= EXTERNAL_FROM) {
      const padding = (PAGE - offset % PAGE) % PAGE;
      pieces.push({ tensor, padding });
      message.embed(5, externalMessage(tensor, dataFile, offset + padding, bytes));
      offset += padding + bytes;
    } else message.embed(5, tensorMessage(tensor).embed(9, values(tensor)));
  }
  for (const input of graph.inputs) message.embed(11, valueMessage(input));
  for (const output of graph.outputs) message.embed(12, valueMessage(output));
  for (const value of graph.values) message.embed(13, valueMessage(value));
  const model = new Message().integer(1, IR_VERSION).text(2, "berth")
    .embed(7, message).embed(8, new Message().text(1, "").integer(2, OPSET));
  return {
    model: { byteLength: model.byteLength, chunks: () => joinSmall(model.chunks()) },
    data: pieces.length === 0 ? undefined : {
      byteLength: offset,
      *chunks() {
        for (const { tensor, padding } of pieces) {
          if (padding > 0) yield new Uint8Array(padding);
          yield* values(tensor).chunks();
        }
      },
    },
  };
}

function nodeMessage({ op, name, inputs, outputs, attributes }: GraphNode): Message {
  const node = new Message();
  for (const input of inputs) node.text(1, input);
  for (const output of outputs) node.text(2, output);
  node.text(3, name).text(4, op);
  for (const [key, value] of Object.entries(attributes)) {
    const attribute = new Message().text(1, key);
    if ("float" in value) attribute.float(2, value.float).integer(20, 1);
    else if ("ints" in value) {
      for (const number of value.ints) attribute.integer(8, number);
      attribute.integer(20, 7);
    } else attribute.integer(3, "int" in value ? value.int : ELEMENTS[value.element].number).integer(20, 2);
    node.embed(5, attribute);
  }
  return node;
}

function tensorMessage({ name, type, dims }: Initializer): Message {
  const tensor = new Message();
  for (const n of dims) tensor.integer(1, n);
  return tensor.integer(2, ELEMENTS[type].number).text(8, name);
}

function externalMessage(tensor: Initializer, location: string, offset: number, length: number): Message {
  const message = tensorMessage(tensor);
  for (const [key, value] of Object.entries({ location, offset, length })) {
    message.embed(13, new Message().text(1, key).text(2, String(value)));
  }
  return message.integer(14, 1);
}

function valueMessage({ name, type, dims }: GraphValue): Message {
  const shape = new Message();
  for (const n of dims) {
    shape.embed(1, typeof n === "string" ? new Message().text(2, n) : new Message().integer(1, n));
  }
  const tensor = new Message().integer(1, ELEMENTS[type].number).embed(2, shape);
  return new Message().text(1, name).embed(2, new Message().embed(1, tensor));
}

/** A constant's values in chunks of up to 4 MiB, each a copy: WASM memory may be shared, and may grow. */
function values(tensor: Initializer): ByteStream {
  const byteLength = initializerBytes(tensor);
  return {
    byteLength,
    *chunks() {
      const { buffer, byteOffset, byteLength: length } = tensor.data();
      if (length !== byteLength) {
        throw new RangeError(`Cannot write "${tensor.name}": it has ${length} bytes, expected ${byteLength}`);
      }
      for (let at = 0; at < length; at += CHUNK_BYTES) {
        yield new Uint8Array(buffer, byteOffset + at, Math.min(CHUNK_BYTES, length - at))
          .slice() as Uint8Array<
            ArrayBuffer
          >;
      }
    },
  };
}
