import assert from "node:assert/strict";
import {
  type DType,
  encodeSafetensors,
  openSafetensors,
  sourceFromBytes,
  tensorValues,
  toFloat32,
} from "../../src/weights/mod.ts";
import { assertSameFloats, golden, openBytes, rejects } from "./helpers.ts";

/** IEEE 754 by arithmetic: the value of a small float. */
function valueOf(bits: number, exponentBits: number, mantissaBits: number): number {
  const sign = bits >>> (exponentBits + mantissaBits) ? -1 : 1;
  const exponent = (bits >>> mantissaBits) % 2 ** exponentBits;
  const fraction = (bits % 2 ** mantissaBits) / 2 ** mantissaBits;
  const bias = 2 ** (exponentBits - 1) - 1;
  if (exponent === 2 ** exponentBits - 1) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (exponent === 0 ? fraction * 2 ** (1 - bias) : (1 + fraction) * 2 ** (exponent - bias));
}

function tensorOf(dtype: DType, data: ArrayBufferView): Parameters<typeof toFloat32>[0] {
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return { name: "x", dtype, shape: [bytes.length], byteLength: bytes.length, bytes };
}

for (const [dtype, exponentBits, mantissaBits] of [["F16", 5, 10], ["BF16", 8, 7]] as const) {
  Deno.test(`all 65,536 values of ${dtype} convert exactly: subnormals, infinities, NaN`, () => {
    const bits = Uint16Array.from({ length: 65_536 }, (_, i) => i);
    const expected = Float32Array.from(bits, (value) => valueOf(value, exponentBits, mantissaBits));
    assertSameFloats(toFloat32(tensorOf(dtype, bits)), expected, dtype);
  });
}

Deno.test("integers, booleans and float64 convert by value, rounded to nearest", () => {
  const cases: [DType, ArrayBufferView, number[]][] = [
    ["I64", new BigInt64Array([-1n, 2n ** 24n + 1n, -(2n ** 63n)]), [-1, 2 ** 24, -(2 ** 63)]],
    ["U64", new BigUint64Array([2n ** 64n - 1n]), [2 ** 64]],
    ["I32", new Int32Array([-5, 2 ** 31 - 1]), [-5, 2 ** 31]],
    ["U32", new Uint32Array([2 ** 32 - 1]), [2 ** 32]],
    ["I16", new Int16Array([-32768]), [-32768]],
    ["U16", new Uint16Array([65535]), [65535]],
    ["I8", new Int8Array([-128]), [-128]],
    ["U8", new Uint8Array([255]), [255]],
    ["BOOL", new Uint8Array([0, 1, 2]), [0, 1, 1]],
    ["F64", new Float64Array([0.1, 1e300, -0, 1 + 2 ** -25]), [Math.fround(0.1), Infinity, -0, 1]],
  ];
  for (const [dtype, data, expected] of cases) {
    assertSameFloats(toFloat32(tensorOf(dtype, data)), new Float32Array(expected), dtype);
  }
});

Deno.test("types that no weights of BERT have are refused by name", async () => {
  await rejects(() => openBytes(golden("st_complex.safetensors")), /tensor "x" has the unknown type "C64"/);
});

Deno.test("tensorValues gives typed arrays, aligned or not", async () => {
  const file = golden("st_dtypes.safetensors");
  for (const shift of [0, 1, 3]) {
    const moved = new Uint8Array(file.length + shift).subarray(shift);
    moved.set(file);
    const checkpoint = await openBytes(moved);
    const values = async (name: string): Promise<unknown> => tensorValues(await checkpoint.read(name));
    assert.deepEqual(await values("i64"), new BigInt64Array([-1n, 2n ** 60n]));
    assert.deepEqual(await values("u64"), new BigUint64Array([2n ** 64n - 1n]));
    assert.deepEqual(await values("f64"), new Float64Array([0.1]));
    assert.deepEqual(await values("f32"), new Float32Array([0.1, 0.2, 0.3, 0.4]));
    assert.deepEqual(await values("i16"), new Int16Array([-2, 3]));
    assert.deepEqual(await values("bf16"), new Uint16Array([0x3dcd, 0xbf80]));
    assert.deepEqual(await values("zz_bool"), new Uint8Array([1, 0]));
    assert.deepEqual(await values("i8"), new Int8Array([-1]));
  }
});

