"""Learning rates of transformers' schedules: `python make_schedules.py > schedules.json`."""
import json, torch
from transformers import get_scheduler

CASES = [
    ("linear", 0, 7, {}), ("linear", 3, 20, {}), ("cosine", 4, 30, {}), ("cosine", 0, 11, {"num_cycles": 1.25}),
    ("cosine_with_restarts", 2, 25, {"num_cycles": 3}), ("cosine_with_restarts", 0, 10, {}),
    ("polynomial", 3, 20, {}), ("polynomial", 0, 12, {"lr_end": 1e-5, "power": 2.0}),
    ("constant", 0, 5, {}), ("constant_with_warmup", 4, 10, {}),
]
out = []
for name, warmup, total, more in CASES:
    optimizer = torch.optim.AdamW([torch.nn.Parameter(torch.zeros(1))], lr=3e-4)
    schedule = get_scheduler(name, optimizer, num_warmup_steps=warmup, num_training_steps=total, scheduler_specific_kwargs=more)
    rates = []
    for _ in range(total + 3):
        rates.append(schedule.get_last_lr()[0])
        optimizer.step()
        schedule.step()
    out.append({"name": name, "warmup": warmup, "total": total, "options": more, "rates": rates})
print(json.dumps(out))
