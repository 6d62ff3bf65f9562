import assert from "node:assert/strict";
import { toFloat32 } from "../../src/weights/mod.ts";
import { concat, dictPickle, op, openBytes, rejects, tensorPickle, torchZip, u32 } from "./helpers.ts";

const four = { 0: new Uint8Array(new Float32Array([1, 2, 3, 4]).buffer) };
const good = dictPickle("x", tensorPickle());

function refused(
  name: string,
  pickle: Uint8Array,
  message: RegExp,
  storages: Record<string, Uint8Array> = four,
): void {
  Deno.test(`refused: ${name}`, async () => {
    await rejects(() => openBytes(torchZip(pickle, storages), "x.bin"), message);
  });
}

/** A call of a global with one string. */
function callOf(module: string, name: string, argument: string): Uint8Array {
  return concat(op.proto(), op.global(module, name), op.text(argument), [0x85], op.reduce, op.stop);
}

Deno.test("the pickle that the malformed ones vary is accepted", async () => {
  const checkpoint = await openBytes(torchZip(good, four), "x.bin");
  assert.deepEqual(toFloat32(await checkpoint.read("x")), new Float32Array([1, 2, 3, 4]));
});

const globals: [string, string][] = [
  ["os", "system"],
  ["posix", "system"],
  ["builtins", "eval"],
  ["__builtin__", "exec"],
  ["subprocess", "Popen"],
  ["torch", "load"],
  ["torch.hub", "load"],
  ["torch.nn.modules.linear", "Linear"],
  ["torch", "FloatTensor"],
  ["torch.storage", "TypedStorage"],
  ["numpy.core.multiarray", "_reconstruct"],
  ["argparse", "Namespace"],
  ["collections.OrderedDict", "__class__"],
  ["collections", "OrderedDict.__init__"],
  ["torch._utils", "_rebuild_sparse_tensor"],
  ["torch", "__proto__Storage"],
  ["torch", "constructorStorage"],
  ["", "constructor"],
];
for (const [module, name] of globals) {
  const path = `${module}.${name}`.replaceAll(".", "\\.");
  refused(
    `a pickle with ${module}.${name}`,
    callOf(module, name, "touch owned"),
    new RegExp(`names the global "${path}"`),
  );
}

refused(
  "os.system by STACK_GLOBAL",
  concat(op.proto(4), [0x8c, 2], "os", [0x8c, 6], "system", [0x93], op.stop),
  /names the global "os\.system", which is not accepted/,
);
refused(
  "a global whose name is no string",
  concat(op.proto(4), op.none, op.none, [0x93], op.stop),
  /names the global ""/,
);
refused("a global without an end", concat(op.proto(), "cos\nsystem"), /its pickle is cut off/);
refused("a very long global", concat(op.proto(), "c", "a".repeat(20_000), "\nb\n"), /its pickle is damaged/);

for (
  const opcode of [
    "(",
    "i",
    "o",
    "I",
    "S",
    "V",
    "F",
    "P",
    "p",
    "g",
    "0",
    "1",
    "2",
    "\x82",
    "\x83",
    "\x84",
    "\x8f",
    "\x96",
    "\x97",
    "B",
    "L",
  ]
) {
  if (opcode === "(") continue;
  const byte = opcode.charCodeAt(0);
  refused(
    `the opcode 0x${byte.toString(16)}`,
    Uint8Array.from([0x80, 2, byte, 0x2e]),
    /has the opcode 0x[0-9a-f]+, which is not accepted/,
  );
}

