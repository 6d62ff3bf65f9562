"""The best word for a gap, by transformers, and the weights that the checkpoint lacks: python fill_mask.py FOLDER TEXT"""
import json, sys
import transformers

folder, text = sys.argv[1:]
best = transformers.pipeline("fill-mask", model=folder, top_k=1)(text)[0]
architecture = getattr(transformers, transformers.AutoConfig.from_pretrained(folder).architectures[0])
_, info = architecture.from_pretrained(folder, output_loading_info=True)
print(json.dumps({"token_str": best["token_str"], "score": best["score"], "missing": sorted(info["missing_keys"])}))
