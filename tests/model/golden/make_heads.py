"""More golden cases, beside those of the shared make_models.py and in its format: DistilBERT, other activations, smoothed
and weighted losses, and a masked language model whose decoder is not tied.

    python make_heads.py OUT SEED
    python make_heads.py OUT SEED COUNT   so many cases of random classes, sizes, settings, lengths, masks and positions

golden.json has "options" besides: what forward takes with the labels.
"""
import json, os, sys
import numpy as np, torch, transformers
from safetensors.torch import save_file
from torch.nn import functional as F
from transformers import (BertConfig, BertForMaskedLM, BertForMultipleChoice, BertForNextSentencePrediction, BertForPreTraining,
    BertForQuestionAnswering, BertForSequenceClassification, BertForTokenClassification, BertModel, DistilBertConfig, DistilBertForMaskedLM, DistilBertForMultipleChoice, DistilBertForQuestionAnswering,
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


PROBLEMS = ["single_label_classification", "multi_label_classification", "regression"]


def random_case():
    """A class, a configuration, a batch's size and options, as unlike those above as they can be."""
    pick = lambda *values: values[int(rng.integers(len(values)))]
    cls = pick(BertModel, BertForSequenceClassification, BertForTokenClassification, BertForQuestionAnswering,
        BertForMultipleChoice, BertForMaskedLM, BertForNextSentencePrediction, BertForPreTraining, DistilBertModel,
        DistilBertForSequenceClassification, DistilBertForTokenClassification, DistilBertForQuestionAnswering,
        DistilBertForMaskedLM)
    heads, tokens = pick(1, 2, 3, 5), pick(1, 2, 7, 16, 37, 65)
    more, options = {}, {}
    if "Sequence" in cls.__name__:
        more.update(problem_type=pick(*PROBLEMS), num_labels=pick(2, 3, 9))
        if more["problem_type"] == "single_label_classification" and pick(0, 1): options = dict(label_smoothing=pick(0.05, 0.3))
    elif "Token" in cls.__name__:
        more.update(num_labels=pick(2, 5, 19))
    elif "Masked" in cls.__name__:
        more.update(tie_word_embeddings=pick(True, False))
    elif "Question" in cls.__name__:
        tokens = max(7, tokens)
    act, layers, size = pick("gelu", "gelu_new", "gelu_pytorch_tanh", "silu", "swish", "tanh"), pick(1, 2, 4), heads * pick(4, 7, 16)
    words, wide = pick(50, 130, 1003), pick(3, 33, 64)
    if cls.__name__.startswith("Distil"):
        c = distil(vocab_size=words, dim=size, n_layers=layers, n_heads=heads, hidden_dim=wide, activation=act,
            max_position_embeddings=tokens + 5, **more)
    else:
        c = bert(vocab_size=words, hidden_size=size, num_hidden_layers=layers, num_attention_heads=heads, intermediate_size=wide,
            hidden_act=act, max_position_embeddings=tokens + 5, layer_norm_eps=pick(1e-12, 1e-6, 1e-3), type_vocab_size=pick(1, 2, 4), **more)
    return cls, c, pick(1, 2, 5), tokens, options


def random_inputs(c, ids):
    """A mask with padding on either side and holes, positions in any order, types of any number."""
    mask = torch.tensor((rng.random(ids.shape) < 0.8).astype(int))
    mask.view(-1, ids.shape[-1])[:, int(rng.integers(ids.shape[-1]))] = 1
    x = dict(input_ids=ids, attention_mask=mask)
    if c.model_type == "bert":
        x["token_type_ids"] = torch.tensor(rng.integers(0, c.type_vocab_size, ids.shape))
        if ids.dim() == 2: x["position_ids"] = torch.tensor(rng.integers(0, c.max_position_embeddings, ids.shape))
    return x, mask


def batch(cls, c, B, T, is_random=False):
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
    if is_random: x, mask = random_inputs(c, ids)
    classes = lambda hi, sh: torch.tensor(rng.integers(0, hi, sh))
    if "Sequence" in cls.__name__:
        if c.problem_type == "regression": y["labels"] = torch.tensor(rng.normal(size=(B, c.num_labels)), dtype=torch.float32)
        elif c.problem_type == "multi_label_classification": y["labels"] = classes(2, (B, c.num_labels)).float()
        else: y["labels"] = classes(c.num_labels, (B,))
    elif "Token" in cls.__name__:
        y["labels"] = torch.where(mask == 1, classes(c.num_labels, (B, T)), -100)
    elif "Question" in cls.__name__:
        half = max(1, T // 2)
        y = dict(start_positions=classes(half, (B,)), end_positions=classes(half, (B,)) + T - half)
    elif "Choice" in cls.__name__:
        y["labels"] = classes(3, (B,))
    elif "NextSentence" in cls.__name__:
        y["labels"] = classes(2, (B,))
    elif "Masked" in cls.__name__ or "PreTraining" in cls.__name__:
        y["labels"] = torch.where((mask == 1) & (torch.tensor(rng.random((B, T))) < 0.3), classes(c.vocab_size, (B, T)), -100)
        y["labels"][0, T // 2] = 5
        if "PreTraining" in cls.__name__: y["next_sentence_label"] = classes(2, (B,))
    return x, y


def loss_of(o, c, y, options):
    if not y:
        return sum(state.pow(2).mean() for state in (o.last_hidden_state, o.get("pooler_output")) if state is not None)
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


count = int(sys.argv[3]) if len(sys.argv) > 3 else 0
cases = {f"random_{i}": random_case() for i in range(count)} or CASES
for name, (cls, c, B, T, options) in cases.items():
    torch.manual_seed(int(rng.integers(1 << 31)))
    m = cls._from_config(c, attn_implementation="eager")
    with torch.no_grad():
        for n, p in m.named_parameters():
            p.copy_(torch.randn(p.shape) * 0.15 + (1.0 if plain(n) and n.endswith("weight") else 0.0))
    m.eval()
    x, y = batch(cls, c, B, T, count > 0)
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
    watch = [n for n in w if n.endswith("output.dense.weight") or n.endswith("ffn.lin2.weight")][-1]
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
    print(name, cls.__name__, "loss", first, "->", float(loss.detach()))
print(json.dumps(list(cases)))
