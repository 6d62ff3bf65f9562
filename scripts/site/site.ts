/**
 * Builds the page that fine-tunes BERT in a browser, and serves it on this machine.
 *
 *     deno task site [--port 8000] [--no-isolation] [--build-only] [--out out/site]
 */
import process from "node:process";
import { parseArgs } from "node:util";
import { folderUrl } from "../../src/runtime/files.ts";
import { stop } from "../browser/bundle.ts";
import { serve } from "../browser/serve.ts";
import { buildSite } from "./build.ts";

const HELP = `Builds the page that fine-tunes BERT in a browser, and serves it on this machine.

  --port N         default 8000
  --no-isolation   serves without the headers that allow threads, as simple hosts do: the page takes one thread
  --build-only     builds and ends
  --out FOLDER     default out/site`;

const { values: flags } = parseArgs({
  options: {
    port: { type: "string", default: "8000" },
    isolation: { type: "boolean", default: true },
    "build-only": { type: "boolean", default: false },
    out: { type: "string", default: "out/site" },
    help: { type: "boolean", default: false },
  },
  allowNegative: true,
});

async function main(): Promise<void> {
  const out = folderUrl(flags.out);
  await buildSite(out);
  await stop();
  console.log(`wrote ${flags.out}`);
  if (flags["build-only"]) return;
  const server = await serve(out, { port: Number(flags.port), isolated: flags.isolation });
  console.log(`open ${server.url}`);
}

if (flags.help) console.log(HELP);
else {
  await main().catch((error) => {
    console.error(error.message);
    process.exit(1);
  });
}
