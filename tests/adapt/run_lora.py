"""Puts adapters on base models by PEFT, and prints the logits of each.

    python run_lora.py BASE ADAPTER INPUTS.json [BASE ADAPTER INPUTS.json ...]
"""
import json, sys, warnings
import torch
from peft import PeftModel
from transformers import BertForSequenceClassification

warnings.filterwarnings("ignore")
results = []
for base, adapter, inputs in zip(*[iter(sys.argv[1:])] * 3):
    model = PeftModel.from_pretrained(BertForSequenceClassification.from_pretrained(base), adapter).eval()
    batch = {name: torch.tensor(rows) for name, rows in json.load(open(inputs)).items()}
    with torch.no_grad(): results.append(model(**batch).logits.tolist())
print(json.dumps(results))