refused("an empty pickle", new Uint8Array(0), /its pickle is cut off at byte 1/);
refused(
  "a pickle of protocol 0",
  concat("(dp0\nS'x'\np1\nI1\ns."),
  /has the opcode 0x64, which is not accepted/,
);
refused("a pickle that takes from an empty stack", concat(op.proto(), op.stop), /its pickle is damaged/);
refused("a tuple of too few values", concat(op.proto(), op.none, [0x87], op.stop), /its pickle is damaged/);
refused("a pop without a mark", concat(op.proto(), op.none, op.tuple, op.stop), /its pickle is damaged/);
refused("a memo that was never filled", concat(op.proto(), [0x68, 3], op.stop), /its pickle is damaged/);
refused(
  "an item of what is no dict",
  concat(op.proto(), op.none, op.none, op.none, op.setItem, op.stop),
  /damaged/,
);
refused("an item of what is no list", concat(op.proto(), op.none, op.none, [0x61], op.stop), /damaged/);
refused(
  "a key without a value",
  concat(op.proto(), op.emptyDict, op.mark, op.none, [0x75], op.stop),
  /damaged/,
);
refused(
  "a call of a string",
  concat(op.proto(), op.text("x"), op.emptyTuple, op.reduce, op.stop),
  /no state dict has/,
);
refused(
  "a call without a tuple",
  concat(op.proto(), op.global("torch", "Size"), op.none, op.reduce, op.stop),
  /damaged/,
);
refused(
  "a string longer than the pickle",
  concat(op.proto(), [0x58], u32(4_000_000_000), "x"),
  /its pickle is cut off/,
);
refused("a string with invalid UTF-8", concat(op.proto(), [0x58], u32(1), [0xff], op.stop), /damaged/);
refused("an integer of 200 bytes", concat(op.proto(), [0x8a, 200], new Uint8Array(200), op.stop), /damaged/);
refused(
  "an OrderedDict of no pairs",
  concat(op.proto(), op.global("collections", "OrderedDict"), op.text("ab"), [0x85], op.reduce, op.stop),
  /no state dict has/,
);
refused(
  "a persistent id that is a string",
  concat(op.proto(), op.text("0"), op.persistent, op.stop),
  /no state dict has/,
);
refused(
  "a persistent id of a module",
  concat(op.proto(), op.mark, op.text("module"), op.none, op.tuple, op.persistent, op.stop),
  /no state dict has/,
);
refused(
  "a list for a state dict",
  concat(op.proto(), op.emptyList, op.stop),
  /it holds no state dict: no tensors, but something else/,
);
refused("a dict without tensors", dictPickle("epoch", Uint8Array.from(op.int(3))), /no tensors, but "epoch"/);

refused(
  "a tensor beyond its storage",
  dictPickle("x", tensorPickle({ offset: 1 })),
  /a tensor \[4\] reaches beyond its storage "0"/,
);
refused(
  "a stride beyond the storage",
  dictPickle("x", tensorPickle({ shape: [2], strides: [4] })),
  /reaches beyond/,
);
refused("a negative stride", dictPickle("x", tensorPickle({ strides: [-1] })), /no state dict has/);
refused("a negative size", dictPickle("x", tensorPickle({ shape: [-1] })), /no state dict has/);
refused("a negative offset", dictPickle("x", tensorPickle({ offset: -1 })), /no state dict has/);
refused("more sizes than strides", dictPickle("x", tensorPickle({ shape: [1, 4] })), /reaches beyond/);
refused(
  "65 dimensions",
  dictPickle("x", tensorPickle({ shape: new Array(65).fill(1), strides: new Array(65).fill(1) })),
  /reaches beyond/,
);
refused(
  "a shape whose product overflows",
  dictPickle("x", tensorPickle({ shape: new Array(4).fill(2 ** 31 - 1), strides: [0, 0, 0, 0] })),
  /reaches beyond/,
);
refused(
  "an element repeated to gigabytes",
  dictPickle("x", tensorPickle({ shape: [2 ** 30], strides: [0] })),
  /has 4294967296 bytes, more than the file/,
);
refused(
  "a storage of another size",
  dictPickle("x", tensorPickle({ elements: 5 })),
  /its storage "0" has 16 bytes, expected 20/,
);
refused("a missing storage", good, /its storage "0" has undefined bytes, expected 16/, {});
refused(
  "a storage outside the archive",
  dictPickle("x", tensorPickle({ key: "../../etc/passwd" })),
  /its storage "\.\.\/\.\.\/etc\/passwd" has undefined bytes/,
);
refused(
  "a complex storage",
  dictPickle("x", tensorPickle({ type: "ComplexFloatStorage" })),
  /names the global "torch\.ComplexFloatStorage"/,
);
refused(
  "two sizes of one storage",
  concat(
    op.proto(),
    op.emptyDict,
    op.text("x"),
    tensorPickle(),
    op.setItem,
    op.text("y"),
    tensorPickle({ elements: 5 }),
    op.setItem,
    op.stop,
  ),
  /its storage "0" has 16 bytes, expected 20/,
);
Deno.test("refused: a negative view", async () => {
  const flags = concat(op.emptyDict, op.text("neg"), [0x88], op.setItem);
  const tensor = tensorPickle();
  const pickle = dictPickle("x", concat(tensor.subarray(0, -2), flags, op.tuple, op.reduce));
  await rejects(() => openBytes(torchZip(pickle, four), "x.bin"), /it has a conjugate or negative view/);
});

