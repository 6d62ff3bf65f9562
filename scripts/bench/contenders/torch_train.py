"""Training steps of PyTorch on the CPU: torch_train.py OPTIMIZER JOB; OPTIMIZER is default or fused, JOB as in training_job.ts."""
import json, sys, time
import torch
from transformers import BertConfig, BertForSequenceClassification
from hashed_weights import hash_weights, speak

fused, job = sys.argv[1] == "fused", json.loads(sys.argv[2])
torch.set_num_threads(job["threads"])
ids, labels = torch.tensor(job["input_ids"]), torch.tensor(job["labels"])
mask = torch.ones_like(ids)


def prepare(dropout):
    config = BertConfig(**job["config"], hidden_dropout_prob=dropout, attention_probs_dropout_prob=dropout)
    model = BertForSequenceClassification(config).train()
    hash_weights(model)
    kind = {"fused": True} if fused else {}
    optimizer = torch.optim.AdamW(model.parameters(), lr=job["lr"], weight_decay=0.0, **kind)

    def step():
        loss = model(input_ids=ids, attention_mask=mask, labels=labels).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        return loss.item()

    return step


step = prepare(0.0)
losses = [step() for _ in range(job["checkSteps"])]
step = prepare(0.1 if job["dropout"] else 0.0)


def run(_):
    begin = time.perf_counter()
    step()
    return 1000 * (time.perf_counter() - begin)


speak(losses, run)
