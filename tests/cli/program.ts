/** Runs the program as a child process. */
import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

const MAIN = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));

/** The demo's sentences, by the name of the file. */
export function demoData(name: "train" | "test"): string {
  return fileURLToPath(new URL(`../../scripts/demo/data/${name}.tsv`, import.meta.url));
}

/** What a program left. */
export interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** A program that runs. */
export interface Running {
  process: ChildProcess;
  ended: Promise<Ended>;
  /** The standard output or error once it has a text. */
  wrote(stream: "stdout" | "stderr", text: string): Promise<void>;
}

/** Starts the program. */
export function start(args: readonly string[], env: Record<string, string> = {}): Running {
  const process = spawn(Deno.execPath(), ["run", "-A", "--no-check", MAIN, ...args], {
    env: { ...Deno.env.toObject(), NO_COLOR: "1", HF_HUB_OFFLINE: "1", ...env },
  });
  const result: Ended = { code: null, stdout: "", stderr: "" };
  const watchers = new Set<() => void>();
  for (const stream of ["stdout", "stderr"] as const) {
    process[stream].setEncoding("utf8").on("data", (text: string) => {
      result[stream] += text;
      watchers.forEach((look) => look());
    });
  }
  const ended = new Promise<Ended>((resolve) =>
    process.on("close", (code) => {
      resolve({ ...result, code });
      watchers.forEach((look) => look());
    })
  );
  const wrote = (stream: "stdout" | "stderr", text: string) =>
    new Promise<void>((resolve, reject) => {
      const look = () => {
        if (result[stream].includes(text)) resolve();
        else if (process.exitCode !== null) reject(new Error(`it never wrote ${text}:\n${result.stderr}`));
        else return;
        watchers.delete(look);
      };
      watchers.add(look);
      look();
    });
  return { process, ended, wrote };
}

/** Runs the program to its end. */
export async function berth(args: readonly string[], input = "", env = {}): Promise<Ended> {
  const { process, ended } = start(args, env);
  process.stdin!.on("error", () => {}); // a program that wants no input may have ended
  process.stdin!.end(input);
  return await ended;
}
