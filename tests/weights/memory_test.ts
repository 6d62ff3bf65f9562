// BERTH_BIG=1 writes a checkpoint of 440 MB (the tensors of bert-base) to a temporary file and measures the peak
// of the resident memory while it is loaded. Linux only.

import assert from "node:assert/strict";
import {
  openSafetensors,
  safetensorsChunks,
  streamTensors,
  type TensorToWrite,
} from "../../src/weights/mod.ts";
import { sourceFromFile } from "./helpers.ts";

const ignore = !Deno.env.get("BERTH_BIG") || Deno.build.os !== "linux";

function peakBytes(): number {
  return 1024 * Number(/VmHWM:\s+(\d+)/.exec(Deno.readTextFileSync("/proc/self/status"))![1]);
}

/** Tensors of the shapes of bert-base; the values are made chunk by chunk. */
function* tensorsOfBertBase(): Generator<TensorToWrite> {
  const shapes = [[30522, 768], [512, 768]];
  for (let layer = 0; layer < 12; layer++) {
    shapes.push(...new Array(4).fill([768, 768]), [3072, 768], [768, 3072]);
  }
  const memory = new Float32Array(30522 * 768);
  for (const [i, shape] of shapes.entries()) {
    yield { name: `t${i}`, dtype: "F32", shape, data: () => memory.subarray(0, shape[0] * shape[1]).fill(i) };
  }
}

Deno.test({
  name: "loading 440 MB takes at most 100 MB above the target, from a file and from a stream",
  ignore,
  async fn() {
    const path = Deno.makeTempFileSync();
    try {
      const writer = new Deno.Command(Deno.execPath(), {
        args: [
          "eval",
          `await import(${JSON.stringify(import.meta.url)}).then((m) => m.write(${JSON.stringify(path)}))`,
        ],
      });
      assert.ok((await writer.output()).success);
      const size = Deno.statSync(path).size;
      assert.ok(size > 430e6 && size < 450e6);
      for (const kind of ["file", "stream"]) {
        const loader = new Deno.Command(Deno.execPath(), {
          args: [
            "eval",
            `await import(${JSON.stringify(import.meta.url)}).then((m) => m.load(${
              JSON.stringify(path)
            }, "${kind}"))`,
          ],
        });
        const { stdout, success } = await loader.output();
        assert.ok(success);
        const above = JSON.parse(new TextDecoder().decode(stdout));
        console.log(
          `${kind}: ${(above / 1e6).toFixed(0)} MB above the target of ${(size / 1e6).toFixed(0)} MB`,
        );
        assert.ok(above < 100e6);
      }
    } finally {
      Deno.removeSync(path);
    }
  },
});

/** Writes the checkpoint; run in a process of its own. */
export function write(path: string): void {
  using file = Deno.openSync(path, { write: true });
  for (const chunk of safetensorsChunks(tensorsOfBertBase())) {
    for (let at = 0; at < chunk.length;) at += file.writeSync(chunk.subarray(at));
  }
}

/** Loads the checkpoint into shared memory and prints the peak above it; run in a process of its own. */
export async function load(path: string, kind: string): Promise<void> {
  const size = Deno.statSync(path).size;
  const start = peakBytes();
  const memory = new SharedArrayBuffer(size);
  let at = 0;
  const next = (shape: readonly number[]): () => Float32Array => {
    const [begin, count] = [at, shape.reduce((product, size) => product * size, 1)];
    at += 4 * count;
    return () => new Float32Array(memory, begin, count);
  };
  if (kind === "stream") {
    const tensors = streamTensors((await Deno.open(path)).readable);
    for await (const tensor of tensors) await tensor.readFloat32(next(tensor.shape));
  } else {
    const checkpoint = await openSafetensors(sourceFromFile(path));
    for (const [name, { shape }] of checkpoint.tensors) await checkpoint.readFloat32(name, next(shape));
    checkpoint.close();
  }
  console.log(peakBytes() - start - at);
}
