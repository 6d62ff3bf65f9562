"""PyTorch's side of the suite `epoch`, with dynamic padding: torch_epoch.py JOBFILE, see epoch_job.ts and berth_epoch.ts."""
import json, sys, time
import torch
from transformers import BertForSequenceClassification, BertTokenizerFast, get_linear_schedule_with_warmup, logging
from hashed_weights import hash_weights, speak

logging.set_verbosity_error()
job = json.load(open(sys.argv[1], encoding="utf8"))
torch.set_num_threads(job["threads"])
torch.manual_seed(0)
tokenizer = BertTokenizerFast.from_pretrained(job["checkpoint"])
size = job["batch_size"]


def read(file):
    rows = [line.rstrip("\n").rsplit("\t", 1) for line in open(file, encoding="utf8") if "\t" in line]
    return [(text, int(label)) for text, label in rows]


train, dev = read(job["train"]), read(job["dev"])
examples = [train[i] for i in job["order"]]
steps = -(-len(examples) // size)


def encode(texts):
    return tokenizer(texts, truncation=True, max_length=job["max_length"])["input_ids"]


def batch(ids, labels):
    width = max(len(row) for row in ids)
    x = torch.zeros(len(ids), width, dtype=torch.long)
    mask = torch.zeros_like(x)
    for r, row in enumerate(ids):
        x[r, : len(row)] = torch.tensor(row)
        mask[r, : len(row)] = 1
    return dict(input_ids=x, attention_mask=mask, labels=torch.tensor(labels))


class Run:
    """A fresh model, with dropout as in config.json or without."""

    def __init__(self, with_dropout):
        rates = {} if with_dropout else dict(hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)
        self.model = BertForSequenceClassification.from_pretrained(job["checkpoint"], num_labels=2, **rates)
        hash_weights(self.model, lambda name: name.startswith("classifier"))
        is_plain = lambda name: "bias" in name or "LayerNorm.weight" in name
        named = list(self.model.named_parameters())
        groups = [
            dict(params=[p for n, p in named if not is_plain(n)], weight_decay=job["weight_decay"]),
            dict(params=[p for n, p in named if is_plain(n)], weight_decay=0.0),
        ]
        self.optimizer = torch.optim.AdamW(groups, lr=job["lr"])
        warmup = int(job["warmup_ratio"] * steps)
        self.schedule = get_linear_schedule_with_warmup(self.optimizer, warmup, steps)

    def take(self, examples):
        """Trains on examples, a batch at a time; the losses."""
        self.model.train()
        ids, losses = encode([text for text, _ in examples]), []
        for at in range(0, len(examples), size):
            loss = self.model(**batch(ids[at : at + size], [label for _, label in examples[at : at + size]])).loss
            loss.backward()
            torch.nn.utils.clip_grad_norm_(self.model.parameters(), job["max_grad_norm"])
            self.optimizer.step()
            self.schedule.step()
            self.optimizer.zero_grad()
            losses.append(loss.item())
        return losses

    def accuracy(self, examples):
        self.model.eval()
        ids, right = encode([text for text, _ in examples]), 0
        with torch.no_grad():
            for at in range(0, len(ids), size):
                inputs = batch(ids[at : at + size], [label for _, label in examples[at : at + size]])
                right += int((self.model(**inputs).logits.argmax(-1) == inputs["labels"]).sum())
        return right / len(examples)


turns, at = None, 0


def turn():
    global turns, at
    turns = turns or Run(True)
    count = job["turnBatches"] * size
    begin = time.perf_counter()
    if at + count > len(examples):
        at = 0
    turns.take(examples[at : at + count])
    at += count
    return 1000 * (time.perf_counter() - begin)


def epoch():
    run = Run(True)
    begin = time.perf_counter()
    losses = run.take(examples)
    ms = 1000 * (time.perf_counter() - begin)
    return dict(ms=ms, loss=sum(losses) / len(losses), accuracy=run.accuracy(dev))


speak(Run(False).take(examples[: job["checkSteps"] * size]), lambda name: epoch() if name == "epoch" else turn())
