/**
 * Tagging schemes, each as the pairs of tags at which an entity starts, goes on and ends, after seqeval's strict mode
 * (https://github.com/chakki-works/seqeval/blob/master/seqeval/scheme.py).
 *
 * @module
 */
import { DataError } from "../errors.ts";

/** An entity: words from `start` to before `end`. */
export interface Entity {
  /** What it is, such as `"PER"`; `"_"` if its tags do not say. */
  type: string;
  /** The first word. */
  start: number;
  /** The word after the last. */
  end: number;
}

/** The schemes that can be asked for. */
export type TagScheme = "IOB1" | "IOB2" | "IOE2" | "IOBES" | "BILOU";

/** Letters before, letters after, and whether the types must be the same (`=`), different (`!`) or anything. */
type Pattern = [before: string, after: string, types: "" | "=" | "!"];

interface Scheme {
  letters: string;
  starts: Pattern[];
  inside: Pattern[];
  ends: Pattern[];
}

const ANY = "IOBESUL";

const SCHEMES: Readonly<Record<TagScheme, Scheme>> = {
  IOB1: {
    letters: "IOB",
    starts: [["O", "I", ""], ["I", "I", "!"], ["B", "I", ""], ["IB", "B", "="]],
    inside: [["BI", "I", "="]],
    ends: [["I", "I", "!"], ["I", "OB", ""], ["B", "O", ""], ["B", "I", "!"], ["B", "B", "="]],
  },
  IOB2: {
    letters: "IOB",
    starts: [[ANY, "B", ""]],
    inside: [["BI", "I", "="]],
    ends: [["BI", "OB", ""], ["BI", "I", "!"]],
  },
  IOE2: {
    letters: "IOE",
    starts: [["OE", "IE", ""], ["I", "IE", "!"]],
    inside: [["I", "IE", "="]],
    ends: [["E", ANY, ""]],
  },
  IOBES: {
    letters: "IOBES",
    starts: [[ANY, "BS", ""]],
    inside: [["BI", "IE", "="]],
    ends: [["SE", ANY, ""]],
  },
  BILOU: {
    letters: "BILOU",
    starts: [[ANY, "BU", ""]],
    inside: [["BI", "IL", "="]],
    ends: [["UL", ANY, ""]],
  },
};

interface Tag {
  letter: string;
  type: string;
}

function parse(tag: string, i: number, name: TagScheme, suffix: boolean): Tag {
  const letter = suffix ? tag[tag.length - 1] : tag[0];
  if (!SCHEMES[name].letters.includes(letter)) {
    throw new DataError(
      `Cannot read the tag "${tag}" of word ${i}: ${name} has ${[...SCHEMES[name].letters].join(", ")}`,
    );
  }
  return { letter, type: (suffix ? tag.slice(0, -1) : tag.slice(1)).replace(/^-+|-+$/g, "") || "_" };
}

function fits(patterns: Pattern[], before: Tag, after: Tag): boolean {
  return patterns.some(([first, second, types]) =>
    first.includes(before.letter) && second.includes(after.letter) &&
    (types === "" || (types === "=") === (before.type === after.type))
  );
}

/** The entities that follow the scheme exactly. */
export function strictEntities(tags: readonly string[], name: TagScheme, suffix: boolean): Entity[] {
  const scheme = SCHEMES[name];
  if (!scheme) {
    throw new DataError(`Cannot use the scheme "${name}": wanted one of ${Object.keys(SCHEMES).join(", ")}`);
  }
  const outside = { letter: "O", type: "_" }, found: Entity[] = [];
  const parsed = [...tags.map((tag, i) => parse(tag, i, name, suffix)), outside];
  for (let i = 0, before: Tag = outside; i < parsed.length; before = parsed[i - 1]) {
    if (!fits(scheme.starts, before, parsed[i])) {
      i++;
      continue;
    }
    let end = i + 1;
    while (end < parsed.length && fits(scheme.inside, parsed[end - 1], parsed[end])) end++;
    if (fits(scheme.ends, parsed[end - 1], parsed[end] ?? outside)) {
      found.push({ type: parsed[i].type, start: i, end });
    }
    i = end;
  }
  return found;
}
