/**
 * Which modules an adapter belongs to, by PEFT's rules for names.
 *
 * @module
 */
import { ConfigError } from "../../errors.ts";
import { Linear } from "../layers.ts";
import type { Module } from "../module.ts";
import type { LoraConfig } from "./config.ts";

/** Targets where none are given, by the first that a model has: those of BERT and DistilBERT. */
const DEFAULT_TARGETS = [["query", "value"], ["q_lin", "v_lin"]];

/** The names of output layers, which `all-linear` leaves out: by task, and those that score word pieces. */
const OUTPUT_LAYERS: Readonly<Record<string, RegExp>> = { SEQ_CLS: /^(classifier|score)$/ };
const WORD_SCORES = /^(cls\.predictions\.decoder|vocab_projector)$/;

/** True if the name is one of those, or ends with one of them as a part of its own. */
function endsWithAny(name: string, ends: readonly string[]): boolean {
  return ends.some((end) => name === end || name.endsWith(`.${end}`));
}

function matches(name: string, targets: readonly string[] | string): boolean {
  return typeof targets === "string" ? isWhole(targets, name) : endsWithAny(name, targets);
}

/** True if the pattern matches the whole name, or what follows a dot in it if `suffix`. */
function isWhole(pattern: string, name: string, suffix = false): boolean {
  checkPattern(pattern);
  return new RegExp(`${suffix ? "(^|\\.)" : "^"}(?:${pattern})$`, "s").test(name);
}

/** Repetitions in a pattern at most: names are short, so that even the worst pattern of so many ends soon. */
const MAX_REPETITIONS = 4;

function checkPattern(source: string): void {
  const repetitions = source.match(/[*+{]/g)?.length ?? 0;
  if (repetitions > MAX_REPETITIONS || /\)[*+{]/.test(source)) {
    throw new ConfigError(
      `Cannot use LoRA with the pattern ${JSON.stringify(source)}: ` +
        `at most ${MAX_REPETITIONS} repetitions, and none of a group, are wanted`,
    );
  }
  try {
    new RegExp(source);
  } catch (cause) {
    throw new ConfigError(`Cannot use LoRA with the pattern ${JSON.stringify(source)}: it is malformed`, {
      cause,
    });
  }
}

/** The number of the layer that a module stands in, or -1. */
function layerOf(name: string): number {
  return Number(/^.*?\.[^.]*\.(\d+)\./.exec(name)?.[1] ?? -1);
}

/** The Linear modules that a configuration adapts, by name, and the targets as PEFT finds the same ones. */
export function findTargets(
  model: Module,
  config: LoraConfig,
): { targets: Map<string, Linear>; target_modules: readonly string[] | string } {
  const modules = new Map(model.named_modules()), { exclude_modules, layers_to_transform } = config;
  const saved = [...findSaved(model, config).keys()];
  const isFree = (name: string) => !saved.some((other) => name === other || name.startsWith(`${other}.`));
  const linear = Array.from(modules).filter(([name, module]) => module instanceof Linear && isFree(name));
  let wanted = config.target_modules;
  if (typeof wanted === "string" && wanted.toLowerCase() === "all-linear") {
    const output = OUTPUT_LAYERS[config.task_type ?? ""];
    wanted = linear.map(([name]) => name).filter((name) => !WORD_SCORES.test(name) && !output?.test(name));
  }
  wanted ??= DEFAULT_TARGETS.find((names) => linear.some(([name]) => endsWithAny(name, names))) ?? [];
  const targets = new Map<string, Linear>();
  for (const [name, module] of modules) {
    if (!matches(name, wanted) || !isFree(name)) continue;
    if (exclude_modules !== null && matches(name, exclude_modules)) continue;
    const whole = typeof wanted !== "string" && wanted.includes(name);
    if (layers_to_transform && !whole && !layers_to_transform.includes(layerOf(name))) continue;
    if (!(module instanceof Linear)) {
      throw new ConfigError(`Cannot adapt "${name}": it is a ${module.typeName}, a Linear is wanted`);
    }
    if (module.adapter) {
      throw new ConfigError(`Cannot adapt "${name}": it has an adapter already; unload() that first`);
    }
    targets.set(name, module);
  }
  if (targets.size === 0) {
    throw new ConfigError(`Cannot adapt the model: no Linear of it matches ${JSON.stringify(wanted)}`);
  }
  return { targets, target_modules: wanted };
}

/** The modules that are trained whole, by name. */
export function findSaved(model: Module, config: LoraConfig): Map<string, Module> {
  const ends = config.modules_to_save ?? [];
  return new Map(Array.from(model.named_modules()).filter(([name]) => endsWithAny(name, ends)));
}

/** The value of the first pattern that a name ends with, or a fallback. */
export function patternValue(
  patterns: Readonly<Record<string, number>>,
  name: string,
  fallback: number,
): number {
  const found = Object.entries(patterns).find(([pattern]) => isWhole(pattern, name, true));
  return found?.[1] ?? fallback;
}
