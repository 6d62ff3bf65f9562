/**
 * Labels of tokens -> entities, as transformers' `TokenClassificationPipeline` aggregates them
 * (https://github.com/huggingface/transformers/blob/main/src/transformers/pipelines/token_classification.py). Pure.
 *
 * @module
 */

/** How tokens are joined to entities; see {@linkcode TokenClassificationOptions}. */
export type AggregationStrategy = "none" | "simple" | "first" | "average" | "max";

/** A token of a text with the probability of each label. */
export interface ScoredToken {
  /** Its text in the vocabulary; for an unknown one its text in the sentence. */
  readonly word: string;
  readonly scores: ArrayLike<number>;
  /** Its place in its row. */
  readonly index: number;
  readonly start: number;
  readonly end: number;
  /** Whether it continues the word before it. */
  readonly isSubword: boolean;
}

/** A token or an entity with its label. `start` and `end` are UTF-16 indices: `text.slice(start, end)`. */
export interface FoundEntity {
  /** The label, as `"B-PER"`; without aggregation only. */
  entity?: string;
  /** The label without `B-` and `I-`; with aggregation only. */
  entity_group?: string;
  /** The label's probability; of several tokens the mean. */
  score: number;
  /** The token's place in the row of tokens, [CLS] being 0; without aggregation only. */
  index?: number;
  /** The token, or the entity's tokens joined. */
  word: string;
  /** Where it begins in the text. */
  start: number;
  /** Where it ends in the text. */
  end: number;
}

/** What the aggregation needs to know of model and tokenizer. */
export interface EntityContext {
  /** The name of a label. */
  label(number: number): string;
  /** Joins tokens to a text. */
  join(tokens: string[]): string;
}

/** A token or word, and what it was taken for. */
interface Labelled {
  readonly entity: string;
  readonly score: number;
  readonly word: string;
  readonly start: number;
  readonly end: number;
  readonly index?: number;
}

/** Joins a row's tokens to entities. */
export function aggregate(
  tokens: readonly ScoredToken[],
  strategy: AggregationStrategy,
  context: EntityContext,
): FoundEntity[] {
  if (strategy === "none") return tokens.map((token) => labelToken(token, context));
  const labelled = strategy === "simple"
    ? tokens.map((token) => labelToken(token, context))
    : wordsOf(tokens).map((word) => labelWord(word, strategy, context));
  return groupsOf(labelled).map((group) => joinGroup(group, context));
}

/** The longest, then the most probable, of entities of several rows that lie over one another, in the text's order. */
export function dropOverlapping(entities: readonly FoundEntity[]): FoundEntity[] {
  const sorted = [...entities].sort((a, b) => a.start - b.start), kept: FoundEntity[] = [];
  for (const entity of sorted) {
    const last = kept.at(-1);
    if (!last || !(last.start <= entity.start && entity.start < last.end)) kept.push(entity);
    else {
      const longer = (entity.end - entity.start) - (last.end - last.start);
      if (longer > 0 || (longer === 0 && entity.score > last.score)) kept[kept.length - 1] = entity;
    }
  }
  return kept;
}

function argmax(scores: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < scores.length; i++) if (scores[i] > scores[best]) best = i;
  return best;
}

function labelToken({ scores, index, word, start, end }: ScoredToken, { label }: EntityContext) {
  const best = argmax(scores);
  return { entity: label(best), score: scores[best], index, word, start, end };
}

/** Tokens of one word together. */
function wordsOf(tokens: readonly ScoredToken[]): ScoredToken[][] {
  const words: ScoredToken[][] = [];
  for (const token of tokens) {
    if (token.isSubword && words.length > 0) words.at(-1)!.push(token);
    else words.push([token]);
  }
  return words;
}

/** One label for a word: of its first token, of its surest token, or of the mean of its tokens. */
function labelWord(
  tokens: readonly ScoredToken[],
  strategy: "first" | "average" | "max",
  { label, join }: EntityContext,
): Labelled {
  const top = ({ scores }: ScoredToken) => scores[argmax(scores)];
  const scores = strategy === "first"
    ? tokens[0].scores
    : strategy === "max"
    ? tokens.reduce((best, token) => top(token) > top(best) ? token : best).scores
    : Array.from(tokens[0].scores, (_, k) => tokens.reduce((sum, t) => sum + t.scores[k], 0) / tokens.length);
  const best = argmax(scores), word = join(tokens.map((token) => token.word));
  return { entity: label(best), score: scores[best], word, start: tokens[0].start, end: tokens.at(-1)!.end };
}

/** `B-` or `I-`, and the rest; labels without either continue what is before them. */
function tagOf(entity: string): [prefix: string, tag: string] {
  return /^[BI]-/.test(entity) ? [entity[0], entity.slice(2)] : ["I", entity];
}

/** Neighbours of one tag together; `B-` begins a new group. */
function groupsOf(labelled: readonly Labelled[]): Labelled[][] {
  const groups: Labelled[][] = [];
  for (const item of labelled) {
    const [prefix, tag] = tagOf(item.entity), last = groups.at(-1)?.at(-1);
    if (last && prefix !== "B" && tagOf(last.entity)[1] === tag) groups.at(-1)!.push(item);
    else groups.push([item]);
  }
  return groups;
}

function joinGroup(group: readonly Labelled[], { join }: EntityContext): FoundEntity {
  const { entity, start } = group[0];
  return {
    entity_group: entity.slice(entity.indexOf("-") + 1),
    score: group.reduce((sum, { score }) => sum + score, 0) / group.length,
    word: join(group.map(({ word }) => word)),
    ...{ start, end: group.at(-1)!.end },
  };
}
