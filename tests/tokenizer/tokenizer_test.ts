/** The interface of the tokenizer: calls, options, added tokens, streams, files, errors. */

import { deepStrictEqual, match, ok, rejects, strictEqual, throws } from "node:assert/strict";
import {
  AddedToken,
  type BatchEncoding,
  BertTokenizer,
  TokenizerError,
  type TokenizerOptions,
  type TokenizerProgress,
  type VocabularySource,
} from "../../src/tokenizer/mod.ts";

const VOCAB = "[PAD] [UNK] [CLS] [SEP] [MASK] un ##believ ##able hello world , . ! ' t don the a b c"
  .split(" ").join("\n");
const make = (options?: TokenizerOptions): BertTokenizer => BertTokenizer.from_vocab(VOCAB, options);
const fails = (run: () => unknown, message: RegExp): void =>
  throws(run, (error) => error instanceof TokenizerError && message.test(error.message));

Deno.test("a tokenizer is a function: one text gives flat arrays, a list gives arrays of arrays", () => {
  const tokenizer = make();
  strictEqual(typeof tokenizer, "function");
  ok(tokenizer instanceof BertTokenizer);
  const one: BatchEncoding<false> = tokenizer("Hello, world!");
  deepStrictEqual({ ...one }, {
    input_ids: [2, 8, 10, 9, 12, 3],
    token_type_ids: [0, 0, 0, 0, 0, 0],
    attention_mask: [1, 1, 1, 1, 1, 1],
  });
  const many: BatchEncoding<true> = tokenizer(["unbelievable", "a b"], {
    text_pair: ["the", "c"],
    padding: true,
  });
  deepStrictEqual(many.input_ids, [[2, 5, 6, 7, 3, 16, 3], [2, 17, 18, 3, 19, 3, 0]]);
  deepStrictEqual(many.token_type_ids, [[0, 0, 0, 0, 0, 1, 1], [0, 0, 0, 0, 1, 1, 0]]);
  deepStrictEqual(tokenizer([["a", "b"], "c"]).input_ids, [[2, 17, 3, 18, 3], [2, 19, 3]]);
  deepStrictEqual(tokenizer(["a", "b c"], { is_split_into_words: true }).word_ids(), [null, 0, 1, 1, null]);
  deepStrictEqual(JSON.parse(JSON.stringify(tokenizer("a", { return_length: true }))).length, [3]);
});

Deno.test("a subclass gets its own instances from from_vocab and from_files", () => {
  class Mine extends BertTokenizer {
    extra = "field";
    #secret = 5;
    secret(): number {
      return this.#secret;
    }
  }
  for (
    const tokenizer of [Mine.from_vocab(VOCAB), Mine.from_files({ "vocab.txt": VOCAB }), new Mine(VOCAB)]
  ) {
    ok(tokenizer instanceof Mine);
    strictEqual(tokenizer.extra, "field");
    strictEqual(tokenizer.secret(), 5);
    deepStrictEqual(tokenizer("a").input_ids, [2, 17, 3]);
  }
});

Deno.test("a vocabulary may be text, bytes, a list, a map or an object", () => {
  const tokens = VOCAB.split("\n");
  const sources: VocabularySource[] = [
    VOCAB,
    VOCAB.replaceAll("\n", " \r\n") + "\n",
    new TextEncoder().encode(VOCAB),
    tokens,
    new Map(tokens.map((token, id) => [token, id])),
    Object.fromEntries(tokens.map((token, id) => [token, id])),
  ];
  for (const source of sources) {
    const tokenizer = BertTokenizer.from_vocab(source);
    deepStrictEqual(tokenizer("Unbelievable!").input_ids, [2, 5, 6, 7, 12, 3]);
    strictEqual(tokenizer.vocab_size, tokens.length);
  }
  deepStrictEqual(
    BertTokenizer.from_vocab(["__proto__", "constructor", "[UNK]"]).get_vocab().get("__proto__"),
    0,
  );
});

