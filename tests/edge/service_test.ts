/** The training service in one process: slices, what is refused, what gets lost and what does not. */
import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { dispose, init, memoryStore, type RunRequest, type StateStore } from "../../src/edge/mod.ts";
import { restOfRun, SMALL_RUN, wholeRun } from "./client.ts";
import { localClient } from "./local_service.ts";

Deno.test("slices of any length give the bits of one uninterrupted run", async () => {
  const client = await localClient();
  const whole = await wholeRun(client, "whole", SMALL_RUN);
  strictEqual(whole.losses.length, 24);
  deepStrictEqual(await wholeRun(client, "sliced", SMALL_RUN, 5), whole);
  dispose();
});

Deno.test("all of the model, and the head alone, train in slices too", async () => {
  await init({ memoryLimit: 256 * 2 ** 20 });
  const client = await localClient();
  for (const train of ["all", "head"] as const) {
    const run: RunRequest = { ...SMALL_RUN, train, num_train_epochs: 1 };
    deepStrictEqual(await wholeRun(client, `${train}-2`, run, 2), await wholeRun(client, train, run));
  }
  dispose();
});

Deno.test("of two requests that train the same run at once, one is told that it was too late", async () => {
  const client = await localClient();
  await client.begin("race", SMALL_RUN);
  const answers = await Promise.all([
    client.send("POST", "/train/race", { steps: 2 }),
    client.send("POST", "/train/race", { steps: 3 }),
  ]);
  deepStrictEqual(answers.map(({ status }) => status).sort(), [200, 409]);
  const winner = answers.find(({ status }) => status === 200)!, { step } = await winner.json();
  match((await answers.find(({ status }) => status === 409)!.json()).error, /another request was faster/);
  strictEqual((await client.status("race")).step, step);
  dispose();
});

Deno.test("a store that fails to keep a slice loses that slice only", async () => {
  const store = memoryStore();
  let fails = false;
  const failing: StateStore = {
    get: store.get,
    put: (...args) => fails ? Promise.reject(new Error("the disk is on fire")) : store.put(...args),
  };
  const errors: unknown[] = [];
  const client = await localClient({ store: failing }, { onError: (error) => errors.push(error) });
  const expected = await wholeRun(client, "safe", SMALL_RUN);
  await client.begin("unsafe", SMALL_RUN);
  const { losses } = await client.train("unsafe", 7);
  fails = true;
  const response = await client.send("POST", "/train/unsafe", { steps: 7 });
  deepStrictEqual([response.status, await response.json()], [500, { error: "The service failed" }]);
  match(String(errors[0]), /the disk is on fire/);
  fails = false;
  strictEqual((await client.status("unsafe")).step, 7);
  const rest = await restOfRun(client, "unsafe", 9);
  deepStrictEqual({ ...rest, losses: [...losses, ...rest.losses] }, expected);
  dispose();
});

Deno.test("a signal ends a slice after its current step, and what is done is kept", async () => {
  const stop = new AbortController();
  const store = memoryStore(),
    client = await localClient({ store }),
    expected = await wholeRun(client, "a", SMALL_RUN);
  const ending = await localClient({ store }, { signal: stop.signal });
  await ending.begin("b", SMALL_RUN);
  const slice = ending.train("b");
  setTimeout(() => stop.abort(), 1);
  const { losses, done } = await slice;
  ok(!done && losses.length < expected.losses.length);
  const rest = await restOfRun(client, "b");
  deepStrictEqual({ ...rest, losses: [...losses, ...rest.losses] }, expected);
  dispose();
});

Deno.test("a slice that is done makes no step and writes nothing", async () => {
  const store = memoryStore(), client = await localClient({ store });
  await wholeRun(client, "done", { ...SMALL_RUN, num_train_epochs: 1 });
  const { version } = (await store.get("done/state.safetensors"))!;
  const { losses, done, step } = await client.train("done");
  deepStrictEqual([losses, done, step], [[], true, 6]);
  strictEqual((await store.get("done/state.safetensors"))!.version, version);
  dispose();
});
