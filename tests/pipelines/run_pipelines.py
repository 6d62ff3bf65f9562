"""Runs pipelines on given inputs, and prints what they say.

    python run_pipelines.py JOBS.json

JOBS.json is [{"task", "folder", "options", "inputs"}]. Prints a list of outputs a job; null for question-answering where
transformers has no such pipeline (version 5).
"""
import json, sys
import torch
from transformers import (AutoModelForMaskedLM, AutoModelForSequenceClassification, AutoModelForTokenClassification, AutoModel,
                          AutoModelForQuestionAnswering, BertTokenizerFast, pipeline)
from outputs import answers_of, places, tidy

torch.set_num_threads(1)
MODELS = {"text-classification": AutoModelForSequenceClassification, "token-classification": AutoModelForTokenClassification,
          "fill-mask": AutoModelForMaskedLM, "feature-extraction": AutoModel, "question-answering": AutoModelForQuestionAnswering}


def run(task, folder, options, inputs):
    tokenizer = BertTokenizerFast.from_pretrained(folder)
    model = MODELS[task].from_pretrained(folder, dtype=torch.float32).eval()
    cut = {"truncation": True, "max_length": tokenizer.model_max_length}
    try:
        pipe = pipeline(task, model=model, tokenizer=tokenizer)
    except KeyError:
        return None
    if task == "text-classification": return pipe(inputs, **cut, **options)
    if task == "token-classification": return [places(pipe(text, **options), text) for text in inputs]
    if task == "fill-mask": return [pipe(text, tokenizer_kwargs=cut, **options) for text in inputs]
    if task == "feature-extraction": return [torch.tensor(pipe(text, tokenize_kwargs=cut)[0]).mean(0).tolist() for text in inputs]
    return answers_of(pipe, inputs, options)


print(json.dumps([tidy(run(**job)) for job in json.load(open(sys.argv[1]))]))
