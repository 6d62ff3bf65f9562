/**
 * Runs test files of tfjs-core on the backend "wasm" and prints a line of JSON a spec: { name, status, message }.
 *
 *     deno run -A --config FOLDER/deno.json run_specs.ts FOLDER stock|ours|core TEST...
 *
 * stock: tfjs's own kernels; ours: our kernels over them; core: ours, without tfjs's gradients, as a program has it that
 * imports nothing but tfjs-core.
 */
import { env } from "./globals.ts";
import process from "node:process";
import { pathToFileURL } from "node:url";
import * as tf from "@tensorflow/tfjs-core";
import { init } from "../../src/runtime/mod.ts";
import { registerKernels } from "../../src/tfjs/mod.ts";

const [folder, mode, ...tests] = process.argv.slice(2);
const core = pathToFileURL(`${folder}/core/`);

const { setTestEnvs } = await import(new URL("jasmine_util.js", core).href);
await import(new URL("public/chained_ops/register_all_chained_ops.js", core).href);
if (mode !== "core") await import(new URL("register_all_gradients.js", core).href);
if (mode === "stock") await init();
else await registerKernels();

// Between suites tfjs's tests end every backend; ours has one life.
// deno-lint-ignore no-explicit-any
const engine = tf.engine() as any, backend = engine.registry.wasm, factory = engine.registryFactory.wasm;
engine.reset = () => {
  engine.state.dispose();
  engine.state = new engine.state.constructor();
  for (const name of Object.keys(engine.registryFactory)) if (name !== "wasm") engine.removeBackend(name);
  Object.assign(engine.registry, { wasm: backend });
  Object.assign(engine.registryFactory, { wasm: factory });
};
setTestEnvs([{ name: "wasm", backendName: "wasm", flags: {}, isDataSync: true }]);
for (const test of tests) await import(new URL(`${test}.js`, core).href);

interface Result {
  fullName: string;
  status: string;
  failedExpectations: { message: string }[];
}

env.configure({ random: false });
env.clearReporters();
env.addReporter({
  specDone({ fullName, status, failedExpectations }: Result) {
    const message = failedExpectations.map((e) => e.message).join("; ").slice(0, 300);
    process.stdout.write(`\n@${JSON.stringify({ name: fullName, status, message })}\n`);
  },
});
await env.execute();
process.exit(0);
