/** bert-base in full size; runs if BERTH_BIG is set (some GB of memory, a minute). */
import { ok, strictEqual } from "node:assert/strict";
import { BertConfig, BertForSequenceClassification } from "../../src/model/mod.ts";
import { dispose, init } from "../../src/runtime/mod.ts";
import { AdamW, type AdamWOptions, formatPlan, plan } from "../../src/train/mod.ts";

const ignore = !Deno.env.get("BERTH_BIG");
const CASES: [name: string, checkpointing: boolean, optimizer: AdamWOptions][] = [
  ["plain", false, {}],
  ["with checkpointing, 8-bit moments and AdamW in the backward pass", true, {
    ...{ state_dtype: "int8", fused_backward: true },
  }],
];

for (const [name, checkpointing, optimizer] of CASES) {
  Deno.test({
    name: `bert-base trains at 16 x 128 within 4 GiB, in the planned bytes: ${name}`,
    ignore,
    fn: async () => {
      const runtime = await init({ threads: 2 }), config = new BertConfig(), { freeBytes } = runtime;
      const model = await BertForSequenceClassification.from_config(config);
      if (checkpointing) model.gradient_checkpointing_enable();
      const planned = plan(config, {
        ...{ batch_size: 16, sequence_length: 128, gradient_checkpointing: checkpointing, optimizer },
      });
      console.log(formatPlan(planned));
      const steps = new AdamW(model.parameters(), { lr: 1e-5, ...optimizer });
      const input_ids = Array.from(
        { length: 16 },
        (_, b) => Array.from({ length: 128 }, (_, t) => 1 + b * 128 + t),
      );
      const labels = input_ids.map((_, b) => b % 2), losses: number[] = [], times: number[] = [];
      model.train();
      for (let step = 0; step < 2; step++) {
        const start = performance.now(), output = model.forward({ input_ids, labels });
        void output.logits;
        losses.push(output.loss!);
        model.backward();
        steps.step();
        steps.zero_grad();
        times.push(performance.now() - start);
      }
      const bytes = runtime.tfjsBytes + (runtime.threads << 20) + freeBytes - runtime.freeBytes;
      console.log(
        `losses ${losses}, ${times.map(Math.round)} ms, ${Deno.memoryUsage().rss / 2 ** 30} GiB resident`,
      );
      strictEqual(bytes, planned.bytes.total);
      ok(losses.every((loss) => loss > 0.3 && loss < 1.5));
      dispose();
    },
  });
}