Deno.test("tokens and ids convert both ways, special tokens are known by role", () => {
  const tokenizer = make();
  deepStrictEqual(tokenizer.tokenize("Unbelievable hello?"), ["un", "##believ", "##able", "hello", "[UNK]"]);
  deepStrictEqual(tokenizer.encode("hello"), [2, 8, 3]);
  strictEqual(tokenizer.convert_tokens_to_ids("hello"), 8);
  deepStrictEqual(tokenizer.convert_tokens_to_ids(["the", "nothing"]), [16, 1]);
  deepStrictEqual(tokenizer.convert_ids_to_tokens([2, 8, 99]), ["[CLS]", "hello", null]);
  deepStrictEqual(tokenizer.convert_ids_to_tokens(new Int32Array([2, 8, 3]), true), ["hello"]);
  strictEqual(tokenizer.convert_ids_to_tokens(4), "[MASK]");
  const { cls_token, cls_token_id, sep_token_id, pad_token_id, unk_token_id, mask_token_id, bos_token_id } =
    tokenizer;
  deepStrictEqual([
    cls_token,
    cls_token_id,
    sep_token_id,
    pad_token_id,
    unk_token_id,
    mask_token_id,
    bos_token_id,
  ], [
    "[CLS]",
    2,
    3,
    0,
    1,
    4,
    null,
  ]);
  deepStrictEqual(tokenizer.all_special_ids, [1, 3, 0, 2, 4]);
  strictEqual(tokenizer.length, 20);
  strictEqual(tokenizer.num_special_tokens_to_add(true), 3);
});

Deno.test("decoding joins pieces, skips special tokens and cleans up", () => {
  const tokenizer = make();
  const { input_ids } = tokenizer("unbelievable, don't!");
  strictEqual(tokenizer.decode(input_ids), "[CLS] unbelievable, don ' t! [SEP]");
  strictEqual(
    tokenizer.decode(input_ids, { skip_special_tokens: true, clean_up_tokenization_spaces: true }),
    "unbelievable, don't!",
  );
  deepStrictEqual(tokenizer.decode([[8], [6, 7]]), ["hello", "##believable"]);
  deepStrictEqual(tokenizer.batch_decode([new Int32Array([8, 9])]), ["hello world"]);
  strictEqual(tokenizer.decode(8), "hello");
  strictEqual(tokenizer.decode([8, 12345]), "hello");
  fails(() => tokenizer.decode([-1]), /id is -1/);
});

Deno.test("offsets count UTF-16 units, so that slicing gives the token", () => {
  const tokenizer = make();
  const text = "\u{1f600} Héllo  wo\u0301rld\u{1f600}!";
  const { offset_mapping } = tokenizer(text, { return_offsets_mapping: true });
  deepStrictEqual(offset_mapping!.map(([start, end]) => text.slice(start, end)), [
    "",
    "\u{1f600}",
    "Héllo",
    "wo\u0301rld\u{1f600}",
    "!",
    "",
  ]);
  const out = tokenizer([text, "hello"]);
  strictEqual(out.char_to_token(0, 4), 2);
  deepStrictEqual(out.token_to_chars(0, 2), { start: 3, end: 8 });
  deepStrictEqual(out.word_to_tokens(1, 0), { start: 1, end: 2 });
  deepStrictEqual(out.word_to_chars(0, 1), { start: 3, end: 8 });
  strictEqual(out.char_to_word(0, 3), 1);
  strictEqual(out.token_to_word(1, 0), null);
  strictEqual(out.token_to_sequence(1, 1), 0);
  fails(() => out.tokens(2), /row 2/);
});

Deno.test("half of a surrogate pair reads as U+FFFD, which cleaning drops", () => {
  const tokenizer = make();
  deepStrictEqual(tokenizer("a\ud83d b\udc00").input_ids, [2, 17, 18, 3]);
  deepStrictEqual(make({ clean_text: false })("a \ud83d").tokens(), ["[CLS]", "a", "[UNK]", "[SEP]"]);
  deepStrictEqual(make({ clean_text: false })("a \ud83d\ude00").tokens(), ["[CLS]", "a", "[UNK]", "[SEP]"]);
});

