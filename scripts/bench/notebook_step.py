"""PyTorch's side of notebook_step.ts: prints the milliseconds of each training step, bert-base shape, 2 x 6 tokens.

    python notebook_step.py THREADS STEPS [fused]
"""
import sys, time, torch
from transformers import BertConfig, BertForSequenceClassification
torch.set_num_threads(int(sys.argv[1]))
model = BertForSequenceClassification(BertConfig(num_labels=2, hidden_dropout_prob=0., attention_probs_dropout_prob=0.)).train()
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-5, weight_decay=0., **({"fused": True} if "fused" in sys.argv else {}))
ids = torch.tensor([[101, 1045, 2293, 3598, 1012, 102], [101, 1045, 5223, 3598, 1012, 102]]); labels = torch.tensor([1, 0])
for _ in range(int(sys.argv[2])):
    start = time.perf_counter()
    loss = torch.nn.functional.cross_entropy(model(input_ids=ids, attention_mask=torch.ones_like(ids)).logits, labels)
    optimizer.zero_grad(); loss.backward(); optimizer.step()
    print((time.perf_counter() - start) * 1e3, flush=True)
