/**
 * What a search tries, as the user writes it: `learning-rate=1e-5,1e-4`, `learning-rate=1e-5..1e-3`.
 *
 * @module
 */
import { nearest } from "../data/problem.ts";
import type { SearchRange, SearchSpace } from "../train/mod.ts";
import type { Flag } from "./flags.ts";
import { ARGUMENT_FLAGS } from "./training_flags.ts";
import { UsageError } from "./usage_error.ts";

/** Arguments that are counted. */
const WHOLE = /(steps|size|length|patience|limit|seed)$/;

/** Ranges that span such a factor are drawn evenly by the logarithm. */
const LOG_FACTOR = 10;

/**
 * Reads the values of each setting.
 *
 * @throws {UsageError} if there is no such setting, or its values are of another kind.
 */
export function searchSpace(texts: readonly string[], method: string): SearchSpace {
  const flags: Readonly<Record<string, Flag>> = ARGUMENT_FLAGS;
  return Object.fromEntries(texts.map((text) => {
    const refuse = (problem: string): never => {
      throw new UsageError(`Cannot try ${JSON.stringify(text)}: ${problem}`);
    };
    const [, given, values] = /^([^=]+)=(.+)$/.exec(text) ?? refuse("NAME=VALUES is wanted");
    const name = given.replace(/^--/, "").replaceAll("-", "_"), flag = flags[name];
    if (!Object.hasOwn(flags, name) || !["number", "text", "switch"].includes(flag.kind)) {
      const near = nearest(name, Object.keys(flags));
      refuse(`there is no setting "${name}" to search${near ? `; do you mean "${near}"?` : ""}`);
    }
    const range = /^([^.]+(?:\.\d+)?)\.\.(.+)$/.exec(values);
    if (range && flag.kind === "number") {
      if (method === "grid") refuse("a grid wants a list, as 1e-5,1e-4");
      return [name, rangeOf(name, Number(range[1]), Number(range[2]), refuse)];
    }
    return [name, values.split(",").map((value) => valueOf(flag, value.trim(), refuse))];
  }));
}

function rangeOf(name: string, min: number, max: number, refuse: (problem: string) => never): SearchRange {
  if (!(max > min)) refuse("a range is MIN..MAX with MAX above MIN");
  const whole = WHOLE.test(name) && Number.isInteger(min) && Number.isInteger(max);
  return { min, max, whole, log: !whole && min > 0 && max / min >= LOG_FACTOR };
}

function valueOf({ kind, choices }: Flag, text: string, refuse: (problem: string) => never): unknown {
  if (kind === "number") {
    return text !== "" && !Number.isNaN(Number(text)) ? Number(text) : refuse(`"${text}" is no number`);
  }
  if (kind === "switch") {
    return text === "true" || (text === "false" ? false : refuse(`"${text}" is not true or false`));
  }
  return choices?.includes(text) ?? true ? text : refuse(`"${text}" is none of ${choices!.join(", ")}`);
}
