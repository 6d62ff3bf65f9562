/** A process that loads files of a model: `child.ts {"name": ..., "files": [...], "options": {...}}`. Prints their lengths. */
import { openModelFiles } from "../../src/hub/mod.ts";
import type { HubOptions } from "../../src/hub/options.ts";

const { name, files, options } = JSON.parse(Deno.args[0]) as {
  name: string;
  files: string[];
  options: HubOptions;
};
try {
  const model = await openModelFiles(name, options);
  const lengths: (number | null)[] = [];
  for (const file of files) {
    const source = await model.open(file);
    lengths.push(source && source.byteLength);
    source?.close?.();
  }
  console.log(JSON.stringify(lengths));
} catch (error) {
  console.log(JSON.stringify({ error: String(error) }));
}
