import assert from "node:assert/strict";
import { openSafetensors } from "../../src/weights/mod.ts";
import { concat, golden, openBytes, rejects, safetensorsOf, u64 } from "./helpers.ts";

function tensor(fields: string): string {
  return `{"x":{${fields}}}`;
}

const ok = '"dtype":"F32","shape":[2],"data_offsets":[0,8]';

Deno.test("the header that the malformed ones vary is accepted", async () => {
  for (
    const header of [
      tensor(ok),
      ` ${tensor(ok)}  `,
      tensor(`${ok},"more":{"a":[1]}`),
      `{"__metadata__":null,${tensor(ok).slice(1)}`,
    ]
  ) {
    assert.equal((await openBytes(safetensorsOf(header, 8))).tensors.size, 1, header);
  }
});

const malformed: [name: string, header: string, dataBytes: number, message: RegExp][] = [
  [
    "a gap before a tensor",
    tensor('"dtype":"F32","shape":[2],"data_offsets":[4,12]'),
    12,
    /begins at byte 4, the one before it ends at 0/,
  ],
  [
    "overlapping tensors",
    '{"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"y":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}',
    12,
    /tensor "y" begins at byte 4, the one before it ends at 8/,
  ],
  [
    "two tensors in the same bytes",
    '{"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"y":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}',
    8,
    /begins at byte 0, the one before it ends at 8/,
  ],
  ["bytes after the last tensor", tensor(ok), 9, /it has \d+ bytes, by its header it should have/],
  ["a tensor larger than its file", tensor(ok), 7, /it has \d+ bytes, by its header it should have/],
  ["a duplicate name", `{"x":{${ok}},"x":{${ok}}}`, 8, /the key "x" twice/],
  ["a duplicate name by escapes", `{"x":{${ok}},"\\u0078":{${ok}}}`, 8, /the key "x" twice/],
  ["a duplicate field", tensor(`${ok},"dtype":"F32"`), 8, /the key "dtype" twice/],
  ["a duplicate metadata key", '{"__metadata__":{"a":"1","a":"2"}}', 0, /the key "a" twice/],
  [
    "offsets that do not fit the shape",
    tensor('"dtype":"F32","shape":[3],"data_offsets":[0,8]'),
    8,
    /is F32 \[3\], its data_offsets are \[0,8\]/,
  ],
  [
    "offsets backwards",
    tensor('"dtype":"F32","shape":[2],"data_offsets":[8,0]'),
    8,
    /its data_offsets are \[8,0\]/,
  ],
  ["three offsets", tensor('"dtype":"F32","shape":[2],"data_offsets":[0,8,16]'), 8, /its data_offsets are/],
  ["no offsets", tensor('"dtype":"F32","shape":[2]'), 8, /its data_offsets are undefined/],
  ["no shape", tensor('"dtype":"F32","data_offsets":[0,8]'), 8, /is F32 undefined/],
  ["no type", tensor('"shape":[2],"data_offsets":[0,8]'), 8, /has the unknown type undefined/],
  [
    "an unknown type",
    tensor('"dtype":"F4","shape":[2],"data_offsets":[0,1]'),
    1,
    /has the unknown type "F4"/,
  ],
  [
    "a type that is a method",
    tensor('"dtype":"constructor","shape":[2],"data_offsets":[0,8]'),
    8,
    /the unknown type "constructor"/,
  ],
  [
    "a type that is a list",
    tensor('"dtype":["F32"],"shape":[2],"data_offsets":[0,8]'),
    8,
    /the unknown type an object/,
  ],
  ["a shape that is a number", tensor('"dtype":"F32","shape":2,"data_offsets":[0,8]'), 8, /is F32 2, its/],
  ["a shape of strings", tensor('"dtype":"F32","shape":["2"],"data_offsets":[0,8]'), 8, /is F32 an object/],
  ["a negative size", tensor('"dtype":"F32","shape":[-2],"data_offsets":[0,8]'), 8, /the number -2 at byte/],
  [
    "a size with a point",
    tensor('"dtype":"F32","shape":[2.0],"data_offsets":[0,8]'),
    8,
    /the number 2\.0 at byte/,
  ],
  [
    "a size with an exponent",
    tensor('"dtype":"F32","shape":[2e0],"data_offsets":[0,8]'),
    8,
    /the number 2e0 at byte/,
  ],
  [
    "a size of minus zero",
    tensor('"dtype":"F32","shape":[-0],"data_offsets":[0,0]'),
    0,
    /the number -0 at byte/,
  ],
  [
    "a number above 2^53",
    tensor('"dtype":"U8","shape":[9007199254740993],"data_offsets":[0,9007199254740993]'),
    0,
    /the number 9007199254740993 at byte/,
  ],
  [
    "a shape whose product overflows",
    tensor('"dtype":"U8","shape":[4294967296,4294967296],"data_offsets":[0,0]'),
    0,
    /is U8 \[4294967296,4294967296\]/,
  ],
  [
    "a shape whose bytes overflow",
    tensor('"dtype":"F64","shape":[9007199254740991],"data_offsets":[0,9007199254740991]'),
    0,
    /is F64/,
  ],
  ["a tensor that is null", '{"x":null}', 0, /has the unknown type/],
  ["a tensor that is a string", '{"x":"y"}', 0, /has the unknown type/],
  ["metadata of numbers", '{"__metadata__":{"a":1}}', 0, /its __metadata__ is no object of strings/],
  ["metadata that is a string", '{"__metadata__":"pt"}', 0, /its __metadata__ is no object of strings/],
  ["a list for a header", "[]", 0, /its header is no JSON object/],
  ["an empty header", "", 0, /its header has no JSON at byte 0/],
  ["a header of spaces", "        ", 0, /its header has no JSON at byte 8/],
  ["a header cut off", '{"x":{', 0, /its header has no JSON at byte 6/],
  ["text after the header", `${tensor(ok)} x`, 8, /no JSON at byte/],
  ["zeros after the header", `${tensor(ok)}\0\0`, 8, /no JSON at byte/],
  ["a byte order mark", `\ufeff${tensor(ok)}`, 8, /no JSON at byte/],
  [
    "a surrogate half in a name",
    '{"\\ud800":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}',
    0,
    /no JSON at byte/,
  ],
  ["a line feed in a name", '{"a\nb":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}', 0, /no JSON at byte/],
  ["deep nesting", `{"x":${"[".repeat(100_000)}`, 0, /too many values or levels/],
  [
    "what the library itself writes for no tensors and empty metadata",
    '{},"__metadata__":{}}   ',
    0,
    /no JSON at byte/,
  ],
];
for (const [name, header, dataBytes, message] of malformed) {
  Deno.test(`refused: ${name}`, async () => {
    await rejects(() => openBytes(safetensorsOf(header, dataBytes)), message);
  });
}