Deno.test("added tokens get the next ids and are found as their options say", () => {
  const tokenizer = make();
  strictEqual(
    tokenizer.add_tokens(["NewTok", new AddedToken("<x>", { lstrip: true, normalized: false }), "hello"]),
    3,
  );
  strictEqual(tokenizer.add_tokens(["NewTok"]), 0);
  strictEqual(tokenizer.length, 22);
  deepStrictEqual(tokenizer("a newtok  <x>b").input_ids, [2, 17, 20, 21, 18, 3]);
  deepStrictEqual(tokenizer("a  <x>").tokens(), ["[CLS]", "a", "  <x>", "[SEP]"]);
  strictEqual(tokenizer.add_special_tokens({ pad_token: "<pad>", extra_special_tokens: ["<s>"] }), 2);
  deepStrictEqual([tokenizer.pad_token, tokenizer.pad_token_id, tokenizer.extra_special_tokens], [
    "<pad>",
    22,
    ["<s>"],
  ]);
  strictEqual(tokenizer.decode(tokenizer.encode("a <s> b"), { skip_special_tokens: true }), "a b");
  deepStrictEqual(tokenizer("[MASK]", { split_special_tokens: true }).input_ids, [2, 1, 1, 1, 3]);
  deepStrictEqual(tokenizer(["a", "a b"], { padding: true }).input_ids[0], [2, 17, 3, 22]);
  fails(() => tokenizer.add_special_tokens({ foo: "x" } as object), /role is "foo"/);
  fails(() => new AddedToken("x".repeat(257)), /257 units/);
});

Deno.test("streams encode in batches and report progress", async () => {
  const tokenizer = make();
  const texts = Array.from({ length: 2500 }, (_, i) => i % 2 ? "a b" : "hello");
  const seen: TokenizerProgress[] = [];
  const whole = tokenizer(texts, { progress_callback: (progress) => seen.push(progress) });
  deepStrictEqual(seen.map(({ status, loaded, total }) => [status, loaded, total]), [
    ["progress", 1024, 2500],
    ["progress", 2048, 2500],
    ["done", 2500, 2500],
  ]);
  strictEqual(seen[2].progress, 100);

  seen.length = 0;
  const rows = [
    ...tokenizer.encode_batches(texts, { batch_size: 1000, progress_callback: (p) => seen.push(p) }),
  ];
  deepStrictEqual(rows.map((batch) => batch.input_ids.length), [1000, 1000, 500]);
  deepStrictEqual(rows.flatMap((batch) => batch.input_ids), whole.input_ids);
  deepStrictEqual(seen.map(({ loaded }) => loaded), [1000, 2000, 2500]);

  async function* lines(): AsyncGenerator<string> {
    yield* texts;
  }
  const streamed: number[][] = [];
  for await (const batch of tokenizer.encode_stream(lines(), { batch_size: 999 })) {
    streamed.push(...batch.input_ids);
  }
  deepStrictEqual(streamed, whole.input_ids);
  await rejects(tokenizer.encode_stream([3 as unknown as string]).next(), TokenizerError);
});

Deno.test("pad fills rows that were encoded before", () => {
  const tokenizer = make();
  const rows = ["a", "a b"].map((text) => tokenizer(text));
  deepStrictEqual({ ...tokenizer.pad(rows) }, {
    input_ids: [[2, 17, 3, 0], [2, 17, 18, 3]],
    token_type_ids: [[0, 0, 0, 0], [0, 0, 0, 0]],
    attention_mask: [[1, 1, 1, 0], [1, 1, 1, 1]],
  });
  const single = tokenizer.pad({ input_ids: [2, 3] }, {
    padding: "max_length",
    max_length: 3,
    padding_side: "left",
  });
  deepStrictEqual(single, { input_ids: [0, 2, 3], attention_mask: [0, 1, 1] });
  fails(() => tokenizer.pad({} as { input_ids: number[] }), /input_ids/);
});

