/**
 * Precision, recall and F1 of whole entities in tagged words, as seqeval counts them
 * (https://github.com/chakki-works/seqeval): lenient by default, strict if a scheme is given.
 *
 * @module
 */
import { DataError } from "../errors.ts";
import { compareLabels, nanMean } from "./check.ts";
import type { ClassScores } from "./classification_report.ts";
import { type Entity, strictEntities, type TagScheme } from "./tag_schemes.ts";

/** Options of {@linkcode seqeval_scores}. */
export interface SeqevalOptions {
  /** Counts only entities that follow this scheme exactly. Default: what seqeval's default mode takes for an entity. */
  scheme?: TagScheme;
  /** The tag's letter stands at the end (`PER-B`). Default false. */
  suffix?: boolean;
  /** What a ratio without a denominator is, 0 or 1. Default 0. */
  zero_division?: 0 | 1;
}

/** What {@linkcode seqeval_scores} finds. */
export interface SeqevalScores {
  /** The scores of each type of entity, by name, in order. */
  perType: Record<string, ClassScores>;
  /** All entities together: what papers report. */
  micro: ClassScores;
  /** The mean over the types; NaN if there is no entity at all. */
  macro: ClassScores;
  /** The mean over the types, weighted by support. */
  weighted: ClassScores;
  /** The share of words whose tag is right. */
  accuracy: number;
}

function split(tag: string, suffix: boolean): [letter: string, type: string] {
  if (!suffix) return [tag[0], tag.slice(1).replace(/^[^-]*-/, "") || "_"];
  return [tag[tag.length - 1], tag.slice(0, -1).replace(/-[^-]*$/, "") || "_"];
}

const ENDS = new Set(["BB", "BS", "BO", "IB", "IS", "IO"]);
const STARTS = new Set(["EE", "EI", "SE", "SI", "OE", "OI"]);

/**
 * The entities in a row of tags, as seqeval's `get_entities` finds them: an `I-` without its `B-` begins one too.
 *
 * @param tags The tags of the words, such as `B-PER`, `I-PER`, `O`.
 * @param options The same as for {@linkcode seqeval_scores}.
 * @returns The entities in order.
 * @throws {DataError} if a tag is empty, or no tag of the scheme.
 *
 * @example
 * ```ts
 * import { get_entities } from "@berth/berth";
 *
 * console.log(get_entities(["B-PER", "I-PER", "O", "B-LOC"]));
 * // [{ type: "PER", start: 0, end: 2 }, { type: "LOC", start: 3, end: 4 }]
 * ```
 */
export function get_entities(
  tags: readonly string[],
  options: Pick<SeqevalOptions, "scheme" | "suffix"> = {},
): Entity[] {
  const { scheme, suffix = false } = options, found: Entity[] = [];
  const empty = tags.findIndex((tag) => typeof tag !== "string" || tag === "");
  if (empty >= 0) throw new DataError(`Cannot find the entities: the tag of word ${empty} is empty`);
  if (scheme) return strictEntities(tags, scheme, suffix);
  let before = "O", beforeType = "", start = 0;
  for (let i = 0; i <= tags.length; i++) {
    const [letter, type] = split(tags[i] ?? "O", suffix), pair = before + letter;
    const isOther = beforeType !== type;
    if (before === "E" || before === "S" || ENDS.has(pair) || (isOther && before !== "O" && before !== ".")) {
      found.push({ type: beforeType, start, end: i });
    }
    if (
      letter === "B" || letter === "S" || STARTS.has(pair) || (isOther && letter !== "O" && letter !== ".")
    ) {
      start = i;
    }
    [before, beforeType] = [letter, type];
  }
  return found;
}

interface TypeCounts {
  right: number;
  predicted: number;
  support: number;
}

