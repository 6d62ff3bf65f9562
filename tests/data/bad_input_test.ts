/** Every malformed input is a DataError that names the file, the line and the column. */
import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { load_dataset } from "../../src/datasets/mod.ts";
import { encode, file, refusal } from "./helpers.ts";

const csv = (text: string) => `text,label\n${text}`;

function utf16(text: string, isLittle: boolean, mark = true): Uint8Array<ArrayBuffer> {
  const units = mark ? "\ufeff" + text : text, view = new DataView(new ArrayBuffer(2 * units.length));
  for (let i = 0; i < units.length; i++) view.setUint16(2 * i, units.charCodeAt(i), isLittle);
  return new Uint8Array(view.buffer);
}

/** What is wrong, the file, and what the message must say. */
const CASES: [
  name: string,
  content: string | Uint8Array<ArrayBuffer>,
  message: RegExp,
  file?: string,
  options?: object,
][] = [
  ["too many fields", csv("a,1\nb,2,3\n"), /line 3, column 5: there are 3 fields, expected 2 as in line 1/],
  ["too few fields", csv("a,1\nb\n"), /line 3, column 2: there are 1 fields, expected 2/],
  [
    "a quote without end",
    csv('a,1\n"b,2\nc,3\nd,4\n'),
    /line 3, column 1: the quote that begins here has no end/,
  ],
  [
    "a quote without end, later in a line",
    'a,text,label\n1,"x\ny",0\n2,"b,2\nc,3\n',
    /line 4, column 3: the quote/,
  ],
  ["text after a quote", csv('"a"b,1\n'), /line 2, column 4: there is text after a closing quote/],
  [
    "a delimiter that is none",
    csv("a,1\n"),
    /line 1: the delimiter ";" does not occur in it; "," would make/,
    "a.csv",
    { delimiter: ";" },
  ],
  ["a delimiter of two characters", csv("a,1\n"), /option delimiter is "::", wanted one character/, "a.csv", {
    delimiter: "::",
  }],
  ["no bytes", "", /it is empty/],
  ["only space", "  \n\n", /it is empty/],
  ["only a header", "text,label\n", /it has no rows/],
  ["no JSON rows", "[]", /it has no rows/, "a.json"],
  ["two columns of a name", "text,text\na,b\n", /line 1: two columns have the name "text"/],
  [
    "a missing column",
    csv("a,1\n"),
    /no column "txet" for the text; there are "text", "label"; do you mean "text"\?/,
    "a.csv",
    { text: "txet" },
  ],
  [
    "no column that looks like text",
    "a,b,c\n1,2,3\n",
    /no column looks like the text; there are "a", "b", "c"/,
  ],
  [
    "invalid UTF-8",
    new Uint8Array([...encode(csv("a,1\nbé")), 0xc3, 0x28, 44, 49]),
    /line 3, column 3: the byte 0xc3 is no UTF-8/,
  ],
  [
    "cut UTF-8",
    new Uint8Array([...encode(csv("a,1\nb")), 0xe2, 0x82]),
    /line 3, column 2: the byte 0xe2 is no UTF-8/,
  ],
  [
    "UTF-16 without a mark",
    utf16(csv("a,1\n"), true, false),
    /line 1, column 2: there is a NUL byte.*UTF-16 needs a byte order mark/,
  ],
  ["half a surrogate in UTF-16", utf16(csv("a\ud800,1\n"), true), /line 2, column 2: this is no UTF-16/],
  ["half a unit in UTF-16", utf16(csv("a,1\n"), false).subarray(0, 25), /this is no UTF-16/],
  ["a NUL", csv("a,1\nb\0,2\n"), /line 3, column 2: there is a NUL byte/],
  ["a label that is not there", csv("a,1\nb,\n"), /line 3, column "label": the label is missing/],
  ["a label of NaN", csv("a,0.5\nb,NaN\n"), /line 3, column "label": the label is NaN/],
  [
    "an infinite number",
    csv("a,0.5\nb,inf\n"),
    /line 3, column "label": the label is "inf", wanted a finite/,
    "a.csv",
    { problem_type: "regression" },
  ],
  [
    "a label of null",
    '{"text":"a","label":1}\n{"text":"b","label":null}',
    /line 2, column "label": the label is missing/,
    "a.jsonl",
  ],
  [
    "a text of null",
    '{"text":"a","label":1}\n{"text":null,"label":1}',
    /line 2, column "text": the text is null/,
    "a.jsonl",
  ],
  [
    "a text that is not there",
    '{"text":"a","label":1}\n{"label":1}',
    /line 2, column "text": the text is missing/,
    "a.jsonl",
  ],
  [
    "an unknown label",
    csv("a,good\nb,baad\n"),
    /line 3, column "label": the label "baad" is unknown; there are "bad", "good"; do you mean "bad"\?/,
    "a.csv",
    { labels: ["bad", "good"] },
  ],
  [
    "a list among labels",
    '{"text":"a","label":1}\n{"text":"b","label":[1]}',
    /line 2, column "label": the label is a list/,
    "a.jsonl",
  ],
  [
    "a JSON line that is no object",
    '{"text":"a","label":1}\n[1,2]\n',
    /line 2, column 1: there is a list, wanted an object/,
    "a.jsonl",
  ],
  [
    "a JSON line that is no JSON",
    '{"text":"a","label":1}\n{"text":\n',
    /line 2, column 1: there is no JSON/,
    "a.jsonl",
  ],
  [
    "a JSON list with a gap",
    '[{"text":"a","label":1},\n ,{}]',
    /line 2, column 2: there is ",\{\}\]", wanted an object/,
    "a.json",
  ],
  ["a JSON list without end", '[{"text":"a","label":1}', /line 1, column 24: the list has no end/, "a.json"],
  [
    "a JSON object without end",
    '[{"text":"a","label":1},\n  {"text": "b',
    /line 2, column 3: the record that begins here has no end/,
    "a.json",
  ],
  [
    "text after a JSON list",
    '[{"text":"a","label":1}]\nx',
    /line 2, column 1: there is "x", wanted nothing/,
    "a.json",
  ],
  ["a zip archive", new Uint8Array([80, 75, 3, 4, 0, 0]), /it is a zip archive/, "a.xlsx"],
  ["a web page", "<!DOCTYPE html><html>", /it is a web page/],
  ["a Git LFS pointer", "version https://git-lfs.github.com/spec/v1\n", /it is a Git LFS pointer/],
  [
    "damaged gzip",
    new Uint8Array([0x1f, 0x8b, 8, 0, 1, 2, 3, 4, 5, 6, 7, 8]),
    /its gzip data is damaged/,
    "a.csv.gz",
  ],
  [
    "a line of 10 MB",
    csv("a,1\n" + "x".repeat(1e7) + ",1\n"),
    /line 3: the record that begins here has more than 1048576 characters/,
  ],
  [
    "a JSON line of 10 MB",
    '{"text":"a","label":1}\n{"text":"' + "x".repeat(1e7),
    /line 2: the record that begins here has more/,
    "a.jsonl",
  ],
  [
    "a JSON record of 10 MB",
    '[{"text":"a","label":1},\n{"text":"' + "x".repeat(1e7),
    /line 2: the record that begins here has more/,
    "a.json",
  ],
  ["100,000 columns", ",".repeat(1e5) + "\n", /line 1: it has more than 10000 columns/],
  ["old Mac line ends", "text,label\ra,1\rb,2\n", /line 1: its lines end with CR alone/],
];

