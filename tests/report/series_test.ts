import { deepEqual, equal, ok } from "node:assert/strict";
import fc from "../helpers/property.ts";
import { GAP, keptPoints, pathData, smoothCurve } from "../../src/report/series.ts";

Deno.test("few points are all kept, with their gaps", () => {
  const px = Float64Array.of(0, 1, 2, 3, 4, 5);
  const py = Float64Array.of(1, 2, NaN, 3, NaN, 4);
  const kept = keptPoints(px, py, 100);
  deepEqual(kept, [0, 1, GAP, 3, GAP, 5]);
  equal(pathData(kept, px, py), "M0 1L1 2M3 3h0M5 4h0");
});

Deno.test("dense curves keep at most four points a pixel column, and every column's extremes", () => {
  const value = fc.oneof({ weight: 9, arbitrary: fc.double({ min: 0, max: 100, noNaN: true }) }, {
    weight: 1,
    arbitrary: fc.constant(NaN),
  });
  fc.assert(
    fc.property(fc.array(value, { minLength: 100, maxLength: 400 }), (values) => {
      const columns = 10;
      const px = Float64Array.from(values, (_, i) => i * columns / values.length);
      const py = Float64Array.from(values);
      const kept = keptPoints(px, py, columns);
      const indices = kept.filter((index) => index !== GAP);
      ok(indices.length <= 4 * columns);
      indices.forEach((index, i) => ok(i === 0 || index > indices[i - 1]));
      for (let column = 0; column < columns; column++) {
        const of = (list: number[]) =>
          list.filter((i) => Math.floor(px[i]) === column && !Number.isNaN(py[i]));
        const every = of(values.map((_, i) => i)).map((i) => py[i]);
        const some = of(indices).map((i) => py[i]);
        equal(Math.max(...some), Math.max(...every));
        equal(Math.min(...some), Math.min(...every));
      }
    }),
    { numRuns: 50 },
  );
});

Deno.test("smoothing keeps a straight line, also at its ends", () => {
  const x = Array.from({ length: 5000 }, (_, i) => i);
  const { x: sx, y: sy } = smoothCurve(x, x.map((v) => 3 - 2 * v), 0.1);
  ok(sx.length <= 650 && sx.length > 400);
  // Bins of equal size lie on the line again; only the last may be shorter.
  sx.slice(0, -70).forEach((v, i) => ok(Math.abs(sy[i] - (3 - 2 * v)) < 1e-6));
});

Deno.test("smoothing takes out noise and breaks at a long gap only", () => {
  const x = Array.from({ length: 1000 }, (_, i) => i);
  const noisy = x.map((i) => 1 + (i % 2 === 0 ? 0.5 : -0.5));
  const smooth = smoothCurve(x, noisy.map((y, i) => i % 100 === 7 ? NaN : y), 0.2);
  ok(smooth.y.every((y) => Math.abs(y - 1) < 0.05));
  const broken = smoothCurve(x, noisy.map((y, i) => i >= 400 && i < 500 ? NaN : y), 0.2);
  equal(broken.y.filter(Number.isNaN).length, 1);
  deepEqual(smoothCurve([1, 2, 3], [1, 2, 3], 0.5), { x: [], y: [] });
});
