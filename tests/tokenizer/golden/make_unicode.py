"""The character classes of huggingface/tokenizers over all of Unicode, for unicode_test.ts.

    python make_unicode.py > unicode.json

Each class is a list of bounds: first code point of a range, the one after its last, and so on. `lower` and
`decomposed` are SHA-256 of the lines "<code point in hex> <result in hex, joined by +>" of all characters that change.
"""
import hashlib, json
from tokenizers import normalizers, pre_tokenizers


def bert(clean=False, strip=False, lower=False, chinese=False):
    return normalizers.BertNormalizer(clean_text=clean, handle_chinese_chars=chinese, strip_accents=strip, lowercase=lower).normalize_str


clean, strip, lower, chinese = bert(clean=True), bert(strip=True), bert(lower=True), bert(chinese=True)
nfd, split = normalizers.NFD().normalize_str, pre_tokenizers.BertPreTokenizer().pre_tokenize_str
chars = [chr(c) for c in range(0x110000) if not 0xD800 <= c < 0xE000]


def bounds(test):
    result, inside = [], False
    for char in chars + [None]:
        now = char is not None and test(char)
        if now != inside: result.append(ord(char) if char else 0x110000)
        inside = now
    return result


def digest(change):
    lines = [f"{ord(c):x} " + "+".join(f"{ord(d):x}" for d in change(c)) for c in chars if change(c) != c]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


print(json.dumps(dict(
    space=bounds(lambda c: c not in "\x0b\x0c\x85" and split("a" + c + "a") == [("a", (0, 1)), ("a", (2, 3))]),
    removed=bounds(lambda c: clean("a" + c + "a") == "aa"),
    punctuation=bounds(lambda c: len(split("a" + c + "a")) == 3),
    chinese=bounds(lambda c: chinese(c) != c),
    mark=bounds(lambda c: len(nfd(c)) == 1 and strip("a" + c) == "a"),
    nonStarter=bounds(lambda c: nfd(c) == c and (c == "\u0345" or nfd("\u0345" + c)[0] != "\u0345")),
    lower=digest(lower),
    decomposed=digest(nfd),
), separators=(",", ":")))
