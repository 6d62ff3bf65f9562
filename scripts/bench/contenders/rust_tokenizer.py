"""The Rust tokenizers through Python, one thread, all texts in one call: rust_tokenizer.py FOLDER"""
import json, os, sys, time

os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["RAYON_NUM_THREADS"] = "1"
from tokenizers import Tokenizer

folder = sys.argv[1]
tokenizer = Tokenizer.from_file(f"{folder}/tokenizer.json")
inputs = json.load(open(f"{folder}/inputs.json"))


def say(value):
    print(json.dumps(value), flush=True)


def check_of(encodings):
    count = total = 0
    for encoding in encodings:
        for token in encoding.ids:
            total = (total * 31 + token) % 10**9
            count += 1
    return [count, total]


say({"ready": True, "check": check_of(tokenizer.encode_batch(inputs["sentences"])) + check_of(tokenizer.encode_batch(inputs["text"]))})
for line in sys.stdin:
    texts = inputs[line[4:].strip()]
    begin = time.perf_counter()
    encodings = tokenizer.encode_batch(texts)
    say({"ms": 1000 * (time.perf_counter() - begin)})
