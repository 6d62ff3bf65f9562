/**
 * A reader of pickles that never executes: opcodes and globals are whitelisted, and calls are turned into plain data
 * by the host (https://docs.python.org/3/library/pickletools.html, binary protocols as far as torch.save uses them).
 *
 * @module
 */

import { WeightsError } from "../errors.ts";
import { asciiOf, type Complain, quote, readUint, utf8 } from "./problem.ts";

/** Tuples and lists are arrays, dicts are maps, the rest is what the host makes. */
export type PickleValue<T> =
  | null
  | boolean
  | number
  | bigint
  | string
  | PickleValue<T>[]
  | PickleDict<T>
  | T;

/** A dict, ordered as in the file. */
export type PickleDict<T> = Map<PickleValue<T>, PickleValue<T>>;

/** Gives meaning to what a pickle names, as objects of type `T`. Each method throws for what it does not know. */
export interface PickleHost<T> {
  /** What stands for `module.name`, or `null` if that is not on the whitelist. */
  global(path: string): T | null;
  /** What calling the value gives. */
  call(callee: PickleValue<T>, args: PickleValue<T>[]): PickleValue<T>;
  /** What a persistent id names. */
  persistent(id: PickleValue<T>): T;
}

/** The pickle goes on beyond the bytes given. */
export class PickleEndError extends WeightsError {}

/**
 * Steps and values together, the larger kinds counted more than once: bounds the time to some 0.2 s and the memory
 * to some 100 MB. A model of 200 tensors takes about 10,000.
 */
const MAX_COST = 1_000_000;
const LIST_COST = 2;
const DICT_COST = 5;
const GLOBAL_COST = 20;

/** Names of modules and Python 2's strings are short. */
const MAX_ASCII_LENGTH = 10_000;

/** The largest integer that torch writes is its magic number, 10 bytes. */
const MAX_LONG_BYTES = 16;

