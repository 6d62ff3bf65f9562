"""Mean-pooled sentence vectors of a BertModel checkpoint, by PyTorch and transformers.

    python make_sentence_vectors.py CHECKPOINT OUT.json
"""
import json, sys, torch
from transformers import BertModel, BertTokenizerFast
TEXTS = ["I love baseball.", "I hate baseball.", "The crowd roared as the ball cleared the fence in the ninth.",
    "rain delay", "Naïve café owners watched the game, didn't they?", "A pitcher's duel: 1-0, 14 strikeouts & no walks!"]
tokenizer, model = BertTokenizerFast.from_pretrained(sys.argv[1]), BertModel.from_pretrained(sys.argv[1]).float().eval()
batch = tokenizer(TEXTS, padding=True, return_tensors="pt")
with torch.no_grad(): out = model(**batch)
mask = batch["attention_mask"][..., None].float()
vectors = (out.last_hidden_state * mask).sum(1) / mask.sum(1)
json.dump(dict(texts=TEXTS, vectors=[[round(x, 7) for x in v] for v in vectors.tolist()],
    pooled=[[round(x, 7) for x in v[:8]] for v in out.pooler_output.tolist()]), open(sys.argv[2], "w"))
