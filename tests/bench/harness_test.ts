/** The benchmark's harness with fake contenders: the protocol, turns, comparison and arithmetic. */
import { deepStrictEqual, rejects, strictEqual, throws } from "node:assert/strict";
import { fileURLToPath } from "node:url";
import {
  compare,
  compareChecks,
  type ContenderOptions,
  median,
  startContender,
  takeTurns,
  timing,
  toGflops,
} from "../../scripts/bench/harness.ts";

const FAKE = fileURLToPath(new URL("./fake_contender.mjs", import.meta.url));

function fake(mode: string, options?: ContenderOptions) {
  return startContender([Deno.execPath(), "run", "-A", "--no-config", FAKE, mode], options);
}

Deno.test("a contender says its check numbers, runs job after job, and ends", async () => {
  const contender = await fake("good", { name: "fake" });
  deepStrictEqual([contender.name, contender.check, contender.info.version], ["fake", [1, 2.5], "1.2"]);
  deepStrictEqual([await contender.run(), await contender.run()], [10, 20]);
  deepStrictEqual(await contender.ask("8,128"), { ms: 3, job: "8,128" });
  await contender.end();
  await rejects(contender.run(), /Cannot run fake: it ended with code 0/);
});

Deno.test("a contender that fails is an error that repeats what it wrote", async () => {
  await rejects(fake("crash"), /Cannot start deno: it ended with code 1[\s\S]*no such model/);
  await rejects(fake("chatter"), /it printed "Loading\.\.\.", expected a line of JSON/);
  await rejects(fake("silent", { timeoutMs: 400 }), /it gave no answer in 400 ms/);
  await rejects(startContender(["/no/such/program"]), /Cannot start program: .*ENOENT/);
  const contender = await fake("good");
  await rejects(
    contender.ask("nothing"),
    /Cannot run deno: it answered \{"hash":"x"\}, expected \{"ms":\.\.\.\}/,
  );
  await contender.end();
  const other = await fake("good");
  await rejects(other.run("crash"), /run 1 failed/);
  await other.end();
});

Deno.test("a result that is not a number fails every comparison", async () => {
  const contender = await fake("nan");
  deepStrictEqual(contender.check, [NaN]);
  throws(() => compareChecks(contender, { name: "other", check: [1] }, 1e9), /results differ by NaN/);
  await contender.end();
});

Deno.test("takeTurns goes round by round; warm-ups do not count", async () => {
  const calls: string[] = [];
  const contender = (name: string, times: number[]) => ({
    run: (job?: string | number) => (calls.push(`${name}${job}`), Promise.resolve(times.shift()!)),
  });
  const timings = await takeTurns([contender("a", [9, 1, 2]), contender("b", [8, 5, 3])], 2, 1, 7);
  deepStrictEqual(calls, ["a7", "b7", "a7", "b7", "a7", "b7"]);
  deepStrictEqual(timings, [
    { median: 1.5, min: 1, max: 2, runs: 2, unit: "ms" },
    { median: 4, min: 3, max: 5, runs: 2, unit: "ms" },
  ]);
});

Deno.test("medians of odd and even counts, rates of times", () => {
  strictEqual(median([5, 1, 9]), 5);
  strictEqual(median([4, 1, 9, 2]), 3);
  deepStrictEqual(toGflops(timing([2, 4, 1], "ms"), 8e6), {
    median: 4,
    min: 2,
    max: 8,
    runs: 3,
    unit: "GFLOPS",
  });
});

Deno.test("compareChecks gives the largest difference, or says what differs", () => {
  const ours = { name: "berth", check: [1, 100] };
  strictEqual(compareChecks(ours, { name: "x", check: [1.5, 100] }, 1), 0.5 / 1.5);
  strictEqual(compareChecks(ours, { name: "x", check: [1, 200] }, 1), 0.5);
  throws(
    () => compareChecks(ours, { name: "x", check: [1, 200] }, 0.1),
    /berth against x: results differ by 0\.5/,
  );
  throws(() => compareChecks(ours, { name: "x", check: [1] }, 1), /give 2 and 1 numbers/);
  throws(() => compareChecks({ name: "a", check: [] }, { name: "b", check: [] }, 1), /give 0 and 0 numbers/);
});

Deno.test("compare judges times by at most, rates by at least", () => {
  const facts = { work: "w", peer: "p", verified: "v", command: "c" };
  const times = compare({ ...facts, ours: timing([3], "ms"), theirs: timing([6], "ms") }, { atMost: 0.5 });
  deepStrictEqual([times.ratio, times.goal, times.limit, times.met], [0.5, "at most 0.5 x", 0.5, true]);
  const rates = compare({ ...facts, ours: timing([3], "GFLOPS"), theirs: timing([6], "GFLOPS") }, {
    atLeast: 0.85,
  });
  deepStrictEqual([rates.ratio, rates.goal, rates.met], [0.5, "at least 0.85 x", false]);
  strictEqual(compare({ ...facts, ours: timing([3], "ms"), theirs: timing([6], "ms") }).goal, undefined);
});