/** Reads one pickle and says where it ends. */
export function readPickle<T>(
  bytes: Uint8Array,
  begin: number,
  host: PickleHost<T>,
  complain: Complain,
): { value: PickleValue<T>; end: number } {
  type Value = PickleValue<T>;
  const marks: Value[][] = [];
  const memo = new Map<number, Value>();
  let stack: Value[] = [];
  let at = begin;
  let cost = 0;

  const bad = (problem = "is damaged"): WeightsError => complain(`its pickle ${problem} at byte ${at}`);

  const spend = (amount: number): void => {
    cost += amount;
    if (cost > MAX_COST) throw bad("has too many objects");
  };

  // The place of the next `count` bytes.
  const take = (count: number): number => {
    at += count;
    if (at > bytes.length) throw new PickleEndError(bad("is cut off").message);
    return at - count;
  };

  const uint = (size: number): number => readUint(bytes, take(size), size);
  const slice = (count: number): Uint8Array => bytes.subarray(take(count), at);

  const push = (value: Value, price = 1): void => {
    spend(price);
    stack.push(value);
  };

  const pop = (): Value => {
    const value = stack.pop();
    if (value === undefined) throw bad();
    return value;
  };

  // Everything above the last mark.
  const popMark = (): Value[] => {
    const items = stack;
    const below = marks.pop();
    if (below === undefined) throw bad();
    stack = below;
    return items;
  };

  const text = (count: number): string => {
    const encoded = slice(count);
    try {
      return utf8.decode(encoded);
    } catch {
      throw bad();
    }
  };

  const latin1 = (count: number): string => {
    if (count > MAX_ASCII_LENGTH) throw bad();
    return asciiOf(slice(count));
  };

  // A line of ASCII, without its line feed.
  const line = (): string => {
    const end = bytes.indexOf(0x0a, at);
    const value = latin1((end < 0 ? bytes.length : end) - at);
    take(1);
    return value;
  };

  // A signed little-endian integer.
  const long = (count: number): number | bigint => {
    if (count > MAX_LONG_BYTES) throw bad();
    const value = BigInt.asIntN(
      8 * count,
      slice(count).reduceRight((sum, digit) => sum << 8n | BigInt(digit), 0n),
    );
    return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  };

  // The topmost values, in the order of their pushing.
  const popMany = (count: number): Value[] => {
    if (stack.length < count) throw bad();
    return stack.splice(-count);
  };

  const append = (items: Value[]): void => {
    const list = pop();
    if (!Array.isArray(list)) throw bad();
    for (const item of items) list.push(item);
    push(list, items.length);
  };

  const setItems = (items: Value[]): void => {
    const dict = pop();
    if (!(dict instanceof Map) || items.length % 2 !== 0) throw bad();
    for (let i = 0; i < items.length; i += 2) dict.set(items[i], items[i + 1]);
    push(dict, items.length);
  };

  const put = (index: number): void => {
    const value = pop();
    memo.set(index, value);
    push(value);
  };

  const get = (index: number): void => {
    const value = memo.get(index);
    if (value === undefined) throw bad();
    push(value);
  };

  const pushGlobal = (...[module, name]: Value[]): void => {
    const path = typeof module === "string" && typeof name === "string" ? `${module}.${name}` : "";
    const object = host.global(path);
    if (object === null) throw bad(`names the global ${quote(path)}, which is not accepted,`);
    push(object, GLOBAL_COST);
  };

  const step = (opcode: number): void => {
    switch (opcode) {
      case 0x80: // PROTO
        take(1);
        return;
      case 0x95: // FRAME
        take(8);
        return;
      case 0x28: // MARK
        marks.push(stack);
        stack = [];
        return spend(LIST_COST);
      case 0x4e: // NONE
        return push(null);
      case 0x88: // NEWTRUE
        return push(true);
      case 0x89: // NEWFALSE
        return push(false);
      case 0x4b: // BININT1
        return push(uint(1));
      case 0x4d: // BININT2
        return push(uint(2));
      case 0x4a: // BININT
        return push(uint(4) | 0);
      case 0x8a: // LONG1
        return push(long(uint(1)));
      case 0x47: // BINFLOAT
        return push(new DataView(slice(8).slice().buffer).getFloat64(0));
      case 0x58: // BINUNICODE
        return push(text(uint(4)), LIST_COST);
      case 0x8c: // SHORT_BINUNICODE
        return push(text(uint(1)), LIST_COST);
      case 0x55: // SHORT_BINSTRING: Python 2's str
        return push(latin1(uint(1)), LIST_COST);
      case 0x29: // EMPTY_TUPLE
      case 0x5d: // EMPTY_LIST
        return push([], LIST_COST);
      case 0x85: // TUPLE1
      case 0x86: // TUPLE2
      case 0x87: // TUPLE3
        return push(popMany(opcode - 0x84), LIST_COST);
      case 0x74: // TUPLE
        return push(popMark(), LIST_COST);
      case 0x61: // APPEND
        return append(popMany(1));
      case 0x65: // APPENDS
        return append(popMark());
      case 0x7d: // EMPTY_DICT
        return push(new Map(), DICT_COST);
      case 0x73: // SETITEM
        return setItems(popMany(2));
      case 0x75: // SETITEMS
        return setItems(popMark());
      case 0x71: // BINPUT
        return put(uint(1));
      case 0x72: // LONG_BINPUT
        return put(uint(4));
      case 0x94: // MEMOIZE
        return put(memo.size);
      case 0x68: // BINGET
        return get(uint(1));
      case 0x6a: // LONG_BINGET
        return get(uint(4));
      case 0x63: // GLOBAL
        return pushGlobal(line(), line());
      case 0x93: // STACK_GLOBAL
        return pushGlobal(...popMany(2));
      case 0x52: // REDUCE
      case 0x81: { // NEWOBJ
        const args = pop();
        if (!Array.isArray(args)) throw bad();
        // The host looks at every item of every argument.
        for (const arg of args) spend(Array.isArray(arg) ? arg.length : arg instanceof Map ? arg.size : 1);
        return push(host.call(pop(), args), DICT_COST);
      }
      case 0x62: // BUILD: attributes of an object; none is needed
        pop();
        return;
      case 0x51: // BINPERSID
        return push(host.persistent(pop()), DICT_COST);
    }
    throw bad(`has the opcode 0x${opcode.toString(16)}, which is not accepted,`);
  };

  for (;;) {
    const opcode = uint(1);
    if (opcode === 0x2e) return { value: pop(), end: at }; // STOP
    spend(1);
    step(opcode);
  }
}
