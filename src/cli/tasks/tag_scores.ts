/**
 * Predicted tags against true ones: whole entities, or word by word.
 *
 * @module
 */
import { classificationReport, confusionCounts, seqeval_scores } from "../../metrics/mod.ts";
import { softmax } from "../../model/probabilities.ts";
import type { ClassRow } from "../../report/mod.ts";
import type { EvalPrediction } from "../../train/mod.ts";
import { argmax, type KnownLabels } from "./task.ts";

/** The tags of each text's words, as far as its tokens reach. */
export interface TagRows {
  readonly expected: string[][];
  readonly found: string[][];
  /** The probability of each text's least certain tag. */
  readonly sureness: number[];
}

/** A tag with the letter of its place in an entity. */
const ENTITY_TAG = /^[BIESLUM]-./;

/** True if the tags say where entities begin and go on. */
export function hasEntities({ labels }: KnownLabels): boolean {
  return labels.some((label) => ENTITY_TAG.test(label));
}

/** The tags of words, each from its first token. */
export function tagRows({ predictions, label_ids }: EvalPrediction, { labels }: KnownLabels): TagRows {
  const rows = predictions as number[][][], expected: string[][] = [], found: string[][] = [];
  const sureness = rows.map((row, i) => {
    const own = label_ids[i] as number[], places = own.flatMap((label, t) => label < 0 ? [] : [t]);
    expected.push(places.map((t) => labels[own[t]]));
    found.push(places.map((t) => labels[argmax(row[t])]));
    return places.reduce((least, t) => Math.min(least, Math.max(...softmax(row[t]))), 1);
  });
  return { expected, found, sureness };
}

/** The scores of each type of entity, or of each tag. */
export function tagScores({ expected, found }: TagRows, known: KnownLabels): ClassRow[] {
  if (hasEntities(known)) {
    return Object.entries(seqeval_scores(expected, found).perType).map(([label, one]) => ({ label, ...one }));
  }
  const number = new Map(known.labels.map((label, id) => [label, id]));
  const ids = (rows: string[][]) => rows.flat().map((tag) => number.get(tag)!);
  const counts = confusionCounts(ids(expected), ids(found), known.labels.map((_, k) => k));
  return classificationReport(counts).perClass.map((one, k) => ({ label: known.labels[k], ...one }));
}