Deno.test("cyclic pickles are read or refused, and nothing follows their cycles", async () => {
  const cyclicList = concat(op.emptyList, [0x71, 0], [0x68, 0, 0x61]);
  const cyclicDict = concat(op.emptyDict, [0x71, 1], op.text("self"), [0x68, 1], op.setItem);
  await rejects(() => openBytes(torchZip(concat(op.proto(), cyclicList, op.stop)), "x.bin"), /no state dict/);
  await rejects(
    () => openBytes(torchZip(concat(op.proto(), cyclicDict, op.stop)), "x.bin"),
    /no tensors, but "self"/,
  );
  const pickle = concat(
    op.proto(),
    op.emptyDict,
    op.text("x"),
    tensorPickle(),
    op.setItem,
    op.text("y"),
    cyclicDict,
    op.setItem,
    op.stop,
  );
  assert.deepEqual([...(await openBytes(torchZip(pickle, four), "x.bin")).tensors.keys()], ["x"]);
  const shape = concat(op.proto(), op.global("torch", "Size"), cyclicList, [0x85], op.reduce, op.stop);
  await rejects(() => openBytes(torchZip(shape), "x.bin"), /no state dict/);
});

Deno.test("a list nested 100,000 deep overflows no stack", async () => {
  const deep = concat(
    op.proto(),
    new Uint8Array(100_000).fill(0x5d),
    new Uint8Array(99_999).fill(0x61),
    op.stop,
  );
  await rejects(() => openBytes(torchZip(deep), "x.bin"), /it holds no state dict/);
  const global = concat(deep.subarray(0, -1), op.none, [0x93], op.stop);
  await rejects(() => openBytes(torchZip(global), "x.bin"), /names the global ""/);
});

/** 8 MB of the same bytes after the start of a pickle and what is given first. */
function floodOf(bytes: number[], first: number[] = []): () => Uint8Array {
  return () => {
    const begin = 2 + first.length;
    const pickle = new Uint8Array(8_000_000);
    pickle.set([0x80, 2, ...first, ...bytes]);
    for (let length = bytes.length; begin + length < pickle.length; length *= 2) {
      pickle.copyWithin(begin + length, begin, begin + length);
    }
    return pickle;
  };
}
const sizeGlobal = [...op.global("torch", "Size")];
const floods: [string, () => Uint8Array][] = [
  ["dicts", floodOf([0x7d])],
  ["lists", floodOf([0x5d])],
  ["lists of one", floodOf([0x5d, 0x4e, 0x61])],
  ["marks", floodOf([0x28])],
  ["constants", floodOf([0x4e])],
  ["strings", floodOf([0x8c, 0])],
  ["globals", floodOf(sizeGlobal)],
  ["memos", floodOf([0x4e, 0x94])],
  ["calls", floodOf([0x68, 0, 0x29, 0x85, 0x52], [...sizeGlobal, 0x71, 0])],
];
for (const [name, pickle] of floods) {
  Deno.test(`refused: 8 MB of ${name}`, async () => {
    const zip = torchZip(pickle());
    await rejects(() => openBytes(zip, "x.bin"), /its pickle has too many objects/);
  });
}

Deno.test("refused: calls that look at the same long list again and again", async () => {
  const long = concat(op.emptyList, op.mark, new Uint8Array(100_000).fill(0x4e), [0x65, 0x71, 1]);
  for (
    const [module, name] of [["torch", "Size"], ["collections", "OrderedDict"], [
      "torch._utils",
      "_rebuild_tensor",
    ]]
  ) {
    const call = concat(op.global(module, name), [0x68, 1, 0x85], op.reduce);
    const pickle = concat(op.proto(), long, ...new Array(1000).fill(call));
    await rejects(() => openBytes(torchZip(pickle), "x.bin"), /too many objects|no state dict has/);
  }
});

Deno.test("refused: a pickle of more than 16 MB", async () => {
  await rejects(
    () => openBytes(torchZip(new Uint8Array(16_000_001)), "x.bin"),
    /has 16000001 bytes, expected up to 16000000/,
  );
  const old = new Uint8Array(20_000_000);
  old.set(concat(op.proto(), [0x58], u32(19_000_000)));
  await rejects(() => openBytes(old, "x.bin"), /its pickle is cut off/);
});
