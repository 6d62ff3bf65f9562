/**
 * The examples as bundles of the npm package: for Cloudflare in workerd, for AWS Lambda in Node, called as AWS calls it.
 * The bits, the memory, the time, and what a crash costs.
 */
import { deepStrictEqual, match, ok, rejects, strictEqual } from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { dispose } from "../../src/edge/mod.ts";
import { withFolder } from "../helpers/folder.ts";
import { Client, LONG_RUN, restOfRun, sentences, SMALL_RUN, wholeRun } from "./client.ts";
import { Host } from "./host.ts";
import { localClient, TINY } from "./local_service.ts";
import { buildExample, openWorkshop, place } from "./workshop.ts";

const shop = await openWorkshop();
const local = await localClient();
const expected = await wholeRun(local, "small", SMALL_RUN),
  expectedLong = await wholeRun(local, "long", LONG_RUN);
dispose();

/** Starts a bundled Worker; the bucket has the model, and what stands in the folder `persist`. */
async function startWorkerd(bundle: string, persist: URL): Promise<Host> {
  const folder = fileURLToPath(new URL(bundle, shop!)),
    program = fileURLToPath(place(shop!, "miniflare_host.js"));
  const options = { folder, model: fileURLToPath(TINY), persist: fileURLToPath(persist) };
  return await Host.start("node", [program, JSON.stringify(options)]);
}

Deno.test({ name: "the example for Cloudflare, in workerd", ignore: shop === null }, async (t) => {
  buildExample(shop!, "cloudflare");
  await withFolder(async (folder) => {
    let host = await startWorkerd("cloudflare/dist/", folder), client = new Client(host.url, "secret");

    await t.step("the bundle fits the smallest plan: 3 MB when packed, its code 200 kB", () => {
      const dist = new URL("cloudflare/dist/", shop!), sizes: Record<string, number> = {};
      for (const name of readdirSync(dist)) sizes[name] = gzipSync(readFileSync(new URL(name, dist))).length;
      console.log("bytes when packed:", sizes);
      ok(sizes["worker.js"] < 200_000, "worker.js");
      ok(Object.values(sizes).reduce((a, b) => a + b) < 3_000_000);
      deepStrictEqual(Object.keys(sizes), [
        "kernels_single.wasm",
        "tfjs-backend-wasm-simd.wasm",
        "worker.js",
      ]);
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
      await client.begin("killed", LONG_RUN);
      const { losses } = await client.train("killed", 10);
      const slice = client.send("POST", "/train/killed");
      await Promise.all([rejects(slice), host.computed(0.3).then(() => host.kill())]);
      host = await startWorkerd("cloudflare/dist/", folder);
      client = new Client(host.url, "secret");
      strictEqual((await client.status("killed")).step, 10);
      const rest = await restOfRun(client, "killed", 30);
      deepStrictEqual({ ...rest, losses: [...losses, ...rest.losses] }, expectedLong);
    });
    await host.end();
  });
  dispose();
});

Deno.test(
  { name: "a Worker learns within 128 MB and 30 s of processor time", ignore: shop === null },
  async () => {
    // Its runs in the isolate's own memory, so that no bucket's memory is measured.
    buildExample(shop!, "cloudflare", (name, text) => {
      if (name !== "worker.js") return text;
      return text.replaceAll("r2Store(BUCKET)", "memoryStore()").replaceAll("r2Store", "memoryStore");
    });
    place(shop!, "idle_worker.js", "idle/worker.js");
    await withFolder(async (folder) => {
      const idle = await startWorkerd("idle/", folder);
      strictEqual(await (await fetch(idle.url)).text(), "idle");
      const idleBytes = idle.peakBytes;
      await idle.end();

      const host = await startWorkerd("cloudflare/dist/", folder), client = new Client(host.url, "secret");
      let mostSeconds = 0;
      const measured = async <T>(work: () => Promise<T>): Promise<T> => {
        const before = host.cpuSeconds, result = await work();
        mostSeconds = Math.max(mostSeconds, host.cpuSeconds - before);
        return result;
      };
      let status = await measured(() =>
        client.begin("baseball", { examples: sentences("train"), num_train_epochs: 4 })
      );
      while (!status.done) status = await measured(() => client.train("baseball"));
      const test = sentences("test");
      let right = 0;
      for (let at = 0; at < test.length; at += 10) {
        const some = test.slice(at, at + 10);
        const answers = await measured(() => client.predict("baseball", some.map(({ text }) => text)));
        right += answers.filter(({ label }, i) => label === some[i].label).length;
      }
      const bytes = host.peakBytes - idleBytes;
      await host.end();
      console.log({
        accuracy: right / test.length,
        mostSeconds,
        megabytes: bytes / 1e6,
        slice: status.slice,
      });
      ok(right > 0.88 * test.length, `${right} of ${test.length}`);
      ok(mostSeconds < 30, `${mostSeconds} s`);
      ok(bytes < 128e6, `${bytes} bytes`);
    });
  },
);

async function startInstance(code: string, runs: URL): Promise<Host> {
  return await Host.start("node", [fileURLToPath(place(shop!, "lambda_host.js")), `${code}index.cjs`], {
    LAMBDA_TASK_ROOT: code,
    RUNS_FOLDER: fileURLToPath(runs),
  });
}

Deno.test({ name: "the example for AWS Lambda, in Node", ignore: shop === null }, async (t) => {
  const code = fileURLToPath(new URL("dist/", buildExample(shop!, "lambda")));
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
      await client.begin("killed", LONG_RUN);
      const { losses } = await client.train("killed", 10);
      const slice = client.send("POST", "/train/killed");
      await Promise.all([rejects(slice), host.computed(0.3).then(() => host.kill())]);
      host = await startInstance(code, runs);
      client = new Client(host.url);
      strictEqual((await client.status("killed")).step, 10);
      const rest = await restOfRun(client, "killed", 30);
      deepStrictEqual({ ...rest, losses: [...losses, ...rest.losses] }, expectedLong);
    });
    await host.end("SIGTERM");
  });
});
