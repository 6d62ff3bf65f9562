import { deepEqual, equal, match, ok } from "node:assert/strict";
import fc from "../helpers/property.ts";
import { type RunReport, trainingReport } from "../../src/report/mod.ts";
import { all, type Element, HOSTILE, readXml } from "./xml.ts";

const BARE: RunReport = {
  title: "Film reviews",
  model: { name: "berth-tiny", parameters: 1_842_306, layers: 4, hidden_size: 128 },
  data: { train: 6920 },
  settings: { learning_rate: 3e-4, seed: 42 },
  environment: {},
  steps: [],
  evaluations: [],
};

/** A run with every part, in which every text is `text`. */
function fullRun(text: string): RunReport {
  const attributions = [
    ...[{ start: 0, end: 2, score: 0.9 }, { start: 3, end: 5, score: -0.4 }, {
      start: 0,
      end: 1,
      pair: true,
      score: 0.5,
    }],
    ...[{ start: 4, end: 4_000_000, score: 1 }, { start: 9, end: 2, score: NaN }], // what cannot be is passed over
  ];
  const prediction = {
    ...{
      text,
      text_pair: text,
      predicted: text,
      probability: 0.9,
      expected: "other",
      baseline: text,
      attributions,
    },
  };
  const lengths = {
    ...{ min: 3, mean: 7, median: 6, p95: 12, max: 14, max_length: 12, truncated: 0.25 },
    histogram: [{ from: 0, to: 9, count: 3 }, { from: 10, to: 19, count: 1 }],
  };
  const labels = [{ label: text, count: 4 }];
  const split = { examples: 4, labels, unlabeled: 0, empty: 1, duplicates: 2, conflicts: 0, lengths };
  const details = { [text]: text };
  return {
    title: text,
    startedAt: text,
    elapsedMs: 185_000,
    model: { name: text, parameters: 10, trainable_parameters: 5, layers: 1, hidden_size: 4, details },
    data: {
      ...{ name: text, train: 4, dev: 2, test: 2, labelCounts: labels, details },
      splits: [{ ...split, name: "train" }, {
        ...split,
        name: text,
        leaks: 1,
        values: { min: 0, mean: 1, max: 2 },
      }],
      samples: [{ text, text_pair: text, label: text }],
    },
    settings: details,
    environment: { version: text, runtime: text, profile: text, threads: 2, details },
    steps: Array.from({ length: 40 }, (_, i) => ({
      step: i + 1,
      epoch: i / 10,
      loss: 1 / (i + 1),
      learning_rate: 1e-4,
      grad_norm: 1,
      elapsedMs: i * 10,
      tokens: i * 100,
    })),
    evaluations: [{ step: 0, epoch: 0, loss: 0.7, accuracy: 0.5, metrics: { f1_macro: 0.4, [text]: 1 } }, {
      ...{
        step: 40,
        epoch: 4,
        loss: 0.4,
        accuracy: 0.75,
        metrics: { f1_macro: 0.7, [text]: 2 },
        durationMs: 50,
      },
    }],
    metrics: { accuracy: 0.75, [text]: 3 },
    calibration: {
      ...{ ece: 0.125, log_loss: 0.5, brier: 0.25 },
      bins: [
        { lower: 0, upper: 0.5, count: 0, confidence: null, accuracy: null },
        { lower: 0.5, upper: 1, count: 8, confidence: 0.875, accuracy: 0.75 },
      ],
    },
    regression: { expected: [0, 1, NaN], predicted: [0.5, 0.5, 1], total: 30 },
    comparison: {
      ...{ name: text, model_accuracy: 0.75, baseline_accuracy: 0.5, p_value: 0.02 },
      majority: { label: text, accuracy: 0.5 },
      counts: { both: 4, only_model: 2, only_baseline: 0, neither: 2 },
      difference: { value: 0.25, low: 0.01, high: 0.49 },
      ...{ features: 12, seconds: 0.5, only_model: [prediction], only_baseline: [prediction] },
    },
    speed: {
      wasm_bytes: 2 ** 25,
      process_bytes: 2 ** 30,
      plan_bytes: { weights: 2 ** 20, total: 2 ** 21 },
      plan_of: text,
    },
    watch: [{ name: text, values: [1, 2, 3] }],
    baselines: [{ name: text, accuracy: 0.6 }],
    confusion: { labels: [text, "b"], counts: [[3, 1], [1, 3]] },
    perClass: [{ label: text, precision: 0.75, recall: 0.75, f1: 0.75, support: 4 }],
    tried: [{ text, predicted: text, probability: NaN }],
    predictions: [prediction],
    worst: [prediction],
    uncertain: [prediction],
    code: [{ title: text, language: text, text }],
  };
}

const SECTIONS = [
  ...[
    "Learning curves",
    "Results",
    "Was BERT worth it?",
    "Predictions",
    "The data",
    "Speed and memory",
    "The run",
  ],
  "Use the model",
];

const ELEMENTS = new Set(
  ("html head meta title style body header main footer section h1 h2 h3 p dl div dt dd span time figure figcaption " +
    "svg desc rect text path g circle table caption thead tbody tr th td wbr pre code details summary").split(
      " ",
    ),
);

