/**
 * A command of the program: its flags, its help, and what it does.
 *
 * @module
 */
import { type Flag, flagName, type Flags, type FlagValues } from "./flags.ts";
import type { Terminal } from "./terminal.ts";

/** What a command is given. */
export interface CommandInput<F extends Flags> {
  readonly values: FlagValues<F>;
  /** What stands on the command line besides flags. */
  readonly positionals: readonly string[];
  readonly terminal: Terminal;
  /** True if results are wanted as JSON. */
  readonly json: boolean;
}

/** A command. */
export interface Command<F extends Flags = Flags> {
  /** What stands after its name, such as `FOLDER [TEXT...]`. */
  readonly usage: string;
  /** What it does, one or more lines. */
  readonly about: string;
  /** How many words besides flags it takes: at least, at most. Default: none. */
  readonly words?: readonly [least: number, most: number];
  readonly flags: F;
  /** Command lines that work, each with what it does. */
  readonly examples: readonly (readonly [line: string, does: string])[];
  /** Does it. Gives the exit code if it is not 0. */
  run(input: CommandInput<F>): Promise<number | void>;
}

/** Flags that every command has. */
export const COMMON_FLAGS = {
  json: { kind: "switch", help: "writes results as JSON" },
  quiet: { kind: "switch", help: "writes no progress and no notes", short: "q" },
  debug: { kind: "switch", help: "shows where an error came from" },
  help: { kind: "switch", help: "shows this", short: "h" },
} as const satisfies Flags;

/** Flags of commands that compute. */
export const RUNTIME_FLAGS = {
  threads: { kind: "number", value: "N", help: "threads; default: all logical cores" },
  profile: {
    kind: "text",
    value: "NAME",
    choices: ["relaxed", "simd", "single"],
    help: "kernels: relaxed, simd (same bits on every machine), single; default: the best here",
  },
} as const satisfies Flags;

/** Flags of commands that find models. */
export const MODEL_FLAGS = {
  model: {
    ...{ kind: "text", value: "NAME", short: "m" },
    help: "a folder, a URL, an id on the Hugging Face hub, or berth-tiny, which berth carries",
  },
  revision: {
    kind: "text",
    value: "NAME",
    help: "branch, tag or commit of a model on the hub; default: main",
  },
  cache_dir: {
    kind: "text",
    value: "FOLDER",
    help: "where downloaded models are; default: as huggingface_hub",
  },
  local_files_only: { kind: "switch", help: "uses downloaded files only, no network" },
} as const satisfies Flags;

/** Lets the types of a command's flags be told from the flags. */
export function defineCommand<const F extends Flags>(command: Command<F>): Command {
  return command as unknown as Command;
}

/** A command's help. */
export function commandHelp(name: string, command: Command): string {
  const { usage, about, flags, examples } = command;
  return [
    `berth ${name} ${usage}`.trimEnd(),
    "",
    about,
    ...section("Flags", Object.entries(flags)),
    ...section("General", Object.entries(COMMON_FLAGS)),
    "",
    "Examples",
    ...examples.flatMap(([line, does]) => [`  # ${does}`, `  ${line}`]),
  ].join("\n");
}

const LEFT = 36;

function section(title: string, flags: readonly (readonly [string, Flag])[]): string[] {
  if (flags.length === 0) return [];
  const lines = flags.map(([name, flag]) => {
    const value = flag.kind === "switch" ? "" : ` ${flag.value ?? PLACEHOLDERS[flag.kind]}`;
    const left = `  ${flag.short ? `-${flag.short}, ` : ""}${flagName(name)}${value}`;
    return left.length < LEFT
      ? `${left.padEnd(LEFT)}${flag.help}`
      : `${left}\n${" ".repeat(LEFT)}${flag.help}`;
  });
  return ["", title, ...lines];
}

const PLACEHOLDERS = {
  text: "TEXT",
  number: "N",
  list: "TEXT",
  names: "A,B",
  numbers: "N,N",
  json: "JSON",
  switch: "",
};
