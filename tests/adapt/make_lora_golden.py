"""LoRA by PEFT: adapters, their logits, every gradient, 20 steps of AdamW. Writes golden/lora_*.

    python make_lora_golden.py
"""
import json, os, warnings
import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import save_file
from transformers import BertConfig, BertForSequenceClassification

warnings.filterwarnings("ignore")
HERE = os.path.dirname(os.path.abspath(__file__))
SHAPE = dict(vocab_size=61, hidden_size=20, num_hidden_layers=2, num_attention_heads=2, intermediate_size=36,
    max_position_embeddings=16, num_labels=3, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)
CASES = {
    "lora_classifier": dict(r=4, lora_alpha=12, target_modules=["query", "value"], task_type="SEQ_CLS"),
    "lora_everywhere": dict(r=3, lora_alpha=5, target_modules="all-linear", bias="all", use_rslora=True,
        rank_pattern={"value": 5, r"layer\.1\.output\.dense": 2}, alpha_pattern={"key": 9}),
    "lora_one_layer": dict(r=8, target_modules=["query", "dense"], bias="lora_only", layers_to_transform=[1],
        exclude_modules=["intermediate.dense"], modules_to_save=["pooler"]),
}
IDS = [[5, 9, 11, 60, 2], [7, 3, 0, 0, 0], [8, 8, 30, 0, 0]]
MASK = [[int(x != 0) for x in row] for row in IDS]
LABELS = [2, 0, 1]


def plain(name):
    """PEFT's name of a tensor as its file has it."""
    return name.replace(".default", "").replace(".modules_to_save", "")


for case, settings in CASES.items():
    folder = os.path.join(HERE, "golden", case)
    torch.manual_seed(7)
    base = BertForSequenceClassification(BertConfig(**SHAPE))
    with torch.no_grad():
        for p in base.parameters(): p.copy_(torch.randn_like(p) * 0.2 + (1.0 if p.dim() == 1 and p.mean() > 0.5 else 0.0))
    base.save_pretrained(f"{folder}/base")
    model = get_peft_model(base, LoraConfig(**settings))
    with torch.no_grad():
        for name, p in model.named_parameters():
            if "lora_B" in name: p.copy_(torch.randn_like(p) * 0.3)
            elif p.requires_grad and "lora_A" not in name: p.add_(torch.randn_like(p) * 0.05)
    model.save_pretrained(folder)
    os.remove(f"{folder}/README.md")
    batch = dict(input_ids=torch.tensor(IDS), attention_mask=torch.tensor(MASK), labels=torch.tensor(LABELS))
    model.train()
    out = model(**batch)
    out.loss.backward()
    trained = [(n, p) for n, p in model.named_parameters() if p.requires_grad]
    tensors = {"logits": out.logits.detach()} | {f"grad.{plain(n)}": p.grad.clone() for n, p in trained}
    model.zero_grad()
    optimizer = torch.optim.AdamW([p for _, p in trained], lr=5e-3, weight_decay=0.1)
    losses = []
    for _ in range(20):
        loss = model(**batch).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    tensors |= {f"after.{plain(n)}": p.detach().clone() for n, p in trained}
    with torch.no_grad(), model.disable_adapter():
        if settings.get("bias", "none") == "none": tensors["disabled"] = model.eval()(**batch).logits
    save_file(tensors, f"{folder}/golden.safetensors")
    trainable, count = model.get_nb_trainable_parameters()
    json.dump(dict(loss=out.loss.item(), losses=losses, trainable=trainable, count=count, input_ids=IDS,
        attention_mask=MASK, labels=LABELS), open(f"{folder}/golden.json", "w"))
    print(case, trainable, count, losses[0], losses[-1])
