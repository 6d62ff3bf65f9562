import { deepEqual, equal, match, ok, throws } from "node:assert/strict";
import { DataError } from "../../src/errors.ts";
import fc from "../helpers/property.ts";
import {
  compareRuns,
  parseRunReport,
  reportFigures,
  type RunReport,
  trainingReport,
  verdictSentence,
} from "../../src/report/mod.ts";
import { wilson } from "../../src/report/calibration_plot.ts";
import { countInBins } from "../../src/report/histogram.ts";
import { checkHarmless } from "./harmless.ts";
import { BARE, fullRun } from "./runs.ts";
import { all, HOSTILE, readXml } from "./xml.ts";

Deno.test("figures are whole SVG files with title and description, light and dark, that ask for nothing", () => {
  const figures = reportFigures(fullRun("some text"));
  deepEqual(Object.keys(figures), [
    ...[
      "loss.svg",
      "metric_accuracy_f1_macro.svg",
      "metric_some_text.svg",
      "learning_rate.svg",
      "gradient_norm.svg",
    ],
    ...["watched_weight_0.svg", "confusion_matrix.svg", "calibration.svg", "predicted.svg", "residuals.svg"],
    ...["residual_histogram.svg", "baselines.svg", "baseline.svg", "labels.svg", "lengths.svg"],
    ...["steps_per_second.svg", "tokens_per_second.svg"],
  ]);
  for (const [name, svg] of Object.entries(figures)) {
    const elements = readXml(svg);
    equal(elements[0].name, "svg", name);
    equal(elements[0].attributes.xmlns, "http://www.w3.org/2000/svg");
    ok(all(elements, "title")[0].text.length > 0 && all(elements, "desc")[0].text.length > 0, name);
    match(svg, /prefers-color-scheme:dark/);
    ok(!/https?:|url\(|@import|<script|<image/.test(svg.replace("http://www.w3.org/2000/svg", "")), name);
    ok(!/NaN|undefined|Infinity/.test(svg.replace(/<(desc|title)>.*?<\/\1>/gs, "")), name);
  }
});

Deno.test("hostile texts stay text in figures and comparisons, and out of the names of files", () => {
  for (const text of HOSTILE) {
    const run = fullRun(text);
    for (const [name, svg] of Object.entries(reportFigures(run))) {
      match(name, /^[\w-]+\.svg$/);
      readXml(svg);
    }
    checkHarmless(readXml(compareRuns([{ name: text, run }, { name: `${text}2`, run: BARE }])));
  }
});

Deno.test("a report goes through JSON and is the same page; numbers that JSON cannot hold come back as NaN", () => {
  const run = fullRun("some text");
  equal(trainingReport(parseRunReport(JSON.parse(JSON.stringify(run)))), trainingReport(run));
  const steps = [{ step: 1, epoch: 0, loss: NaN, learning_rate: 1, elapsedMs: 1 }];
  ok(Number.isNaN(parseRunReport(JSON.parse(JSON.stringify({ ...BARE, steps }))).steps[0].loss));
});

Deno.test("a damaged report is refused, and the message says where", () => {
  const cases: [Partial<Record<keyof RunReport, unknown>>, RegExp][] = [
    [{ title: 5 }, /report\.title is 5, a text is wanted/],
    [{ model: { name: "a" } }, /report\.model\.parameters is undefined, a number is wanted/],
    [{ steps: [{ step: "1" }] }, /report\.steps\[0\]\.step is "1", a number is wanted/],
    [{ evaluations: {} }, /report\.evaluations is \{\}, a list is wanted/],
    [{ settings: { a: {} } }, /report\.settings\.a is \{\}, a text, number, true or false is wanted/],
    [{ worst: [{ text: "a", predicted: null }] }, /report\.worst\[0\]\.predicted is null, a text is wanted/],
  ];
  for (const [part, message] of cases) {
    throws(
      () => parseRunReport({ ...BARE, ...part }),
      (error) => error instanceof DataError && message.test(error.message),
    );
  }
  for (const json of [null, 1, "x", [], undefined]) throws(() => parseRunReport(json), DataError);
});

Deno.test("whatever is changed in a report's file, it is refused or drawn", () => {
  const text = JSON.stringify(fullRun("a")), places: (string | number)[][] = [];
  const walk = (value: unknown, path: (string | number)[]) => {
    places.push(path);
    if (typeof value !== "object" || value === null) return;
    for (const [key, one] of Object.entries(value)) {
      if (path[0] !== "steps" || path.length < 3) {
        walk(one, [...path, Array.isArray(value) ? Number(key) : key]);
      }
    }
  };
  walk(JSON.parse(text), []);
  const junk = fc.constantFrom(null, "x", -1, 0.5, 1e300, true, [], {}, [null], { a: 1 }, [["x"]], undefined);
  fc.assert(
    fc.property(fc.constantFrom(...places.slice(1)), junk, (path, value) => {
      const json = JSON.parse(text);
      const parent = path.slice(0, -1).reduce((at, key) => at[key], json);
      parent[path.at(-1)!] = value;
      try {
        const run = parseRunReport(json);
        trainingReport(run);
        reportFigures(run);
      } catch (error) {
        if (!(error instanceof DataError)) throw error;
      }
    }),
    { numRuns: 120 },
  );
});

Deno.test("words are coloured where they stand, and the text stays as it was", () => {
  const text = "Naïve café 👍 <b>";
  const attributions = [{ start: 0, end: 5, score: 1 }, { start: 6, end: 10, score: -0.4 }, {
    start: 11,
    end: 13,
    score: 0.1,
  }];
  const html = trainingReport({
    ...BARE,
    worst: [{ text, predicted: "a", probability: 1, expected: "b", attributions }],
  });
  match(
    html,
    /<span dir="auto"><span class="for3">Naïve<\/span> <span class="against1">café<\/span> 👍 &lt;b&gt;<\/span>/,
  );
  match(html, /How much a word speaks for the predicted class/);
  const plain = trainingReport({ ...BARE, worst: [{ text, predicted: "a", probability: 1, expected: "b" }] });
  ok(!/How much a word/.test(plain));
});

Deno.test("the verdict says yes, no or not shown, with the interval", () => {
  const verdict = (value: number, low: number, high: number, p_value: number) =>
    verdictSentence({ ...fullRun("it").comparison!, difference: { value, low, high }, p_value });
  equal(
    verdict(0.042, 0.011, 0.073, 0.008),
    "Yes: BERT is right 4.2 points more often than it, on 8 test examples (95% confidence: +1.1 to +7.3 points; " +
      "McNemar's test, p = 0.008).",
  );
  match(
    verdict(-0.042, -0.073, -0.011, 1e-5),
    /^No: BERT is right 4\.2 points less often .*−7\.3 to −1\.1 points.*p < 0\.001/,
  );
  match(
    verdict(0.01, -0.02, 0.04, 0.4),
    /^Not shown: BERT is right 1\.0 points more often than it, which may be chance/,
  );
  match(verdict(0.01, 0.001, 0.04, 0.06), /^Not shown/);
  match(verdict(0, -0.02, 0.02, 1), /^Not shown: BERT is right exactly as often/);
});

Deno.test("runs compare: what differs, what is best, curves by name; one run is refused", () => {
  const run = fullRun("a"),
    other = { ...run, settings: { a: "b", learning_rate: 2 }, metrics: { accuracy: 0.5, loss: 0.1 } };
  const html = compareRuns([{ name: "out/x/run", run }, { name: "out/y/run", run: other }]);
  const elements = readXml(html);
  checkHarmless(elements);
  deepEqual(all(elements, "h2").map(({ text }) => text), ["Results", "Curves", "What differs"]);
  match(html, /x\/run[\s\S]*y\/run/);
  match(html, /75\.00%<span aria-hidden="true"> ★<\/span><span class="hidden"> best<\/span>/);
  ok(!/50\.00%<span/.test(html));
  match(html, /<th scope="row">learning_rate<\/th><td class="text">—<\/td><td class="text">2<\/td>/);
  ok(!/<th scope="row">threads<\/th>/.test(html) && /<dt>threads<\/dt>/.test(html));
  ok(
    all(elements, "text").some(({ text, attributes }) =>
      text === "x/run" && attributes.class === "f0 strong"
    ),
  );
  ok(!html.includes("Mean ± deviation"));
  throws(() => compareRuns([{ name: "a", run }]), DataError);
});

Deno.test("runs that differ in their seed only have a mean and a deviation, of a sample", () => {
  const runs = [0.5, 0.7, 0.75].map((accuracy, seed) => ({
    ...{
      name: `out/seed-${seed}`,
      run: { ...fullRun("a"), settings: { seed, out: `${seed}` }, metrics: { accuracy } },
    },
  }));
  match(compareRuns(runs), /Mean ± deviation<\/th><td class="number">65\.00% ± 13\.23%<\/td>/); // numpy.std(ddof=1)
});

Deno.test("reports of a regression show no verdicts, and points that are not finite are counted", () => {
  const run: RunReport = {
    ...BARE,
    regression: { expected: [1, 2, 3], predicted: [1.5, NaN, 2] },
    worst: [{ text: "t", predicted: "1.5", expected: "1" }],
  };
  const html = trainingReport(run), elements = readXml(html);
  match(html, /Largest errors/);
  equal(all(elements, "span").filter(({ text }) => text === "wrong" || text === "right").length, 0);
  match(html, /2 points, 1 more not finite/);
  equal(all(elements, "circle").length, 4);
});

Deno.test("histograms count every value once, in bins of one width", () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 50 }),
      (values) => {
        const bins = countInBins(values);
        equal(bins.reduce((sum, { count }) => sum + count, 0), values.length);
        ok(bins.length <= 200, `${bins.length}`);
      },
    ),
  );
  deepEqual(countInBins([NaN]), []);
});

Deno.test("Wilson's interval is that of SciPy within 1e-9", () => {
  const [low, high] = wilson(0.75, 8); // binomtest(6, 8).proportion_ci(method="wilson")
  ok(Math.abs(low - 0.40927543031) < 1e-9 && Math.abs(high - 0.92852078725) < 1e-9, `${low} ${high}`);
  deepEqual(wilson(0, 1)[0], 0);
});
