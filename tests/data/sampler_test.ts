/** Batches of like length: every example once, the same for a seed, little padding, the longest first. */
import { deepStrictEqual, notDeepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import { lengthGroupedBatches } from "../../src/data/mod.ts";
import { DataError } from "../../src/errors.ts";
import { Random } from "../../src/random.ts";
import fc from "../helpers/property.ts";

Deno.test("every example comes once, batches are full but for one a window, the longest comes first", () => {
  const options = fc.record({
    batch_size: fc.integer({ min: 1, max: 9 }),
    seed: fc.integer({ min: 0, max: 1e6 }),
    epoch: fc.integer({ min: 0, max: 3 }),
    mega_batch_mult: fc.option(fc.integer({ min: 1, max: 20 }), { nil: undefined }),
  });
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 200 }), { maxLength: 300 }), options, (lengths, o) => {
      const batches = lengthGroupedBatches(lengths, o);
      deepStrictEqual(batches.flat().toSorted((a, b) => a - b), lengths.map((_, i) => i));
      ok(batches.filter((batch) => batch.length < o.batch_size).length <= 1);
      ok(batches.every((batch) => batch.length > 0 && batch.length <= o.batch_size));
      if (lengths.length > 0) ok(batches[0].some((i) => lengths[i] === Math.max(...lengths)));
      deepStrictEqual(lengthGroupedBatches(lengths, o), batches);
      const whole = lengthGroupedBatches(lengths, { ...o, drop_last: true });
      ok(whole.every((batch) => batch.length === o.batch_size));
      strictEqual(whole.length, Math.floor(lengths.length / o.batch_size));
    }),
  );
});

Deno.test("padding falls below 5 % of the tokens, from over 30 % in random order; epochs and seeds differ", () => {
  const random = new Random(1), lengths = Array.from({ length: 4000 }, () => 4 + random.below(60));
  const padding = (batches: number[][]) => {
    const padded = batches.reduce((sum, b) => sum + b.length * Math.max(...b.map((i) => lengths[i])), 0);
    return 1 - lengths.reduce((a, b) => a + b, 0) / padded;
  };
  const options = { batch_size: 16, seed: 2 }, grouped = lengthGroupedBatches(lengths, options);
  ok(padding(grouped) < 0.05, `${padding(grouped)}`);
  ok(padding(lengthGroupedBatches(lengths, { ...options, mega_batch_mult: 1 })) > 0.3);
  notDeepStrictEqual(lengthGroupedBatches(lengths, { ...options, epoch: 1 }), grouped);
  notDeepStrictEqual(lengthGroupedBatches(lengths, { ...options, seed: 3 }), grouped);
  // Batches of all lengths come at all times.
  const means = grouped.map((batch) => batch.reduce((sum, i) => sum + lengths[i], 0) / batch.length);
  const half = means.length >> 1,
    mean = (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length;
  ok(Math.abs(mean(means.slice(0, half)) - mean(means.slice(half))) < 5);
});

Deno.test("lengthGroupedBatches refuses what is no length, and options out of range", () => {
  throws(() => lengthGroupedBatches([1, NaN]), DataError);
  throws(() => lengthGroupedBatches([1, -1]), /example 1 has the length -1/);
  throws(() => lengthGroupedBatches([1], { batch_size: 0 }), /batch_size 0/);
  throws(() => lengthGroupedBatches([1], { batch_size: 2, mega_batch_mult: 1.5 }), RangeError);
  throws(() => lengthGroupedBatches([1], { epoch: -1 }), RangeError);
  deepStrictEqual(lengthGroupedBatches([]), []);
});
