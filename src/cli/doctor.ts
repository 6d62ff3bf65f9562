/**
 * `berth doctor`: what this machine and runtime can do.
 *
 * @module
 */
import { installedEngines } from "../distributed/mod.ts";
import { formatBytes } from "../hub/mod.ts";
import { cacheFolder } from "../hub/options.ts";
import { AutoModelForSequenceClassification } from "../model/mod.ts";
import { filePath, freeBytes, isFolder } from "../runtime/files.ts";
import { dispose } from "../runtime/mod.ts";
import { hasNativeLibraries } from "../runtime/native.ts";
import { canShareMemory, environmentVariable, logicalCores, runtimeName } from "../runtime/platform.ts";
import { AdamW } from "../train/mod.ts";
import { type Command, defineCommand, RUNTIME_FLAGS } from "./command.ts";
import { startRuntime } from "./models.ts";
import { VERSION } from "../version.ts";

/** The step that is timed: B sequences of T tokens. */
const B = 16, T = 32, STEPS = 10;

export const command: Command = defineCommand({
  usage: "[--threads N] [--profile NAME]",
  about:
    "Tells which runtime, threads and kernels there are, where downloaded models are, and how fast training goes\n" +
    "(a few steps of berth-tiny, which berth carries).",
  flags: { ...RUNTIME_FLAGS },
  examples: [
    ["berth doctor", "what to put into a bug report"],
    ["berth doctor --threads 1 --profile simd", "the speed of one thread"],
  ],
  async run({ values, terminal, json }) {
    try {
      const startMs = performance.now(), { profile, threads, freeBytes: free } = await startRuntime(values);
      const facts: Record<string, string | number | boolean> = {
        ...{ berth: VERSION, runtime: runtimeName(), logical_cores: logicalCores() },
        ...{
          shared_memory: canShareMemory(),
          profile,
          threads,
          start_ms: Math.round(performance.now() - startMs),
        },
        ...{ wasm_memory: formatBytes(free), mpi: mpiFact(), ...await cacheFacts(), ...await speed() },
      };
      if (json) return await terminal.out(JSON.stringify(facts) + "\n");
      const width = Math.max(...Object.keys(facts).map((name) => name.length));
      await terminal.out(
        Object.entries(facts).map(([name, value]) => `${name.replaceAll("_", " ").padEnd(width)}  ${value}\n`)
          .join(""),
      );
    } finally {
      dispose();
    }
  },
});

/** The MPI engines that `mpiexec -n N berth train` can use. */
function mpiFact(): string {
  if (!hasNativeLibraries()) return "none (Deno is wanted)";
  try {
    return installedEngines().join(", ") || "none found";
  } catch (error) {
    return `unknown (${(error as Error).message})`;
  }
}

async function cacheFacts(): Promise<Record<string, string>> {
  const cache = cacheFolder(undefined);
  let folder = cache; // the nearest one that is there
  for (let above = cache; !isFolder(folder); folder = above) {
    above = new URL("..", folder);
    if (above.href === folder.href) break;
  }
  const bytes = await freeBytes(folder);
  return {
    model_cache: filePath(cache),
    ...(bytes === null ? {} : { free_disk: formatBytes(bytes) }),
    hub: environmentVariable("HF_ENDPOINT") ?? "https://huggingface.co",
  };
}

/** Times training steps, the first ones left out. */
async function speed(): Promise<Record<string, number>> {
  const model = await AutoModelForSequenceClassification.from_pretrained("berth-tiny", {
    on_report: () => {},
  });
  const optimizer = new AdamW(model.parameters(), { lr: 1e-5 });
  const input_ids = Array.from(
    { length: B },
    (_, b) => Array.from({ length: T }, (_, t) => 10 + (b * T + t) % 500),
  );
  const labels = input_ids.map((_, b) => b % 2);
  const step = () => {
    model.train().forward({ input_ids, labels });
    model.backward();
    optimizer.step();
    optimizer.zero_grad();
  };
  for (let i = 0; i < STEPS; i++) step(); // until the code is compiled
  const { runtime } = model, flops = runtime.flops, startMs = performance.now();
  for (let i = 0; i < STEPS; i++) step();
  const seconds = (performance.now() - startMs) / 1000;
  optimizer.dispose();
  model.dispose();
  return {
    training_tokens_per_second: Math.round(STEPS * B * T / seconds),
    training_gflops: Math.round((runtime.flops - flops) / seconds / 1e8) / 10,
  };
}
