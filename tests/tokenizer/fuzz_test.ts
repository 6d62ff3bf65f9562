/**
 * Random texts and mutated files: a typed error or the right answer, and never a long wait.
 * BERTH_FUZZ sets the number of mutated files (default 400).
 */

import fc from "../helpers/property.ts";
import { deepStrictEqual, ok } from "node:assert/strict";
import { BertTokenizer, TokenizerError, type TokenizerFiles } from "../../src/tokenizer/mod.ts";

const COUNT = Number(Deno.env.get("BERTH_FUZZ") ?? 400);
const MAX_MS = 1000;
const VOCAB = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"].concat(
  Array.from("abcdefghijklmnopqrstuvwxyz0123456789.,!?-'#"),
  Array.from("abcdefghijklmnopqrstuvwxyz0123456789", (char) => "##" + char),
  "the of and to in is was for it with as on be at by not ##ing ##ed ##er ##ly un ##able hello world 中 ##é"
    .split(" "),
).join("\n");
const TEXTS = [
  "",
  "Hello the world, unable!",
  "it's 2024 - not [MASK] for testing?",
  "naïve 中文 \u{1f600} e\u0301",
  "x".repeat(200),
];
const JSON_FILE = BertTokenizer.from_vocab(VOCAB).to_files()["tokenizer.json"];

type Random = (below: number) => number;

function randomOf(seed: number): Random {
  let state = seed | 0;
  return (below) => {
    state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9 | 0;
    return ((state ^ (state >>> 13)) >>> 0) % below;
  };
}

const SCRAPS = [
  "\n",
  "\r\n",
  "\0",
  "\ufeff",
  "##",
  "[UNK]",
  "a",
  "é",
  "\u0301",
  "\ud800",
  "{",
  "}",
  "[",
  '"',
  ",",
  "1e99",
  "-1",
];

function mutateText(text: string, random: Random): string {
  for (let n = 1 + random(4); n > 0; n--) {
    const at = random(text.length + 1);
    const end = Math.min(text.length, at + random(random(8) === 0 ? 400 : 6));
    const scrap = [
      SCRAPS[random(SCRAPS.length)],
      "",
      text.slice(at, end).repeat(3),
      String.fromCharCode(random(0x10000)),
    ];
    text = text.slice(0, at) + scrap[random(scrap.length)] + text.slice(end);
  }
  return text;
}

function mutateBytes(text: string, random: Random): Uint8Array {
  const bytes = new TextEncoder().encode(text);
  for (let n = 1 + random(4); n > 0; n--) bytes[random(bytes.length)] = random(256);
  return bytes.subarray(0, random(4) === 0 ? random(bytes.length + 1) : bytes.length);
}

const VALUES = [null, true, false, 0, -1, 1.5, 1e30, 99999, "", "a", "##", "[UNK]", "Left", [], {}, [[]], {
  type: "BPE",
}, ["a", 1]];

// Replaces, removes or doubles a value somewhere in a JSON tree.
function mutateJson(value: unknown, random: Random): unknown {
  if (typeof value !== "object" || value === null || random(6) === 0) return VALUES[random(VALUES.length)];
  const keys = Object.keys(value);
  const key = keys[random(Math.max(1, keys.length))] ?? "x";
  const copy: Record<string, unknown> = Array.isArray(value) ? [...value] as never : { ...value };
  const action = random(8);
  if (action === 0) delete copy[key];
  else if (action === 1) copy[`${key}2`] = copy[key];
  else copy[key] = mutateJson(copy[key], random);
  return copy;
}

// WordPiece as its definition reads, for plain ASCII text without added tokens.
function plainIds(tokenizer: BertTokenizer, text: string): number[] {
  const vocab = tokenizer.get_vocab();
  const words = (tokenizer.do_lower_case ? text.toLowerCase() : text).match(/[a-z0-9]+|[^\sa-z0-9]/gi) ?? [];
  return words.flatMap((word) => {
    const unknown = [vocab.get(tokenizer.unk_token!)!];
    const pieces: number[] = [];
    for (let at = 0; at < word.length;) {
      let end = word.length;
      const piece = (): string => (at > 0 ? tokenizer.continuing_subword_prefix : "") + word.slice(at, end);
      while (end > at && !vocab.has(piece())) end--;
      if (end === at || word.length > tokenizer.max_input_chars_per_word) return unknown;
      pieces.push(vocab.get(piece())!);
      at = end;
    }
    return pieces;
  });
}

