/**
 * How the model of a run is used from other programs.
 *
 * @module
 */
import type { CodeExample } from "../report/mod.ts";

/** What a pipeline of a task is called with, in TypeScript and in Python. */
const CALLS: Readonly<Record<string, readonly [typescript: string, python: string]>> = {
  "text-classification": ['"A text."', '"A text."'],
  "token-classification": ['"A text."', '"A text."'],
  "question-answering": ['"Who?", "A text."', 'question="Who?", context="A text."'],
  "fill-mask": ['"A [MASK]."', '"A [MASK]."'],
};

/**
 * Code that puts an adapter on its base model.
 *
 * @param base The model that was adapted.
 * @param folder Of the adapter.
 * @param type The model's class.
 */
export function adapterCode(base: string, folder: string, type: string): CodeExample[] {
  const [name, path] = [base, folder].map((text) => JSON.stringify(text));
  return [{
    ...{ title: "Deno, Node, browsers", language: "ts" },
    text: `import { ${type}, PeftModel } from "@berth/berth";

const base = await ${type}.from_pretrained(${name});
const model = await PeftModel.from_pretrained(base, ${path});`,
  }, {
    ...{ title: "Python", language: "python" },
    text: `from peft import PeftModel
from transformers import ${type}

model = PeftModel.from_pretrained(${type}.from_pretrained(${name}), ${path})`,
  }];
}

/**
 * Code for the command line, Deno, Node and Python.
 *
 * @param task The name of the pipeline; of another task, the model is only loaded.
 * @param folder Of the model.
 * @param type The model's class.
 */
export function useCode(task: string, folder: string, type: string): CodeExample[] {
  const path = JSON.stringify(folder), calls = Object.hasOwn(CALLS, task) ? CALLS[task] : undefined;
  if (!calls) {
    return [{
      ...{ title: "Deno, Node, browsers", language: "ts" },
      text: `import { ${type} } from "@berth/berth";

const model = await ${type}.from_pretrained(${path});`,
    }, {
      ...{ title: "Python", language: "python" },
      text: `from transformers import ${type}

model = ${type}.from_pretrained(${path})`,
    }];
  }
  return [
    { title: "Command line", language: "sh", text: `berth predict --model ${path} "A text."` },
    {
      ...{ title: "Deno, Node, browsers", language: "ts" },
      text: `import { dispose, pipeline } from "@berth/berth";

const run = await pipeline("${task}", ${path});
console.log(await run(${calls[0]}));
dispose();`,
    },
    {
      ...{ title: "Python", language: "python" },
      text: `from transformers import pipeline

run = pipeline("${task}", ${path})
print(run(${calls[1]}))`,
    },
  ];
}
