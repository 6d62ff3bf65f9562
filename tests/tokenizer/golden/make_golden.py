"""Small reference files for golden_test.ts and features_test.ts, from transformers' BertTokenizerFast.

    python make_golden.py {uncased|cased} BIG_VOCAB OUT SEED TEXT_FILE...

vocab.txt     the word pieces that the texts below need, from BIG_VOCAB
single.jsonl  {text, ids, tokens, offsets, word_ids, special}; offsets count code points
calls.jsonl   {texts, pairs, options, out}; out is {error} where transformers raises
decode.jsonl  {ids, text, text_skip_special, text_no_cleanup}
"""
import json, os, random, sys
from transformers import BertTokenizerFast

case, big, out, seed = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
r = random.Random(seed)
os.makedirs(out, exist_ok=True)
lines = [l.rstrip("\n") for f in sys.argv[5:] for l in open(f, encoding="utf8", errors="replace") if l.strip()]
texts = ["", " \t", "[CLS] [MASK]x[SEP] [mask]", "x" * 100, "x" * 101, "naïve CAFÉ résumé Ångström", "İstanbul ΑΣ ΟΔΟΣ ǅ ŉ ß ẞ ﬁ", "don't 3.14 $5.00 50% a_b http://a.b/c?d=e&f=g",
    "日本語のテキスト 中文 한국어 豈", "👩‍👩‍👧 🏳️‍🌈 👍🏽 ☕️", "zero\u200bwidth\u200djoin\ufeffbom soft\u00adhyphen nbsp\u00a0here\u3000wide", "a\u0000b\ufffdc\u0007d\u0085e", "e\u0301 e\u0308\u0301\u302e \U0001d15e\u0323 \u1e9b\u0323",
    "½ ² ㎏ ℃ № … ——–-‐ `^~+=|<>$ ؝ ⹓ 𑪚", "\U00016ea0 \U00010d50 \u1c89 \u08d4\u0301 \U0002f800"]
RANGES = [(0x20, 0x7F), (0xA0, 0x250), (0x300, 0x370), (0x370, 0x530), (0x590, 0x700), (0x900, 0xE80), (0x1100, 0x1200), (0x1E00, 0x2070), (0x20A0, 0x2C00), (0x3000, 0x3100), (0x4E00, 0x4F00), (0xAC00, 0xAD00), (0x1D100, 0x1D200), (0x1F300, 0x1F700)]


def dumps(value):
    return json.dumps(value, separators=(",", ":"))


def noise():
    spans = [r.choice(RANGES), r.choice(RANGES), (0x61, 0x7B), (0x20, 0x21)]
    return "".join(chr(r.randrange(*r.choice(spans))) for _ in range(r.randint(1, 16)))


def load(vocab):
    tokens = [line.rstrip("\n") for line in open(vocab, encoding="utf8")]
    return BertTokenizerFast(vocab={token: i for i, token in enumerate(tokens)}, do_lower_case=case == "uncased", model_max_length=512)


texts += [t for t in r.sample(lines, 115)] + [noise() for _ in range(70)]
calls = []
for _ in range(60):
    k = r.randint(1, 3)
    o = dict(padding=r.choice([False, True, "max_length"]), truncation=r.choice([False, True, "longest_first", "only_first", "only_second"]), max_length=r.choice([6, 8, 12, 17, 32]))
    if r.random() < 0.3: o["pad_to_multiple_of"] = r.choice([4, 8])
    if r.random() < 0.15: o["add_special_tokens"] = False
    if r.random() < 0.4: o["return_overflowing_tokens"], o["stride"] = True, r.choice([0, 1, 2])
    calls.append(([x[:80] for x in r.sample(lines, k)], [x[:80] for x in r.sample(lines, k)] if r.random() < 0.5 else None, o))
whole = load(big)
used = {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"} | set("abcdefghijklmnopqrstuvwxyz0123456789.,'!?-") | {"##" + c for c in "abcdefghijklmnopqrstuvwxyz0123456789"}
for t in texts + [x for a, b, _ in calls for x in a + (b or [])]: used |= set(whole.tokenize(t))
kept = [t for t in whole.convert_ids_to_tokens(range(len(whole))) if t in used]
with open(f"{out}/vocab.txt", "w") as f: f.write("".join(t + "\n" for t in kept))
tok = load(f"{out}/vocab.txt")

with open(f"{out}/single.jsonl", "w") as f:
    for t in texts:
        e = tok(t, return_offsets_mapping=True, return_special_tokens_mask=True)
        f.write(dumps(dict(text=t, ids=e["input_ids"], tokens=tok.convert_ids_to_tokens(e["input_ids"]), offsets=e["offset_mapping"], word_ids=e.word_ids(), special=e["special_tokens_mask"])) + "\n")
with open(f"{out}/calls.jsonl", "w") as f:
    for a, b, o in calls:
        try: res = dict(tok(a, b, return_offsets_mapping=True, return_special_tokens_mask=True, **o))
        except BaseException as x: res = dict(error=type(x).__name__)
        f.write(dumps(dict(texts=a, pairs=b, options=o, out=res)) + "\n")
with open(f"{out}/decode.jsonl", "w") as f:
    for i in range(40):
        ids = [r.randrange(len(tok)) for _ in range(12)] if i % 3 == 0 else tok(r.choice(texts), r.choice(texts) if i % 2 else None)["input_ids"]
        f.write(dumps(dict(ids=ids, text=tok.decode(ids, clean_up_tokenization_spaces=True), text_skip_special=tok.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=True), text_no_cleanup=tok.decode(ids, clean_up_tokenization_spaces=False))) + "\n")