Deno.test("a tensor of several blocks is converted into shared memory at any offset", async () => {
  const count = 1_500_001;
  const data = Float32Array.from({ length: count }, (_, i) => i / 3);
  const half = Uint16Array.from({ length: count }, (_, i) => i);
  const file = encodeSafetensors([
    { name: "f32", dtype: "F32", shape: [count], data },
    { name: "f16", dtype: "F16", shape: [count], data: half },
  ]);
  const checkpoint = await openBytes(file);
  const target = new Float32Array(new SharedArrayBuffer(4 * count + 64), 12, count);
  await checkpoint.readFloat32("f32", target);
  assertSameFloats(target, data, "f32");
  await checkpoint.readFloat32("f16", target);
  assertSameFloats(target, Float32Array.from(half, (bits) => valueOf(bits, 5, 10)), "f16");
});

Deno.test("a target function is called for each block, so memory may grow while a tensor is read", async () => {
  const count = 1_500_000;
  const file = encodeSafetensors([
    { name: "x", dtype: "F32", shape: [count], data: Float32Array.from({ length: count }, (_, i) => i) },
  ]);
  const memory = new WebAssembly.Memory({ initial: 100, maximum: 200 });
  const source = sourceFromBytes("x.safetensors", file);
  const checkpoint = await openSafetensors({
    ...source,
    read(begin: number, end: number): Promise<Uint8Array> {
      memory.grow(1); // detaches all views so far
      return source.read(begin, end);
    },
  });
  await checkpoint.readFloat32("x", () => new Float32Array(memory.buffer, 16, count));
  assert.ok(new Float32Array(memory.buffer, 16, count).every((value, i) => value === i));
});

Deno.test("a target of another length is refused before anything is read", async () => {
  const checkpoint = await openBytes(golden("st_dtypes.safetensors"));
  const target = new Float32Array(5).fill(7);
  await rejects(
    () => checkpoint.readFloat32("f32", target),
    /Cannot load "f32": it has 4 elements, the target has 5/,
  );
  await rejects(() => checkpoint.readFloat32("f32", () => target.subarray(0, 3)), /the target has 3/);
  assert.deepEqual(target, new Float32Array(5).fill(7));
});

Deno.test("scalars and empty tensors are read", async () => {
  const checkpoint = await openBytes(golden("st_empty.safetensors"));
  assert.deepEqual(checkpoint.tensors.get("scalar")!.shape, []);
  assert.deepEqual(toFloat32(await checkpoint.read("scalar")), new Float32Array([1]));
  await checkpoint.readFloat32("none", new Float32Array(0));
  assert.equal((await checkpoint.read("f")).bytes.length, 0);
});

Deno.test("unknown names are refused", async () => {
  const checkpoint = await openBytes(golden("st_empty.safetensors"), "m.safetensors");
  await rejects(() => checkpoint.read("x"), /Cannot read "x": "m.safetensors" has no tensor of that name/);
  await rejects(() => checkpoint.readFloat32("__proto__", new Float32Array(1)), /has no tensor/);
});

Deno.test("a source that gives too few bytes is refused", async () => {
  const file = golden("st_dtypes.safetensors");
  const inner = sourceFromBytes("short.safetensors", file);
  let cut = 0;
  const source = { ...inner, read: (begin: number, end: number) => inner.read(begin, end - cut) };
  const checkpoint = await openSafetensors(source);
  cut = 1;
  await rejects(() => checkpoint.read("f32"), /it has no bytes \d+ to \d+/);
  await rejects(() => openSafetensors(source), /it has no bytes 0 to 8/);
  await rejects(() => inner.read(0, file.length + 1), /it has no bytes/);
});

Deno.test("two tensors read at once, in blocks of a reused buffer, do not disturb each other", async () => {
  const count = 1_300_000;
  const tensors = ["a", "b", "c"].map((name, k) => ({
    name,
    dtype: "F32" as const,
    shape: [count],
    data: Float32Array.from({ length: count }, (_, i) => i + k),
  }));
  const inner = sourceFromBytes("x.safetensors", encodeSafetensors(tensors));
  let reads = 0;
  const checkpoint = await openSafetensors({
    ...inner,
    async readInto(begin: number, target: Uint8Array): Promise<void> {
      reads++;
      target.fill(0);
      await new Promise((resolve) => setTimeout(resolve, reads % 3));
      target.set(await inner.read(begin, begin + target.length));
    },
  });
  for (let round = 0; round < 2; round++) {
    await Promise.all(tensors.map(async ({ name, data }) => {
      const target = new Float32Array(count);
      await checkpoint.readFloat32(name, target);
      assertSameFloats(target, data, name);
    }));
  }
  assert.equal(reads, 18);
});
