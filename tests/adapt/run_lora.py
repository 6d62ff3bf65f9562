"""Puts an adapter on a base model by PEFT, and prints its logits.

    python run_lora.py BASE ADAPTER INPUTS.json
"""
import json, sys, warnings
import torch
from peft import PeftModel
from transformers import BertForSequenceClassification

warnings.filterwarnings("ignore")
base = BertForSequenceClassification.from_pretrained(sys.argv[1])
model = PeftModel.from_pretrained(base, sys.argv[2]).eval()
inputs = {name: torch.tensor(rows) for name, rows in json.load(open(sys.argv[3])).items()}
with torch.no_grad(): print(json.dumps(model(**inputs).logits.tolist()))
