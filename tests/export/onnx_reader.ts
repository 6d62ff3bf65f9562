/** Reads ONNX files as a stranger: plain protocol buffers -> nodes and tensors (field numbers of onnx.proto). */

/** A field's value: a number (varint), or bytes. */
type Field = [number: number, value: bigint | Uint8Array];

export interface OnnxTensor {
  dims: number[];
  data: Float64Array;
  /** ONNX's number of the element type. */
  type: number;
}

export interface OnnxNode {
  op: string;
  inputs: string[];
  outputs: string[];
  attributes: Record<string, number | number[]>;
}

export interface OnnxGraph {
  inputs: Map<string, (number | string)[]>;
  outputs: Map<string, (number | string)[]>;
  nodes: OnnxNode[];
  initializers: Map<string, OnnxTensor>;
  opset: number;
}

function* fieldsOf(bytes: Uint8Array): Generator<Field> {
  let at = 0;
  const varint = () => {
    let value = 0n;
    for (let shift = 0n;; shift += 7n) {
      const byte = bytes[at++];
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const tag = Number(varint()), wire = tag & 7;
    if (wire === 0) yield [tag >> 3, BigInt.asIntN(64, varint())];
    else {
      const length = wire === 5 ? 4 : Number(varint());
      if (![2, 5].includes(wire) || at + length > bytes.length) throw new Error(`Bad field ${tag} at ${at}`);
      yield [tag >> 3, bytes.subarray(at, at += length)];
    }
  }
}

const text = (value: bigint | Uint8Array): string => new TextDecoder().decode(value as Uint8Array);

/** All values of each field of a message. */
function message(bytes: bigint | Uint8Array): (field: number) => (bigint | Uint8Array)[] {
  const fields = Map.groupBy(fieldsOf(bytes as Uint8Array), ([number]) => number);
  return (field) => (fields.get(field) ?? []).map(([, value]) => value);
}

function readNode(bytes: bigint | Uint8Array): OnnxNode {
  const node = message(bytes), attributes: OnnxNode["attributes"] = {};
  for (const entry of node(5)) {
    const attribute = message(entry), [float] = attribute(2) as Uint8Array[];
    attributes[text(attribute(1)[0])] = {
      1: () => new DataView(float.buffer, float.byteOffset).getFloat32(0, true),
      2: () => Number(attribute(3)[0]),
      7: () => attribute(8).map(Number),
    }[Number(attribute(20)[0])]!();
  }
  return { op: text(node(4)[0]), inputs: node(1).map(text), outputs: node(2).map(text), attributes };
}

function readTensor(bytes: bigint | Uint8Array, external?: Uint8Array): [string, OnnxTensor] {
  const tensor = message(bytes), type = Number(tensor(2)[0]);
  const places = new Map(tensor(13).map(message).map((entry) => [text(entry(1)[0]), text(entry(2)[0])]));
  const offset = Number(places.get("offset"));
  const raw = places.size === 0
    ? (tensor(9)[0] as Uint8Array).slice()
    : external!.slice(offset, offset + Number(places.get("length")));
  const Type = { 1: Float32Array, 2: Uint8Array, 3: Int8Array, 7: BigInt64Array }[type]!;
  const data = Float64Array.from(new Type(raw.buffer) as Iterable<number | bigint>, Number);
  return [text(tensor(8)[0]), { dims: tensor(1).map(Number), data, type }];
}

function readValue(bytes: bigint | Uint8Array): [string, (number | string)[]] {
  const value = message(bytes), shape = message(message(message(value(2)[0])(1)[0])(2)[0]);
  return [
    text(value(1)[0]),
    shape(1).map((dim) => message(dim)(2).map(text)[0] ?? Number(message(dim)(1)[0])),
  ];
}

/** Reads a model; `external` is the file of its weights, if they are not in it. */
export function readOnnx(bytes: Uint8Array, external?: Uint8Array): OnnxGraph {
  const model = message(bytes), graph = message(model(7)[0]);
  return {
    inputs: new Map(graph(11).map(readValue)),
    outputs: new Map(graph(12).map(readValue)),
    nodes: graph(1).map(readNode),
    initializers: new Map(graph(5).map((tensor) => readTensor(tensor, external))),
    opset: Number(message(model(8)[0])(2)[0]),
  };
}
