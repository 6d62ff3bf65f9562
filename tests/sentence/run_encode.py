"""Vectors of texts by sentence-transformers, printed, for each folder.

    python run_encode.py TEXTS.json FOLDER [FOLDER ...]
"""
import json, sys
from sentence_transformers import SentenceTransformer

texts = json.load(open(sys.argv[1]))
print(json.dumps([SentenceTransformer(folder, device="cpu").encode(texts).tolist() for folder in sys.argv[2:]]))
