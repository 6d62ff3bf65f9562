/** The small training run that every way of loading berth does: berth-tiny, six steps, always the same numbers. */
import type * as Berth from "@berth/berth";

/** What a run gives; the numbers are compared bit for bit. */
export interface JobResult {
  losses: number[];
  gradientNorms: number[];
  scores: number[][];
  profile: string;
  threads: number;
  initMs: number;
  stepsPerSecond: number;
}

const TEXTS = [
  "I love baseball.",
  "I hate baseball.",
  "What a catch in the ninth inning!",
  "The bullpen gave the game away again, and nobody in the dugout seemed to mind.",
  "Opening day is the best day of the year.",
  "Rain delay.",
];
const LABELS = [1, 0, 1, 0, 1, 0];

/** Trains. */
export async function trainingJob(berth: typeof Berth, options: Berth.InitOptions): Promise<JobResult> {
  const { AdamW, BertForSequenceClassification, BertTokenizer, dispose, init, predict } = berth;
  const start = performance.now(), { profile, threads } = await init(options);
  const initMs = performance.now() - start;
  try {
    const tokenizer = await BertTokenizer.from_pretrained("berth-tiny");
    const model = await BertForSequenceClassification.from_pretrained("berth-tiny", {
      ...{ num_labels: 2, seed: 7, on_report: () => {} },
    });
    model.seed(11);
    const optimizer = new AdamW(model.parameters(), { lr: 1e-3 });
    const losses: number[] = [], gradientNorms: number[] = [], begin = performance.now();
    for (let step = 0; step < 6; step++) {
      const { loss } = model.train().forward({ ...tokenizer(TEXTS), labels: LABELS });
      model.backward();
      gradientNorms.push(optimizer.step({ max_grad_norm: 1 }).grad_norm!);
      optimizer.zero_grad();
      losses.push(loss!);
    }
    const stepsPerSecond = 6000 / (performance.now() - begin);
    const scores = (await predict(model, tokenizer, TEXTS)).map(({ scores }) => scores);
    return { losses, gradientNorms, scores, profile, threads, initMs, stepsPerSecond };
  } finally {
    dispose();
  }
}