Deno.test("refused: invalid UTF-8 in a name", async () => {
  for (const bytes of [[0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xe2, 0x82]]) {
    const header = concat('{"', bytes, '":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}');
    await rejects(() => openBytes(safetensorsOf(header)), /no JSON at byte/);
  }
});

Deno.test("refused: a header of 2 GB, of 100 MB and a byte, of 2^64 - 1 bytes", async () => {
  await rejects(
    () => openBytes(concat(u64(2 ** 31), "{}")),
    /its header has 2147483648 bytes, expected up to 100000000/,
  );
  await rejects(() => openBytes(concat(u64(100_000_001), "{}")), /its header has 100000001 bytes/);
  await rejects(() => openBytes(new Uint8Array(64).fill(255)), /its header has 18446744073709552000 bytes/);
});

Deno.test("refused: a header longer than its file, without reading it", async () => {
  let most = 0;
  const source = {
    name: "x.safetensors",
    byteLength: 1000,
    read(begin: number, end: number): Promise<Uint8Array> {
      most = Math.max(most, end - begin);
      const bytes = new Uint8Array(end - begin);
      bytes.set(u64(90_000_000).slice(begin, end));
      return Promise.resolve(bytes);
    },
  };
  await rejects(() => openSafetensors(source), /it has no bytes 8 to 90000008/);
  assert.equal(most, 8);
});

Deno.test("refused: every file cut off anywhere", async () => {
  const file = golden("st_dtypes.safetensors");
  for (let length = 0; length < file.length; length++) {
    await rejects(() => openBytes(file.subarray(0, length)), /Cannot read/);
  }
});

Deno.test("refused: floods of values in a header", async () => {
  const flood = (text: string, count: number): Uint8Array => safetensorsOf(`{"x":[${text.repeat(count)}0]}`);
  await rejects(() => openBytes(flood("0,", 500_001)), /too many values or levels/);
  await rejects(() => openBytes(flood("[],", 250_001)), /too many values or levels/);
  await rejects(() => openBytes(flood("{},", 125_001)), /too many values or levels/);
  await rejects(() => openBytes(flood('"",', 500_001)), /too many values or levels/);
  await rejects(() => openBytes(flood('"' + "\\n".repeat(1000) + '",', 20_000)), /too many values or levels/);
});

Deno.test("refused: 100 MB of spaces for a header", async () => {
  const file = new Uint8Array(100_000_008).fill(0x20);
  file.set(u64(100_000_000));
  await rejects(() => openBytes(file), /no JSON at byte 100000000/);
});

Deno.test("names of methods are names like others", async () => {
  const names = ["__proto__", "constructor", "toString", "hasOwnProperty"];
  const entries = names.map((name) => `"${name}":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}`);
  const metadata = '"__metadata__":{"__proto__":"a","b":"c"}';
  const checkpoint = await openBytes(safetensorsOf(`{${metadata},${entries}}`));
  assert.deepEqual([...checkpoint.tensors.keys()], names);
  assert.deepEqual(Object.entries(checkpoint.metadata), [["__proto__", "a"], ["b", "c"]]);
});
