/**
 * One text -> its tokens: added tokens, normalizer, pre-tokenizer, word pieces.
 *
 * @module
 */

import type { AddedVocabulary } from "./added_tokens.ts";
import type { Normalizer } from "./normalizer.ts";
import { TokenBuffer, type TokenSequence } from "./token_buffer.ts";
import type { WordPiece } from "./word_piece.ts";

// Units normalized at a time: the working set stays in the cache (1 MB of text: 14 ms, at once 18 ms).
const SEGMENT = 8192;

/** Where to end a segment: before a space, where no word, accent or pair of surrogates is parted. */
export function segmentEnd(text: string, begin: number, end: number): number {
  let cut = begin + SEGMENT;
  while (cut < end && text[cut] !== " ") cut++;
  return Math.min(cut, end);
}

/** Turns a text, or one that is given word by word (positions then count from the word's start), into tokens. */
export type Pipeline = (input: string | readonly string[], splitSpecial: boolean) => TokenSequence;

/** Puts the stages together; their buffers are reused from text to text. */
export function makePipeline(added: AddedVocabulary, normalizer: Normalizer, model: WordPiece): Pipeline {
  const out = new TokenBuffer();

  const segments = (text: string, begin: number, end: number): void => {
    while (begin < end) {
      const cut = segmentEnd(text, begin, end);
      normalizer.run(text, begin, cut);
      out.locate(text, normalizer);
      model.run(normalizer.units, 0, normalizer.length, out);
      begin = cut;
    }
  };

  const normalizedSplit = (text: string, begin: number, end: number, splitSpecial: boolean): void => {
    normalizer.run(text, begin, end);
    out.locate(text, normalizer);
    const normalized = normalizer.text();
    for (const { id, begin, end } of added.split(normalized, true, splitSpecial)) {
      if (id < 0) model.run(normalizer.units, begin, end, out);
      else addToken(id, out.startOf(begin), out.endOf(end - 1), normalized.slice(begin, end));
    }
  };

  const addToken = (id: number, start: number, end: number, match: string): void =>
    out.pushAdded(id, start, end, match === added.tokens.get(id)!.content ? null : match);

  const encode = (text: string, splitSpecial: boolean): void => {
    for (const { id, begin, end } of added.split(text, false, splitSpecial)) {
      if (id >= 0) addToken(id, begin, end, text.slice(begin, end));
      else if (added.hasNormalized) normalizedSplit(text, begin, end, splitSpecial);
      else segments(text, begin, end);
    }
  };

  return (input, splitSpecial) => {
    if (out.size > 0) out.take(); // the remains of a call that failed
    if (typeof input === "string") encode(input, splitSpecial);
    else {
      input.forEach((word, i) => {
        const first = out.size;
        encode(word, splitSpecial);
        out.joinWords(first, i);
      });
    }
    return out.take();
  };
}
