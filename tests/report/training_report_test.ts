import { deepEqual, equal, match, ok } from "node:assert/strict";
import fc from "../helpers/property.ts";
import { trainingReport } from "../../src/report/mod.ts";
import { BARE, fullRun } from "./runs.ts";
import { checkHarmless } from "./harmless.ts";
import { all, type Element, HOSTILE, readXml } from "./xml.ts";

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