/** Counts by type; an entity counts once however often it is found. */
function count(y_true: readonly string[][], y_pred: readonly string[][], options: SeqevalOptions) {
  const counts = new Map<string, TypeCounts>();
  const of = (type: string) => {
    if (!counts.has(type)) counts.set(type, { right: 0, predicted: 0, support: 0 });
    return counts.get(type)!;
  };
  // seqeval's default mode reads all texts as one row, with an O after each.
  const rows = (texts: readonly string[][]) =>
    options.scheme ? texts : [texts.flatMap((tags) => [...tags, "O"])];
  const all = rows(y_pred);
  rows(y_true).forEach((tags, i) => {
    const keys = (row: readonly string[]) =>
      new Map(
        get_entities(row, options).map((entity) => [`${entity.start} ${entity.end} ${entity.type}`, entity]),
      );
    const expected = keys(tags), predicted = keys(all[i]);
    for (const { type } of expected.values()) of(type).support++;
    for (const [key, { type }] of predicted) {
      of(type).predicted++;
      if (expected.has(key)) of(type).right++;
    }
  });
  return new Map([...counts].sort(([a], [b]) => compareLabels(a, b)));
}

function scores({ right, predicted, support }: TypeCounts, zero: number): ClassScores {
  const precision = predicted === 0 ? zero : right / predicted,
    recall = support === 0 ? zero : right / support;
  return { precision, recall, f1: 2 * precision * recall / (precision + recall || 1), support };
}

/**
 * Compares predicted with true tags, entity by entity: right are those of the same type and the same words.
 *
 * @param y_true The true tags of each text's words.
 * @param y_pred The predicted tags, as many.
 * @throws {DataError} if the lengths differ, there is no text, or a tag is none of the scheme.
 *
 * @example
 * ```ts
 * import { seqeval_scores } from "@berth/berth";
 *
 * const { micro, perType } = seqeval_scores([["B-PER", "I-PER", "O", "B-LOC"]], [["B-PER", "O", "O", "B-LOC"]]);
 * console.log(micro.f1, perType.LOC.f1); // 0.5 1
 * ```
 */
export function seqeval_scores(
  y_true: readonly string[][],
  y_pred: readonly string[][],
  options: SeqevalOptions = {},
): SeqevalScores {
  const uneven = y_true.findIndex((tags, i) => tags.length !== y_pred[i]?.length);
  if (y_true.length !== y_pred.length || y_true.length === 0 || uneven >= 0) {
    const [expected, predicted] = uneven < 0 ? [y_true, y_pred] : [y_true[uneven], y_pred[uneven] ?? []];
    const place = uneven < 0 ? "" : ` in text ${uneven}`;
    throw new DataError(
      `Cannot compare tags: there are ${expected.length} expected and ${predicted.length} predicted${place}, ` +
        "wanted as many and at least one",
    );
  }
  const counts = count(y_true, y_pred, options), { zero_division: zero = 0 } = options;
  const sum = { right: 0, predicted: 0, support: 0 };
  for (const { right, predicted, support } of counts.values()) {
    sum.right += right;
    sum.predicted += predicted;
    sum.support += support;
  }
  const each = [...counts.values()].map((own) => scores(own, zero));
  const average = (weights?: number[]): ClassScores => {
    const one = (name: "precision" | "recall" | "f1") => nanMean(each.map((own) => own[name]), weights);
    return { precision: one("precision"), recall: one("recall"), f1: one("f1"), support: sum.support };
  };
  const missed = sum.predicted === 0 ? zero : 0, { support } = sum;
  const words = y_true.flatMap((tags, i) => tags.map((tag, j) => tag === y_pred[i][j]));
  return {
    perType: Object.fromEntries([...counts.keys()].map((type, k) => [type, each[k]])),
    micro: scores(sum, zero),
    macro: average(),
    // Without a true entity, seqeval takes no mean.
    weighted: support > 0
      ? average(each.map((own) => own.support))
      : { precision: missed, recall: zero, f1: missed, support },
    accuracy: words.filter(Boolean).length / words.length,
  };
}
