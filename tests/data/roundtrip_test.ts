/** What is written is read again as it was, however the bytes are cut; mutated files are refused or read. */
import { deepStrictEqual, ok } from "node:assert/strict";
import { CsvParser, formatCsv } from "../../src/data/csv.ts";
import { JsonLinesParser, JsonListParser } from "../../src/data/json_rows.ts";
import { load_dataset } from "../../src/datasets/mod.ts";
import { BerthError, DataError } from "../../src/errors.ts";
import fc from "../helpers/property.ts";
import { encode, file, parseInPieces } from "./helpers.ts";

const numRuns = Number(Deno.env.get("BERTH_FUZZ") ?? 300);

/** Text with all that is special in CSV and JSON. */
const field = fc.oneof(
  fc.string({
    unit: fc.constantFrom("a", "é", "😀", '"', ",", "\t", "\n", "\r", " ", ";", "'", "\\", "{", "]"),
  }),
  fc.string({ unit: "grapheme", maxLength: 8 }).filter((text) => !text.includes("\0")),
);
const pieces = fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 5 });

Deno.test(`${numRuns} CSV files are read as they were written, cut into pieces anywhere`, () => {
  const table = fc.integer({ min: 1, max: 4 }).chain((columns) =>
    fc.array(fc.array(field, { minLength: columns, maxLength: columns }), { minLength: 1, maxLength: 6 })
  );
  const dialect = fc.record({
    delimiter: fc.constantFrom(",", "\t", ";", "|"),
    quote: fc.constantFrom('"', "'"),
  });
  fc.assert(
    fc.property(table, dialect, pieces, fc.boolean(), (rows, dialect, pieces, crlf) => {
      const names = rows[0].map((_, k) => `c${k}`);
      let text = formatCsv(names, rows, dialect);
      if (crlf && !rows.flat().some((value) => value.includes("\n"))) text = text.replaceAll("\n", "\r\n");
      const read = parseInPieces(new CsvParser("test", dialect), encode(text), pieces);
      deepStrictEqual(read.map(({ values }) => values), rows);
      const lines = rows.map((_, i) => formatCsv(names, rows.slice(0, i), dialect).split("\n").length);
      deepStrictEqual(read.map(({ line }) => line), lines);
    }),
    { numRuns },
  );
});

Deno.test(`${numRuns} TSV files without quotes are read as they were written`, () => {
  const plain = field.map((text) => text.replace(/[\t\n\r]/g, ""));
  const table = fc.array(fc.tuple(plain, plain), { minLength: 1, maxLength: 6 });
  const dialect = { delimiter: "\t", quote: null };
  fc.assert(
    fc.property(table, pieces, (rows, pieces) => {
      const text = formatCsv(["a", "b"], rows, dialect);
      const read = parseInPieces(new CsvParser("test", dialect), encode(text), pieces);
      deepStrictEqual(read.map(({ values }) => values), rows);
    }),
    { numRuns },
  );
});

Deno.test(`${numRuns} JSON files are read as they were written, cut into pieces anywhere`, () => {
  const row = fc.dictionary(field, fc.jsonValue({ maxDepth: 3 }), { maxKeys: 4 });
  const space = fc.constantFrom("", " ", "\n", "\r\n\t");
  fc.assert(
    fc.property(fc.array(row, { minLength: 1, maxLength: 5 }), pieces, space, (rows, pieces, space) => {
      const texts = rows.map((row) => JSON.stringify(row)), wanted = texts.map((text) => JSON.parse(text));
      const values = (parser: JsonLinesParser | JsonListParser, text: string) =>
        parseInPieces(parser, encode(text), pieces).map(({ values }) => values);
      deepStrictEqual(values(new JsonLinesParser("test"), texts.join("\n")), wanted);
      deepStrictEqual(
        values(new JsonListParser("test"), `${space}[${texts.join(`${space},${space}`)}${space}]`),
        wanted,
      );
      deepStrictEqual(values(new JsonListParser("test"), texts.join(space)), wanted);
      const pretty = JSON.stringify(wanted, null, 2);
      deepStrictEqual(values(new JsonListParser("test"), pretty), wanted);
    }),
    { numRuns },
  );
});

const SEEDS: [name: string, content: Uint8Array<ArrayBuffer>][] = [
  ["a.csv", encode('text,label\n"a, ""b""\nc",1\né😀,0\n')],
  ["a.tsv", encode('sentence\tlabel\na "b\t1\nc\t0\n')],
  ["a.jsonl", encode('{"text":"a","label":1}\n{"text":"\\u00e9","label":0}\n')],
  ["a.json", encode('[{"text":"a","label":["x","y"]},\n {"text":"b","label":[]}]')],
  ["a", encode("\ufefftext;label\na;0.5\nb;1.5\n")],
];
const edits = fc.array(
  fc.record({
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    remove: fc.nat(6),
    insert: fc.oneof(
      fc.uint8Array({ maxLength: 4 }),
      fc.constantFrom('"', ",", "\n", "\0", "{", "}", "[", "]", "\\", '""', ":", "1e999", "null").map(encode),
    ),
  }),
  { minLength: 1, maxLength: 4 },
);

Deno.test(`${3 * numRuns} mutated text files are refused by a DataError or read`, async () => {
  let accepted = 0;
  await fc.assert(
    fc.asyncProperty(fc.nat(SEEDS.length - 1), edits, async (which, edits) => {
      let [name, bytes] = SEEDS[which];
      for (const { at, remove, insert } of edits) {
        const place = Math.floor(at * bytes.length);
        bytes = new Uint8Array([...bytes.subarray(0, place), ...insert, ...bytes.subarray(place + remove)]);
      }
      try {
        const { examples } = await load_dataset(file(bytes, name));
        ok(examples.every(({ text }) => typeof text === "string"));
        accepted++;
      } catch (error) {
        if (!(error instanceof BerthError)) throw error;
        ok(error instanceof DataError && error.message.length < 1500, error.message);
      }
    }),
    { numRuns: 3 * numRuns },
  );
  ok(accepted > numRuns / 10, `only ${accepted} were accepted`);
});
