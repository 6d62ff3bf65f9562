/** The demo's whole run, and where the time of its training step goes: every kernel's share, on its own sentences. */
import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { promisify } from "node:util";
import { fileURLToPath } from "node:url";
import { barPlot } from "../../../src/report/mod.ts";
import { type Bench, denoContender, type Row, startContender, type Suite, timing } from "../harness.ts";

export const suite: Suite = {
  name: "profile",
  title: "The demo, and the share per kernel of its training step",
  run,
};

/** The table must explain this share of the step. */
const GOAL = 0.95;
/** Percent of the demo's test sentences that a run gets right. */
const LEAST_ACCURACY = 90;
/** Smaller parts are one row. */
const SMALL = 0.005;

type Parts = Record<string, { ms: number; calls: number }>;

async function run(bench: Bench): Promise<Row[]> {
  const minilm = bench.shared && new URL("checkpoints/minilm-l6/", bench.shared);
  const rows = [await wholeDemo(bench), ...await profile(bench, "berth-tiny", "berth-tiny")];
  if (bench.quick) return rows;
  if (minilm && existsSync(minilm)) rows.push(...await profile(bench, "MiniLM", fileURLToPath(minilm)));
  else bench.say("profile: ../shared/checkpoints/minilm-l6 is absent, so there are no rows of MiniLM");
  return rows;
}

/** The program as a user runs it: its process, training, evaluations, checkpoint and report. */
async function wholeDemo(bench: Bench): Promise<Row> {
  const demo = fileURLToPath(new URL("../../demo/demo.ts", import.meta.url));
  const folder = mkdtempSync(`${tmpdir()}/berth-demo-`), times: number[] = [], accuracies = new Set<string>();
  const runs = bench.quick ? 1 : Math.max(5, bench.rounds);
  try {
    for (let i = 0; i < runs; i++) {
      bench.say(`the whole demo, run ${i + 1} of ${runs}`);
      const args = ["run", "-A", "--no-check", demo, "--threads", String(bench.threads), "--out", folder];
      const start = performance.now(), { stdout } = await promisify(execFile)(Deno.execPath(), args);
      times.push((performance.now() - start) / 1000);
      accuracies.add(/accuracy after training: +([\d.]+ %)/.exec(stdout)?.[1] ?? "none");
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
  if (accuracies.size !== 1 || !(parseFloat([...accuracies][0]) >= LEAST_ACCURACY)) {
    throw new Error(`Cannot time the demo: accuracies are ${[...accuracies].join(", ")}`);
  }
  return {
    ...{ work: "the whole demo", ours: timing(times, "s"), command: "deno task demo" },
    verified: `accuracy ${[...accuracies][0]} in every run`,
  };
}

async function profile(bench: Bench, name: string, model: string): Promise<Row[]> {
  bench.say(`${name}: an epoch to warm up, then ${bench.rounds}`);
  const contender = await startContender(denoContender("profile.ts", model, bench.threads), { name });
  const epochs: { ms: number; parts: Parts }[] = [];
  for (let i = 0; i < bench.rounds; i++) epochs.push(await contender.ask() as never);
  await contender.end();
  const [loss] = contender.check;
  if (!Number.isFinite(loss)) throw new Error(`Cannot profile ${name}: its loss is ${loss}`);
  const rows = profileRows(name, epochs), bars = rows.slice(0, -2);
  const title = `A training step of the demo, ${name}: ${rows.at(-1)!.ours.median.toFixed(1)} ms`;
  const chart = barPlot({
    ...{
      title,
      labels: bars.map(({ work }) => work.slice(name.length + 2)),
      format: "percent" as const,
      width: 720,
    },
    series: [{ name: "share of the step", values: bars.map(({ share }) => share!) }],
  });
  bench.chart(`profile_${name.toLowerCase().replace("-", "_")}`, title, chart);
  return rows;
}

/** One row a part, the largest first, then the small ones together, then all. */
export function profileRows(name: string, epochs: readonly { ms: number; parts: Parts }[]): Row[] {
  const step = timing(epochs.map(({ ms }) => ms), "ms"), command = "deno task bench --only profile";
  const names = [...new Set(epochs.flatMap(({ parts }) => Object.keys(parts)))];
  const times = (wanted: readonly string[]) =>
    timing(epochs.map(({ parts }) => wanted.reduce((sum, part) => sum + (parts[part]?.ms ?? 0), 0)), "ms");
  const shareOf = (part: string) => times([part]).median / step.median;
  const sorted = names.toSorted((a, b) => shareOf(b) - shareOf(a));
  const row = (part: string, wanted: readonly string[]): Row => {
    const ours = times(wanted),
      calls = wanted.reduce((sum, one) => sum + (epochs[0].parts[one]?.calls ?? 0), 0);
    const count = Math.round(calls), verified = count === 1 ? "1 call" : `${count} calls`;
    return { work: `${name}: ${part}`, ours, share: ours.median / step.median, verified, command };
  };
  const large = sorted.filter((part) => shareOf(part) >= SMALL), small = sorted.slice(large.length);
  const all = row("all of these", names);
  return [
    ...large.map((part) => row(part, [part])),
    ...small.length > 0 ? [row(`${small.length} smaller parts`, small)] : [],
    { ...all, goal: `at least ${GOAL * 100} % of the step`, met: all.share! >= GOAL },
    { work: `${name}: the step`, ours: step, share: 1, verified: "the demo's loop, untouched", command },
  ];
}
