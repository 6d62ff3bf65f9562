"""Gradient x input and integrated gradients of classifiers by PyTorch, over the word embeddings. Writes golden/attributions.json.

    python make_golden.py
"""
import json, os, tempfile, torch
from transformers import AutoModelForSequenceClassification, BertTokenizerFast

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(HERE, "..", "..")
WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "game", "was", "fine", "dull", "##er", "base", "##ball", "a", ".", ",", "!"]
WORDS += [f"w{i}" for i in range(41 - len(WORDS))]

def own_classifier(model):
    """Weights of a known rule in place of random ones."""
    weight, bias = model.classifier.weight, model.classifier.bias
    n = torch.arange(weight.numel(), dtype=torch.float64).reshape(weight.shape)
    weight.data = (torch.sin(n + 1) * 0.2).float()
    bias.data = torch.zeros_like(bias)

def explain(model, tokenizer, text, steps):
    row = tokenizer(*([text] if isinstance(text, str) else text), return_tensors="pt", return_special_tokens_mask=True)
    special = row.pop("special_tokens_mask")[0].bool()
    if model.config.model_type == "distilbert": row.pop("token_type_ids", None)
    ids = row.pop("input_ids")
    table = model.get_input_embeddings().weight.detach().double()
    model = model.double()
    own, base = table[ids], table[tokenizer.mask_token_id].expand(ids.shape[1], -1)[None]
    base = torch.where(special[None, :, None], own, base)
    with torch.no_grad(): logits = model(inputs_embeds=own, **row).logits[0]
    target = int(logits.argmax())
    def gradient(x):
        x = x.clone().requires_grad_(True)
        return torch.autograd.grad(model(inputs_embeds=x, **row).logits[0, target], x)[0]
    mean = sum(gradient(base + (k + 0.5) / steps * (own - base)) for k in range(steps)) / steps
    return dict(text=text, input_ids=ids[0].tolist(), special=special.tolist(), target=target, logit=float(logits[target]),
        gradient_x_input=(gradient(own) * own).sum(-1)[0].tolist(), integrated_gradients=((own - base) * mean).sum(-1)[0].tolist())

def case(folder, tokenizer, texts, classifier):
    model = AutoModelForSequenceClassification.from_pretrained(folder, num_labels=3).eval()
    if classifier: own_classifier(model)
    return dict(steps=8, texts=[explain(model, tokenizer, text, 8) for text in texts])

tiny = os.path.join(ROOT, "src", "assets", "berth-tiny")
with tempfile.TemporaryDirectory() as folder:
    with open(os.path.join(folder, "vocab.txt"), "w") as file: file.write("\n".join(WORDS))
    small = BertTokenizerFast(vocab=os.path.join(folder, "vocab.txt"))
    cases = dict(
        bert=case(tiny, BertTokenizerFast.from_pretrained(tiny), ["I love baseball, I really love it.",
            "The pitching was unbelievably dull!", ["Who won the game?", "Nobody: rain delay."]], True),
        distilbert=case(os.path.join(HERE, "..", "model", "golden", "distilbert_sequence"), small,
            ["The game was fine.", "A duller baseball game, a dull game!"], False))
json.dump(dict(words=WORDS, **cases), open(os.path.join(HERE, "golden", "attributions.json"), "w"))
