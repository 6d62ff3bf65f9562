"""The weights of scripts/notebook/hashed_weights.ts in Python, and the child's side of harness.ts."""
import json, sys
import numpy as np
import torch


def hashed(name, shape):
    """The hash weights of the parameter of that name, as a tensor."""
    seed = 0x811C9DC5
    for byte in name.encode():
        seed = (seed ^ byte) * 0x01000193 & 0xFFFFFFFF
    x = np.arange(int(np.prod(shape)), dtype=np.uint32) * np.uint32(0x9E3779B9) + np.uint32(seed)
    x = (x ^ x >> np.uint32(16)) * np.uint32(0x85EBCA6B)
    x = (x ^ x >> np.uint32(13)) * np.uint32(0xC2B2AE35)
    x ^= x >> np.uint32(16)
    values = ((x >> np.uint32(8)) / 2.0**24 - 0.5) * 0.06928203230275509
    if name.endswith("LayerNorm.weight"):
        values += 1
    return torch.from_numpy(values.astype(np.float32).reshape(shape))


def hash_weights(model, only=lambda name: True):
    """Gives every chosen parameter of a model its hash weights."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if only(name):
                parameter.copy_(hashed(name, tuple(parameter.shape)))


def speak(check, run):
    """Says that this contender is ready, then answers every line `run JOB`: run(job) gives milliseconds, or a dict."""
    print(json.dumps({"ready": True, "check": check}), flush=True)
    for line in sys.stdin:
        answer = run(line[4:].strip())
        print(json.dumps(answer if isinstance(answer, dict) else {"ms": answer}), flush=True)
