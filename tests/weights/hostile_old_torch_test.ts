import assert from "node:assert/strict";
import { toFloat32 } from "../../src/weights/mod.ts";
import { concat, dictPickle, golden, op, openBytes, rejects, tensorPickle, u64 } from "./helpers.ts";

const good = dictPickle("x", tensorPickle());
const four = new Uint8Array(new Float32Array([1, 2, 3, 4]).buffer);

function refusedOld(name: string, file: Uint8Array, message: RegExp): void {
  Deno.test(`refused: ${name}`, async () => {
    await rejects(() => openBytes(file, "x.bin"), message);
  });
}

const magic = concat(
  op.proto(),
  [0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19],
  op.stop,
);
const version = concat(op.proto(), op.int(1001), op.stop);
const sysInfo = concat(op.proto(), op.emptyDict, op.stop);
const keys = (...names: string[]): Uint8Array =>
  concat(op.proto(), op.emptyList, ...names.map((name) => concat(op.text(name), [0x61])), op.stop);
const record = concat(u64(4), four);

Deno.test("the old file that the malformed ones vary is accepted", async () => {
  const checkpoint = await openBytes(concat(magic, version, sysInfo, good, keys("0"), record), "x.bin");
  assert.deepEqual(toFloat32(await checkpoint.read("x")), new Float32Array([1, 2, 3, 4]));
});
refusedOld(
  "an old file without its magic number",
  concat(version, version, sysInfo, good, keys("0"), record),
  /was not written by torch/,
);
refusedOld(
  "an old file of another version",
  concat(magic, concat(op.proto(), op.int(1002), op.stop), sysInfo, good, keys("0"), record),
  /was not written by torch/,
);
refusedOld(
  "an old file without its keys",
  concat(magic, version, sysInfo, good, sysInfo, record),
  /was not written by torch/,
);
refusedOld(
  "an old file with a key too many",
  concat(magic, version, sysInfo, good, keys("0", "1"), record),
  /its storages end at byte NaN/,
);
refusedOld(
  "an old file with a key twice",
  concat(magic, version, sysInfo, good, keys("0", "0"), record, record),
  /its storages end at byte/,
);
refusedOld(
  "an old file with a key too few",
  concat(magic, version, sysInfo, good, keys(), record),
  /its storages end at byte/,
);
refusedOld(
  "an old file whose storages are cut off",
  concat(magic, version, sysInfo, good, keys("0"), record.subarray(0, -1)),
  /its storages end at byte/,
);
refusedOld(
  "os.system in an old file",
  concat(
    magic,
    version,
    sysInfo,
    concat(op.proto(), op.global("os", "system"), op.text("id"), [0x85], op.reduce, op.stop),
  ),
  /names the global "os\.system"/,
);
Deno.test("refused: an old file whose storage has another count than its pickle", async () => {
  const checkpoint = await openBytes(
    concat(magic, version, sysInfo, good, keys("0"), u64(5), four),
    "x.bin",
  );
  await rejects(() => checkpoint.read("x"), /its storage "0" has 20 bytes, expected 16/);
});

Deno.test("a training checkpoint, a pickled module and a TorchScript program say what they are", async () => {
  await rejects(
    () => openBytes(golden("torch_training.bin"), "x.bin"),
    /it holds no state dict: no tensors, but "epoch", "state_dict"/,
  );
  await rejects(
    () => openBytes(golden("torch_whole_module.bin"), "x.bin"),
    /names the global "torch\.nn\.modules\.container\.Sequential"/,
  );
  await rejects(
    () => openBytes(golden("torch_script.bin"), "x.bin"),
    /"archive\/code\/.*" is compressed or encrypted/,
  );
});
