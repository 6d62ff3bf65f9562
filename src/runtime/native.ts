/**
 * Libraries of machine code, through Deno's foreign function interface. The only place that names it.
 *
 * @module
 */
import { RuntimeError } from "../errors.ts";

/** A parameter: a C `int`, or anything as wide as a pointer. */
export type NativeParameter = "i32" | "usize";

/** A C function that returns an `int`. */
export type NativeFunction = (...values: (number | bigint)[]) => number;

/** The functions and the addresses that a library was asked for; what it lacks is left out. */
export interface NativeLibrary {
  readonly functions: Readonly<Record<string, NativeFunction | undefined>>;
  readonly addresses: Readonly<Record<string, bigint | undefined>>;
}

interface DenoLike {
  dlopen?(name: string, symbols: Record<string, unknown>): { symbols: Record<string, unknown> };
  UnsafePointer: { of(view: ArrayBufferView): unknown; value(pointer: unknown): bigint };
}

function foreignFunctions(): DenoLike | undefined {
  const deno = (globalThis as { Deno?: DenoLike }).Deno;
  return deno?.dlopen ? deno : undefined;
}

/** True where libraries of machine code can be opened at all (Deno). */
export function hasNativeLibraries(): boolean {
  return foreignFunctions() !== undefined;
}

/**
 * Opens a library by its file's name, which the system looks for in its usual folders, or by its path.
 *
 * @param functions The parameters of each function.
 * @param variables Names of variables whose addresses are wanted.
 * @returns The reason as a text if it cannot be opened.
 * @throws {RuntimeError} where there are no such libraries, or without the permission (`--allow-ffi`).
 */
export function openNativeLibrary(
  name: string,
  functions: Readonly<Record<string, readonly NativeParameter[]>>,
  variables: readonly string[] = [],
): NativeLibrary | string {
  const deno = foreignFunctions();
  if (!deno) throw new RuntimeError(`Cannot open ${name}: only Deno has a foreign function interface`);
  const wanted: Record<string, unknown> = {};
  for (const [key, parameters] of Object.entries(functions)) {
    wanted[key] = { parameters, result: "i32", optional: true };
  }
  for (const key of variables) wanted[key] = { type: "pointer", optional: true };
  try {
    const { symbols } = deno.dlopen!(name, wanted);
    const addresses = variables.flatMap((key) =>
      symbols[key] ? [[key, deno.UnsafePointer.value(symbols[key])]] : []
    );
    return {
      functions: symbols as Record<string, NativeFunction | undefined>,
      addresses: Object.fromEntries(addresses),
    };
  } catch (error) {
    const { name: kind, message } = error as Error;
    if (["NotCapable", "PermissionDenied"].includes(kind)) {
      throw new RuntimeError(`Cannot open ${name}: Deno's flag --allow-ffi is wanted`, { cause: error });
    }
    return message.replace(/^(Could not open library: )+/, "");
  }
}

/** Where a view's memory is, for a native function. The caller keeps the view for as long as the address is used. */
export function addressOf(view: ArrayBufferView): number {
  const deno = foreignFunctions()!;
  // a short array may live in V8's heap, which moves things; asking for its buffer takes it out
  return Number(deno.UnsafePointer.value(
    deno.UnsafePointer.of(new Uint8Array(view.buffer, view.byteOffset, view.byteLength)),
  ));
}
