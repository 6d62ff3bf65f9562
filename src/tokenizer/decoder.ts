/**
 * Tokens -> text.
 *
 * @module
 */

const CLEANUP: readonly (readonly [string, string])[] = [
  [" .", "."],
  [" ?", "?"],
  [" !", "!"],
  [" ,", ","],
  [" ' ", "'"],
  [" n't", "n't"],
  [" 'm", "'m"],
  [" 's", "'s"],
  [" 've", "'ve"],
  [" 're", "'re"],
];

/** Removes the spaces that splitting put before punctuation and English contractions. */
export function cleanUp(text: string): string {
  return CLEANUP.reduce((result, [from, to]) => result.replaceAll(from, to), text);
}

/**
 * Joins word pieces.
 *
 * @param prefix marks pieces that continue a word.
 * @param cleanup whether each token, with the space before it, is cleaned up.
 */
export function joinPieces(tokens: readonly string[], prefix: string, cleanup: boolean): string {
  return tokens.map((token, i) => {
    const piece = i === 0 ? token : token.startsWith(prefix) ? token.slice(prefix.length) : " " + token;
    // Single tokens have one rule more than whole texts.
    return cleanup && /[.?!,']| not/.test(piece) ? cleanUp(piece).replaceAll(" do not", " don't") : piece;
  }).join("");
}
