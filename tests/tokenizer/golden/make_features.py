"""Random tokenizer set-ups and calls with what transformers gives, for features_test.ts.

    python make_features.py VOCAB SEED COUNT TEXT_FILE... > features.jsonl

Each line: {setup: {options, add, sides}, calls: [{input, options, out | error, ...}]}. Positions count code points.
"""
import json, random, sys
from transformers import AddedToken, BertTokenizerFast

VOCAB, SEED, COUNT = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
r = random.Random(SEED)
lines = [l.rstrip("\n") for f in sys.argv[4:] for l in open(f, encoding="utf8", errors="replace") if l.strip()]
vocab = {}
for i, line in enumerate(open(VOCAB, encoding="utf8")):
    vocab[line.rstrip()] = i
MARKS = "\u0301\u0308\u0323\u0327\u0334\u0345\u302e\u302f\u1baa\u1dfb\u08d4\u0344\u0f73\u3099\u094d\U0001d165\U0001d16d\U0001e000"
BASES = "aAéİßǅ中文豈한글각㈀ガ\U0001d15e\U0001d160\U0001f600\U0002f800क़ศ.#-¿、\u2028\u00a0\u200b\u0000\ufffd\u0085\t\n \U000e0001İ"
SPECIALS = ["[CLS]", "[SEP]", "[MASK]", "[PAD]", "[UNK]", "[mask]"]


def noise():
    return "".join(r.choice(r.choice([MARKS, BASES, "abcDEF ", "  "])) for _ in range(r.randint(0, 14)))


def anything():
    return "".join(chr(c) for c in (r.randrange(0x110000) for _ in range(r.randint(1, 6))) if not 0xD800 <= c < 0xE000)


def added():
    body = r.choice(["<x>", "NewTok", "a b", "café", "##ing", "hello", "the", "[X]", "東京", " pad ", "_", "a", "İ", "é\u0323", "x-y", "\U0001f600", "T", "ll"])
    return dict(content=body, **{k: r.random() < 0.3 for k in ("single_word", "lstrip", "rstrip")},
                **({"normalized": r.random() < 0.5} if r.random() < 0.6 else {}), special=r.random() < 0.3)


def text(extra):
    parts = []
    for _ in range(r.randint(0, 5)):
        word = r.choice([lambda: r.choice(lines)[: r.randint(1, 60)], noise, anything, lambda: r.choice(SPECIALS), lambda: r.choice(extra or [" "])])()
        parts.append(r.choice([str.lower, str.upper, str, str])(word))
    return r.choice(["", " ", "  "]).join(parts)


def setup():
    options = dict(do_lower_case=r.random() < 0.6, tokenize_chinese_chars=r.random() < 0.8)
    if r.random() < 0.4: options["strip_accents"] = r.choice([True, False, None])
    if r.random() < 0.2: options["model_max_length"] = r.choice([16, 512])
    add, seen = [], set()
    for _ in range(r.choice([0, 0, 1, 2, 4])):
        token = added()
        if token["content"].lower() in seen: continue  # equal when normalized: the reference picks one at random
        seen.add(token["content"].lower())
        add.append(dict(token=token, special=r.random() < 0.3))
    return dict(options=options, add=add, padding_side=r.choice(["right", "right", "left"]), truncation_side=r.choice(["right", "right", "left"]))


def call_options():
    o = {}
    if r.random() < 0.5: o["padding"] = r.choice([True, False, "longest", "max_length", "do_not_pad"])
    if r.random() < 0.6: o["truncation"] = r.choice([True, False, "longest_first", "longest_first", "only_first", "only_second", "do_not_truncate"])
    if r.random() < 0.7: o["max_length"] = r.choice([0, 1, 2, 3, 4, 5, 6, 8, 12, 20, 40])
    if r.random() < 0.4: o["stride"] = r.choice([0, 1, 2, 3, 5])
    if r.random() < 0.2: o["pad_to_multiple_of"] = r.choice([0, 2, 4, 8])
    if r.random() < 0.2: o["padding_side"] = r.choice(["left", "right"])
    for k in ("add_special_tokens", "return_token_type_ids", "return_attention_mask", "return_length", "split_special_tokens"):
        if r.random() < 0.15: o[k] = r.random() < 0.5
    for k in ("return_overflowing_tokens", "return_special_tokens_mask"):
        if r.random() < 0.4: o[k] = True
    return o


def one_input(split, extra):
    return [text(extra)[:12] for _ in range(r.randint(0, 4))] if split else text(extra)


for _ in range(COUNT):
    s = setup()
    t = BertTokenizerFast(vocab=dict(vocab), **s["options"])
    t.padding_side, t.truncation_side = s["padding_side"], s["truncation_side"]
    s["added_counts"] = [t.add_tokens([AddedToken(**a["token"])], special_tokens=a["special"]) for a in s["add"]]
    extra = [a["token"]["content"] for a in s["add"]]
    s["ids"] = [t.convert_tokens_to_ids(e) for e in extra]
    s["size"] = len(t)
    calls = []
    for _ in range(8):
        o = call_options()
        split = r.random() < 0.25
        if split: o["is_split_into_words"] = True
        batched = r.random() < 0.6
        k = r.randint(1, 3)
        a = [one_input(split, extra) for _ in range(k)] if batched else one_input(split, extra)
        b = None
        if r.random() < 0.5: b = [one_input(split, extra) for _ in range(k)] if batched else one_input(split, extra)
        case = dict(text=a, text_pair=b, options=o)
        try:
            e = t(a, b, return_offsets_mapping=True, **o)
            case["out"] = dict(e)
            n = len(e.encodings)
            case["rows"] = [dict(tokens=e.tokens(i), words=e.word_ids(i), sequences=e.sequence_ids(i)) for i in range(n)]
            case["maps"] = []
            for _ in range(6):
                i, p, q = r.randrange(n), r.randrange(30), r.randrange(2)
                chars, span = e.token_to_chars(i, p), e.word_to_tokens(i, p, q)
                case["maps"].append(dict(row=i, index=p, sequence=q, char_to_token=e.char_to_token(i, p, q), char_to_word=e.char_to_word(i, p, q),
                    token_to_chars=chars and list(chars), token_to_word=e.token_to_word(i, p), token_to_sequence=e.token_to_sequence(i, p), word_to_tokens=span and list(span)))
            ids = e.encodings[0].ids
            case["decoded"] = dict(ids=ids, plain=t.decode(ids), skip=t.decode(ids, skip_special_tokens=True), clean=t.decode(ids, clean_up_tokenization_spaces=True), tokens=t.convert_ids_to_tokens(ids, skip_special_tokens=True))
        except BaseException as x:
            case["error"] = type(x).__name__
        calls.append(case)
    print(json.dumps(dict(setup=s, calls=calls), separators=(",", ":")))
