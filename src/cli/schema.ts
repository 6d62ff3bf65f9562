/**
 * `berth schema`.
 *
 * @module
 */
import { type Command, defineCommand } from "./command.ts";
import { runFileSchema } from "./run_file.ts";

export const command: Command = defineCommand({
  usage: "> run.schema.json",
  about: "Prints the JSON schema of the file that `berth train --config` reads, for editors and checks.",
  flags: {},
  examples: [["berth schema > run.schema.json", 'then put "$schema": "./run.schema.json" into run.json']],
  run: ({ terminal }) => terminal.out(JSON.stringify(runFileSchema(), null, 2) + "\n"),
});
