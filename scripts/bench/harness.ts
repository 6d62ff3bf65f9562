/**
 * What every suite of the benchmark shares: the shape of a result, child processes that do one work each, and turns.
 *
 * A contender is a child process that speaks lines of JSON. At its start it prints `{"ready":true,"check":[...]}`: numbers
 * of its result on the agreed input, which the suite compares. Then, for each line `run` (or `run JOB`) on its standard
 * input, it does the work once and prints `{"ms":12.3}`. It ends at the end of its input, and rests in between.
 */
import { spawn } from "node:child_process";
import process from "node:process";
import { createInterface } from "node:readline";

/** One table of the benchmark. */
export interface Suite {
  /** As in `--only`. */
  name: string;
  title: string;
  run(bench: Bench): Promise<Row[]>;
}

/** What a suite is given. */
export interface Bench {
  threads: number;
  rounds: number;
  /** Fewer rounds and cases, to see that all of it works. */
  quick: boolean;
  /** Whole epochs too, which take minutes. */
  full: boolean;
  peers: Peers;
  /** One line of progress. */
  say(line: string): void;
  /** Writes an SVG chart beside the results, and into the documentation. `name` has no suffix. */
  chart(name: string, title: string, svg: string): void;
  /** The folder of checkpoints, data and references, where it is present. */
  shared?: URL;
}

/** Where the peers' programs are; both install what is missing on their first call. */
export interface Peers {
  /** The node_modules folder of the peers. */
  nodeModules(): Promise<string>;
  /** A Python that has the peers' packages. */
  python(): Promise<string>;
  /** The peers' versions by name, of those that were asked for. */
  versions(): Record<string, string>;
}

/** One line of a table: a work, ours and one peer's. */
export interface Row {
  /** As "train step, bert-base 8 x 128". */
  work: string;
  ours: Timing;
  /** Without a peer, the row shows our own figure. */
  peer?: string;
  theirs?: Timing;
  /** Of a whole, 0 to 1: profiles. */
  share?: number;
  /** Of times ours / theirs: below 1 is faster. Of rates the same: above 1 is faster. */
  ratio?: number;
  goal?: string;
  /** The number in the goal, for the chart. */
  limit?: number;
  met?: boolean;
  /** What was compared, and the largest difference. */
  verified: string;
  /** How to make just this row. */
  command: string;
}

/** What several runs took. */
export interface Timing {
  median: number;
  min: number;
  max: number;
  runs: number;
  unit: "ms" | "s" | "GFLOPS" | "steps/s" | "tokens/s";
}

/** A running child process; see the top of this file. */
export interface Contender {
  readonly name: string;
  /** Numbers of its result on the agreed input. */
  readonly check: number[];
  /** The whole of its first line. */
  readonly info: Record<string, unknown>;
  /** Does the work once; milliseconds. */
  run(job?: string | number): Promise<number>;
  /** The same; the whole answer, `ms` among it. */
  ask(job?: string | number): Promise<Answer>;
  end(): Promise<void>;
}

/** What a contender says of one run; programs may add to it. */
export interface Answer {
  ms: number;
  [more: string]: unknown;
}

/** How a contender is started. */
export interface ContenderOptions {
  /** In messages and tables. Default: the program's name. */
  name?: string;
  env?: Record<string, string>;
  cwd?: string;
  /** Milliseconds within which each answer must come. Default: ten minutes. */
  timeoutMs?: number;
}

/** Lines of a child's error output that a message repeats. */
const ERROR_LINES = 12;

/** Milliseconds between turns: threads that spin for the next piece of work have gone to sleep then. */
const REST_MS = 50;

/**
 * Starts a child process and waits until it is ready.
 *
 * @throws {Error} if it ends, prints anything but JSON, or does not answer in time.
 */
export async function startContender(command: string[], options: ContenderOptions = {}): Promise<Contender> {
  const { name = command[0].split("/").at(-1)!, env = {}, cwd, timeoutMs = 600_000 } = options;
  const child = spawn(command[0], command.slice(1), {
    ...{ cwd, env: { ...process.env, NO_COLOR: "1", ...env }, stdio: ["pipe", "pipe", "pipe"] },
  });
  const errors: string[] = [], lines: string[] = [];
  let ended: string | undefined, wake = () => {};
  createInterface({ input: child.stderr }).on("line", (line) => {
    errors.push(line);
    if (errors.length > ERROR_LINES) errors.shift();
  });
  createInterface({ input: child.stdout }).on("line", (line) => (lines.push(line), wake()));
  child.stdin.on("error", () => {}); // its end is reported below
  const closed = new Promise<void>((resolve) => {
    const note = (text: string) => (ended ??= text, wake(), resolve());
    child.on("error", (error) => note(error.message));
    child.on("close", (code, signal) => note(`it ended with ${signal ?? `code ${code}`}`));
  });
  const fail = (action: string, state: string): Error => {
    child.kill("SIGKILL");
    return new Error(`Cannot ${action} ${name}: ${[state, ...errors].join("\n  ")}`);
  };
  const answer = async (action: string): Promise<Record<string, unknown>> => {
    const deadline = performance.now() + timeoutMs;
    while (lines.length === 0) {
      if (ended !== undefined) throw fail(action, ended);
      const left = deadline - performance.now();
      if (left <= 0) throw fail(action, `it gave no answer in ${timeoutMs} ms`);
      let timer: ReturnType<typeof setTimeout> | undefined;
      await new Promise<void>((resolve) => {
        wake = resolve;
        timer = setTimeout(resolve, left);
      });
      clearTimeout(timer);
    }
    const line = lines.shift()!;
    try {
      return JSON.parse(line);
    } catch {
      throw fail(action, `it printed ${JSON.stringify(line)}, expected a line of JSON`);
    }
  };
  const info = await answer("start");
  if (info.ready !== true || !Array.isArray(info.check)) {
    throw fail("start", `it printed ${JSON.stringify(info)}, expected {"ready":true,"check":[...]}`);
  }
  const ask = async (job?: string | number): Promise<Answer> => {
    child.stdin.write(job === undefined ? "run\n" : `run ${job}\n`);
    const given = await answer("run") as Answer;
    if (typeof given.ms !== "number" || !(given.ms >= 0)) {
      throw fail("run", `it answered ${JSON.stringify(given)}, expected {"ms":...}`);
    }
    return given;
  };
  return {
    ...{ name, info, check: (info.check as (number | null)[]).map((value) => value ?? NaN) },
    run: async (job) => (await ask(job)).ms,
    ask,
    end: async () => {
      child.stdin.end();
      const timer = setTimeout(() => child.kill("SIGKILL"), 5000);
      await closed;
      clearTimeout(timer);
    },
  };
}

