"""Small checkpoints, and what Python's pipelines say of 100 inputs each; read by golden_test.ts.

    python make_golden.py SENTENCES_TSV VOCAB_TXT [TASK ...]

SENTENCES_TSV  lines of text, tab, anything
VOCAB_TXT      a BERT vocabulary; it is copied beside each checkpoint
TASK           text-classification token-classification fill-mask feature-extraction question-answering; default: all
               (question-answering wants transformers 4: version 5 has no such pipeline)

golden/<task>/  config.json, model.safetensors (F16), vocab.txt, tokenizer_config.json
golden/<task>.json  {"inputs": [list, ...], "runs": [{"inputs": number of its list, "options", "outputs"}]}; offsets count
                    UTF-16 units, scores have 7 digits, entities and answers are lists of their values
"""
import json, os, random, shutil, sys
os.environ["HF_HUB_OFFLINE"] = "1"
import torch
from transformers import (BertConfig, BertForMaskedLM, BertForQuestionAnswering, BertForSequenceClassification,
                          BertForTokenClassification, BertModel, BertTokenizerFast, pipeline)

from outputs import answers_of, places, tidy

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "golden")
MAX_LENGTH = 64
TAGS = ["O", "B-PER", "I-PER", "B-ORG", "I-ORG", "B-LOC", "I-LOC"]
MODELS = {
    "text-classification": (BertForSequenceClassification, ["negative", "neutral", "positive"]),
    "token-classification": (BertForTokenClassification, TAGS),
    "fill-mask": (BertForMaskedLM, None),
    "feature-extraction": (BertModel, None),
    "question-answering": (BertForQuestionAnswering, None),
}
ODD = ["", " ", "[SEP]", "[CLS] [PAD]", "\U0001f389 party \U0001f469\u200d\U0001f469\u200d\U0001f467 time \U0001f3f3\ufe0f\u200d\U0001f308",
       "na\u00efve CAF\u00c9 e\u0301te\u0301 \u00c5ngstr\u00f6m", "\u65e5\u672c\u8a9e\u306e\u30c6\u30ad\u30b9\u30c8 \u4e2d\u6587",
       "\u0130stanbul stra\u00dfe \ufb01ne", "a\u200bb \u00a0c\u3000d\tx\ny", "$5.00, don't! (3.14%)", "\U0001d54f\U0001d550 ok", "x" * 120]

random.seed(1)
sentences = [line.split("\t")[0] for line in open(sys.argv[1], encoding="utf8")]
random.shuffle(sentences)
short = [s for s in sentences if 10 < len(s) < 60]
LONG = " ".join(sentences[:9])
TEXTS = ODD + [LONG, LONG.upper()] + short[: 100 - len(ODD) - 2]


def make_checkpoint(task):
    folder, (Model, labels) = os.path.join(HERE, task), MODELS[task]
    os.makedirs(folder, exist_ok=True)
    shutil.copy(sys.argv[2], os.path.join(folder, "vocab.txt"))
    settings = {"tokenizer_class": "BertTokenizer", "do_lower_case": True, "model_max_length": MAX_LENGTH}
    json.dump(settings, open(os.path.join(folder, "tokenizer_config.json"), "w"))
    torch.manual_seed(7)
    names = {} if labels is None else {"id2label": dict(enumerate(labels)), "label2id": {l: i for i, l in enumerate(labels)}}
    size = sum(1 for _ in open(sys.argv[2], encoding="utf8"))
    model = Model(BertConfig(vocab_size=size, hidden_size=24, num_hidden_layers=2, num_attention_heads=2, intermediate_size=40,
                             max_position_embeddings=MAX_LENGTH, initializer_range=0.3, **names))
    for name, weight in model.named_parameters():
        if name.endswith("bias"):
            torch.nn.init.normal_(weight, 0, 0.1)
    centre(model.eval(), folder)
    model.half().save_pretrained(folder)
    with torch.no_grad():
        for weight in model.parameters():
            weight.copy_(weight.half())
    return folder


