// The work that every runtime does with the npm package: training steps of berth-tiny on 8 sentences with AdamW.

const CHECKED = 6;
/** Steps of one run. */
export const STEPS = 20;
const SENTENCES = [
  "I love baseball.",
  "I hate baseball, and rain.",
  "A fine game!",
  "Never again, says the umpire.",
];

/**
 * Loads the model and makes the first steps.
 *
 * @param {typeof import("../../../mod.ts")} berth The package; its backend runs.
 * @param {string | import("../../../mod.ts").ModelFiles} source The checkpoint.
 * @returns {Promise<{ check: number[]; run(): void }>} The first losses, and what makes STEPS more steps.
 */
export async function startWork({ AdamW, BertForSequenceClassification, BertTokenizer }, source) {
  const tokenizer = await BertTokenizer.from_pretrained(source);
  const options = { num_labels: 2, seed: 7, on_report: () => {} };
  const model = await BertForSequenceClassification.from_pretrained(source, options);
  const optimizer = new AdamW(model.parameters(), { lr: 1e-4 });
  const batch = { ...tokenizer([...SENTENCES, ...SENTENCES]), labels: [1, 0, 1, 0, 1, 0, 1, 0] };
  model.train();
  const step = () => {
    const { loss } = model.forward(batch);
    model.backward();
    optimizer.step({ max_grad_norm: 1 });
    optimizer.zero_grad();
    return loss;
  };
  const run = () => {
    for (let i = 0; i < STEPS; i++) step();
  };
  return { check: Array.from({ length: CHECKED }, step), run };
}