// Loads the files and encodes; returns whether that went without an error.
function survives(files: TokenizerFiles): boolean {
  const begin = performance.now();
  try {
    const tokenizer = BertTokenizer.from_files(files);
    for (const text of TEXTS) {
      const out = tokenizer(text, { return_offsets_mapping: true });
      for (const [start, end] of out.offset_mapping!) ok(start <= end && end <= text.length);
      tokenizer.decode(out.input_ids);
      const added = [...tokenizer.get_added_vocab().keys()];
      const plain = /^[ -~]*$/.test(text) &&
        !added.some((token) => text.toLowerCase().includes(token.toLowerCase().trim()));
      if (plain) {
        deepStrictEqual(tokenizer.encode(text, { add_special_tokens: false }), plainIds(tokenizer, text));
      }
    }
    tokenizer.to_files();
    return true;
  } catch (error) {
    if (!(error instanceof TokenizerError)) throw error;
    return false;
  } finally {
    ok(performance.now() - begin < MAX_MS, "took too long");
  }
}

const mutations: Record<string, (random: Random) => TokenizerFiles> = {
  "vocab.txt": (random) => ({
    "vocab.txt": random(2) ? mutateText(VOCAB, random) : mutateBytes(VOCAB, random),
  }),
  "tokenizer.json, as text": (random) => ({
    "tokenizer.json": random(2) ? mutateText(JSON_FILE, random) : mutateBytes(JSON_FILE, random),
  }),
  "tokenizer.json, as a tree": (random) => {
    let tree: unknown = JSON.parse(JSON_FILE);
    for (let n = 1 + random(3); n > 0; n--) tree = mutateJson(tree, random);
    return { "tokenizer.json": JSON.stringify(tree) };
  },
  "tokenizer_config.json and its like": (random) => {
    const { "tokenizer.json": _json, ...files } = BertTokenizer.from_vocab(VOCAB).to_files();
    const name = ["tokenizer_config.json", "special_tokens_map.json"][random(2)];
    const changed = JSON.stringify(mutateJson(JSON.parse(files[name]), random));
    return {
      ...files,
      [name]: changed,
      "added_tokens.json": JSON.stringify(mutateJson({ "<x>": 200 }, random)),
    };
  },
};

for (const [name, mutate] of Object.entries(mutations)) {
  Deno.test(`a mutated ${name} gives a TokenizerError or the right tokens, within a second`, () => {
    let loaded = 0;
    const property = fc.property(fc.integer(), (seed) => {
      if (survives(mutate(randomOf(seed)))) loaded++;
    });
    fc.assert(property, { numRuns: Math.ceil(COUNT / 4), seed: 1 });
    ok(loaded > 0, "no mutation left a tokenizer that works");
  });
}

Deno.test("any text at all is encoded; offsets rise and point at the tokens", () => {
  const text = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.string({ unit: fc.constantFrom(..."aB \u0301\u302e\ud83d\ude00中İß[MASK]\u200b\0\ufeff.") }),
  );
  for (
    const options of [{}, { do_lower_case: false }, {
      clean_text: false,
      strip_accents: true,
      do_lower_case: false,
    }]
  ) {
    const tokenizer = BertTokenizer.from_vocab(VOCAB, options);
    const property = fc.property(text, (input) => {
      const out = tokenizer(input, { return_offsets_mapping: true, add_special_tokens: false });
      let last = 0;
      for (const [start, end] of out.offset_mapping!) {
        ok(start >= last && end > start && end <= input.length);
        last = start;
      }
      tokenizer.decode(out.input_ids);
      const words = out.word_ids();
      ok(words.every((word, i) => word === (i === 0 ? 0 : words[i - 1]!) || word === words[i - 1]! + 1));
    });
    fc.assert(property, { numRuns: 300, seed: 1 });
  }
});
