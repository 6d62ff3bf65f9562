/** Ranks that fail: all end with one clear error, the last checkpoint is whole, and other ranks go on from it. */
import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { fileURLToPath } from "node:url";
import type { TrainingArguments } from "../../src/train/mod.ts";
import { withFolder } from "../helpers/folder.ts";
import { type Ended, engines } from "./engines.ts";
import type { RankRun } from "./rank_run.ts";
import { filesOf, train, tryToTrain } from "./training_runs.ts";

const SAVING: TrainingArguments = { save_strategy: "steps", save_steps: 2, exact: true };
/** The exit code of a launcher that was ended by SIGTERM. */
const ENDED_BY_LAUNCH = 143;
const [engine] = engines, ignore = engines.length === 0;

/** The program's own lines of the standard error: not those of the engine. */
function ownLines({ stderr }: Ended): string[] {
  return stderr.split("\n").filter((line) => line.startsWith("berth: "));
}

/** Ranks that hang are ended by `launch`, by a signal. */
function endsByItself({ code, stderr }: Ended): void {
  ok(code > 0 && code !== ENDED_BY_LAUNCH, `exit code ${code}: ${stderr}`);
}

for (
  const [name, kind, other] of [["data", "data", "training data"], ["weights", "weights", "weights"]] as const
) {
  Deno.test({ name: `a rank with other ${name} ends all, with its number`, ignore }, async () => {
    const ended = await tryToTrain(engine, 4, { args: {}, mishap: { rank: 2, kind } });
    endsByItself(ended);
    deepStrictEqual(ownLines(ended).length, 1, ended.stderr);
    match(ownLines(ended)[0], new RegExp(`Cannot train on 4 ranks: .*rank 2 \\(the ${other}\\)`));
  });
}

for (const engine of engines) {
  Deno.test(`${engine.name}: an error on one rank ends all, and is told once`, async () => {
    const ended = await tryToTrain(engine, 2, { args: {}, mishap: { rank: 1, kind: "error", at: 3 } });
    endsByItself(ended);
    deepStrictEqual(ownLines(ended), [
      "berth: rank 1: internal error: this rank fails (--debug shows where)",
    ]);
  });
}

for (
  const [name, mishap, sizes] of [
    ["a rank that is killed", { rank: 1, kind: "kill", at: 6 }, [2, 4, 1]],
    ["the first rank that is killed", { rank: 0, kind: "kill", at: 11 }, [2, 2]],
    ["a full disk of the first rank", { rank: 0, kind: "full", at: 9 }, [4, 2]],
    ["a rank that is asked to end", { rank: 1, kind: "term", at: 6 }, [2, 1]],
  ] as [string, RankRun["mishap"], number[]][]
) {
  Deno.test({ name: `${name}: the run goes on, on other ranks, with the same bits`, ignore }, async () => {
    await withFolder(async (folder) => {
      const [whole, broken] = ["whole/", "broken/"].map((name) => new URL(name, folder));
      await train(engine, 1, { args: { ...SAVING, output_dir: fileURLToPath(whole) } });
      const args = { ...SAVING, output_dir: fileURLToPath(broken) }, [first, ...others] = sizes;
      const ended = await tryToTrain(engine, first, { args, mishap });
      if (mishap!.kind === "term") strictEqual(JSON.parse(ended.stdout).stopped, "signal", ended.stderr);
      else endsByItself(ended);
      if (mishap!.kind === "full") {
        strictEqual(ownLines(ended).length, 1, ended.stderr);
        match(ownLines(ended)[0], /no space is left/);
      }
      for (const size of others) {
        const isLast = size === others.at(-1), end = { rank: 0, kind: "term", at: 1 } as const;
        await train(engine, size, { args, resume: true, mishap: isLast ? undefined : end });
      }
      const files = filesOf(broken), wanted = filesOf(whole);
      for (const [name, bytes] of wanted) ok(files.get(name) === bytes, `${name} differs`);
    });
  });
}
