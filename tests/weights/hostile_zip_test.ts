import assert from "node:assert/strict";
import { concat, dictPickle, golden, openBytes, rejects, tensorPickle, u32, u64, zipOf } from "./helpers.ts";

const good = dictPickle("x", tensorPickle());
const four = new Uint8Array(new Float32Array([1, 2, 3, 4]).buffer);

const entry = { name: "archive/data.pkl", data: good };
const storage = { name: "archive/data/0", data: four };

function refusedZip(name: string, zip: Uint8Array, message: RegExp): void {
  Deno.test(`refused: ${name}`, async () => {
    await rejects(() => openBytes(zip, "x.bin"), message);
  });
}

Deno.test("the archive that the malformed ones vary is accepted", async () => {
  assert.equal((await openBytes(zipOf([entry, storage]), "x.bin")).tensors.size, 1);
});

refusedZip(
  "a compressed entry",
  zipOf([entry, { ...storage, method: 8 }]),
  /"archive\/data\/0" is compressed or encrypted/,
);
refusedZip("an encrypted entry", zipOf([entry, { ...storage, flags: 1 }]), /is compressed or encrypted/);
refusedZip(
  "a zip bomb of overlapping entries",
  zipOf([entry, storage, { ...storage, name: "archive/data/1", begin: 0 }]),
  /lies in another one/,
);
refusedZip(
  "an entry outside the file",
  zipOf([entry, { ...storage, begin: 10_000 }]),
  /lies in another one or beyond/,
);
refusedZip(
  "an entry in the directory",
  zipOf([entry, { ...storage, size: 100 }]),
  /lies in another one or beyond/,
);
refusedZip(
  "an entry of 4 GB",
  zipOf([entry, { ...storage, size: 0xffff_fffe }]),
  /lies in another one or beyond/,
);
refusedZip("two entries of one name", zipOf([entry, storage, storage]), /its zip directory is damaged/);
refusedZip(
  "two pickles",
  zipOf([entry, { ...entry, name: "other/data.pkl" }]),
  /it has 2 zip entries data\.pkl/,
);
refusedZip("no pickle", zipOf([storage]), /it has 0 zip entries data\.pkl/);
refusedZip("no entries", concat("PK\x03\x04", zipOf([])), /it has 0 zip entries data\.pkl/);
refusedZip(
  "a count of more entries than there are",
  zipOf([entry, storage], 60_000),
  /its zip directory is damaged/,
);
refusedZip(
  "a count of one entry more",
  zipOf([entry, { ...storage, name: "x".repeat(100) }], 3),
  /its zip directory is damaged/,
);
refusedZip("a directory elsewhere", zipOf([entry, storage], 2, -10), /its zip directory is damaged/);
refusedZip("a directory outside the file", zipOf([entry, storage], 2, 1_000_000), /it has no bytes/);
refusedZip(
  "a byte order of its own",
  zipOf([entry, storage, { name: "archive/byteorder", data: "middle" }]),
  /its byteorder is "middle"/,
);
refusedZip(
  "a long byte order",
  zipOf([entry, storage, { name: "archive/byteorder", data: "x".repeat(99) }]),
  /has 99 bytes, expected up to 6/,
);
refusedZip(
  "no archive at all",
  concat("PK\x03\x04", new Uint8Array(100_000)),
  /its zip directory is damaged/,
);
refusedZip("a file of nothing", new Uint8Array(0), /was not written by torch\.save/);
refusedZip("a file of zeros", new Uint8Array(1000), /was not written by torch\.save/);

Deno.test("refused: a local header that is none, or lies about its length", async () => {
  const zip = zipOf([entry, storage]);
  const begin = 30 + entry.name.length + good.length;
  for (const [at, byte] of [[0, 0], [8, 8]]) {
    const changed = zip.slice();
    changed[begin + at] = byte;
    const checkpoint = await openBytes(changed, "x.bin");
    await rejects(() => checkpoint.read("x"), /the zip entry "archive\/data\/0" is damaged/);
  }
  const far = zip.slice();
  far[begin + 29] = 0xff; // the extra field has 65,280 bytes
  const checkpoint = await openBytes(far, "x.bin");
  await rejects(() => checkpoint.read("x"), /it has no bytes/);
});

Deno.test("refused: a zip64 record that lies", async () => {
  const zip = golden("torch_zip64.bin");
  const locator = zip.length - 22 - 20;
  const view = new DataView(zip.buffer);
  if (view.getUint32(locator, true) !== 0x0706_4b50) {
    const wide = (count: number, size: number, begin: number): Uint8Array =>
      concat([0x50, 0x4b, 6, 6], u64(44), new Array(20).fill(0), u64(count), u64(size), u64(begin));
    const body = zip.subarray(0, -22);
    const link = (at: number): Uint8Array => concat([0x50, 0x4b, 6, 7], u32(0), u64(at), u32(1));
    const size = view.getUint32(zip.length - 10, true);
    const begin = view.getUint32(zip.length - 6, true);
    const count = view.getUint16(zip.length - 12, true);
    const build = (record: Uint8Array, at = body.length): Uint8Array =>
      concat(body, record, link(at), zip.subarray(-22));
    assert.equal((await openBytes(build(wide(count, size, begin)), "x.bin")).tensors.size, 1);
    await rejects(
      () => openBytes(build(wide(2 ** 52, size, begin)), "x.bin"),
      /its zip directory is damaged/,
    );
    await rejects(
      () => openBytes(build(wide(count, 2 ** 52, begin)), "x.bin"),
      /its zip directory is damaged/,
    );
    await rejects(() => openBytes(build(wide(count, size, 2 ** 52)), "x.bin"), /it has no bytes/);
    await rejects(() => openBytes(build(wide(count, size, begin), 2 ** 52), "x.bin"), /it has no bytes/);
  }
});

Deno.test("refused: every archive and every old file cut off anywhere", async () => {
  for (const name of ["torch_zip64.bin", "torch_old.bin"]) {
    const file = golden(name);
    for (let length = 0; length < file.length; length += 7) {
      await rejects(() => openBytes(file.subarray(0, length), "x.bin"), /Cannot read "x\.bin"/);
    }
  }
});
