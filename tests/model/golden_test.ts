/** Outputs, every gradient and 20 steps of AdamW against PyTorch and transformers. */
import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import "../../src/hub/mod.ts";
import { BertForSequenceClassification, BertModel, type Labels } from "../../src/model/mod.ts";
import type { Parameter } from "../../src/model/mod.ts";
import { dispose, init } from "../../src/runtime/mod.ts";
import { AdamW, get_linear_schedule_with_warmup } from "../../src/train/mod.ts";
import { largestDifference, worstError } from "../helpers/errors.ts";
import { caseFolders, type Golden, largest, readGolden } from "../helpers/golden.ts";

const CASES = [
  ...["base_model", "sequence_single_label", "sequence_regression", "sequence_multi_label"],
  ...["odd_sizes", "long", "one_token", "relu_eps", "gelu_new"],
];

/** A loss's value and its gradients, as each golden case defines it. */
interface Runner {
  model: BertModel | BertForSequenceClassification;
  forward(): number;
  backward(): void;
  outputs(): Map<string, Float32Array>;
}

async function makeRunner(golden: Golden): Promise<Runner> {
  const options = { on_report: (report: { isComplete: boolean }) => ok(report.isComplete) };
  // The reference's losses count masked positions of base_model too.
  const inputs = { ...golden.inputs, keep_padding: true } as never as {
    input_ids: number[][];
    keep_padding: boolean;
  };
  if (golden.json.class_ === "BertModel") {
    const model = (await BertModel.from_pretrained(golden.folder, options)).train();
    let output: ReturnType<BertModel["forward"]>;
    const mean = (values: Float32Array) => values.reduce((sum, x) => sum + x * x, 0) / values.length;
    const read = () => ({
      last_hidden_state: output.last_hidden_state.dataSync() as Float32Array,
      pooler_output: output.pooler_output.dataSync() as Float32Array,
    });
    return {
      model,
      forward: () => {
        output = model.forward({ ...inputs, output_hidden_states: true });
        return mean(read().last_hidden_state) + mean(read().pooler_output);
      },
      backward: () => {
        const { last_hidden_state: h, pooler_output: p } = read();
        model.backward({
          last_hidden_state: h.map((x) => 2 * x / h.length),
          pooler_output: p.map((x) => 2 * x / p.length),
        });
      },
      outputs: () =>
        new Map<string, Float32Array>([
          ...Object.entries(read()),
          ...output.hidden_states.map((t, i) =>
            [`hidden_states.${i}`, t.dataSync() as Float32Array] as const
          ),
        ]),
    };
  }
  const model = (await BertForSequenceClassification.from_pretrained(golden.folder, options)).train();
  const k = golden.labelShape[1];
  const labels: Labels = k === undefined
    ? Array.from(golden.labels!)
    : Array.from({ length: golden.labelShape[0] }, (_, i) =>
      Array.from(golden.labels!.slice(i * k, (i + 1) * k)));
  let output: ReturnType<BertForSequenceClassification["forward"]>;
  return {
    model,
    forward: () => {
      output = model.forward({ ...inputs, labels });
      return output.loss!;
    },
    backward: () => model.backward(),
    outputs: () => new Map([["logits", output.logits.dataSync() as Float32Array]]),
  };
}

function optimizerOf(model: Runner["model"], training: Golden["json"]["training"]) {
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

function checkGradients(golden: Golden, model: Runner["model"]): void {
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
