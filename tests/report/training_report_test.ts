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
  const prediction = { text, text_pair: text, predicted: text, probability: 0.9, expected: "other" };
  const details = { [text]: text };
  return {
    title: text,
    startedAt: text,
    elapsedMs: 185_000,
    model: { name: text, parameters: 10, trainable_parameters: 5, layers: 1, hidden_size: 4, details },
    data: { name: text, train: 4, dev: 2, test: 2, labelCounts: [{ label: text, count: 4 }], details },
    settings: details,
    environment: { version: text, runtime: text, profile: text, threads: 2, details },
    steps: Array.from({ length: 40 }, (_, i) => ({
      step: i + 1,
      epoch: i / 10,
      loss: 1 / (i + 1),
      learning_rate: 1e-4,
      grad_norm: 1,
      elapsedMs: i * 10,
    })),
    evaluations: [{ step: 0, epoch: 0, loss: 0.7, accuracy: 0.5 }, {
      step: 40,
      epoch: 4,
      loss: 0.4,
      accuracy: 0.75,
    }],
    watch: [{ name: text, values: [1, 2, 3] }],
    baselines: [{ name: text, accuracy: 0.6 }],
    confusion: { labels: [text, "b"], counts: [[3, 1], [1, 3]] },
    perClass: [{ label: text, precision: 0.75, recall: 0.75, f1: 0.75, support: 4 }],
    tried: [{ text, predicted: text, probability: NaN }],
    predictions: [prediction],
    worst: [prediction],
    code: [{ title: text, language: text, text }],
  };
}

const ELEMENTS = new Set(
  ("html head meta title style body header main footer section h1 h2 h3 p dl div dt dd span time figure figcaption " +
    "svg desc rect text path g circle table caption thead tbody tr th td wbr pre code").split(" "),
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
  deepEqual(headings(elements), ["Learning curves", "Results", "Predictions", "The run", "Use the model"]);
  equal(all(elements, "h1").length, 1);
  const titles = all(elements, "h3").map(({ text }) => text);
  deepEqual(titles.slice(0, 6), [
    "Loss",
    "Accuracy",
    "Learning rate",
    "Gradient norm",
    "Watched weight",
    "Evaluations",
  ]);
  ok(
    ["Sentences you tried", "Examples", "Most wrong", "Settings", "Environment"].every((t) =>
      titles.includes(t)
    ),
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
    equal(headings(elements).length, 5);
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
