import { deepEqual, equal, ok } from "node:assert/strict";
import fc from "../helpers/property.ts";
import { type Axis, LARGEST, linearAxis, logAxis, niceStep } from "../../src/report/scale.ts";

const labels = (axis: Axis) => axis.ticks.map((tick) => axis.label(tick));

Deno.test("linear axes have round ticks", () => {
  deepEqual(labels(linearAxis(0.13, 0.71, { count: 5 })), ["0", "0.2", "0.4", "0.6", "0.8"]);
  deepEqual(labels(linearAxis(0, 3e-4, { count: 4 })), ["0", "1e-4", "2e-4", "3e-4"]);
  deepEqual(labels(linearAxis(0.509, 0.817, { count: 5, percent: true })), [
    "50%",
    "60%",
    "70%",
    "80%",
    "90%",
  ]);
  deepEqual(labels(linearAxis(1, 1299, { count: 8, whole: true, tight: true })), [
    "200",
    "400",
    "600",
    "800",
    "1k",
    "1.2k",
  ]);
  deepEqual(labels(linearAxis(1, 3, { count: 10, whole: true, tight: true })), ["1", "2", "3"]);
});

Deno.test("a constant gets an axis around it", () => {
  deepEqual(labels(linearAxis(5e-5, 5e-5, { count: 2 })), ["4.5e-5", "5e-5", "5.5e-5"]);
  deepEqual(labels(linearAxis(0, 0, { count: 2 })), ["-1", "0", "1"]);
  equal(linearAxis(7, 7, { count: 4 }).place(7), 0.5);
  equal(logAxis(7, 7, { count: 4 }).place(7), 0.5);
  ok(linearAxis(1, 1, { count: 4, percent: true }).ticks.every((tick) => tick <= 1));
});

Deno.test("logarithmic axes tick powers of ten, or what lies between", () => {
  deepEqual(labels(logAxis(2e-4, 80, { count: 6 })), ["1e-4", "0.001", "0.01", "0.1", "1", "10", "100"]);
  deepEqual(labels(logAxis(3, 40, { count: 6 })), ["2", "5", "10", "20", "50", "100"]);
  deepEqual(labels(logAxis(1.1, 2.3, { count: 4 })), ["1.5", "2"]);
  equal(logAxis(1e-7, 100, { count: 6 }).place(-1) >= 0, false);
});

Deno.test("any range gets few ascending ticks inside a finite axis", () => {
  const value = fc.double({ min: -LARGEST, max: LARGEST, noNaN: true });
  fc.assert(fc.property(value, value, fc.integer({ min: 2, max: 12 }), fc.boolean(), (a, b, count, tight) => {
    const [low, high] = a < b ? [a, b] : [b, a];
    const axes = [linearAxis(low, high, { count, tight })];
    if (low > 0) axes.push(logAxis(low, high, { count }));
    for (const axis of axes) {
      ok(axis.ticks.length <= 3 * count + 3, `${axis.ticks.length} ticks`);
      axis.ticks.forEach((tick, i) => ok(i === 0 || tick > axis.ticks[i - 1]));
      for (const place of [...axis.ticks, low, high].map(axis.place)) {
        ok(place > -1e-6 && place < 1 + 1e-6, `${place}`);
      }
      equal(new Set(labels(axis)).size, axis.ticks.length);
    }
  }));
});

Deno.test("niceStep is 1, 2 or 5 times a power of ten", () => {
  equal(niceStep(10, 5), 2);
  equal(niceStep(1, 3), 0.5);
  equal(niceStep(0.7, 10), 0.1);
  equal(niceStep(60, 10), 10);
});
