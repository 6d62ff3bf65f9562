/**
 * A command that several processes run together, started by `mpiexec` or `srun`.
 *
 * @module
 */
import { alone, type Communicator, openCommunicator } from "../distributed/mod.ts";
import { logicalCores, processIdentity } from "../runtime/platform.ts";
import { FirstRankError, Ranks } from "../train/distributed/ranks.ts";
import type { ScaleCard } from "../report/mod.ts";
import { FolderStore, type Metrics, type TrainingArguments } from "../train/mod.ts";
import { tellFailure } from "./failure.ts";
import { type RuntimeSettings, startRuntime } from "./models.ts";
import { type Terminal, thisProcess } from "./terminal.ts";

/**
 * Milliseconds that the other ranks leave the first one to tell an error that all of them may have, more for each rank; and
 * an error that it has for sure.
 */
const AFTER_FIRST_MS = 4000, AFTER_EACH_MS = 100, SURELY_AFTER_MS = 20_000;
/** Milliseconds that the launcher has to pass an error on: it may end with what it has not read yet. */
const PASS_ON_MS = 250;

/**
 * Runs a command on all ranks. The first one writes; the others write errors only. An error on any of them ends all.
 *
 * @param work Gives the exit code.
 */
export async function onAllRanks(
  terminal: Terminal,
  work: (communicator: Communicator) => Promise<number>,
): Promise<number> {
  const communicator = openCommunicator(), { rank } = communicator;
  if (communicator === alone) return await work(communicator);
  if (rank > 0) terminal.quiet = true;
  try {
    const code = await work(communicator);
    communicator.close();
    return code;
  } catch (error) {
    const waitMs = (error instanceof FirstRankError ? SURELY_AFTER_MS : AFTER_FIRST_MS) +
      rank * AFTER_EACH_MS;
    if (rank > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
    const process = thisProcess(), debug = process.argv.includes("--debug");
    const code = tellFailure(error, terminal, debug, rank > 0 ? `rank ${rank}: ` : "");
    await new Promise<void>((resolve) => process.stderr.write("", () => resolve()));
    await new Promise((resolve) => setTimeout(resolve, PASS_ON_MS));
    return communicator.abort(code);
  }
}

/** Starts the backend of one of several ranks; by default those of one machine share its cores. */
export async function startOnRank(settings: RuntimeSettings, communicator: Communicator): Promise<void> {
  if (communicator === alone) return;
  const { host } = processIdentity(), hosts = new Ranks(communicator).gather(host);
  const share = Math.floor(logicalCores() / hosts.filter((other) => other === host).length);
  await startRuntime({ ...settings, threads: settings.threads ?? Math.max(1, share) });
}

/**
 * The arguments of a run that goes on: if it has a checkpoint, it keeps the number of passes of a step, whatever the
 * number of ranks is now.
 */
export async function passesOfRun(
  args: TrainingArguments,
  communicator: Communicator,
): Promise<TrainingArguments> {
  const checkpoints = await new FolderStore(args.output_dir!).list();
  const goesOn = new Ranks(communicator).fromFirst(checkpoints.length > 0);
  return goesOn ? { ...args, gradient_accumulation_steps: undefined } : args;
}

/** What the report says of several ranks. */
export function scaleOf({ size, engine }: Communicator, metrics: Metrics): ScaleCard | undefined {
  if (size === 1) return undefined;
  const { train_runtime, train_communication_seconds: seconds, train_communication_overlap } = metrics;
  return {
    ...{ ranks: size, engine, communication_seconds: seconds, communication_share: seconds / train_runtime },
    ...(train_communication_overlap === undefined ? {} : { overlap: train_communication_overlap }),
  };
}
