/**
 * The program: finds the command, runs it, words its errors.
 *
 * Exit codes: 0 done; 1 failed; 2 called wrongly; 130 and 143 ended by SIGINT and SIGTERM.
 *
 * @module
 */
import { nearest } from "../data/problem.ts";
import { findLaunch } from "../distributed/launcher.ts";
import { type Command, commandHelp, COMMON_FLAGS } from "./command.ts";
import { tellFailure } from "./failure.ts";
import { parseFlags } from "./flags.ts";
import { Terminal, thisProcess } from "./terminal.ts";
import { UsageError } from "./usage_error.ts";
import { VERSION } from "../version.ts";

/** The commands: what each does, and its module, which is loaded when it is asked for. */
const COMMANDS: Readonly<
  Record<string, readonly [about: string, load: () => Promise<{ command: Command }>]>
> = {
  train: ["fine-tunes a model on a file of examples", () => import("./train.ts")],
  search: ["trains with different settings and tells which do best", () => import("./search.ts")],
  "find-lr": ["tries learning rates and draws the loss", () => import("./find_lr.ts")],
  eval: ["measures a model on a file of examples", () => import("./eval.ts")],
  predict: ["labels texts from the command line, a file or standard input", () => import("./predict.ts")],
  embed: ["makes vectors of texts", () => import("./embed.ts")],
  tokenize: ["shows the tokens of texts", () => import("./tokenize.ts")],
  inspect: ["shows a model's modules, parameters and what a step takes", () => import("./inspect.ts")],
  export: ["writes a model as ONNX", () => import("./export.ts")],
  download: ["fetches a model's files from the hub", () => import("./download.ts")],
  report: ["makes a run's report again, or compares several runs", () => import("./report.ts")],
  verify: ["makes some steps of a run again and compares every bit", () => import("./verify.ts")],
  schema: ["prints the JSON schema of the file that train --config reads", () => import("./schema.ts")],
  doctor: ["tells what this machine and runtime can do", () => import("./doctor.ts")],
};

function programHelp(): string {
  return [
    "berth COMMAND [FLAGS]",
    "",
    "Fine-tunes BERT, and uses what came of it.",
    "",
    "Commands",
    ...Object.entries(COMMANDS).map(([name, [about]]) => `  ${name.padEnd(10)}${about}`),
    "",
    "berth COMMAND --help shows a command's flags, with examples; berth --version the version.",
    "",
    "Examples",
    "  berth train --model berth-tiny --train train.tsv --test test.tsv --out out/run",
    '  berth predict --model out/run/model "I love baseball."',
  ].join("\n");
}

const FIRST_TELLS_MS = 3000;

/** Runs the program with this process's arguments, and ends the process. */
export async function runProgram(): Promise<void> {
  const process = thisProcess(), args = process.argv.slice(2), terminal = new Terminal();
  let code: number;
  try {
    code = await runArguments(args, terminal);
  } catch (error) {
    // Of several ranks, all are called wrongly alike: the first one says so, while the others wait.
    const isToldElsewhere = error instanceof UsageError && (findLaunch()?.rank ?? 0) > 0;
    if (isToldElsewhere) await new Promise((resolve) => setTimeout(resolve, FIRST_TELLS_MS));
    code = isToldElsewhere ? 2 : tellFailure(error, terminal, args.includes("--debug"));
  }
  await new Promise<void>((resolve) => process.stdout.write("", () => resolve()));
  process.exit(code);
}

async function runArguments(args: readonly string[], terminal: Terminal): Promise<number> {
  const [name, ...rest] = args;
  if (name === "--version" || name === "-v" || name === "version") return await done(terminal, VERSION);
  if (name === "--help" || name === "-h" || name === "help" && rest.length === 0) {
    return await done(terminal, programHelp());
  }
  if (name === undefined) throw new UsageError(`Cannot run berth without a command\n\n${programHelp()}`);
  const wanted = name === "help" ? rest[0] : name;
  if (!Object.hasOwn(COMMANDS, wanted)) {
    const near = nearest(wanted, Object.keys(COMMANDS)), known = Object.keys(COMMANDS).join(", ");
    throw new UsageError(
      `Cannot run "berth ${wanted}": there is no such command; ${
        near ? `do you mean ${near}?` : `there are ${known}`
      }`,
    );
  }
  const { command } = await COMMANDS[wanted][1]();
  const flags = { ...command.flags, ...COMMON_FLAGS };
  const { values, positionals } = parseFlags(name === "help" ? ["--help"] : rest, flags);
  if (values.help) return await done(terminal, commandHelp(wanted, command));
  const [least, most] = command.words ?? [0, 0];
  if (positionals.length < least || positionals.length > most) {
    const extra = positionals.length > most ? `"${positionals[most]}" is one word too many; ` : "";
    throw new UsageError(`Cannot run "berth ${wanted}": ${extra}wanted is: berth ${wanted} ${command.usage}`);
  }
  terminal.quiet = values.quiet === true;
  return await command.run({ values, positionals, terminal, json: values.json === true }) ?? 0;
}

async function done(terminal: Terminal, text: string): Promise<number> {
  await terminal.out(`${text}\n`);
  return 0;
}
