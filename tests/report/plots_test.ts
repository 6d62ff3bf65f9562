import { deepEqual, equal, match, ok, throws } from "node:assert/strict";
import { DataError } from "../../src/errors.ts";
import { barPlot, confusionMatrix, linePlot, type LinePlotOptions } from "../../src/report/mod.ts";
import { all, HOSTILE, readXml } from "./xml.ts";

const plot = (options: Partial<LinePlotOptions>) =>
  linePlot({ title: "Loss", xLabel: "step", yLabel: "loss", series: [], ...options });
const one = (y: number[]) => [{ name: "loss", x: y.map((_, i) => i + 1), y }];
const curves = (svg: string) =>
  all(readXml(svg), "path").filter(({ attributes }) => attributes.class?.startsWith("curve"));
const refused = (run: () => unknown, message: RegExp) =>
  throws(run, (error) => error instanceof DataError && message.test(error.message));

Deno.test("a line plot is one accessible SVG without ids, references or scripts", () => {
  const svg = plot({ series: one([0.7, 0.5, 0.4]) });
  const elements = readXml(svg);
  const { attributes } = elements[0];
  equal(attributes.viewBox, "0 0 720 320");
  equal(attributes.role, "img");
  equal(attributes["aria-label"], "Loss");
  equal(all(elements, "title")[0].text, "Loss");
  match(all(elements, "desc")[0].text, /3 values from 0\.7 to 0\.4, lowest 0\.4, highest 0\.7/);
  equal(svg.replace(`xmlns="http://www.w3.org/2000/svg"`, "").includes("http"), false);
  ok(!/\sid=|href|url\(|@import/.test(svg));
});

Deno.test("on a logarithmic axis ten times more is one step further, and places that are not positive are left out", () => {
  const series = [{ name: "loss", x: [0, 1, 10, 100], y: [9, 1, 1, 1] }];
  const [curve] = curves(plot({ series, xScale: "log" })),
    points = curve.attributes.d.match(/[\d.]+/g)!.map(Number);
  const x = points.filter((_, i) => i % 2 === 0);
  equal(x.length, 3);
  ok(Math.abs(x[1] - x[0] - (x[2] - x[1])) < 0.2, curve.attributes.d);
});

Deno.test("a line plot breaks at values that are not finite and marks them", () => {
  const svg = plot({ series: one([1, 2, NaN, 3, 4, Infinity, 5]) });
  equal(curves(svg)[0].attributes.d.match(/M/g)?.length, 3);
  equal(all(readXml(svg), "path").filter(({ attributes }) => attributes.class === "rule lost").length, 1);
  match(svg, /2 not shown because they are not finite/);
});

Deno.test("one point is a mark, a constant a level line in the middle, nothing says so", () => {
  equal(all(readXml(plot({ series: one([0.69]) })), "circle").length, 1);
  const [curve] = curves(plot({ series: one([5e-5, 5e-5]) }));
  const [, y1, y2] = /^M[\d.]+ ([\d.]+)L[\d.]+ ([\d.]+)$/.exec(curve.attributes.d)!;
  equal(y1, y2);
  for (const svg of [plot({}), plot({ series: one([]) }), plot({ series: one([NaN, -Infinity]) })]) {
    match(svg, /no finite values/);
    readXml(svg);
  }
  match(plot({ series: one([-1, 0]), yScale: "log" }), /no finite values/);
});

Deno.test("several series have a legend, dashes of their own, or marks of their own", () => {
  const series = ["a", "b"].map((name, i) => ({ name, x: [1, 2, 3], y: [i, i + 1, i] }));
  const plain = readXml(plot({ series }));
  ok(["a", "b"].every((name) => all(plain, "text").some(({ text }) => text === name)));
  ok(all(plain, "path").some(({ attributes }) => attributes["stroke-dasharray"] !== undefined));
  const marked = readXml(plot({ series, markers: true }));
  equal(all(marked, "circle").length, 4);
  equal(all(readXml(plot({ series: [series[0]] })), "text").some(({ text }) => text === "a"), false);
});

Deno.test("smoothing draws a strong curve over the faint one, within the data", () => {
  const y = Array.from({ length: 400 }, (_, i) => 1 + (i % 3) * 0.2);
  const drawn = curves(plot({ series: one(y), smoothing: 0.1 })).filter(({ attributes }) =>
    attributes.d.length > 20
  );
  deepEqual(drawn.map(({ attributes }) => attributes.class), ["curve s0 faint", "curve s0"]);
});

Deno.test("a baseline is drawn, named, and inside the axis", () => {
  const svg = plot({
    series: one([0.5, 0.6]),
    yFormat: "percent",
    baseline: { value: 0.9, label: "always positive" },
  });
  match(svg, /always positive/);
  match(svg, />90%</);
  const dashed = all(readXml(svg), "path").filter(({ attributes }) =>
    attributes.class === "rule base dashed"
  );
  equal(dashed.length, 2); // legend and plot
});

Deno.test("100,000 points become a file below 60 kB, also with a gap every other point", () => {
  const x = Float64Array.from({ length: 1e5 }, (_, i) => i);
  const y = x.map((i) => Math.sin(i * i) + i / 1e5);
  const svg = plot({ series: [{ name: "loss", x, y }], smoothing: 0.05 });
  ok(svg.length < 60_000, `${svg.length}`);
  const gaps = plot({ series: [{ name: "loss", x, y: y.map((v, i) => i % 2 === 0 ? v : NaN) }] });
  ok(gaps.length < 60_000, `${gaps.length}`);
});

Deno.test("extreme values still give finite coordinates", () => {
  for (
    const y of [[1e308, -1e308, 1], [1e279, -1e279], [5e-324, 0], [1, 1 + 1e-15], [-0, 0], [3.4e38, 1e-38]]
  ) {
    for (const yScale of ["linear", "log"] as const) {
      const svg = plot({
        series: [{ name: "y", x: y.map((v) => v * 2), y }],
        yScale,
        smoothing: 0.5,
        markers: true,
      });
      for (const { attributes } of readXml(svg)) {
        for (const key of ["d", "x", "y", "cx", "cy"]) {
          ok(!/NaN|Infinity|e/.test(attributes[key] ?? ""), attributes[key]);
        }
      }
    }
  }
});

Deno.test("hostile texts stay text in every plot", () => {
  for (const text of HOSTILE) {
    const labels = [text, "b"];
    const svgs = [
      linePlot({
        title: text,
        xLabel: text,
        yLabel: text,
        series: [{ name: text, x: [1, 2], y: [1, 2] }, { name: text, x: [1], y: [1] }],
        markers: true,
        baseline: { value: 1, label: text },
      }),
      confusionMatrix({ labels, counts: [[3, 1], [0, 2]], title: text }),
      barPlot({
        title: text,
        labels,
        series: [{ name: text, values: [1, 2] }, { name: "b", values: [NaN, 0] }],
      }),
    ];
    for (const svg of svgs) {
      for (const { name, attributes } of readXml(svg)) {
        ok(["svg", "title", "desc", "style", "rect", "text", "path", "g", "circle"].includes(name), name);
        ok(Object.keys(attributes).every((key) => !key.startsWith("on") && !key.includes("href")));
      }
    }
  }
});

Deno.test("a confusion matrix shows counts and shares, right ones in one colour, wrong ones in another", () => {
  const elements = readXml(
    confusionMatrix({ labels: ["negative", "positive"], counts: [[1370, 130], [0, 500]] }),
  );
  const texts = all(elements, "text").map(({ text }) => text);
  ok(
    ["1,370", "91.3%", "130", "8.7%", "0", "500", "100.0%"].every((text) => texts.includes(text)),
    texts.join(" "),
  );
  deepEqual(all(elements, "rect").slice(1).map(({ attributes }) => attributes.class), [
    "hit",
    "miss",
    "track",
    "hit",
  ]);
  match(
    all(elements, "desc")[0].text,
    /1,870 of 2,000 on the diagonal.*130 of negative predicted as positive/,
  );
});

Deno.test("a confusion matrix of many classes folds those with the fewest errors", () => {
  const labels = Array.from({ length: 200 }, (_, i) => `class ${i}`);
  const counts = labels.map((_, e) => labels.map((_, p) => e === p ? 5 : e === 150 && p === 3 ? 4 : 0));
  const svg = confusionMatrix({ labels, counts, maxLabels: 5 });
  const titles = all(readXml(svg), "title").map(({ text }) => text);
  ok(titles.includes("expected class 150, predicted class 3: 4 (44.4%)"));
  ok(titles.some((text) => text.includes("196 others")));
  match(svg, /Confusion matrix of 5 classes/);
  ok(confusionMatrix({ labels, counts }).length < 250_000);
});

Deno.test("bars are as long as their values say", () => {
  const svg = barPlot({
    title: "F1",
    labels: ["a", "b", "c"],
    series: [{ name: "F1", values: [0.25, 0.5, NaN] }],
    format: "percent",
  });
  const elements = readXml(svg);
  const width = (name: string) =>
    all(elements, "rect").filter(({ attributes }) => attributes.class === name).map(({ attributes }) =>
      Number(attributes.width)
    );
  const [track] = width("track");
  const [a, b] = width("f0");
  ok(Math.abs(a / track - 0.25) < 0.01 && Math.abs(b / track - 0.5) < 0.01);
  equal(width("f0").length, 2);
  ok(all(elements, "text").some(({ text }) => text === "NaN"));
  match(barPlot({ title: "n", labels: ["a", "b", "c"], series: [], maxLabels: 2 }), /1 more not shown/);
  const longest = "layer_norm_backward_parameters";
  ok(barPlot({ title: "n", labels: [longest], series: [], width: 720 }).includes(`>${longest}<title>`));
  match(barPlot({ title: "n", labels: [], series: [{ name: "n", values: [] }] }), /no values/);
});

Deno.test("plots refuse ragged or impossible input", () => {
  refused(() => plot({ series: [{ name: "loss", x: [1], y: [1, 2] }] }), /"loss" has 1 places and 2 values/);
  refused(() => plot({ width: 10 }), /10 x 320 pixels/);
  refused(() => plot({ height: NaN }), /720 x NaN pixels/);
  refused(() => confusionMatrix({ labels: ["a"], counts: [[1, 2]] }), /row 0 has 2 columns, wanted 1/);
  refused(() => confusionMatrix({ labels: ["a"], counts: [] }), /0 rows and 1 labels/);
  refused(() => confusionMatrix({ labels: [], counts: [] }), /no labels/);
  refused(() => confusionMatrix({ labels: ["a"], counts: [[0.5]] }), /row 0 has 0.5/);
  refused(() => confusionMatrix({ labels: ["a"], counts: [[1]], maxLabels: 1 }), /maxLabels/);
  refused(() => barPlot({ title: "n", labels: ["a"], series: [{ name: "x", values: [-1] }] }), /has -1/);
  refused(
    () => barPlot({ title: "n", labels: ["a"], series: [{ name: "x", values: [] }] }),
    /0 values for 1 labels/,
  );
  refused(
    () => barPlot({ title: "n", labels: ["a"], series: Array(7).fill({ name: "x", values: [1] }) }),
    /7 series/,
  );
});
