/**
 * Character classes of BERT, as the reference implementation (huggingface/tokenizers) has them: its categories
 * are those of Unicode 8, its decompositions and combining classes of Unicode 9, its lower case of Unicode 17.
 * The runtime's own tables are used, minus the characters that came later, so every runtime agrees.
 *
 * @module
 */

// Ranges of code points in base 36, in turn: distance from the range before, length.
const LATE_PUNCTUATION = ranges(
  "17h 1 rj 3e e8 e 2x5 2 19 3 3pf r 1828 f0 ui 3u ea 2i ap 1j9 35d 2 c56 hi nbw o1",
);
const LATE_FORMAT = ranges("1ow 2b 1g4q 1 6zm g");
const LATE_MARKS = ranges(
  "1kt 1 49 23 7w 1 6z 6 2d 1 4u 1l 5f 1 1m 2 1w 1 8o 1 j 1 1ts 3c fs g mf 6 rao 1 48 1 1l 1 59 1 jmu gy " +
    "6i 5 25 1 7a 1 5 1 32 4 6x 1 3j 4k r4 ef5 2sf 1 44 1 isb 1z 3ax 168 no 7",
);
const LATE_DECOMPOSED = ranges("1fpl s 2ou 1y 12n 1 e7c 2fe");
// Where the characters are that have a combining class, but are no marks of Unicode 8.
const KEPT_MARKS = ranges("1qs e 3mq 4w ef 1 3le 2 nxf 32 kjj 3a 7r 1 6s 5 hb 1 13c 1 zs5 e 2vh 17 1sp 7");
const CHINESE = ranges("a9s 534 1s g74 hkw e8 1fk0 wyo w 3ds 74 49c 85s f4");
// Capitals of Unicode 17; the runtimes of today know the older ones.
const LATE_CAPITALS = ranges("x5a 1 3 1 1 1 139n p");
// One character of each combining class that kept marks have: 7, 9, 216, 224, 226, 230.
const CLASS_SAMPLES = ["\u093c", "\u094d", "\u031b", "\u302e", "\u{1d16d}", "\u0300"];

// The bounds of ranges: the first of each, and the one after its last.
function ranges(code: string): number[] {
  let bound = 0;
  return code.split(" ").map((distance) => bound += parseInt(distance, 36));
}

function within(bounds: number[], char: string): boolean {
  return bounds.findIndex((bound) => bound > char.codePointAt(0)!) % 2 === 1;
}

/** Whether the character (one code point) separates words. */
export function isSpace(char: string): boolean {
  return /\p{White_Space}/u.test(char);
}

/** Whether cleaning drops the character: controls, formats, private use, U+FFFD; tab and line ends stay. */
export function isRemoved(char: string): boolean {
  return /(?![\t\n\r])[\p{Cc}\p{Cf}\p{Co}\ufffd]/u.test(char) && !within(LATE_FORMAT, char);
}

/** Whether the character is a word of its own: Unicode punctuation and all ASCII symbols. */
export function isPunctuation(char: string): boolean {
  return /[$+<=>^`|~\u166d\u{111c9}]/u.test(char) || /\p{P}/u.test(char) && !within(LATE_PUNCTUATION, char);
}

/** Whether the character is an ideograph that gets a space on both sides. */
export function isChinese(char: string): boolean {
  return within(CHINESE, char);
}

/** Whether accent stripping drops the character (category Mn). */
export function isMark(char: string): boolean {
  return /[\u1734\u{1171e}]/u.test(char) || /\p{Mn}/u.test(char) && !within(LATE_MARKS, char);
}

/** Whether the character has a non-zero combining class: it moves before U+0345, whose class (240) is the highest. */
export function isNonStarter(char: string): boolean {
  return (isMark(char) || within(KEPT_MARKS, char)) &&
    (char === "\u0345" || ("\u0345" + char).normalize("NFD")[0] !== "\u0345");
}

/** The canonical decomposition of one code point. */
export function decompose(char: string): string {
  return within(LATE_DECOMPOSED, char) ? char : char.normalize("NFD");
}

/** The lower case of one code point, without regard to its neighbours. */
export function lower(char: string): string {
  if (!within(LATE_CAPITALS, char)) return char.toLowerCase();
  return String.fromCodePoint(char.codePointAt(0)! + (char.length > 1 ? 27 : 1));
}

/** Orders non-starters by combining class, as finely as the order of kept marks needs. */
export function combiningRank(char: string): number {
  let rank = 0;
  for (const sample of CLASS_SAMPLES) {
    if ((char + sample).normalize("NFD") !== char + sample) rank++;
    if ((sample + char).normalize("NFD") === sample + char) rank++;
  }
  return rank;
}
