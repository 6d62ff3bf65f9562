"""More golden cases, beside those of the shared make_models.py and in its format: DistilBERT, other activations, smoothed
and weighted losses, and a masked language model whose decoder is not tied.

    python make_heads.py OUT SEED

golden.json has "options" besides: what forward takes with the labels.
"""
import json, os, sys
import numpy as np, torch, transformers
from safetensors.torch import save_file
from torch.nn import functional as F
from transformers import (BertConfig, BertForMaskedLM, BertForSequenceClassification, BertForTokenClassification,
    DistilBertConfig, DistilBertForMaskedLM, DistilBertForMultipleChoice, DistilBertForQuestionAnswering,
    DistilBertForSequenceClassification, DistilBertForTokenClassification, DistilBertModel, get_linear_schedule_with_warmup)
from transformers.trainer_pt_utils import LabelSmoother

torch.set_num_threads(1)
out, seed = sys.argv[1], int(sys.argv[2])
rng = np.random.default_rng(seed)


def bert(**more):
    return BertConfig(**{**dict(vocab_size=41, hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=24,
        max_position_embeddings=20, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0), **more})


def distil(**more):
    return DistilBertConfig(**{**dict(vocab_size=41, dim=16, n_layers=2, n_heads=2, hidden_dim=24, max_position_embeddings=20,
        dropout=0.0, attention_dropout=0.0, qa_dropout=0.0, seq_classif_dropout=0.0), **more})


smoothed, weighted = dict(label_smoothing=0.1), dict(class_weights=[0.5, 2.0, 1.25, 0.0, 3.0])
CASES = {  # name: (class, config, batch, tokens, options)
    "distilbert_model": (DistilBertModel, distil(), 3, 7, {}),
    "distilbert_sequence": (DistilBertForSequenceClassification, distil(num_labels=3), 3, 9, {}),
    "distilbert_multi_label": (DistilBertForSequenceClassification, distil(num_labels=5, activation="relu",
        problem_type="multi_label_classification"), 3, 9, {}),
    "distilbert_token": (DistilBertForTokenClassification, distil(num_labels=4), 3, 11, {}),
    "distilbert_question_answering": (DistilBertForQuestionAnswering, distil(), 3, 13, {}),
    "distilbert_multiple_choice": (DistilBertForMultipleChoice, distil(), 2, 8, {}),
    "distilbert_masked_lm": (DistilBertForMaskedLM, distil(), 3, 13, {}),
    "silu": (BertForSequenceClassification, bert(num_labels=2, hidden_act="silu"), 3, 9, {}),
    "tanh": (BertForSequenceClassification, bert(num_labels=2, hidden_act="tanh"), 3, 9, {}),
    "masked_lm_tanh_gelu": (BertForMaskedLM, bert(hidden_act="gelu_pytorch_tanh"), 3, 13, smoothed),
    "masked_lm_untied": (BertForMaskedLM, bert(tie_word_embeddings=False), 3, 13, {}),
    "sequence_smoothed": (BertForSequenceClassification, bert(num_labels=5), 5, 9, smoothed),
    "sequence_smoothed_weighted": (BertForSequenceClassification, bert(num_labels=5), 5, 9, {**smoothed, **weighted}),
    "multi_label_weighted": (BertForSequenceClassification, bert(num_labels=5, problem_type="multi_label_classification"), 3, 9,
        weighted),
    "token_smoothed": (BertForTokenClassification, bert(num_labels=5), 3, 11, smoothed),
    "token_weighted": (BertForTokenClassification, bert(num_labels=5), 3, 11, weighted),
}


