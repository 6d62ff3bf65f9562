/** Streaming takes the same memory whatever the size of the file. Linux only: the peak of resident memory is read. */
import { ok } from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { withFolder } from "../helpers/folder.ts";
import { writeCsv } from "./streaming.ts";

Deno.test({
  name: "streaming 160 MB takes no more memory than streaming 16 MB, but for 100 MB of garbage",
  ignore: Deno.build.os !== "linux",
  fn: () =>
    withFolder(async (folder) => {
      const grown: number[] = [];
      for (const megabytes of [16, 160]) {
        const url = new URL(`${megabytes}.csv`, folder), rows = writeCsv(url, megabytes);
        const [config, script] = ["../../deno.json", "streaming.ts"].map((path) =>
          fileURLToPath(new URL(path, import.meta.url))
        );
        const args = ["run", "-A", "--no-check", "--config", config, script, fileURLToPath(url)];
        const { stdout, stderr, success } = await new Deno.Command(Deno.execPath(), { args }).output();
        ok(success, new TextDecoder().decode(stderr));
        const result = JSON.parse(new TextDecoder().decode(stdout));
        ok(result.rows === rows, JSON.stringify(result));
        grown.push(result.grownMb);
      }
      ok(grown[1] < grown[0] + 100, `16 MB: ${grown[0]} MB more, 160 MB: ${grown[1]} MB more`);
    }),
});
