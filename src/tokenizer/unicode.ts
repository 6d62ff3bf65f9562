/**
 * Character classes of BERT, as the reference implementation (huggingface/tokenizers) has them: its categories
 * are those of Unicode 8, its decompositions and combining classes of Unicode 9, its lower case of Unicode 17.
 * The runtime's own tables are used, minus the characters that came later, so every runtime agrees.
 *
 * @module
 */

const SPACE = /\p{White_Space}/u;
const REMOVED = /(?![\t\n\r\u0890-\u08e2\u{110cd}-\u{1343f}])[\p{Cc}\p{Cf}\p{Co}\ufffd]/u;
const PUNCTUATION =
  /[$+<=>^`|~\u166d\u{111c9}]|(?![\u061d\u09fd-\u0a76\u0c77-\u0c84\u1b4e-\u1b4f\u1b7d-\u1b7f\u2e43-\u2e5d\u{10d6e}-\u{10f89}\u{113d4}-\u{1145d}\u{11660}-\u{116b9}\u{1183b}-\u{11fff}\u{12ff1}-\u{12ff2}\u{16d6d}-\u{16fe2}\u{1e5ff}-\u{1e95f}])\p{P}/u;
const CHINESE =
  /[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u{20000}-\u{2a6df}\u{2a700}-\u{2b81f}\u{2b920}-\u{2ceaf}\u{2f800}-\u{2fa1f}]/u;
const MARK =
  /[\u1734\u{1171e}]|(?![\u07fd\u0897-\u08e1\u09fe\u0afa-\u0aff\u0b55\u0c04-\u0c3c\u0d00\u0d3b-\u0d3c\u0d81\u0eba\u0ece\u180f-\u1886\u1abf-\u1ace\u1df6-\u1dfb\ua82c\ua8c5\ua8ff\ua9bd\u{10d24}-\u{10f85}\u{11070}-\u{11074}\u{110c2}\u{111c9}\u{111cf}\u{1123e}-\u{11241}\u{1133b}\u{113bb}-\u{1145e}\u{1182f}-\u{1612f}\u{16f4f}\u{16fe4}\u{1cf00}-\u{1cf46}\u{1e000}-\u{1e5ef}\u{1e944}-\u{1e94a}])\p{Mn}/u;
// Characters that reorder like accents but are not stripped with them.
const KEPT_MARK =
  /[\u08d4-\u08e1\u1b44\u1baa\u1bf2\u1bf3\u1dfb\u302e\u302f\ua953\ua9c0\u{111c0}\u{11235}\u{1134d}\u{11442}\u{11446}\u{116b6}\u{11c3f}\u{1d165}\u{1d166}\u{1d16d}-\u{1d172}\u{1e000}-\u{1e006}\u{1e008}-\u{1e018}\u{1e01b}-\u{1e021}\u{1e023}\u{1e024}\u{1e026}-\u{1e02a}\u{1e944}-\u{1e94a}]/u;
const NOT_DECOMPOSED =
  /[\u{105c9}\u{105e4}\u{11383}-\u{11391}\u{113c5}-\u{113c8}\u{11938}\u{16121}-\u{16128}\u{16d68}-\u{16d6a}]/u;
// Lower case that older runtimes lack: first, last, distance.
const LATE_LOWER = [
  [0x1c89, 0x1c89, 1],
  [0xa7cb, 0xa7cb, 0x264 - 0xa7cb],
  [0xa7cc, 0xa7cc, 1],
  [0xa7ce, 0xa7ce, 1],
  [0xa7d2, 0xa7d2, 1],
  [0xa7d4, 0xa7d4, 1],
  [0xa7da, 0xa7da, 1],
  [0xa7dc, 0xa7dc, 0x19b - 0xa7dc],
  [0x10d50, 0x10d65, 0x20],
  [0x16ea0, 0x16eb8, 0x1b],
];

/** Whether the character (one code point) separates words. */
export function isSpace(char: string): boolean {
  return SPACE.test(char);
}

/** Whether cleaning drops the character: controls, formats, private use, U+FFFD; tab and line ends stay. */
export function isRemoved(char: string): boolean {
  return REMOVED.test(char);
}

/** Whether the character is a word of its own: Unicode punctuation and all ASCII symbols. */
export function isPunctuation(char: string): boolean {
  return PUNCTUATION.test(char);
}

/** Whether the character is an ideograph that gets a space on both sides. */
export function isChinese(char: string): boolean {
  return CHINESE.test(char);
}

/** Whether accent stripping drops the character (category Mn). */
export function isMark(char: string): boolean {
  return MARK.test(char);
}

/** Whether the character has a combining class, yet is no mark that gets stripped. */
export function isKeptMark(char: string): boolean {
  return KEPT_MARK.test(char);
}

/** Whether the character has a non-zero combining class: it moves behind U+0345 (class 240, the highest). */
export function isNonStarter(char: string): boolean {
  return isKeptMark(char) ||
    isMark(char) && (char === "\u0345" || ("\u0345" + char).normalize("NFD")[0] !== "\u0345");
}

/** The canonical decomposition of one code point. */
export function decompose(char: string): string {
  return NOT_DECOMPOSED.test(char) ? char : char.normalize("NFD");
}

/** The lower case of one code point, without regard to its neighbours. */
export function lower(char: string): string {
  const result = char.toLowerCase();
  if (result !== char) return result;
  const code = char.codePointAt(0)!;
  const late = LATE_LOWER.find(([first, last]) => code >= first && code <= last);
  return late ? String.fromCodePoint(code + late[2]) : char;
}

// Kept marks have the combining classes 7, 9, 216, 224, 226 and 230: one character of each.
const CLASS_SAMPLES = ["\u093c", "\u094d", "\u031b", "\u302e", "\u{1d16d}", "\u0300"];

/** Orders non-starters by combining class, as finely as the order of kept marks needs. */
export function combiningRank(char: string): number {
  let rank = 0;
  for (const sample of CLASS_SAMPLES) {
    if ((char + sample).normalize("NFD") !== char + sample) rank++;
    if ((sample + char).normalize("NFD") === sample + char) rank++;
  }
  return rank;
}
