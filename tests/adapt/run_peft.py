"""Adapters both ways: loads those of others by PEFT, makes new ones, and prints the outputs of both.

    python run_peft.py JOBS.json

JOBS.json is [{"class", "base", "adapter", "made", "settings", "inputs"}]: the model's class and folder, an adapter's folder, where
PEFT's own adapter goes, with which LoraConfig. Prints [{"loaded", "made": outputs in one list, "targets": names of modules}].
"""
import json, sys, warnings
import torch, transformers
from peft import LoraConfig, PeftModel, get_peft_model

warnings.filterwarnings("ignore")
torch.set_num_threads(1)


def outputs(model, inputs):
    with torch.no_grad(): found = model.eval()(**{name: torch.tensor(rows) for name, rows in inputs.items()})
    names = ["logits", "start_logits", "end_logits", "last_hidden_state", "prediction_logits", "seq_relationship_logits"]
    return [x for name in names if name in found for x in found[name].flatten().tolist()]


results = []
for number, job in enumerate(json.load(open(sys.argv[1]))):
    base = lambda: getattr(transformers, job["class"]).from_pretrained(job["base"])
    loaded = outputs(PeftModel.from_pretrained(base(), job["adapter"]), job["inputs"])
    torch.manual_seed(number)
    model = get_peft_model(base(), LoraConfig(**job["settings"]))
    with torch.no_grad():
        for name, p in model.named_parameters():
            if p.requires_grad: p.add_(torch.randn_like(p) * 0.1)
    model.save_pretrained(job["made"])
    targets = sorted(name for name in model.targeted_module_names)
    results.append(dict(loaded=loaded, made=outputs(model, job["inputs"]), targets=targets))
print(json.dumps(results))
