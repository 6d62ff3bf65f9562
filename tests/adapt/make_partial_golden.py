"""Fine-tuning of parts by PyTorch: layer-wise learning rates, BitFit, a head on a frozen encoder. Writes golden/partial.

    python make_partial_golden.py
"""
import json, os, re
import torch
from safetensors.torch import save_file
from transformers import BertConfig, BertForSequenceClassification

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "golden", "partial")
SHAPE = dict(vocab_size=61, hidden_size=16, num_hidden_layers=3, num_attention_heads=2, intermediate_size=24,
    max_position_embeddings=16, num_labels=3, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)
IDS = [[5, 9, 11, 60, 2], [7, 3, 0, 0, 0], [8, 8, 30, 0, 0], [41, 2, 9, 1, 0]]
MASK = [[int(x != 0) for x in row] for row in IDS]
LABELS = [2, 0, 1, 2]
NO_DECAY = re.compile(r"bias$|LayerNorm")


def depth(name):
    if m := re.search(r"layer\.(\d+)\.", name): return SHAPE["num_hidden_layers"] - int(m[1])
    return SHAPE["num_hidden_layers"] + 1 if "embeddings." in name else 0


def head_only(name): return name.startswith("classifier")
def bitfit(name): return name.endswith("bias") or head_only(name)


RECIPES = {
    "layer_decay": (lambda name: True, lambda name: 2e-3 * 0.8 ** depth(name)),
    "bitfit": (bitfit, lambda name: 5e-3),
    "head_only": (head_only, lambda name: 2e-2),
}
torch.manual_seed(3)
base = BertForSequenceClassification(BertConfig(**SHAPE))
with torch.no_grad():
    for p in base.parameters(): p.copy_(torch.randn_like(p) * 0.2 + (1.0 if p.dim() == 1 and p.mean() > 0.5 else 0.0))
base.save_pretrained(FOLDER)
batch = dict(input_ids=torch.tensor(IDS), attention_mask=torch.tensor(MASK), labels=torch.tensor(LABELS))
losses, tensors = {}, {}
for recipe, (trained, rate) in RECIPES.items():
    model = BertForSequenceClassification.from_pretrained(FOLDER).train()
    groups = []
    for name, p in model.named_parameters():
        p.requires_grad = trained(name)
        if trained(name): groups.append(dict(params=[p], lr=rate(name), weight_decay=0.0 if NO_DECAY.search(name) else 0.1))
    optimizer = torch.optim.AdamW(groups)
    losses[recipe] = []
    for _ in range(12):
        loss = model(**batch).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses[recipe].append(loss.item())
    tensors |= {f"{recipe}.{n}": p.detach().clone() for n, p in model.named_parameters() if p.requires_grad}
    print(recipe, losses[recipe][0], losses[recipe][-1])
save_file(tensors, f"{FOLDER}/after.safetensors")
json.dump(dict(losses=losses, input_ids=IDS, attention_mask=MASK, labels=LABELS), open(f"{FOLDER}/golden.json", "w"))
