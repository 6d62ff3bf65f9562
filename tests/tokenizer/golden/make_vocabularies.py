"""Vocabularies that huggingface/tokenizers trains, for vocabulary_test.ts: vocabularies.json.

    python make_vocabularies.py

A list of {corpus, options, vocabulary}. The corpus is "texts", those of uncased/single.jsonl, or "counts": the words of
these texts, word number i of the sorted ones i * 7919 % 4999 times, so that hardly any pairs are equally frequent.
"""
import json, pathlib
from tokenizers import BertWordPieceTokenizer
from tokenizers.pre_tokenizers import BertPreTokenizer

here = pathlib.Path(__file__).parent
texts = [json.loads(line)["text"] for line in open(here / "uncased/single.jsonl", encoding="utf8")]
words = sorted({w for t in texts for w in t.split(" ") if w.isascii() and w.isalpha()})
counts = [" ".join([w] * (i * 7919 % 4999)) for i, w in enumerate(words)]
CASES = [
    ("texts", {"vocab_size": 1200}),
    ("texts", {"vocab_size": 1500, "min_frequency": 1, "do_lower_case": False}),
    ("texts", {"vocab_size": 900, "limit_alphabet": 48, "tokenize_chinese_chars": False}),
    ("texts", {"vocab_size": 700, "strip_accents": False, "min_frequency": 3, "special_tokens": ["[UNK]", "e", "##e", "[X]"], "initial_alphabet": ["@", "\U0001f600", "a"]}),
    ("texts", {"vocab_size": 800, "continuing_subword_prefix": "@@"}),
    ("texts", {"vocab_size": 100000, "clean_text": False}),
    ("counts", {"vocab_size": 500}),
    ("counts", {"vocab_size": 900, "do_lower_case": False, "limit_alphabet": 40}),
]
NAMES = {"do_lower_case": "lowercase", "tokenize_chinese_chars": "handle_chinese_chars", "continuing_subword_prefix": "wordpieces_prefix"}
SETTINGS = ["lowercase", "handle_chinese_chars", "strip_accents", "clean_text", "wordpieces_prefix"]
out = []
for corpus, options in CASES:
    own = {NAMES.get(name, name): value for name, value in options.items()}
    tokenizer = BertWordPieceTokenizer(**{name: own[name] for name in SETTINGS if name in own})
    training = {name: value for name, value in own.items() if name not in SETTINGS or name == "wordpieces_prefix"}
    tokenizer.train_from_iterator(texts if corpus == "texts" else counts, show_progress=False, **training)
    vocabulary = tokenizer.get_vocab(with_added_tokens=False)
    assert sorted(vocabulary.values()) == list(range(len(vocabulary)))
    out.append({"corpus": corpus, "options": options, "vocabulary": sorted(vocabulary, key=vocabulary.get)})
    print(corpus, options, len(vocabulary))
with open(here / "vocabularies.json", "w", encoding="utf8") as file:
    file.write("[\n" + ",\n".join(json.dumps(case, ensure_ascii=True, separators=(",", ":")) for case in out) + "\n]\n")
