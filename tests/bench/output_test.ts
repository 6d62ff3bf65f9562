/** What the benchmark writes: tables, charts, the page of the documentation. */
import { deepStrictEqual, doesNotMatch, match, ok, strictEqual } from "node:assert/strict";
import { advantage, ratioChart } from "../../scripts/bench/chart.ts";
import { performancePage, type Results, type SuiteResult } from "../../scripts/bench/docs.ts";
import { compare, type Row, timing } from "../../scripts/bench/harness.ts";
import { formatFigure, markdownTable, textTable } from "../../scripts/bench/table.ts";
import { readXml } from "../report/xml.ts";

const FACTS = { verified: "sums in f64: 1e-8", command: "deno task bench --only steps" };
const STEP = compare({
  ...{ ...FACTS, work: "step, 2 x 6", ours: timing([200, 210, 220], "ms"), peer: "PyTorch" },
  theirs: timing([700], "ms"),
}, { atMost: 0.35 });
const PRODUCT = compare({
  ...{
    ...FACTS,
    work: "a | b",
    ours: timing([30], "GFLOPS"),
    peer: "C <native>",
    theirs: timing([40], "GFLOPS"),
  },
}, { atLeast: 0.85 });
const ALONE: Row = { ...FACTS, work: "alone", ours: timing([0.1234], "ms") };

Deno.test("a text table aligns its columns, leaves empty ones out, and is plain unless colours are asked for", () => {
  deepStrictEqual(textTable([STEP, PRODUCT]).split("\n"), [
    "work               berth  peer         its figure  berth / it  goal             met",
    "step, 2 x 6       210 ms  PyTorch          700 ms      0.30 x  at most 0.35 x   yes",
    "a | b        30.0 GFLOPS  C <native>  40.0 GFLOPS      0.75 x  at least 0.85 x  no",
  ]);
  strictEqual(textTable([ALONE]), "work      berth\nalone  0.123 ms");
  deepStrictEqual(
    textTable([STEP, PRODUCT], { colours: true }).split("\n").map((line) => line.slice(0, 5)),
    ["\x1b[1mw", "\x1b[32m", "\x1b[31m"],
  );
});

Deno.test("figures have three digits", () => {
  deepStrictEqual([0.0391, 1.2345, 45.678, 123.4, 99.96].map(formatFigure), [
    "0.039",
    "1.23",
    "45.7",
    "123",
    "100",
  ]);
});

Deno.test("a Markdown table shows what was verified, and a bar in a cell stays in it", () => {
  const table = markdownTable([PRODUCT, ALONE]).split("\n");
  strictEqual(table[0], "| work | berth | peer | its figure | berth / it | goal | met | verified |");
  strictEqual(table[1], "| --- | ---: | --- | ---: | ---: | --- | --- | --- |");
  match(table[2], /^\| a \\\| b \| 30\.0 GFLOPS \| C &lt;native> \| .* \| sums in f64: 1e-8 \|$/);
  strictEqual(table.length, 4);
});

Deno.test("a chart shows times and rates as advantages, and is well-formed", () => {
  deepStrictEqual(advantage(STEP), { value: 1 / 0.3, goal: 1 / 0.35 });
  deepStrictEqual(advantage(PRODUCT), { value: 0.75, goal: 0.85 });
  strictEqual(advantage(ALONE), undefined);
  strictEqual(ratioChart("nothing", [ALONE]), undefined);
  const svg = ratioChart("Two & more", [STEP, PRODUCT, ALONE])!;
  readXml(svg);
  match(svg, /C &lt;native&gt;/);
  strictEqual(svg.match(/<rect class="hit"/g)?.length, 1);
  strictEqual(svg.match(/<rect class="miss"/g)?.length, 1);
  ok(svg.includes("3.33 x") && svg.includes("0.75 x"));
  doesNotMatch(svg, /NaN|Infinity/);
});

Deno.test("the page names the machine, sums up the goals, and gives each table its command and charts", () => {
  const suite = (more: Partial<SuiteResult>): SuiteResult => ({
    ...{ name: "steps", title: "Training steps", date: "2026-11-23", rounds: 5, quick: false, seconds: 9 },
    ...{ rows: [STEP, PRODUCT], charts: [{ name: "steps", title: "As bars" }] },
    ...more,
  });
  const results: Results = {
    machine: {
      ...{ cpu: "Some CPU", cores: 2, memoryGiB: 16, system: "linux x64", deno: "2.9.6" },
      ...{ v8: "15.0", profile: "relaxed", threads: 2, versions: { torch: "2.15.0" } },
    },
    suites: [
      suite({}),
      suite({ name: "broken", title: "Broken one", rows: [], charts: [], error: "no Python" }),
    ],
  };
  const page = performancePage(results, "## How it is fast\n\nBy hand.\n");
  match(
    page,
    /Some CPU, 2 cores, 16 GiB, linux x64; Deno 2\.9\.6 \(V8 15\.0\); 2 threads, kernels of profile relaxed/,
  );
  match(page, /Peers: torch 2\.15\.0/);
  ok(
    page.includes(
      "| [Training steps](#training-steps) | 1 of 2 goals met | 2026-11-23, 5 turns | `deno task bench --only steps` |",
    ),
  );
  ok(
    page.includes(
      "| [Broken one](#broken-one) | failed: no Python | 2026-11-23, 5 turns | `deno task bench --only broken` |",
    ),
  );
  ok(page.includes("## Training steps\n\n    deno task bench --only steps\n\n| work |"));
  ok(page.includes("![As bars](performance/steps.svg)"));
  ok(page.endsWith("## How it is fast\n\nBy hand.\n"));
});
