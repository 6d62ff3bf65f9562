import assert from "node:assert/strict";
import { type Checkpoint, openTorch, sourceFromBytes, toFloat32 } from "../../src/weights/mod.ts";
import {
  assertSameFloats,
  concat,
  dictPickle,
  golden,
  op,
  openBytes,
  tensorPickle,
  torchZip,
  u64,
} from "./helpers.ts";

async function assertSameTensors(
  found: Checkpoint,
  truth: Checkpoint,
  floats: Checkpoint | null,
): Promise<void> {
  for (const name of found.tensors.keys()) {
    const [a, b] = [await found.read(name), await truth.read(name)];
    assert.deepEqual([a.dtype, a.shape, a.byteLength], [b.dtype, b.shape, b.byteLength], name);
    assert.deepEqual(a.bytes.slice(), b.bytes.slice(), name);
    if (floats === null) continue;
    const target = new Float32Array(a.shape.reduce((x, y) => x * y, 1));
    await found.readFloat32(name, target);
    assertSameFloats(target, toFloat32(await floats.read(name)), name);
    assertSameFloats(toFloat32(a), target, name);
  }
}

for (const file of ["torch_zip", "torch_old", "torch_protocol4", "torch_old_protocol4"]) {
  Deno.test(`${file}.bin has the bytes that the safetensors library wrote for its 24 tensors`, async () => {
    const truth = await openBytes(golden("torch_values.safetensors"));
    const floats = await openBytes(golden("torch_values_float32.safetensors"));
    const found = await openBytes(golden(`${file}.bin`), `${file}.bin`);
    assert.equal(found.format, "pytorch");
    assert.deepEqual(new Set(found.tensors.keys()), new Set(truth.tensors.keys()));
    assert.equal(found.tensors.size, 24);
    await assertSameTensors(found, truth, floats);
  });
}

Deno.test("torch_new_types.bin: unsigned integers and 8-bit floats, all 256 values of both kinds", async () => {
  const truth = await openBytes(golden("torch_new_types.safetensors"));
  const floats = await openBytes(golden("torch_new_types_float32.safetensors"));
  const found = await openBytes(golden("torch_new_types.bin"), "torch_new_types.bin");
  assert.equal(found.tensors.size, 7);
  await assertSameTensors(found, truth, floats);
});

Deno.test("a checkpoint of a big-endian machine is swapped", async () => {
  const truth = await openBytes(golden("torch_values.safetensors"));
  const floats = await openBytes(golden("torch_values_float32.safetensors"));
  const found = await openBytes(golden("torch_big_endian.bin"), "torch_big_endian.bin");
  assert.deepEqual([...found.tensors.keys()], ["f32", "f64", "i16", "bf16", "u8", "transposed"]);
  await assertSameTensors(found, truth, floats);
});

Deno.test("a zip64 checkpoint is read", async () => {
  const found = await openBytes(golden("torch_zip64.bin"), "torch_zip64.bin");
  assert.deepEqual(toFloat32(await found.read("x")), new Float32Array([0, 1, 2, 3, 4]));
});

Deno.test("a module's state_dict with its _metadata is read", async () => {
  const found = await openBytes(golden("torch_module_state.bin"), "torch_module_state.bin");
  assert.deepEqual([...found.tensors.keys()], ["0.weight", "0.bias", "1.weight", "1.bias"]);
  assert.deepEqual(found.tensors.get("0.weight")!.shape, [3, 2]);
});