Deno.test("a call that contradicts itself is an error", () => {
  const tokenizer = make({ model_max_length: 8 });
  const any = (value: unknown): never => value as never;
  fails(() => tokenizer([]), /empty/);
  fails(() => tokenizer(any(undefined)), /wanted text/);
  fails(() => tokenizer(any(["a", 5])), /wanted text/);
  fails(() => tokenizer(["a"], { text_pair: "b" }), /text_pair is not/);
  fails(() => tokenizer(["a"], { text_pair: ["b", "c"] }), /1 entries, text_pair has 2/);
  fails(() => tokenizer("a", { is_split_into_words: any(true) }), /wanted words/);
  fails(() => tokenizer("a", { padding: any("wide") }), /padding is "wide"/);
  fails(() => tokenizer("a", { truncation: any("first") }), /truncation is "first"/);
  fails(() => tokenizer("a", { max_length: 2.5 }), /max_length is 2.5/);
  fails(() => tokenizer("a", { truncation: true, max_length: 4, stride: 3 }), /stride 3/);
  fails(() => tokenizer("a b c", { truncation: "only_second", max_length: 4 }), /no second/);
  fails(
    () => tokenizer("a b", { text_pair: "a b c", truncation: "only_first", max_length: 5 }),
    /only_first/,
  );
  fails(() => tokenizer("a", { padding: true, truncation: true, pad_to_multiple_of: 3 }), /multiple/);
  fails(() => make({ pad_token: null })("a", { padding: true }), /pad_token/);
  deepStrictEqual(tokenizer("a b c a b c a b c", { truncation: true }).input_ids.length, 8);
  // A call after a failed one starts afresh.
  const strange = BertTokenizer.from_vocab(["a", "[CLS]", "[SEP]"]);
  fails(() => strange("a a unknown"), /no "\[UNK\]"/);
  deepStrictEqual(strange("a").input_ids, [1, 0, 2]);
});

Deno.test("files written by a tokenizer make an equal one", () => {
  const text = "  <x> Hello wörld NEWTOK [MASK] 中 don't";
  for (const options of [{}, { do_lower_case: false, padding_side: "left", model_max_length: 20 }] as const) {
    const tokenizer = make(options);
    tokenizer.add_tokens(["NewTok", new AddedToken("<x>", { rstrip: true, special: true })]);
    const files = tokenizer.to_files();
    const { "tokenizer.json": _json, ...legacy } = files;
    for (const set of [files, { "tokenizer.json": files["tokenizer.json"] }, legacy]) {
      const again = BertTokenizer.from_files(set);
      deepStrictEqual(again(text).input_ids, tokenizer(text).input_ids);
      deepStrictEqual(again.added_tokens_decoder, tokenizer.added_tokens_decoder);
    }
    deepStrictEqual(BertTokenizer.from_files(files).to_files(), files);
  }
  strictEqual(make({ model_max_length: 20 }).to_files()["vocab.txt"], VOCAB + "\n");
  strictEqual(BertTokenizer.from_vocab("a\na\n[UNK]").to_files()["vocab.txt"], "[UNK]\na\n[UNK]\n");
  strictEqual(BertTokenizer.from_vocab({ a: 0, "[UNK]": 1e9 }).to_files()["vocab.txt"], undefined);
});