def batch(cls, c, B, T):
    shape = (B, 3, T) if "MultipleChoice" in cls.__name__ else (B, T)
    ids, mask = torch.tensor(rng.integers(1, c.vocab_size, shape)), torch.ones(shape, dtype=torch.long)
    rows = mask.view(-1, T)
    for r in range(1, rows.shape[0]):
        rows[r, max(1, T - r * max(1, T // 6)):] = 0
    x, y = dict(input_ids=ids * mask, attention_mask=mask), {}
    if c.model_type == "bert":
        types = torch.zeros(shape, dtype=torch.long)
        types[..., T // 2:] = 1
        x["token_type_ids"] = types * mask
    classes = lambda hi, sh: torch.tensor(rng.integers(0, hi, sh))
    if "Sequence" in cls.__name__:
        multi = c.problem_type == "multi_label_classification"
        y["labels"] = classes(2, (B, c.num_labels)).float() if multi else classes(c.num_labels, (B,))
    elif "Token" in cls.__name__:
        y["labels"] = torch.where(mask == 1, classes(c.num_labels, (B, T)), -100)
    elif "Question" in cls.__name__:
        y = dict(start_positions=classes(T // 2, (B,)), end_positions=classes(T // 2, (B,)) + T // 2)
    elif "Choice" in cls.__name__:
        y["labels"] = classes(3, (B,))
    elif "Masked" in cls.__name__:
        y["labels"] = torch.where((mask == 1) & (torch.tensor(rng.random((B, T))) < 0.3), classes(c.vocab_size, (B, T)), -100)
        y["labels"][0, 1] = 5
    return x, y


def loss_of(o, c, y, options):
    if not y:
        return o.last_hidden_state.pow(2).mean()
    if not options:
        return o.loss
    weights = torch.tensor(options["class_weights"]) if "class_weights" in options else None
    smoothing = options.get("label_smoothing", 0.0)
    if c.problem_type == "multi_label_classification":
        return F.binary_cross_entropy_with_logits(o.logits, y["labels"], pos_weight=weights)
    k = o.logits.shape[-1]
    loss = F.cross_entropy(o.logits.reshape(-1, k), y["labels"].reshape(-1), weight=weights, label_smoothing=smoothing)
    if weights is None:  # transformers' Trainer means the same
        assert abs(loss - LabelSmoother(epsilon=smoothing)(dict(logits=o.logits), y["labels"])) < 1e-5
    return loss


def plain(name):
    return "bias" in name or "LayerNorm" in name or "layer_norm" in name


for name, (cls, c, B, T, options) in CASES.items():
    torch.manual_seed(int(rng.integers(1 << 31)))
    m = cls._from_config(c, attn_implementation="eager")
    with torch.no_grad():
        for n, p in m.named_parameters():
            p.copy_(torch.randn(p.shape) * 0.15 + (1.0 if plain(n) and n.endswith("weight") else 0.0))
    m.eval()
    x, y = batch(cls, c, B, T)
    d = os.path.join(out, name)
    os.makedirs(d, exist_ok=True)
    c.architectures = [cls.__name__]
    c.save_pretrained(d)
    names = [n for n, _ in m.named_parameters()]
    state = m.state_dict()
    save_file({n: state[n].contiguous().clone() for n in names}, os.path.join(d, "model.safetensors"), {"format": "pt"})
    o = m(**x, **y, output_hidden_states=True, output_attentions=True)
    loss = loss_of(o, c, y, options)
    m.zero_grad()
    loss.backward()
    first = float(loss.detach())
    g = {f"in.{k}": v.to(torch.int32) if v.dtype == torch.long else v for k, v in {**x, **y}.items()}
    for k, v in o.items():
        if k == "loss":
            continue
        for i, t in enumerate(v if isinstance(v, tuple) else [v]):
            g[f"out.{k}" + (f".{i}" if isinstance(v, tuple) else "")] = t.detach().contiguous().clone()
    for n, p in m.named_parameters():
        if p.grad is not None:
            g[f"grad.{n}"] = p.grad.clone()
    save_file(g, os.path.join(d, "golden.safetensors"))
    w = dict(m.named_parameters())
    groups = [dict(params=[p for n, p in w.items() if not plain(n)], weight_decay=0.01),
              dict(params=[p for n, p in w.items() if plain(n)], weight_decay=0.0)]
    opt = torch.optim.AdamW(groups, lr=2e-3)
    sch = get_linear_schedule_with_warmup(opt, 4, 20)
    watch = [n for n in w if n.endswith("layer.1.output.dense.weight") or n.endswith("layer.1.ffn.lin2.weight")][0]
    # A pre_classifier's bias has no true gradient where choices are compared. AdamW makes whole steps of its rounding noise,
    # which move the kinks of relu: two builds of PyTorch differ by 5e-3.
    steps = 0 if cls is DistilBertForMultipleChoice else 20
    losses, norms, ws = [], [], []
    for _ in range(steps):
        loss = loss_of(m(**x, **y), c, y, options)
        opt.zero_grad()
        loss.backward()
        norms.append(float(torch.nn.utils.clip_grad_norm_(m.parameters(), 1.0)))
        opt.step()
        sch.step()
        losses.append(float(loss.detach()))
        ws.append(float(w[watch][0, 0]))
    training = dict(lr=2e-3, warmup_steps=4, total_steps=steps, weight_decay=0.01, max_grad_norm=1.0, losses=losses, grad_norms=norms,
        watch_name=watch + "[0][0]", watch=ws)
    json.dump(dict(made_with=dict(torch=torch.__version__, transformers=transformers.__version__), class_=cls.__name__,
        loss=first, options=options, training=training), open(os.path.join(d, "golden.json"), "w"), indent=1)
    print(name, "loss", first, "->", float(loss.detach()))