/** Fails on an element or attribute that could run or fetch anything. */
function checkHarmless(elements: Element[]): void {
  for (const { name, attributes } of elements) {
    ok(ELEMENTS.has(name), `<${name}>`);
    for (const key of Object.keys(attributes)) ok(!/^on|href|src|action/.test(key), `<${name} ${key}>`);
    if (attributes.style !== undefined) match(attributes.style, /^width:[\d.]+(%|px;margin:0 auto)$/);
  }
}

const headings = (elements: Element[]) => all(elements, "h2").map(({ text }) => text);

Deno.test("a full report has every section in order, and headings without a skipped level", () => {
  const html = trainingReport(fullRun("some text"));
  const elements = readXml(html);
  checkHarmless(elements);
  deepEqual(headings(elements), SECTIONS);
  equal(all(elements, "h1").length, 1);
  const titles = all(elements, "h3").map(({ text }) => text);
  deepEqual(titles.slice(0, 7), [
    "Loss",
    "Accuracy, F1 macro",
    "Some text",
    "Learning rate",
    "Gradient norm",
    "Watched weight",
    "Evaluations",
  ]);
  ok(
    [
      "Calibration",
      "Parts",
      "Lengths of the training texts",
      "Least sure",
      "Time",
      "Memory",
      "Examples",
      "Settings",
    ].every((
      t,
    ) => titles.includes(t)),
  );
  match(html, /50\.0%.*75\.0%/);
  match(html, /\+25\.0 points/);
  match(html, /6 of 8 right/);
  match(html, /3 min 05 s/);
});

Deno.test("a bare report leaves out what is absent", () => {
  const elements = readXml(trainingReport(BARE));
  deepEqual(headings(elements), ["The run"]);
  equal(all(elements, "svg").length + all(elements, "table").length, 0);
  deepEqual(all(elements, "h3").map(({ text }) => text), ["Model", "Data", "Settings"]);
});

Deno.test("a report asks for nothing outside itself, and its policy forbids it", () => {
  const html = trainingReport(fullRun("text"));
  ok(!/https?:|url\(|@import|<script|<link|<img/.test(html));
  match(
    html,
    /Content-Security-Policy" content="default-src &#39;none&#39;; style-src &#39;unsafe-inline&#39;"/,
  );
  ok(!/<[^>]* id="(\w+)"[^>]*>[\s\S]*<[^>]* id="\1"/.test(html), "an id occurs twice");
});

Deno.test("hostile texts stay text everywhere in a report", () => {
  for (const text of HOSTILE) {
    const elements = readXml(trainingReport(fullRun(text)));
    checkHarmless(elements);
    deepEqual(headings(elements), SECTIONS);
  }
  fc.assert(
    fc.property(
      fc.string({ unit: "binary" }),
      (text) => checkHarmless(readXml(trainingReport(fullRun(text)))),
    ),
    { numRuns: 40 },
  );
});

Deno.test("a report of 100,000 steps and thousands of rows stays below 1 MB and says what it leaves out", () => {
  const steps = Array.from({ length: 1e5 }, (_, i) => ({
    step: i + 1,
    epoch: i / 1000,
    loss: Math.abs(Math.sin(i * i)),
    learning_rate: 1e-4,
    grad_norm: i % 7,
    elapsedMs: i,
  }));
  const row = { text: "word ".repeat(1000), predicted: "a", probability: 0.5, expected: "b" };
  const html = trainingReport({
    ...BARE,
    steps,
    evaluations: steps.slice(0, 5000).map(({ step, epoch }) => ({ step, epoch, accuracy: 0.5 })),
    worst: Array(3000).fill(row),
    perClass: Array.from(
      { length: 1000 },
      (_, i) => ({ label: `${i}`, precision: 0, recall: 0, f1: 0, support: 1 }),
    ),
  });
  ok(html.length < 1_000_000, `${html.length}`);
  match(html, /2,800 more not shown/);
  match(html, /800 more not shown/);
  match(html, /The last 200 of 5,000/);
  match(html, /… \(5,000 characters\)/);
});

Deno.test("a wrong prediction is marked by a word as well as by colour", () => {
  const rows = [
    { text: "fine", predicted: "a", probability: 0.8, expected: "a" },
    { text: "bad", predicted: "a", probability: 0.8, expected: "b" },
  ];
  const html = trainingReport({ ...BARE, predictions: rows });
  const hidden = all(readXml(html), "span").filter(({ attributes }) => attributes.class === "hidden");
  deepEqual(hidden.map(({ text }) => text), ["right", "wrong"]);
});

Deno.test("losses that are not finite are named, not hidden", () => {
  const steps = [0.7, NaN, Infinity].map((loss, i) => (
    { step: i + 1, epoch: 0, loss, learning_rate: 1e-4, elapsedMs: i }
  ));
  const html = trainingReport({ ...BARE, steps });
  match(html, /2 not shown because they are not finite/);
  match(html, />0\.7 .*∞/);
  equal(all(readXml(html), "h3").some(({ text }) => text === "Gradient norm"), false);
});
