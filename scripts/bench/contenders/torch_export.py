"""Writes BertModel with hash weights as transformers.js loads it: torch_export.py FOLDER CONFIG makes FOLDER/{config.json,onnx/model.onnx}."""
import json, os, sys
import torch
from transformers import BertConfig, BertModel
from hashed_weights import hash_weights

folder, config = sys.argv[1], BertConfig(**json.loads(sys.argv[2]), attn_implementation="eager")
os.makedirs(f"{folder}/onnx", exist_ok=True)
config.save_pretrained(folder)
model = BertModel(config).eval()
hash_weights(model)


class Export(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.model = model

    def forward(self, input_ids, attention_mask, token_type_ids):
        output = self.model(input_ids=input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids)
        return output.last_hidden_state, output.pooler_output


inputs = ["input_ids", "attention_mask", "token_type_ids"]
ids = torch.ones(2, 8, dtype=torch.long)
torch.onnx.export(
    Export(),
    (ids, ids, torch.zeros_like(ids)),
    f"{folder}/onnx/model.onnx",
    input_names=inputs,
    output_names=["last_hidden_state", "pooler_output"],
    dynamic_axes={name: {0: "batch", 1: "tokens"} for name in inputs},
    opset_version=17,
    dynamo=False,
)