def centre(model, folder):
    """Scales and shifts a random head so that each label is sometimes the best."""
    head = getattr(model, "classifier", None) or getattr(model, "qa_outputs", None)
    if head is None:
        return
    tokenizer = BertTokenizerFast.from_pretrained(folder)
    with torch.no_grad():
        outputs = [model(**tokenizer(t, return_tensors="pt", truncation=True)) for t in TEXTS if t.strip()]
        logits = torch.cat([o[0].reshape(-1, head.out_features) if head.out_features > 2 else torch.stack([o[0], o[1]], -1)[0] for o in outputs])
        scale = 2 / logits.std(0)
        head.weight.mul_(scale[:, None])
        head.bias.copy_((head.bias - logits.mean(0)) * scale)


def runs_of(task, pipe):
    cut = {"truncation": True, "max_length": MAX_LENGTH}
    if task == "text-classification":
        for options in ({}, {"top_k": None}, {"top_k": 2, "function_to_apply": "sigmoid"}, {"top_k": None, "function_to_apply": "none"}):
            yield TEXTS, options, pipe(TEXTS, **cut, **options)
    elif task == "token-classification":
        for options in ({}, {"aggregation_strategy": "simple"}, {"aggregation_strategy": "first"}, {"aggregation_strategy": "average"},
                        {"aggregation_strategy": "max"}, {"aggregation_strategy": "simple", "stride": 16},
                        {"aggregation_strategy": "max", "ignore_labels": ["PER", "LOC"]}):
            yield TEXTS, options, [places(pipe(text, **options), text) for text in TEXTS]
    elif task == "fill-mask":
        def gap(text, count=1):
            words = text.split(" ")
            for i in random.sample(range(len(words)), min(count, len(words))):
                words[i] = "[MASK]"
            return " ".join(words)
        texts = [gap(t) for t in short[:70]] + [gap(t, 2) for t in short[70:80]] + ["[MASK] " + t for t in ODD] + \
            ["[MASK] " + LONG, "[MASK]", "[MASK] [MASK]", "[PAD] a [MASK] b", "[UNK] [MASK]", "caf\u00e9 [MASK] \U0001f389", "[MASK].", "[MASK] , x"]
        texts = texts[:100]
        for options in ({"top_k": 2}, {"targets": ["the", "film", "story", "a"], "top_k": 3}):
            yield texts, options, [pipe(t, tokenizer_kwargs=cut, **options) for t in texts]
        yield texts[:8], {}, [pipe(t) for t in texts[:8]]
    elif task == "feature-extraction":
        features = [torch.tensor(pipe(t, tokenize_kwargs=cut)[0]) for t in TEXTS]
        yield TEXTS[:6], {}, [f.tolist() for f in features[:6]]
        yield TEXTS, {"pooling": "mean"}, [f.mean(0).tolist() for f in features]
        yield TEXTS, {"pooling": "cls", "normalize": True}, [(f[0] / f[0].norm()).tolist() for f in features]
    else:
        asked = ["What is it about?", "who", "Why do they like the film so much \U0001f389?", "Is it \u00e9t\u00e9 ?"]
        pairs = [{"question": random.choice(asked), "context": c} for c in
                 [t for t in ODD if t] + [LONG, "\U0001f389 " + LONG.upper()] + [" ".join(random.sample(short, 3)) for _ in range(87)]]
        for options in ({}, {"top_k": 3}, {"handle_impossible_answer": True, "top_k": 2}, {"max_answer_len": 3},
                        {"align_to_words": False, "top_k": 2}, {"doc_stride": 10, "max_seq_len": 40}):
            yield pairs, options, answers_of(pipe, pairs, options)
        some = pairs[:14]  # long ones are among them
        options = {"handle_impossible_answer": True, "top_k": 30}
        yield some, options, answers_of(pipe, some, options)


for task in sys.argv[3:] or MODELS:
    folder = make_checkpoint(task)
    tokenizer = BertTokenizerFast.from_pretrained(folder)
    model = MODELS[task][0].from_pretrained(folder, dtype=torch.float32).eval()
    runs = [{"inputs": i, "options": o, "outputs": tidy(r)} for i, o, r in runs_of(task, pipeline(task, model=model, tokenizer=tokenizer))]
    inputs = {}  # each list of inputs once
    for run in runs:
        key = json.dumps(run["inputs"])
        run["inputs"] = inputs.setdefault(key, len(inputs))
    golden = {"inputs": [json.loads(key) for key in inputs], "runs": runs}
    json.dump(golden, open(os.path.join(HERE, task + ".json"), "w"), separators=(",", ":"), ensure_ascii=False)
