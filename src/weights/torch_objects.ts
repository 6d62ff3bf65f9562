/**
 * The objects in the pickle of a state dict: storages, and tensors that look into them.
 * Nothing is called; `_rebuild_tensor_v2(storage, offset, size, stride, ...)` becomes a description
 * (https://github.com/pytorch/pytorch, torch/_utils.py and torch/serialization.py).
 *
 * @module
 */

import type { WeightsError } from "../errors.ts";
import { type DType, elementBytes, isDType, type TensorInfo } from "./dtype.ts";
import type { PickleHost, PickleValue } from "./pickle.ts";
import { type Complain, countElements, isCount, isCounts, quote } from "./problem.ts";
import type { Layout } from "./tensor_io.ts";

/** As in torch: no tensor has more dimensions. */
const MAX_RANK = 64;

// What stands before "Storage" in the name of a storage class.
const STORAGES: Readonly<Record<string, DType>> = {
  Double: "F64",
  Float: "F32",
  Half: "F16",
  BFloat16: "BF16",
  Long: "I64",
  Int: "I32",
  Short: "I16",
  Char: "I8",
  Byte: "U8",
  Untyped: "U8",
  Bool: "BOOL",
};

/** What the pickle of a state dict names: a function, an element type, a storage or a tensor. */
export type TorchObject = TorchFunction | TorchType | TorchStorage | TorchTensor;

/** A function or class on the whitelist, and what a call of it stands for. */
export interface TorchFunction {
  call(args: TorchValue[]): TorchValue | undefined;
}

/** An element type, or the class of storages of it. */
export interface TorchType {
  readonly type: DType;
}

/** A run of elements that tensors look into. */
export interface TorchStorage {
  /** Its record in the file. */
  readonly key: string;
  /** The type of its elements. */
  readonly dtype: DType;
  /** Where it begins in its record, in bytes: old files have storages inside storages. */
  readonly byteOffset: number;
  /** Its length in bytes. */
  readonly byteLength: number;
}

/** A tensor that looks into a storage. */
export interface TorchTensor {
  readonly storage: TorchStorage;
  readonly info: Omit<TensorInfo, "name">;
  readonly layout: Layout;
}

/** A value in the pickle of a state dict. */
export type TorchValue = PickleValue<TorchObject>;

/** Turns what the pickle of a state dict names into descriptions. */
export interface TorchHost extends PickleHost<TorchObject> {
  /** The records that were named, by their keys: storages that begin at 0 and are as long as the record. */
  readonly records: ReadonlyMap<string, TorchStorage>;
}

/** Makes a host for one file. */
export function torchHost(complain: Complain): TorchHost {
  const records = new Map<string, TorchStorage>();
  const bad = (): WeightsError => complain("its pickle makes what no state dict has");

  const tensor = (args: TorchValue[], type?: TorchValue, flags?: TorchValue): TorchTensor => {
    const [storage, offset, shape, strides] = args;
    if (!has(storage, "key") || !isCount(offset) || !isCounts(shape) || !isCounts(strides)) {
      throw bad();
    }
    const dtype = has(type, "type") ? type.type : storage.dtype;
    const size = elementBytes(dtype);
    const byteLength = countElements(shape) * size;
    const end = byteLength &&
      shape.reduce((sum, count, axis) => sum + (count - 1) * strides[axis], offset + 1) * size;
    if (!(end <= storage.byteLength) || shape.length > MAX_RANK || !isCount(byteLength)) {
      throw complain(`a tensor ${quote(shape)} reaches beyond its storage ${quote(storage.key)}`);
    }
    if (flags instanceof Map && [...flags.values()].includes(true)) {
      throw complain("it has a conjugate or negative view");
    }
    return { storage, info: { dtype, shape, byteLength }, layout: { offset: byteLength && offset, strides } };
  };

  const parameter = ([tensor]: TorchValue[]): TorchValue => tensor;

  const functions: Readonly<Record<string, TorchFunction["call"]>> = {
    "collections.OrderedDict": ([pairs = []]) =>
      Array.isArray(pairs) && pairs.every(Array.isArray)
        ? new Map(pairs as [TorchValue, TorchValue][])
        : undefined,
    "torch.Size": ([sizes]) => sizes,
    "torch._utils._rebuild_tensor": (args) => tensor(args),
    "torch._utils._rebuild_tensor_v2": (args) => tensor(args, null, args[6]),
    "torch._utils._rebuild_tensor_v3": (args) => tensor(args, args[6], args[7]),
    "torch._utils._rebuild_parameter": parameter,
    "torch._utils._rebuild_parameter_with_state": parameter,
  };

  return {
    records,

    global(path: string): TorchObject | null {
      if (Object.hasOwn(functions, path)) return { call: functions[path] };
      const [, storage, plain = ""] = /^torch\.(?:(?:cuda\.|storage\._?)?(\w+)Storage|(\w+))$/.exec(path) ??
        [];
      const type = storage ? STORAGES[storage] : typeOf(plain);
      return isDType(type) ? { type } : null;
    },

    persistent(id: TorchValue): TorchObject {
      const [tag, type, key, , elements, view] = Array.isArray(id) ? id : [];
      const [, offset, length] = Array.isArray(view) ? view : [key, 0, elements];
      if (
        tag !== "storage" || !has(type, "type") || typeof key !== "string" ||
        !isCount(elements) || !isCount(offset) || !isCount(length) || offset + length > elements
      ) throw bad();
      const dtype = type.type;
      const size = elementBytes(dtype);
      const record = { key, dtype, byteOffset: 0, byteLength: elements * size };
      const known = records.get(key) ?? record;
      if (known.byteLength !== record.byteLength) {
        throw complain(
          `its storage ${quote(key)} has ${known.byteLength} bytes, expected ${record.byteLength}`,
        );
      }
      records.set(key, known);
      return { key, dtype, byteOffset: offset * size, byteLength: length * size };
    },

    call(callee: TorchValue, args: TorchValue[]): TorchValue {
      const value = has(callee, "call") ? callee.call(args) : undefined;
      if (value === undefined) throw bad();
      return value;
    },
  };
}

// torch's name of an element type in safetensors' spelling: float8_e4m3fn is F8_E4M3, uint16 is U16.
function typeOf(name: string): string {
  return name.replace("float", "f").replace("int", "i").replace("ui", "u")
    .replace(/fn$/, "").toUpperCase();
}

/** Whether a value is the kind of object that has the property. */
export function has<K extends "call" | "type" | "key" | "layout">(
  value: TorchValue | undefined,
  property: K,
): value is Extract<TorchObject, { readonly [P in K]: unknown }> {
  return Object.hasOwn(Object(value), property);
}
