/** The example for Deno Deploy as a program of its own: the bits, and how it ends. */
import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { dispose } from "../../src/edge/mod.ts";
import { withFolder } from "../helpers/folder.ts";
import { Client, LONG_RUN, restOfRun, SMALL_RUN, wholeRun } from "./client.ts";
import { Host } from "./host.ts";
import { localClient } from "./local_service.ts";

const MAIN = fileURLToPath(new URL("../../examples/deno/main.ts", import.meta.url));

Deno.test("the example for Deno Deploy", async (t) => {
  const local = await localClient(), expected = await wholeRun(local, "reference", SMALL_RUN);
  await withFolder(async (folder) => {
    const env = { KV_PATH: fileURLToPath(new URL("runs.sqlite", folder)), PORT: "0", NO_COLOR: "1" };
    const start = () => Host.start(Deno.execPath(), ["run", "-A", "--no-check", "--unstable-kv", MAIN], env);
    let host = await start(), client = new Client(host.url);

    await t.step("a run in slices gives the bits of any other service", async () => {
      deepStrictEqual(await wholeRun(client, "sliced", SMALL_RUN, 7), expected);
    });

    await t.step("of two requests at once, one is told that it was too late", async () => {
      await client.begin("race", SMALL_RUN);
      const answers = await Promise.all([2, 3].map((steps) => client.send("POST", "/train/race", { steps })));
      deepStrictEqual(answers.map(({ status }) => status).sort(), [200, 409]);
      await Promise.all(answers.map((answer) => answer.text()));
    });

    await t.step(
      "SIGTERM ends a slice early; what is done is answered and kept, and nothing is lost",
      async () => {
        await client.begin("ended", LONG_RUN);
        const slice = client.train("ended");
        await host.computed(0.3);
        strictEqual(await host.end("SIGTERM"), 0);
        const { losses, step, slice: whole } = await slice;
        ok(losses.length < whole, `${losses.length} of ${whole}`);
        host = await start();
        client = new Client(host.url);
        strictEqual((await client.status("ended")).step, step);
        const rest = await restOfRun(client, "ended");
        deepStrictEqual(
          { ...rest, losses: [...losses, ...rest.losses] },
          await wholeRun(local, "ended", LONG_RUN),
        );
      },
    );
    await host.end("SIGTERM");
  });
  dispose();
});
