/** Outputs, every gradient and 20 steps of AdamW against PyTorch and transformers. */
import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import "../../src/hub/mod.ts";
import * as models from "../../src/model/mod.ts";
import { BaseModelOutput, type EncoderModel, type ModelOutput, type Parameter } from "../../src/model/mod.ts";
import { dispose, init } from "../../src/runtime/mod.ts";
import { AdamW, get_linear_schedule_with_warmup } from "../../src/train/mod.ts";
import { largestDifference, worstError } from "../helpers/errors.ts";
import { caseFolders, type Golden, largest, readGolden } from "../helpers/golden.ts";

const CASES = [
  ...["base_model", "sequence_single_label", "sequence_regression", "sequence_multi_label", "token"],
  ...["question_answering", "multiple_choice", "masked_lm", "next_sentence", "pretraining"],
  ...["odd_sizes", "long", "one_token", "relu_eps", "gelu_new"],
];

type Model = EncoderModel<string>;

/** A loss's value and its gradients, as each golden case defines it. */
interface Runner {
  model: Model;
  forward(): number;
  backward(): void;
  outputs(): Map<string, Float32Array>;
}

/** An output by its name in the golden file: `logits`, `hidden_states.0`. */
function outputOf(output: ModelOutput, key: string): Float32Array {
  const [name, layer] = key.split("."), value = output[name as keyof ModelOutput] as unknown;
  const tensor =
    (layer === undefined ? value : (value as unknown[])[Number(layer)]) as models.Parameter["variable"];
  return tensor.dataSync() as Float32Array;
}

async function makeRunner(golden: Golden): Promise<Runner> {
  const ModelClass = models[golden.json.class_ as keyof typeof models] as unknown as {
    from_pretrained(name: URL, options: object): Promise<Model>;
  };
  const model = (await ModelClass.from_pretrained(golden.folder, {
    on_report: (report: models.LoadReport) => ok(report.isComplete),
  })).train();
  // The reference's losses count masked positions too.
  const inputs = {
    ...golden.inputs,
    keep_padding: true,
    output_hidden_states: true,
    output_attentions: true,
  };
  let output: ModelOutput;
  const outputs = () => new Map(Array.from(golden.outputs.keys(), (key) => [key, outputOf(output, key)]));
  if (golden.json.class_ !== "BertModel") {
    return {
      ...{ model, outputs, backward: () => model.backward() },
      forward: () => (output = model.forward(inputs as never)).loss!,
    };
  }
  const mean = (values: Float32Array) => values.reduce((sum, x) => sum + x * x, 0) / values.length;
  const read = () => {
    const { last_hidden_state, pooler_output } = output as BaseModelOutput;
    return [last_hidden_state, pooler_output].map((tensor) => tensor.dataSync() as Float32Array);
  };
  return {
    ...{ model, outputs },
    forward: () => {
      output = model.forward(inputs as never);
      return read().reduce((sum, values) => sum + mean(values), 0);
    },
    backward: () => {
      const [last_hidden_state, pooler_output] = read().map((values) =>
        values.map((x) => 2 * x / values.length)
      );
      model.backward({ last_hidden_state, pooler_output });
    },
  };
}

function optimizerOf(model: Model, training: Golden["json"]["training"]) {
  const decay: Parameter[] = [], plain: Parameter[] = [];
  for (const [name, parameter] of model.named_parameters()) {
    (/bias|LayerNorm/.test(name) ? plain : decay).push(parameter);
  }
  const optimizer = new AdamW([
    { params: decay, weight_decay: training.weight_decay },
    { params: plain, weight_decay: 0 },
  ], { lr: training.lr });
  return {
    optimizer,
    schedule: get_linear_schedule_with_warmup(optimizer, training.warmup_steps, training.total_steps),
  };
}

function checkGradients(golden: Golden, model: Model): void {
  const top = Math.max(...Array.from(golden.gradients.values(), largest));
  const seen = new Set<string>();
  for (const [name, parameter] of model.named_parameters()) {
    const wanted = golden.gradients.get(name);
    if (!wanted) continue; // PyTorch had none: a parameter that the loss does not reach
    seen.add(name);
    const error = largestDifference(parameter.grad() ?? new Float32Array(parameter.size), wanted);
    const tolerance = Math.max(1e-4 * largest(wanted), 1e-6 * top);
    ok(
      error <= tolerance,
      `${golden.name}: gradient of ${name} differs by ${error}, at most ${tolerance} is wanted`,
    );
  }
  deepStrictEqual([...golden.gradients.keys()].filter((name) => !seen.has(name)), []);
}

function relative(actual: number, wanted: number): number {
  return Math.abs(actual - wanted) / Math.abs(wanted);
}

const folders = caseFolders();
for (const name of CASES) {
  const folder = folders.get(name);
  Deno.test({
    name:
      `${name}: outputs within 1e-5, gradients within 1e-4, 20 losses and norms of AdamW within 1e-4 of PyTorch`,
    ignore: !folder, // the shared reference folder is absent and the repository does not carry this case
    fn: async () => {
      await init({ threads: 2 });
      const golden = await readGolden(name, folder!), runner = await makeRunner(golden);
      ok(relative(runner.forward(), golden.json.loss) < 1e-5, "loss");
      for (const [key, values] of runner.outputs()) {
        const error = worstError(values, golden.outputs.get(key)!.values);
        ok(error <= 1e-5, `${name}: ${key} differs by ${error}`);
      }
      runner.backward();
      checkGradients(golden, runner.model);
      runner.model.zero_grad();
      const { training } = golden.json, { optimizer, schedule } = optimizerOf(runner.model, training);
      const [watched, indices] = training.watch_name.split("[", 2);
      strictEqual(indices, "0]");
      for (let step = 0; step < training.total_steps; step++) {
        const loss = runner.forward();
        ok(
          relative(loss, training.losses[step]) < 1e-4,
          `step ${step}: loss ${loss}, expected ${training.losses[step]}`,
        );
        runner.backward();
        const { grad_norm } = optimizer.step({ max_grad_norm: training.max_grad_norm });
        ok(
          relative(grad_norm!, training.grad_norms[step]) < 1e-4,
          `step ${step}: norm ${grad_norm}, expected ${training.grad_norms[step]}`,
        );
        schedule.step();
        optimizer.zero_grad();
        const watch = runner.model.get_parameter(watched).item(0, 0);
        ok(
          Math.abs(watch - training.watch[step]) < 1e-5,
          `step ${step}: ${watched} is ${watch}, expected ${training.watch[step]}`,
        );
      }
      optimizer.dispose();
      runner.model.dispose();
      dispose();
    },
  });
}
