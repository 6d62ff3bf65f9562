/** The function of examples/lambda in Node, called as AWS calls it: the bits, the cold start, instances side by side. */
import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { dispose } from "../../src/edge/mod.ts";
import { withFolder } from "../helpers/folder.ts";
import { Client, restOfRun, SMALL_RUN, wholeRun } from "./client.ts";
import { Host } from "./host.ts";
import { localClient } from "./local_service.ts";
import { buildExample, openWorkshop, place } from "./workshop.ts";

const shop = await openWorkshop("lambda");

async function startInstance(code: string, runs: URL): Promise<Host> {
  return await Host.start("node", [fileURLToPath(place(shop!, "lambda_host.js")), `${code}index.cjs`], {
    LAMBDA_TASK_ROOT: code,
    RUNS_FOLDER: fileURLToPath(runs),
  });
}

Deno.test({ name: "the example for AWS Lambda, in Node", ignore: shop === null }, async (t) => {
  const code = fileURLToPath(new URL("dist/", buildExample(shop!, "lambda")));
  const expected = await wholeRun(await localClient(), "reference", SMALL_RUN);
  await withFolder(async (runs) => {
    let host = await startInstance(code, runs), client = new Client(host.url);

    await t.step("the first answer tells how long the start took, others do not", async () => {
      const first = await client.send("GET", "/train/none"), second = await client.send("GET", "/train/none");
      deepStrictEqual([first.status, second.status], [404, 404]);
      const coldStartMs = first.headers.get("x-cold-start-ms");
      console.log({ coldStartMs });
      match(coldStartMs!, /^\d+$/);
      strictEqual(second.headers.get("x-cold-start-ms"), null);
    });

    await t.step("a run in slices gives the bits that it gives in Deno", async () => {
      deepStrictEqual(await wholeRun(client, "sliced", SMALL_RUN, 7), expected);
    });

    await t.step(
      "two instances make turns of one run, and are told apart when they make the same steps",
      async () => {
        const other = await startInstance(code, runs), others = new Client(other.url), losses: number[] = [];
        await client.begin("shared", SMALL_RUN);
        losses.push(...(await client.train("shared", 5)).losses, ...(await others.train("shared", 5)).losses);
        const answers = await Promise.all(
          [client, others].map((one) => one.send("POST", "/train/shared", { steps: 5 })),
        );
        deepStrictEqual(answers.map(({ status }) => status).sort(), [200, 409]);
        for (const answer of answers) losses.push(...(await answer.json()).losses ?? []);
        const rest = await restOfRun(others, "shared");
        deepStrictEqual({ ...rest, losses: [...losses, ...rest.losses] }, expected);
        await other.end("SIGTERM");
      },
    );

    await t.step("an instance that is killed in a slice loses that slice only", async () => {
      await client.begin("killed", SMALL_RUN);
      const { losses } = await client.train("killed", 3);
      const slice = client.send("POST", "/train/killed").then(() => true, () => false);
      await new Promise((resolve) => setTimeout(resolve, 150));
      await host.kill();
      strictEqual(await slice, false);
      host = await startInstance(code, runs);
      client = new Client(host.url);
      const rest = await restOfRun(client, "killed", 10);
      deepStrictEqual({ ...rest, losses: [...losses, ...rest.losses] }, expected);
    });
    await host.end("SIGTERM");
  });
  dispose();
});
