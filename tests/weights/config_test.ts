import assert from "node:assert/strict";
import { ConfigError } from "../../src/errors.ts";
import { parseConfigJson } from "../../src/weights/mod.ts";

function refuses(json: string | Uint8Array, message: RegExp): void {
  assert.throws(() => parseConfigJson(json), (error: Error) => {
    assert.ok(error instanceof ConfigError, String(error));
    assert.match(error.message, /^Cannot read config\.json: /);
    assert.match(error.message, message);
    return true;
  });
}

Deno.test("parseConfigJson keeps every key, known or not, of bytes and text", () => {
  const text =
    '{"hidden_size": 384, "hidden_act": "gelu", "x": [1, -2.5e-3, true, null, {"é": "\\u00e9\\n"}], "y": {}}';
  const expected = {
    hidden_size: 384,
    hidden_act: "gelu",
    x: [1, -0.0025, true, null, { "é": "é\n" }],
    y: {},
  };
  assert.deepEqual(parseConfigJson(text), expected);
  assert.deepEqual(parseConfigJson(new TextEncoder().encode(` \t\r\n${text}\n`)), expected);
  assert.deepEqual(parseConfigJson("{}"), {});
});

Deno.test("large integers become the nearest number, as a tokenizer's model_max_length needs", () => {
  assert.deepEqual(parseConfigJson('{"a": 1000000000000000019884624838656}'), { a: 1e30 });
});

Deno.test("a key __proto__ sets no prototype", () => {
  const config = parseConfigJson('{"__proto__": {"polluted": 1}, "constructor": 2}');
  assert.equal(config.polluted, undefined);
  assert.equal(Object.getPrototypeOf(config), Object.prototype);
  assert.deepEqual(Object.keys(config), ["__proto__", "constructor"]);
});

Deno.test("a configuration with a key twice is refused", () => {
  refuses('{"a": 1, "b": {"c": 1, "c": 1}}', /the key "c" twice at byte/);
  refuses('{"a": 1, "\\u0061": 2}', /the key "a" twice/);
});

Deno.test("a configuration that is no object is refused", () => {
  for (const json of ["[]", "1", "null", '"x"']) refuses(json, /it is no JSON object/);
});

Deno.test("a configuration that is too large or too deep is refused", () => {
  refuses(`{"a": "${"x".repeat(4_000_000)}"}`, /4000009 bytes, expected up to 4000000/);
  refuses('{"a": '.repeat(40) + "1" + "}".repeat(40), /too many values or levels/);
  refuses(`{"a": ${"[".repeat(1_000_000)}`, /too many values or levels/);
  refuses(`{"a": [${"0,".repeat(600_000)}0]}`, /too many values or levels/);
});

Deno.test("text that is no JSON is refused with its place", () => {
  const cases = [
    "",
    "{",
    "{}}",
    "{} x",
    '{"a"}',
    '{"a":}',
    '{"a":1,}',
    "{a:1}",
    "{'a':1}",
    '{"a":01}',
    '{"a":+1}',
    '{"a":1.}',
    '{"a":.5}',
    '{"a":NaN}',
    '{"a":-Infinity}',
    '{"a":tru}',
    '{"a":truee}',
    '{"a":"\n"}',
    '{"a":"\\x"}',
    '{"a":"\\u12"}',
    '{"a":"',
    '{"a":"\\',
    '{"a":[1 2]}',
    '{"a":[1,]}',
    '{"a":[',
    '{"a":1 "b":2}',
    "{1:2}",
    '{"a":1}\u00a0',
    '\ufeff{"a":1}',
    `{"a":${"1".repeat(401)}}`,
    '{"a":/**/1}',
  ];
  for (const json of cases) refuses(json, /no JSON at byte \d+/);
  refuses('{"a":"\\ud800"}', /no JSON at byte/);
});

Deno.test("a configuration that is no UTF-8 is refused", () => {
  refuses(Uint8Array.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]), /no JSON at byte/);
  refuses(Uint8Array.from([0x7b, 0x22, 0xed, 0xa0, 0x80, 0x22, 0x3a, 0x31, 0x7d]), /no JSON at byte/);
});
