/** The Worker of examples/cloudflare in workerd: the bits, the memory, the time, and what a crash costs. */
import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { dispose } from "../../src/edge/mod.ts";
import { withFolder } from "../helpers/folder.ts";
import { Client, restOfRun, sentences, SMALL_RUN, wholeRun } from "./client.ts";
import { Host } from "./host.ts";
import { localClient, TINY } from "./local_service.ts";
import { buildExamples } from "./workshop.ts";

const shop = await buildExamples();

async function startWorkerd(persist: URL, folder = new URL("cloudflare/dist/", shop!)): Promise<Host> {
  const options = { folder: fileURLToPath(folder), model: fileURLToPath(TINY), persist: fileURLToPath(persist) };
  return await Host.start("node", [fileURLToPath(new URL("miniflare_host.js", shop!)), JSON.stringify(options)]);
}

Deno.test({ name: "workerd", ignore: shop === null }, async (t) => {
  const local = await localClient(), expected = await wholeRun(local, "reference", SMALL_RUN);
  await withFolder(async (folder) => {
    let host = await startWorkerd(folder), client = new Client(host.url, "secret");

    await t.step("the bundle fits the smallest plan: 3 MB when packed, 200 kB of them code", () => {
      const dist = new URL("cloudflare/dist/", shop!), sizes: Record<string, number> = {};
      for (const name of readdirSync(dist)) sizes[name] = gzipSync(readFileSync(new URL(name, dist))).length;
      console.log(sizes);
      ok(sizes["worker.js"] < 200_000, "worker.js");
      ok(Object.values(sizes).reduce((a, b) => a + b) < 3_000_000);
    });

    await t.step("strangers without the token are sent away", async () => {
      strictEqual((await new Client(host.url).send("POST", "/train", SMALL_RUN)).status, 401);
    });

    await t.step("a run in slices gives the bits that it gives in Deno", async () => {
      deepStrictEqual(await wholeRun(client, "sliced", SMALL_RUN, 7), expected);
    });

    await t.step("of two requests at once, one is told that it was too late", async () => {
      await client.begin("race", SMALL_RUN);
      const answers = await Promise.all([2, 3].map((steps) => client.send("POST", "/train/race", { steps })));
      deepStrictEqual(answers.map(({ status }) => status).sort(), [200, 409]);
      await Promise.all(answers.map((answer) => answer.text()));
    });

    await t.step("a worker that is killed in a slice loses that slice only", async () => {
      await client.begin("killed", { ...SMALL_RUN, num_train_epochs: 20 });
      const { losses } = await client.train("killed", 10);
      const slice = client.send("POST", "/train/killed");
      await Promise.all([rejects(slice), new Promise((resolve) => setTimeout(resolve, 300)).then(() => host.kill())]);
      host = await startWorkerd(folder);
      client = new Client(host.url, "secret");
      strictEqual((await client.status("killed")).step, 10);
      const rest = await restOfRun(client, "killed", 30);
      const whole = await wholeRun(local, "killed", { ...SMALL_RUN, num_train_epochs: 20 });
      deepStrictEqual({ ...rest, losses: [...losses, ...rest.losses] }, whole);
    });

    await t.step("all sentences about baseball: under 128 MB, no request over 30 s of processor time", async () => {
      const test = sentences("test"), examples = sentences("train");
      let most = 0, right = 0;
      const measured = async <T>(work: () => Promise<T>): Promise<T> => {
        const before = host.cpuSeconds, result = await work();
        most = Math.max(most, host.cpuSeconds - before);
        return result;
      };
      let status = await measured(() => client.begin("baseball", { examples, num_train_epochs: 4 }));
      while (!status.done) status = await measured(() => client.train("baseball"));
      for (let at = 0; at < test.length; at += 60) {
        const some = test.slice(at, at + 60);
        const answers = await measured(() => client.predict("baseball", some.map(({ text }) => text)));
        right += answers.filter(({ label }, i) => label === some[i].label).length;
      }
      console.log({ accuracy: right / test.length, seconds: most, slice: status.slice });
      ok(right > 0.88 * test.length, `${right} of ${test.length}`);
      ok(most < 30, `${most} s`);
    });

    const { peakBytes } = host;
    await host.end();
    await t.step("memory", async () => {
      const idle = await startWorkerd(new URL("idle/", folder), new URL("idle/", shop!));
      strictEqual((await fetch(idle.url)).status, 200);
      const bytes = peakBytes - idle.peakBytes;
      await idle.end();
      console.log({ peak: peakBytes / 2 ** 20, own: bytes / 2 ** 20 });
      ok(bytes < 128e6, `${bytes} bytes`);
    });
  });
  dispose();
});
