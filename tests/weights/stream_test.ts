import assert from "node:assert/strict";
import { encodeSafetensors, streamTensors, toFloat32 } from "../../src/weights/mod.ts";
import { concat, golden, openBytes, rejects, safetensorsOf, u64 } from "./helpers.ts";

/** A stream of chunks of that size; counts what was taken from it and whether it was cancelled. */
function streamOf(
  bytes: Uint8Array,
  size: number,
): { stream: ReadableStream<Uint8Array>; taken: number; ended: boolean } {
  const state = { stream: null as unknown as ReadableStream<Uint8Array>, taken: 0, ended: false };
  state.stream = new ReadableStream({
    pull(controller): void {
      if (state.taken >= bytes.length) return controller.close();
      controller.enqueue(bytes.slice(state.taken, state.taken += size));
    },
    cancel(): void {
      state.ended = true;
    },
  }, { highWaterMark: 0 });
  return state;
}

async function drain(stream: ReadableStream<Uint8Array>): Promise<string[]> {
  const names: string[] = [];
  for await (const tensor of streamTensors(stream)) names.push(tensor.name);
  return names;
}

for (const size of [1, 7, 100, 1_000_000]) {
  Deno.test(`a stream of chunks of ${size} bytes gives the tensors in file order`, async () => {
    const file = golden("st_dtypes.safetensors");
    const checkpoint = await openBytes(file);
    const names: string[] = [];
    for await (const tensor of streamTensors(streamOf(file, size).stream)) {
      names.push(tensor.name);
      const expected = await checkpoint.read(tensor.name);
      assert.deepEqual([tensor.dtype, tensor.shape], [expected.dtype, expected.shape]);
      if (names.length % 3 === 0) continue; // passes by unread
      assert.deepEqual((await tensor.read()).bytes.slice(), expected.bytes.slice());
    }
    assert.deepEqual(names, [...checkpoint.tensors.keys()]);
  });
}

Deno.test("readFloat32 of a stream converts blocks into the target", async () => {
  const count = 1_200_003;
  const data = Float32Array.from({ length: count }, (_, i) => i);
  const file = encodeSafetensors([
    { name: "a", dtype: "F32", shape: [count], data },
    { name: "b", dtype: "F16", shape: [1], data: new Uint16Array([0x3c00]) },
  ]);
  for await (const tensor of streamTensors(streamOf(file, 65_537).stream)) {
    const target = new Float32Array(tensor.name === "a" ? count : 1);
    let calls = 0;
    await tensor.readFloat32(() => {
      calls++;
      return target;
    });
    assert.deepEqual(target, tensor.name === "a" ? data : new Float32Array([1]));
    assert.equal(calls, tensor.name === "a" ? 4 : 2);
  }
});

Deno.test("leaving the loop cancels the stream before its end", async () => {
  const state = streamOf(golden("st_dtypes.safetensors"), 10);
  for await (const tensor of streamTensors(state.stream)) {
    if (tensor.name === "f64") break;
  }
  assert.ok(state.ended);
  assert.ok(state.taken < golden("st_dtypes.safetensors").length);
});

Deno.test("a streamed tensor is read once, in its turn", async () => {
  const tensors = streamTensors(streamOf(golden("st_dtypes.safetensors"), 10).stream);
  const first = (await tensors.next()).value!;
  await first.read();
  await rejects(() => first.read(), /a stream is read once, from front to back/);
  const second = (await tensors.next()).value!;
  const both = await Promise.allSettled([second.read(), second.read()]);
  assert.deepEqual(both.map(({ status }) => status), ["fulfilled", "rejected"]);
  const third = (await tensors.next()).value!;
  const fourth = (await tensors.next()).value!;
  await fourth.read();
  await rejects(() => third.read(), /a stream is read once/);
  await tensors.return();
});

Deno.test("after a failed read the next tensor is still right", async () => {
  const tensors = streamTensors(streamOf(golden("st_dtypes.safetensors"), 10).stream);
  const first = (await tensors.next()).value!;
  await rejects(() => first.readFloat32(new Float32Array(99)), /the target has 99/);
  const second = (await tensors.next()).value!;
  const expected = await (await openBytes(golden("st_dtypes.safetensors"))).read(second.name);
  assert.deepEqual(toFloat32(await second.read()), toFloat32(expected));
});

Deno.test("a stream that is too short or too long is refused", async () => {
  const file = golden("st_dtypes.safetensors");
  for (const length of [0, 3, 8, 50, file.length - 1]) {
    await rejects(() => drain(streamOf(file.subarray(0, length), 9).stream), /it ends at byte/);
  }
  await rejects(() => drain(streamOf(concat(file, [0]), 9).stream), /it goes on after byte/);
});

Deno.test("a stream that announces terabytes takes no memory for them", async () => {
  const header = '{"x":{"dtype":"U8","shape":[4000000000000],"data_offsets":[0,4000000000000]}}';
  const file = safetensorsOf(header, 100);
  await rejects(() => drain(streamOf(file, 64).stream), /it ends at byte/);
  await rejects(async () => {
    for await (const tensor of streamTensors(streamOf(file, 64).stream)) await tensor.read();
  }, /it ends at byte/);
  await rejects(() => drain(streamOf(concat(u64(2 ** 31)), 64).stream), /its header has 2147483648 bytes/);
});

Deno.test("an error of the stream itself comes through", async () => {
  const stream = new ReadableStream<Uint8Array>({
    pull(controller): void {
      controller.error(new TypeError("network"));
    },
  });
  await assert.rejects(() => drain(stream), /network/);
});