Deno.test("a storage inside a storage, as torch before 0.4 wrote it, is read", async () => {
  const storage = (key: string, view: Uint8Array | number[]): Uint8Array =>
    concat(
      op.global("torch._utils", "_rebuild_tensor"),
      op.mark,
      op.mark,
      op.text("storage"),
      op.global("torch", "FloatStorage"),
      op.text(key),
      op.text("cpu"),
      op.int(6),
      view,
      op.tuple,
      op.persistent,
      op.int(1),
      op.ints([2]),
      op.ints([1]),
      op.tuple,
      op.reduce,
    );
  const view = concat(op.mark, op.text("v"), op.int(2), op.int(3), op.tuple);
  const file = concat(
    op.proto(),
    [0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19],
    op.stop,
    op.proto(),
    op.int(1001),
    op.stop,
    op.proto(),
    op.emptyDict,
    op.stop,
    concat(op.proto(), op.emptyDict, op.text("x"), storage("k", view), op.setItem),
    concat(op.text("y"), storage("k", op.none), op.setItem, op.stop),
    concat(op.proto(), op.emptyList, op.text("k"), [0x61], op.stop),
    u64(6),
    new Uint8Array(new Float32Array([0, 1, 2, 3, 4, 5]).buffer),
  );
  const found = await openBytes(file, "old.bin");
  assert.deepEqual(toFloat32(await found.read("x")), new Float32Array([3, 4]));
  assert.deepEqual(toFloat32(await found.read("y")), new Float32Array([1, 2]));
});

Deno.test("the pickles of the old form may be longer than the first read", async () => {
  const names = Array.from({ length: 3000 }, (_, i) => `layer.${i}.${"x".repeat(200)}`);
  const values = names.map((name) => concat(op.text(name), tensorPickle(), op.setItem));
  const head = golden("torch_old.bin");
  const sysInfoEnd = head.indexOf(0x2e, head.indexOf(0x2e, head.indexOf(0x2e) + 1) + 1) + 1;
  const file = concat(
    head.subarray(0, sysInfoEnd),
    op.proto(),
    op.emptyDict,
    ...values,
    op.stop,
    concat(op.proto(), op.emptyList, op.text("0"), [0x61], op.stop),
    u64(4),
    new Uint8Array(new Float32Array([1, 2, 3, 4]).buffer),
  );
  const found = await openBytes(file, "old.bin");
  assert.equal(found.tensors.size, 3000);
  assert.deepEqual(toFloat32(await found.read(names[2999])), new Float32Array([1, 2, 3, 4]));
});

Deno.test("a strided tensor of several blocks is put in C order, in any rank", async () => {
  const shape = [5, 1, 611, 3, 103]; // 943,995 elements, 3.8 MB: two blocks
  const order = [3, 4, 1, 0, 2]; // the axes from the outermost in memory to the innermost
  const strides = new Array<number>(5);
  let step = 1;
  for (const axis of order.toReversed()) {
    strides[axis] = step;
    step *= shape[axis];
  }
  const storage = Float32Array.from({ length: step }, (_, i) => i);
  const pickle = dictPickle("x", tensorPickle({ elements: step, shape, strides }));
  const found = await openBytes(torchZip(pickle, { 0: new Uint8Array(storage.buffer) }), "x.bin");
  const out = new Float32Array(step);
  await found.readFloat32("x", out);
  let at = 0;
  for (let a = 0; a < 5; a++) {
    for (let b = 0; b < 611; b++) {
      for (let c = 0; c < 3; c++) {
        for (let d = 0; d < 103; d++) {
          if (out[at++] !== a * strides[0] + b * strides[2] + c * strides[3] + d * strides[4]) {
            assert.fail(`element ${a}, ${b}, ${c}, ${d}`);
          }
        }
      }
    }
  }
  assert.deepEqual((await found.read("x")).bytes, new Uint8Array(out.buffer));
});

Deno.test("each storage is located once, and the source is closed with the checkpoint", async () => {
  const bytes = golden("torch_zip.bin");
  const ranges: number[] = [];
  let closed = 0;
  const inner = sourceFromBytes("torch_zip.bin", bytes);
  const found = await openTorch({
    ...inner,
    read(begin: number, end: number): Promise<Uint8Array> {
      ranges.push(end - begin);
      return inner.read(begin, end);
    },
    close(): void {
      closed++;
    },
  });
  ranges.length = 0;
  await found.read("base");
  await found.read("row");
  assert.deepEqual(ranges, [30, 120, 20]);
  found.close();
  found.close();
  assert.equal(closed, 1);
  await assert.rejects(() => found.read("base"), /Cannot read "base": "torch_zip.bin" is closed/);
});
