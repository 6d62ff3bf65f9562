/**
 * Runs tfjs-core's own tests on the WASM backend: with tfjs's kernels (stock), with ours over them (ours), and with ours
 * but without the gradients of @tensorflow/tfjs (core). Lists what passes with tfjs's kernels only, and exits with 1 if
 * there is such a test, with 2 if the tests or jasmine are not to be had.
 *
 *     deno task conformance [--only mat_mul,softmax] [--verbose]
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { preparePackages } from "./conformance/packages.ts";

interface Spec {
  name: string;
  status: "passed" | "failed" | "pending" | "excluded";
  message: string;
}

const { values: flags } = parseArgs({
  options: { only: { type: "string" }, verbose: { type: "boolean", default: false } },
});
const folder = fileURLToPath(new URL("../out/conformance", import.meta.url));
const { config, tests } = prepare();
const wanted = flags.only?.split(",");
const chosen = wanted ? tests.filter((test) => wanted.includes(test.replace(/^.*\/|_test$/g, ""))) : tests;

function prepare(): ReturnType<typeof preparePackages> {
  try {
    return preparePackages(folder);
  } catch (error) {
    console.log((error as Error).message);
    process.exit(2);
  }
}

/** Runs all chosen tests in a process of their own; one that crashes loses only what comes after. */
async function run(mode: string): Promise<Map<string, Spec>> {
  const script = fileURLToPath(new URL("./conformance/run_specs.ts", import.meta.url));
  const child = spawn(
    process.execPath,
    [...["run", "-A", "--no-check", "--no-lock", "--config", config, script, folder, mode], ...chosen],
    { stdio: ["ignore", "pipe", "pipe"] },
  );
  let errors = "";
  child.stderr.on("data", (text) => errors += text);
  const specs = new Map<string, Spec>();
  for await (const line of createInterface({ input: child.stdout })) {
    if (!line.startsWith("@{")) continue;
    const spec = JSON.parse(line.slice(1)) as Spec;
    for (let name = spec.name, i = 2;; name = `${spec.name} (${i++})`) {
      if (specs.has(name)) continue;
      specs.set(name, spec);
      break;
    }
  }
  const code = child.exitCode ?? (await once(child, "exit"))[0];
  if (flags.verbose) console.log(errors);
  if (specs.size === 0 && /jasmine-core/.test(errors)) {
    console.log("Cannot load jasmine-core");
    process.exit(2);
  }
  if (code !== 0) console.log(`${mode}: the process ended with ${code} after ${specs.size} specs`);
  return specs;
}

const stock = await run("stock");
let failures = stock.size === 0 ? 1 : 0;
for (const mode of ["stock", "ours", "core"]) {
  const specs = mode === "stock" ? stock : await run(mode);
  const count = (status: string) => [...specs.values()].filter((spec) => spec.status === status).length;
  const gained = [...specs].filter(([name, { status }]) =>
    status === "passed" && stock.get(name)?.status === "failed"
  );
  const lost = [...stock].filter(([name, { status }]) =>
    status === "passed" && specs.get(name)?.status !== "passed"
  )
    .map(([name]) => ({ name, message: specs.get(name)?.message ?? "did not run" }));
  // Ours are not the gradients of all ops: convolutions and images have none without @tensorflow/tfjs.
  const unexpected = lost.filter(({ message }) =>
    mode !== "core" || !/gradient function not found/.test(message)
  );
  console.log(
    `${mode.padEnd(6)} ${count("passed")} passed, ${
      count("failed")
    } failed; against stock: ${gained.length} gained, ` +
      `${unexpected.length} lost` +
      (mode === "core" ? `, ${lost.length - unexpected.length} need gradients that tfjs-core lacks` : ""),
  );
  for (const { name, message } of unexpected) console.log(`  ${name}\n    ${message}`);
  failures += unexpected.length;
}
process.exit(failures > 0 ? 1 : 0);
