/** Dropout's generator against Philox's published numbers, and its mask. */
import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { philox4x32, Random } from "../../src/random.ts";
import { dispose, init } from "../../src/runtime/mod.ts";
import { Memory } from "../helpers/kernels.ts";

Deno.test("philox4x32 gives the known answers of Random123", () => {
  const ones = 0xffffffff;
  deepStrictEqual(philox4x32([0, 0, 0, 0], [0, 0]), [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]);
  deepStrictEqual(philox4x32([ones, ones, ones, ones], [ones, ones]), [
    0x408f276d,
    0x41c83b0e,
    0xa20bc7c6,
    0x6d5451fd,
  ]);
  deepStrictEqual(
    philox4x32([0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344], [0xa4093822, 0x299f31d0]),
    [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
  );
});

Deno.test("dropout keeps what philox says, element by element, and scales it", async () => {
  const runtime = await init({ threads: 2 }), memory = new Memory(runtime);
  const [rows, h, site, step, seed] = [7, 37, 9, 3, [-123456789, 42]],
    p = 0.3,
    threshold = Math.round(p * 2 ** 32);
  const x = memory.floats(Float32Array.from({ length: rows * h }, () => 1)), y = memory.floats(rows * h);
  runtime.pool.run("dropout", rows, 2, y, x, h, site, step, seed[0], seed[1], threshold, 1 / (1 - p), 0);
  const actual = memory.read(y, rows * h);
  for (let row = 0; row < rows; row++) {
    for (let j = 0; j < h; j++) {
      const block = philox4x32([4 * (j >> 4) + (j & 3), row, site, step], [seed[0] >>> 0, seed[1] >>> 0]);
      strictEqual(
        actual[row * h + j],
        block[(j >> 2) & 3] >= threshold ? Math.fround(1 / (1 - p)) : 0,
        `${row}, ${j}`,
      );
    }
  }
  dispose();
});

Deno.test("Random draws the same numbers again from a position, and looks uniform and normal", () => {
  const random = new Random(7), first = Array.from({ length: 10 }, () => random.uint32());
  random.position = 3;
  deepStrictEqual(Array.from({ length: 7 }, () => random.uint32()), first.slice(3));
  const n = 20_000, draws = Array.from({ length: n }, () => random.normal(1, 2));
  const mean = draws.reduce((a, b) => a + b) / n,
    variance = draws.reduce((sum, x) => sum + (x - mean) ** 2, 0) / n;
  ok(Math.abs(mean - 1) < 0.06 && Math.abs(variance - 4) < 0.2);
  deepStrictEqual(new Random(1).shuffle([1, 2, 3, 4, 5]).sort(), [1, 2, 3, 4, 5]);
});