for (const [name, content, message, fileName, options] of CASES) {
  Deno.test(`refused with its place: ${name}`, async () => {
    match(await refusal(content, fileName, options), message);
  });
}

Deno.test("more text than memory is to hold is refused with advice; limits can be raised", async () => {
  const text = csv("abcdef,1\nabcdef,0\n");
  match(
    await refusal(text, "a.csv", { max_total_length: 10 }),
    /line 3: it has more than 10 characters.*streaming/,
  );
  const long = csv("x".repeat(2 ** 20) + ",1\n");
  match(await refusal(long), /more than 1048576 characters/);
  strictEqual((await load_dataset(file(long), { max_record_length: 2 ** 21 })).length, 1);
});

Deno.test("byte order marks, UTF-16, CR LF, empty lines and a missing last line end are accepted", async () => {
  const rows = 'text,label\r\n\r\nné 😀,1\r\n\n"a\r\nb",0';
  for (const content of [encode("\ufeff" + rows), encode(rows), utf16(rows, true), utf16(rows, false)]) {
    const { examples } = await load_dataset(file(content));
    deepStrictEqual(examples, [{ text: "né 😀", label: 1 }, { text: "a\r\nb", label: 0 }]);
  }
});

Deno.test("a hostile key is a name like any other", async () => {
  const { examples } = await load_dataset(
    file('{"text":"a","label":"__proto__","__proto__":{"x":1}}', "a.jsonl"),
  );
  deepStrictEqual(examples, [{ text: "a", label: 0 }]);
  ok(!("x" in {}));
  match(
    await refusal('{"constructor":"a","label":1}', "a.jsonl", { text: "toString" }),
    /no column "toString"/,
  );
  const deep = '{"text":"a","label":1,"x":' + "[".repeat(5e5) + "]".repeat(5e5) + "}";
  strictEqual((await load_dataset(file(deep, "a.jsonl"))).length, 1);
});
