/**
 * What a service accepts from strangers, and the checks.
 *
 * @module
 */
import { RequestError } from "../errors.ts";

/** Limits of a service. */
export interface ServiceLimits {
  /** Bytes of a request's body. Default 1 MiB. */
  bodyBytes: number;
  /** Examples of a run. Default 2000. */
  examples: number;
  /** Texts of one prediction. Default 64. */
  texts: number;
  /** UTF-16 units of a text. Default 4000. */
  textLength: number;
  /** Labels of a run. Default 32. */
  labels: number;
  /** Optimizer steps of a run. Default 20,000. */
  steps: number;
}

/** The defaults. */
export const SERVICE_LIMITS: ServiceLimits = {
  bodyBytes: 2 ** 20,
  examples: 2000,
  texts: 64,
  textLength: 4000,
  labels: 32,
  steps: 20_000,
};

/** Letters and digits, and inside `_`, `-`, `.` and spaces. */
const LABEL = /^[\p{L}\p{N}](?:[\p{L}\p{M}\p{N}_.\- ]{0,62}[\p{L}\p{M}\p{N}])?$/u;
const ID = /^[A-Za-z0-9_-]{1,64}$/;

/** @throws {RequestError} 400 */
export function refuse(message: string): never {
  throw new RequestError(400, message);
}

/** Makes sure that it is a run's id. */
export function checkId(id: unknown): string {
  if (typeof id === "string" && ID.test(id)) return id;
  return refuse(`Cannot use the id ${show(id)}: 1 to 64 letters, digits, "_" or "-" are wanted`);
}

/** Makes sure that these are texts within the limits. */
export function checkTexts(texts: unknown, most: number, { textLength }: ServiceLimits): string[] {
  if (!Array.isArray(texts) || texts.length === 0) {
    return refuse("Cannot read texts: a list of at least one text is wanted");
  }
  if (texts.length > most) {
    throw new RequestError(413, `Cannot take ${texts.length} texts: at most ${most} are wanted`);
  }
  texts.forEach((text, i) => {
    if (typeof text !== "string" || text.trim() === "") {
      refuse(`Cannot read text ${i}: it is ${show(text)}, a text is wanted`);
    }
    if (text.length > textLength) {
      throw new RequestError(
        413,
        `Cannot take text ${i}: it has ${text.length} characters, at most ${textLength} are wanted`,
      );
    }
  });
  return texts;
}

/** Makes sure that these are at least two different labels with sound names. */
export function checkLabels(labels: unknown, limits: ServiceLimits): string[] {
  if (!Array.isArray(labels) || labels.length < 2 || new Set(labels).size !== labels.length) {
    return refuse("Cannot train: at least two different labels are wanted");
  }
  if (labels.length > limits.labels) {
    throw new RequestError(
      413,
      `Cannot train on ${labels.length} labels: at most ${limits.labels} are wanted`,
    );
  }
  for (const label of labels) {
    if (typeof label === "string" && LABEL.test(label)) continue;
    refuse(
      `Cannot use the label ${
        show(label)
      }: 1 to 64 letters or digits, inside also "_", "-", "." or spaces, are wanted`,
    );
  }
  return labels;
}

/** Makes sure that it is a number within a range. */
export function checkNumber(name: string, value: unknown, least: number, most: number, whole = true): number {
  if (typeof value === "number" && value >= least && value <= most && (!whole || Number.isInteger(value))) {
    return value;
  }
  return refuse(
    `Cannot use ${name} ${show(value)}: a ${whole ? "whole " : ""}number from ${least} to ${most} is wanted`,
  );
}

/** A value for a message, cut to a reasonable length. */
export function show(value: unknown): string {
  const text = JSON.stringify(value) ?? "missing";
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}
