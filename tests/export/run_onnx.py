"""Checks exported models, runs them by onnxruntime, and prints their outputs.

    python run_onnx.py FOLDER

FOLDER/batches.json says what goes in: {class: [{input: {dims, data}}]}. Prints {class: {file: [{output: {dims, data}}]}}.
"""
import glob, json, os, sys
import numpy as np, onnx, onnxruntime

onnxruntime.set_default_logger_severity(3)
result = {}
for name, batches in json.load(open(os.path.join(sys.argv[1], "batches.json"))).items():
    result[name] = {}
    for path in sorted(glob.glob(os.path.join(sys.argv[1], name, "onnx", "*.onnx"))):
        onnx.checker.check_model(path, full_check=True)
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        names = [output.name for output in session.get_outputs()]
        runs = result[name][os.path.basename(path)] = []
        for batch in batches:
            feeds = {i.name: np.array(batch[i.name]["data"], dtype=np.int64).reshape(batch[i.name]["dims"]) for i in session.get_inputs()}
            outputs = zip(names, session.run(None, feeds))
            runs.append({key: dict(dims=value.shape, data=value.ravel().tolist()) for key, value in outputs})
print(json.dumps(result))
