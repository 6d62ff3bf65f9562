/**
 * A reader of pickles that never executes: opcodes and globals are whitelisted, and calls are turned into plain data
 * by the host (https://docs.python.org/3/library/pickletools.html, protocols 2 to 5 as far as torch.save uses them).
 *
 * @module
 */

import { WeightsError } from "../errors.ts";
import { type Complain, quote, viewOf } from "./problem.ts";

/** Tuples and lists are arrays, dicts are maps, bytes are arrays of bytes; the rest is what the host makes. */
export type PickleValue<T> =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
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

/** Names of modules and Python 2's strings are short; also, so many arguments a call takes. */
const MAX_ASCII_LENGTH = 10_000;

/** The largest integer that torch writes is its magic number, 10 bytes. */
const MAX_LONG_BYTES = 16;

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Reads one pickle and says where it ends. */
export function readPickle<T>(
  bytes: Uint8Array,
  begin: number,
  host: PickleHost<T>,
  complain: Complain,
): { value: PickleValue<T>; end: number } {
  type Value = PickleValue<T>;
  const view = viewOf(bytes);
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

  const byte = (): number => bytes[take(1)];
  const uint16 = (): number => view.getUint16(take(2), true);
  const uint32 = (): number => view.getUint32(take(4), true);
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
      return decoder.decode(encoded);
    } catch {
      throw bad();
    }
  };

  const latin1 = (count: number): string => {
    if (count > MAX_ASCII_LENGTH) throw bad();
    return String.fromCharCode(...slice(count));
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

  const append = (items: Value[]): void => {
    const list = stack.at(-1);
    if (!Array.isArray(list)) throw bad();
    spend(items.length);
    for (const item of items) list.push(item);
  };

  const setItems = (items: Value[]): void => {
    const dict = stack.at(-1);
    if (!(dict instanceof Map) || items.length % 2 !== 0) throw bad();
    spend(items.length);
    for (let i = 0; i < items.length; i += 2) dict.set(items[i], items[i + 1]);
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

  const pushGlobal = (module: Value, name: Value): void => {
    const path = typeof module === "string" && typeof name === "string" ? `${module}.${name}` : "";
    const object = host.global(path);
    if (object === null) throw bad(`names the global ${quote(path)}, which is not accepted,`);
    push(object, GLOBAL_COST);
  };

  const step = (opcode: number): void => {
    switch (opcode) {
      case 0x80: // PROTO: those before 2 are text
        if (byte() < 2) throw bad();
        return;
      case 0x95: // FRAME
        take(8);
        return;
      case 0x28: // MARK
        marks.push(stack);
        stack = [];
        return spend(LIST_COST);
      case 0x30: // POP
        pop();
        return;
      case 0x31: // POP_MARK
        popMark();
        return;
      case 0x4e: // NONE
        return push(null);
      case 0x88: // NEWTRUE
        return push(true);
      case 0x89: // NEWFALSE
        return push(false);
      case 0x4b: // BININT1
        return push(byte());
      case 0x4d: // BININT2
        return push(uint16());
      case 0x4a: // BININT
        return push(uint32() | 0);
      case 0x8a: // LONG1
        return push(long(byte()));
      case 0x47: // BINFLOAT
        return push(view.getFloat64(take(8)));
      case 0x58: // BINUNICODE
        return push(text(uint32()), LIST_COST);
      case 0x8c: // SHORT_BINUNICODE
        return push(text(byte()), LIST_COST);
      case 0x55: // SHORT_BINSTRING: Python 2's str
        return push(latin1(byte()), LIST_COST);
      case 0x43: // SHORT_BINBYTES
        return push(slice(byte()), DICT_COST);
      case 0x29: // EMPTY_TUPLE
      case 0x5d: // EMPTY_LIST
        return push([], LIST_COST);
      case 0x85: // TUPLE1
        return push([pop()], LIST_COST);
      case 0x86: // TUPLE2
        return push([pop(), pop()].reverse(), LIST_COST);
      case 0x87: // TUPLE3
        return push([pop(), pop(), pop()].reverse(), LIST_COST);
      case 0x74: // TUPLE
        return push(popMark(), LIST_COST);
      case 0x61: // APPEND
        return append([pop()]);
      case 0x65: // APPENDS
        return append(popMark());
      case 0x7d: // EMPTY_DICT
        return push(new Map(), DICT_COST);
      case 0x73: // SETITEM
        return setItems([pop(), pop()].reverse());
      case 0x75: // SETITEMS
        return setItems(popMark());
      case 0x71: // BINPUT
        return put(byte());
      case 0x72: // LONG_BINPUT
        return put(uint32());
      case 0x94: // MEMOIZE
        return put(memo.size);
      case 0x68: // BINGET
        return get(byte());
      case 0x6a: // LONG_BINGET
        return get(uint32());
      case 0x63: // GLOBAL
        return pushGlobal(line(), line());
      case 0x93: { // STACK_GLOBAL
        const name = pop();
        return pushGlobal(pop(), name);
      }
      case 0x52: // REDUCE
      case 0x81: { // NEWOBJ
        const args = pop();
        if (!Array.isArray(args)) throw bad();
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
    const opcode = byte();
    if (opcode === 0x2e) return { value: pop(), end: at }; // STOP
    spend(1);
    step(opcode);
  }
}