/**
 * Runs contenders in turns (A B C, A B C, ...), so that what else the machine does hits them alike.
 *
 * @param rounds Turns that count.
 * @param warmUps Turns before them that do not.
 * @param job What they are asked for, if they know several works.
 * @returns The times of each, in milliseconds.
 */
export async function takeTurns(
  contenders: readonly Pick<Contender, "run">[],
  rounds: number,
  warmUps: number,
  job?: string | number,
): Promise<Timing[]> {
  const times = contenders.map(() => [] as number[]);
  for (let round = -warmUps; round < rounds; round++) {
    for (const [i, contender] of contenders.entries()) {
      await new Promise((resolve) => setTimeout(resolve, REST_MS));
      const ms = await contender.run(job);
      if (round >= 0) times[i].push(ms);
    }
  }
  return times.map((list) => timing(list, "ms"));
}

/** The middle value; of an even number of values the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b), half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

/** What a list of measurements comes to. */
export function timing(values: readonly number[], unit: Timing["unit"]): Timing {
  return {
    ...{ median: median(values), min: Math.min(...values), max: Math.max(...values) },
    ...{ runs: values.length, unit },
  };
}

/**
 * Adds the ratio of medians, and the goal in words, to a row.
 *
 * @param goal What the ratio should be, at most (of times) or at least (of rates).
 */
export function compare(
  row: Pick<Row, "work" | "peer" | "verified" | "command"> & Required<Pick<Row, "ours" | "theirs">>,
  goal: { atMost?: number; atLeast?: number } = {},
): Row {
  const ratio = row.ours.median / row.theirs.median, { atMost, atLeast } = goal;
  if (atMost !== undefined) {
    return { ...row, ratio, goal: `at most ${atMost} x`, limit: atMost, met: ratio <= atMost };
  }
  if (atLeast !== undefined) {
    return { ...row, ratio, goal: `at least ${atLeast} x`, limit: atLeast, met: ratio >= atLeast };
  }
  return { ...row, ratio };
}

/** Milliseconds as the rate of a work of so many operations. */
export function toGflops(time: Timing, operations: number): Timing {
  const rate = (ms: number) => operations / ms / 1e6;
  return {
    ...{ median: rate(time.median), min: rate(time.max), max: rate(time.min) },
    ...{ runs: time.runs, unit: "GFLOPS" as const },
  };
}

/**
 * Compares the check numbers of two contenders.
 *
 * @param tolerance The largest |a - b| / max(1, |b|) that is the same result.
 * @returns The largest such difference.
 * @throws {Error} if they differ by more, or in number.
 */
export function compareChecks(
  ours: { name: string; check: readonly number[] },
  theirs: { name: string; check: readonly number[] },
  tolerance: number,
): number {
  const [a, b] = [ours.check, theirs.check];
  if (a.length !== b.length || a.length === 0) {
    throw new Error(
      `Cannot time ${ours.name} against ${theirs.name}: they give ${a.length} and ${b.length} numbers to check`,
    );
  }
  let worst = 0;
  for (let i = 0; i < a.length; i++) {
    worst = Math.max(worst, Math.abs(a[i] - b[i]) / Math.max(1, Math.abs(b[i])));
  }
  if (!(worst <= tolerance)) {
    throw new Error(
      `Cannot time ${ours.name} against ${theirs.name}: results differ by ${worst}, wanted at most ${tolerance}`,
    );
  }
  return worst;
}

/** The command that starts one of the contenders written for Deno. */
export function denoContender(file: string, ...args: (string | number)[]): string[] {
  const path = new URL(`./contenders/${file}`, import.meta.url).pathname;
  const config = new URL("../../deno.json", import.meta.url).pathname;
  return [
    ...[Deno.execPath(), "run", "-A", "--no-check", "--no-lock", "-c", config, decodeURIComponent(path)],
    ...args.map(String),
  ];
}
