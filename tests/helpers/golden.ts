/** Golden numbers made by PyTorch: small checkpoints with outputs, gradients and a run of AdamW. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { openSafetensors, sourceFromBytes } from "../../src/weights/mod.ts";

/** The golden cases that the repository carries, and all of them where the shared folder is there. */
export const OWN_CASES = new URL("../model/golden/", import.meta.url);
export const SHARED = new URL("../../../shared/", import.meta.url);

/** Numbers in rows, as deep as the tensor. */
export type Nested = number[] | Nested[];

export interface Golden {
  name: string;
  folder: URL;
  /** The batch with its labels, as forward takes it. */
  inputs: { input_ids: Nested } & Record<string, Nested>;
  outputs: Map<string, { values: Float32Array; shape: readonly number[] }>;
  gradients: Map<string, Float32Array>;
  json: {
    class_: string;
    loss: number;
    /** What forward takes besides; absent in cases of make_models.py. */
    options?: Record<string, unknown>;
    training: {
      lr: number;
      warmup_steps: number;
      total_steps: number;
      weight_decay: number;
      max_grad_norm: number;
      losses: number[];
      grad_norms: number[];
      watch_name: string;
      watch: number[];
    };
  };
}

/** Folders of cases, by name. */
export function caseFolders(): Map<string, URL> {
  const root = new URL(Deno.env.get("BERTH_GOLDEN") ?? new URL("reference/models/", SHARED).href);
  const found = new Map<string, URL>();
  for (const base of [OWN_CASES, root]) {
    if (!existsSync(base)) continue;
    for (const entry of readdirSync(base, { withFileTypes: true })) {
      if (entry.isDirectory()) found.set(entry.name, new URL(`${entry.name}/`, base));
    }
  }
  return found;
}

export async function readGolden(name: string, folder: URL): Promise<Golden> {
  const file = await openSafetensors(
    sourceFromBytes(name, readFileSync(new URL("golden.safetensors", folder))),
  );
  const outputs: Golden["outputs"] = new Map(), gradients: Golden["gradients"] = new Map();
  const inputs: Record<string, Nested> = {};
  for (const [key, info] of file.tensors) {
    const values = new Float32Array(info.shape.reduce((a, b) => a * b, 1));
    await file.readFloat32(key, values);
    if (key.startsWith("in.")) inputs[key.slice(3)] = nested(values, info.shape);
    else if (key.startsWith("out.")) outputs.set(key.slice(4), { values, shape: info.shape });
    else if (key.startsWith("grad.")) gradients.set(key.slice(5), values);
  }
  const json = JSON.parse(readFileSync(new URL("golden.json", folder), "utf8"));
  return { name, folder, inputs: inputs as Golden["inputs"], outputs, gradients, json };
}

function nested(values: Float32Array, [n, ...rest]: readonly number[]): Nested {
  if (rest.length === 0) return Array.from(values);
  const size = values.length / n;
  return Array.from({ length: n }, (_, i) => nested(values.subarray(i * size, (i + 1) * size), rest));
}

export function largest(values: ArrayLike<number>): number {
  let top = 0;
  for (let i = 0; i < values.length; i++) top = Math.max(top, Math.abs(values[i]));
  return top;
}
