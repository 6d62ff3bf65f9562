/** A program that serves HTTP beside the tests, and what it takes of the machine. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import process from "node:process";
import { createInterface } from "node:readline";

/** A running program. */
export class Host {
  constructor(readonly child: ChildProcess, readonly url: string) {}

  /** Starts a program that prints a line with its URL. */
  static async start(command: string, args: string[], env: Record<string, string> = {}): Promise<Host> {
    const child = spawn(command, args, {
      ...{ env: { ...process.env, ...env }, stdio: ["pipe", "pipe", "inherit"] },
    });
    for await (const line of createInterface(child.stdout!)) {
      const [url] = /http:[^\s"]+/.exec(line) ?? [];
      if (url) return new Host(child, url);
    }
    throw new Error(`Cannot start ${command} ${args[0]}: it ended`);
  }

  /** The process that computes: the program's own child, if it has one. */
  get worker(): number {
    const children = readdirSync("/proc").filter((name) => /^\d+$/.test(name)).map(Number)
      .filter((pid) => statusOf(pid, "PPid") === this.child.pid);
    return children[0] ?? this.child.pid!;
  }

  /** The most bytes of memory that it had at once. */
  get peakBytes(): number {
    return 1024 * statusOf(this.worker, "VmHWM");
  }

  /** Seconds of processor time that it has taken. */
  get cpuSeconds(): number {
    const fields = readFileSync(`/proc/${this.worker}/stat`, "utf8").replace(/^.*\) /, "").split(" ");
    return (Number(fields[11]) + Number(fields[12])) / 100;
  }

  /** Waits until it has computed for so long. */
  async computed(seconds: number): Promise<void> {
    for (const start = this.cpuSeconds; this.cpuSeconds - start < seconds;) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  /** Ends what computes, as a power cut would. */
  async kill(): Promise<void> {
    process.kill(this.worker, "SIGKILL");
    await this.end();
  }

  /** Ends the program. */
  async end(signal?: "SIGTERM"): Promise<number | null> {
    const exited = this.child.exitCode ?? once(this.child, "exit").then(([code]) => code as number | null);
    if (signal) process.kill(this.child.pid!, signal);
    else this.child.stdin!.end();
    return await exited;
  }
}

/** A number of a process's status; NaN if it has ended. */
function statusOf(pid: number, name: string): number {
  try {
    const text = readFileSync(`/proc/${pid}/status`, "utf8");
    return Number(new RegExp(`^${name}:\\s*(\\d+)`, "m").exec(text)?.[1]);
  } catch {
    return NaN;
  }
}
