/** Tensors of a safetensors file. */
import { readFileSync } from "node:fs";
import { openSafetensors, sourceFromBytes } from "../../src/weights/mod.ts";

/** All tensors by name. */
export async function readTensors(file: URL): Promise<Map<string, Float32Array>> {
  const checkpoint = await openSafetensors(sourceFromBytes(file.pathname, readFileSync(file)));
  const tensors = new Map<string, Float32Array>();
  for (const [name, { shape }] of checkpoint.tensors) {
    const values = new Float32Array(shape.reduce((a, b) => a * b, 1));
    await checkpoint.readFloat32(name, values);
    tensors.set(name, values);
  }
  return tensors;
}

/** Those whose names begin with a prefix, without it. */
export function withPrefix<T>(tensors: ReadonlyMap<string, T>, prefix: string): Map<string, T> {
  const some = Array.from(tensors).filter(([name]) => name.startsWith(prefix));
  return new Map(some.map(([name, values]) => [name.slice(prefix.length), values]));
}
