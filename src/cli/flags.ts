/**
 * Flags: how a command declares them, and how they are read from the command line. A flag is declared in transformers'
 * spelling, `num_train_epochs`; the user may write `--num-train-epochs` or `--num_train_epochs`.
 *
 * @module
 */
import { nearest } from "../data/problem.ts";
import { RuntimeError } from "../errors.ts";
import { builtin } from "../runtime/platform.ts";
import { UsageError } from "./usage_error.ts";

/** What a flag's value is. A `list` is given by several flags, `names` as `a,b`, `numbers` as `1,2.5`, `json` as JSON. */
export type FlagKind = "text" | "number" | "switch" | "list" | "names" | "numbers" | "json";

/** A flag. */
export interface Flag {
  readonly kind: FlagKind;
  /** One line for the user. */
  readonly help: string;
  /** The values that it may have. */
  readonly choices?: readonly string[];
  /** Its one letter. */
  readonly short?: string;
  /** Another name of it. */
  readonly alias?: string;
  /** What stands for the value in the help, such as `FILE`. */
  readonly value?: string;
}

/** The flags of a command by name. */
export type Flags = Readonly<Record<string, Flag>>;

interface Kinds {
  text: string;
  number: number;
  switch: boolean;
  list: string[];
  names: string[];
  numbers: number[];
  json: unknown;
}

/** What was given, by name. */
export type FlagValues<F extends Flags> = { -readonly [Name in keyof F]?: Kinds[F[Name]["kind"]] };

/** What a command line says. */
export interface ParsedFlags<F extends Flags> {
  readonly values: FlagValues<F>;
  readonly positionals: readonly string[];
}

/** A flag as the user writes it. */
export function flagName(name: string): string {
  return `--${name.replaceAll("_", "-")}`;
}

/**
 * Reads a command line.
 *
 * @throws {UsageError} if there is no such flag, or its value is of another kind.
 */
export function parseFlags<F extends Flags>(args: readonly string[], flags: F): ParsedFlags<F> {
  const util = builtin("node:util");
  if (!util) throw new RuntimeError("Cannot read the command line: this runtime has no node:util");
  const { tokens } = util.parseArgs({
    args: args.map(plainSpelling),
    options: parseOptions(flags),
    ...{ allowPositionals: true, strict: false, tokens: true },
  });
  const names = new Map(
    Object.entries(flags).flatMap(([name, { alias }]) =>
      [name, ...(alias ? [alias] : [])].map((spelled) => [spelled.replaceAll("_", "-"), name] as const)
    ),
  );
  const values: Record<string, unknown> = {}, positionals: string[] = [];
  let taken = -1; // the argument that was a value
  for (const token of tokens) {
    if (token.kind === "positional" && token.index > taken) positionals.push(token.value);
    if (token.kind !== "option" || token.index <= taken) continue;
    const negated = token.name.startsWith("no-") ? names.get(token.name.slice(3)) : undefined;
    const off = negated !== undefined && flags[negated].kind === "switch";
    const name = off ? negated : names.get(token.name);
    if (name === undefined) throw unknownFlag(token.rawName, [...names.keys()]);
    const flag = flags[name];
    if (flag.kind === "switch") {
      values[name] = !off && switchValue(token.rawName, token.value);
      continue;
    }
    const own = token.inlineValue ? undefined : token.value;
    if (token.value === undefined || own !== undefined && /^--?[a-z]/i.test(own)) {
      throw new UsageError(
        `Cannot use ${token.rawName}: it has no value, ${flag.value ?? flag.kind} is wanted`,
      );
    }
    const value = readValue(token.rawName, flag, token.value);
    values[name] = flag.kind === "list" ? [...(values[name] as string[] ?? []), value] : value;
    if (own !== undefined) taken = token.index + 1;
  }
  return { values: values as FlagValues<F>, positionals };
}

/** `--max_steps=3` as `--max-steps=3`. */
function plainSpelling(argument: string): string {
  const [, name, rest] = /^--([a-z][\w-]*)(=.*)?$/is.exec(argument) ?? [];
  return name === undefined ? argument : `--${name.replaceAll("_", "-")}${rest ?? ""}`;
}

function parseOptions(flags: Flags): Record<string, { type: "string" | "boolean"; short?: string }> {
  const options: Record<string, { type: "string" | "boolean"; short?: string }> = {};
  for (const [name, { kind, short, alias }] of Object.entries(flags)) {
    const type = kind === "switch" ? "boolean" : "string";
    options[name.replaceAll("_", "-")] = { type, ...(short ? { short } : {}) };
    if (alias) options[alias.replaceAll("_", "-")] = { type };
  }
  return options;
}

function unknownFlag(given: string, names: readonly string[]): UsageError {
  const near = nearest(given.replace(/^-+/, ""), names);
  return new UsageError(
    `Cannot use ${given}: there is no such flag${near ? `; do you mean --${near}?` : ""}`,
  );
}

function switchValue(name: string, value: string | undefined): boolean {
  if (value === undefined || /^(true|1)$/i.test(value)) return true;
  if (/^(false|0)$/i.test(value)) return false;
  throw new UsageError(`Cannot use ${name} ${JSON.stringify(value)}: true or false is wanted`);
}

/** A value from its text. */
function readValue(name: string, flag: Flag, text: string): unknown {
  const refuse = (wanted: string): never => {
    throw new UsageError(`Cannot use ${name} ${JSON.stringify(text)}: ${wanted} is wanted`);
  };
  const number = (part: string) => part.trim() === "" ? NaN : Number(part);
  if (flag.kind === "number") return Number.isNaN(number(text)) ? refuse("a number") : number(text);
  if (flag.kind === "numbers") {
    const numbers = text.split(",").map(number);
    return numbers.some(Number.isNaN) ? refuse("numbers with commas between them") : numbers;
  }
  if (flag.kind === "json") {
    try {
      return JSON.parse(text);
    } catch {
      return refuse("JSON");
    }
  }
  const parts = flag.kind === "names" ? text.split(",").map((part) => part.trim()) : [text];
  if (flag.choices && !parts.every((part) => flag.choices!.includes(part))) {
    return refuse(`one of ${flag.choices.join(", ")}`);
  }
  return flag.kind === "names" ? parts : text;
}
