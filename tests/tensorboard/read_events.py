"""What TensorBoard's own reader finds in a folder: tags with their steps and values.

    python read_events.py FOLDER
"""
import json, sys
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
accumulator = EventAccumulator(sys.argv[1], size_guidance=dict(scalars=0, tensors=0))
accumulator.Reload()
tags = accumulator.Tags()
scalars = {tag: [[e.step, e.value] for e in accumulator.Scalars(tag)] for tag in tags["scalars"]}
texts = {tag: [[e.step, e.tensor_proto.string_val[0].decode()] for e in accumulator.Tensors(tag)] for tag in tags["tensors"]}
plugins = {tag: accumulator.SummaryMetadata(tag).plugin_data.plugin_name for tag in tags["tensors"]}
print(json.dumps(dict(scalars=scalars, texts=texts, plugins=plugins)))