Deno.test("older files are read: special_tokens_map.json, added_tokens.json; options go first", () => {
  const tokenizer = BertTokenizer.from_files({
    "vocab.txt": VOCAB.replace("[MASK]", "<mask>"),
    "tokenizer_config.json":
      '{"do_lower_case": false, "tokenizer_class": "BertTokenizer", "strip_accents": null}',
    "special_tokens_map.json": '{"mask_token": {"content": "<mask>", "lstrip": true}, "unk_token": "[UNK]"}',
    "added_tokens.json": '{"<new>": 20}',
  }, { model_max_length: 7 });
  strictEqual(tokenizer.mask_token_id, 4);
  deepStrictEqual(tokenizer("Hello a  <mask> <new>").input_ids, [2, 1, 17, 4, 20, 3]);
  strictEqual(tokenizer.model_max_length, 7);
  strictEqual(tokenizer.do_lower_case, false);
});

Deno.test("a tokenizer of another kind is named in the error", () => {
  const json = JSON.parse(make().to_files()["tokenizer.json"]);
  const load = (change: object): BertTokenizer =>
    BertTokenizer.from_files({ "tokenizer.json": JSON.stringify({ ...json, ...change }) });
  deepStrictEqual(load({})("hello").input_ids, [2, 8, 3]);
  deepStrictEqual(
    load({ post_processor: { type: "BertProcessing", cls: ["a", 17], sep: ["b", 18] } })("c").input_ids,
    [
      17,
      19,
      18,
    ],
  );
  const cases: [object, RegExp][] = [
    [{ model: { type: "BPE", vocab: {}, merges: [] } }, /"BPE", wanted WordPiece/],
    [{ model: { vocab: {}, merges: ["a b"] } }, /"BPE", wanted WordPiece/],
    [{ model: { type: "Unigram", vocab: [["a", 0]] } }, /"Unigram"/],
    [{ model: { type: "WordLevel", vocab: {} } }, /"WordLevel"/],
    [{ normalizer: { type: "Lowercase" } }, /"Lowercase", wanted BertNormalizer/],
    [{ pre_tokenizer: { type: "ByteLevel" } }, /"ByteLevel", wanted BertPreTokenizer/],
    [{ post_processor: { type: "RobertaProcessing" } }, /"RobertaProcessing"/],
    [{ decoder: { type: "ByteLevel" } }, /"ByteLevel"/],
    [{ version: "2.0" }, /version/],
    [{ model: { ...json.model, vocab: { a: -1 } } }, /id of a token is -1/],
    [{ model: { ...json.model, max_input_chars_per_word: 1e9 } }, /max_input_chars_per_word/],
  ];
  for (const [change, message] of cases) fails(() => load(change), message);

  const config = (tokenizer_class: string): string => JSON.stringify({ tokenizer_class });
  fails(() => BertTokenizer.from_files({}), /there is no vocabulary, wanted/);
  fails(
    () => BertTokenizer.from_files({ "config.json": '{"model_type": "t5"}' }),
    /no vocabulary, config.json says "t5"/,
  );
  fails(
    () =>
      BertTokenizer.from_files({ "vocab.txt": VOCAB, "tokenizer_config.json": config("RobertaTokenizer") }),
    /RobertaTokenizer/,
  );
  fails(
    () => BertTokenizer.from_files({ "vocab.json": "{}", "merges.txt": "" }),
    /vocab.json belongs to a BPE/,
  );
  fails(() => BertTokenizer.from_files({ "spiece.model": new Uint8Array(4) }), /SentencePiece/);
  fails(() => BertTokenizer.from_files({ "vocab.txt": new Uint8Array([0xff, 0xfe, 0]) }), /UTF-8/);
  fails(() => BertTokenizer.from_files({ "tokenizer.json": "{" }), /tokenizer.json/);
  fails(() => make({ padding_side: "up" as "left" }), /padding_side is "up"/);
  fails(() => make({ cls_token: null }), /cls_token/);
});

Deno.test("errors say the action, the state and what was wanted", () => {
  try {
    BertTokenizer.from_vocab({ a: 1.5 });
    ok(false);
  } catch (error) {
    ok(error instanceof TokenizerError);
    match(error.message, /^Cannot load the vocabulary: the id of a token is 1.5, wanted an id$/);
  }
});
