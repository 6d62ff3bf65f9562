import { equal } from "node:assert/strict";
import {
  exponentOf,
  formatCount,
  formatDuration,
  formatNumber,
  formatPercent,
  formatTick,
} from "../../src/report/number.ts";

function table<T>(format: (value: T) => string, rows: [T, string][]): void {
  for (const [value, text] of rows) equal(format(value), text);
}

Deno.test("formatNumber is compact", () => {
  table(formatNumber, [
    [0, "0"],
    [-0, "0"],
    [1e-5, "1e-5"],
    [3.456e-5, "3.46e-5"],
    [0.0009999, "0.001"],
    [0.0017, "0.0017"],
    [0.69315, "0.693"],
    [-2.5, "-2.5"],
    [42, "42"],
    [999.9, "1k"],
    [1200, "1.2k"],
    [3_400_000, "3.4M"],
    [7e9, "7B"],
    [1.5e12, "1.5T"],
    [1e15, "1e15"],
    [1.7e308, "1.7e308"],
    [5e-324, "5e-324"],
    [NaN, "NaN"],
    [Infinity, "∞"],
    [-Infinity, "-∞"],
  ]);
});

Deno.test("formatTick has the digits that tell neighbours apart", () => {
  const rows: [number, number, string][] = [
    [0.0173123, 1e-7, "0.0173123"],
    [0.95, 0.05, "0.95"],
    [1, 0.5, "1"],
    [1.5e-5, 5e-6, "1.5e-5"],
    [103_210, 10, "103.21k"],
    [1000, 500, "1k"],
    [0, 0.1, "0"],
    [-0.2, 0.1, "-0.2"],
  ];
  for (const [value, step, text] of rows) equal(formatTick(value, step), text);
});

Deno.test("shares, counts and durations", () => {
  table((share) => formatPercent(share), [[0.8153, "81.5%"], [1, "100.0%"], [0, "0.0%"], [NaN, "NaN"]]);
  table(formatCount, [[0, "0"], [999, "999"], [1000, "1,000"], [1_838_210, "1,838,210"], [-1234, "-1,234"], [
    0.5,
    "0.5",
  ]]);
  table(formatDuration, [
    [870, "870 ms"],
    [999.7, "1.0 s"],
    [12_345, "12.3 s"],
    [59_960, "1 min 00 s"],
    [185_000, "3 min 05 s"],
    [3_599_600, "1 h 00 min"],
    [7_380_000, "2 h 03 min"],
    [NaN, "NaN"],
  ]);
  equal(exponentOf(1000), 3);
  equal(exponentOf(999), 2);
  equal(exponentOf(-2e-5), -5);
});
