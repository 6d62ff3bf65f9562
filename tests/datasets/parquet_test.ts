/** Parquet files: what is written is read, damage is a DataError, and a few bytes cannot claim the whole memory. */
import { deepStrictEqual, match, ok, rejects, strictEqual } from "node:assert/strict";
import { parquetWriteBuffer } from "hyparquet-writer";
import { load_dataset } from "../../src/datasets/mod.ts";
import { checkPages } from "../../src/datasets/parquet_guard.ts";
import { BerthError, DataError } from "../../src/errors.ts";
import { file, refusal } from "../data/helpers.ts";
import fc from "../helpers/property.ts";

const numRuns = Number(Deno.env.get("BERTH_FUZZ") ?? 300);
const TEXTS = ["é 😀", "", "a\nb", "x".repeat(300), "a"];

type Codec = "UNCOMPRESSED" | "SNAPPY";

function write(
  texts: string[],
  labels: (bigint | number)[],
  codec: Codec = "SNAPPY",
  rowGroupSize = 100,
  names?: string[],
) {
  const isFraction = labels.some((label) => typeof label === "number");
  const features = { label: { names, _type: "ClassLabel" } };
  return new Uint8Array(parquetWriteBuffer({
    columnData: [
      { name: "sentence", data: texts, type: "STRING" },
      { name: "label", data: labels, type: isFraction ? "DOUBLE" : "INT64" },
    ],
    ...{ codec, rowGroupSize },
    kvMetadata: names && [{ key: "huggingface", value: JSON.stringify({ info: { features } }) }],
  }));
}

Deno.test("rows of Parquet are read by row group, in memory and as a stream, with declared names of classes", async () => {
  const texts = Array.from({ length: 250 }, (_, i) => TEXTS[i % 5] + i),
    labels = texts.map((_, i) => BigInt(i % 3));
  for (const codec of ["UNCOMPRESSED", "SNAPPY"] as const) {
    const bytes = write(texts, labels, codec, 100, ["neg", "neutral", "pos"]);
    const dataset = await load_dataset(file(bytes, "a.parquet"));
    deepStrictEqual(dataset.examples, texts.map((text, i) => ({ text, label: i % 3 })));
    deepStrictEqual(dataset.id2label, { 0: "neg", 1: "neutral", 2: "pos" });
    const stream = await load_dataset(bytes, { streaming: true });
    deepStrictEqual(stream.labels, dataset.labels);
    let rows = 0;
    for await (const { text, label } of stream) {
      deepStrictEqual({ text, label }, dataset.examples[rows++]);
    }
    strictEqual(rows, 250);
  }
  const fractions = await load_dataset(file(write(["a", "b"], [0.5, 2]), "b.parquet"));
  deepStrictEqual([fractions.problem_type, fractions.examples[1].label], ["regression", 2]);
  match(
    await refusal(write(["a", "b"], [0.5, NaN]), "c.parquet"),
    /line 2, column "label": the label is NaN/,
  );
});

Deno.test("damaged Parquet is refused with the file's name", async () => {
  const bytes = write(TEXTS, [0n, 1n, 0n, 1n, 0n]);
  match(await refusal(bytes.subarray(0, bytes.length - 9), "a.parquet"), /its end is missing/);
  match(await refusal(bytes.subarray(0, 8), "a.parquet"), /it is too short/);
  const long = bytes.slice();
  new DataView(long.buffer).setUint32(long.length - 8, 2 ** 31, true);
  match(await refusal(long, "a.parquet"), /a footer of 2147483648 bytes is claimed/);
  match(await refusal("no parquet", "a.parquet"), /does not begin as a Parquet file/);
  await rejects(
    () => load_dataset(new Blob([bytes]).stream()),
    /Parquet is read from its end, which a stream has not/,
  );
  match(await refusal(bytes, "a.parquet", { max_group_values: 4 }), /max_group_values/);
  match(await refusal(bytes, "a.parquet", { max_page_bytes: 10 }), /the limit is 10 \(max_page_bytes\)/);
});

Deno.test("a run or a page that claims more values than the column has is refused before it is decoded", () => {
  const shape = { values: 4, maxDefinition: 0, maxRepetition: 0, isBoolean: false, maxPageBytes: 1000 };
  const zigzag = (value: number) => 2 * value;
  // A data page of version 1: type, sizes, and the header of the page with its values and encoding.
  const page = (values: number, encoding: number, content: number[]) =>
    new Uint8Array([
      ...[0x15, 0, 0x15, zigzag(content.length), 0x15, zigzag(content.length)],
      ...[0x2c, 0x15, zigzag(values), 0x15, zigzag(encoding), 0x15, zigzag(3), 0x15, zigzag(3), 0, 0],
      ...content,
    ]);
  checkPages(page(4, 8, [1, 8, 1]), shape);
  const refused = (bytes: Uint8Array, message: RegExp) => {
    try {
      checkPages(bytes, shape);
    } catch (error) {
      return match((error as Error).message, message);
    }
    throw new Error("accepted");
  };
  refused(
    page(4, 8, [1, 0xfe, 0xff, 0xff, 0xff, 0x0f, 1]),
    /a run of 2147483647 values is claimed where there are 4/,
  );
  refused(page(4, 8, [1, 0xff, 0xff, 0xff, 0xff, 0x0f, 1]), /a run of 17179869176 values is claimed/);
  refused(page(9, 0, [1, 2, 3]), /a page claims 9 values where there are 4/);
});

Deno.test(`${numRuns} mutated Parquet files are refused by a DataError or read`, async () => {
  const seeds = [
    write(TEXTS, [0n, 1n, 0n, 1n, 0n], "UNCOMPRESSED"),
    write([...TEXTS, ...TEXTS, ...TEXTS], Array.from({ length: 15 }, (_, i) => BigInt(i % 2)), "SNAPPY", 10),
  ];
  const edit = fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(255), fc.nat(3));
  let accepted = 0;
  await fc.assert(
    fc.asyncProperty(fc.nat(1), fc.array(edit, { minLength: 1, maxLength: 2 }), async (which, edits) => {
      let bytes = seeds[which].slice();
      for (const [place, value, kind] of edits) {
        const at = Math.min(bytes.length - 1, 4 + Math.floor(place * (bytes.length - 4)));
        if (kind < 2) bytes[at] = value;
        else if (kind === 2) bytes[at] ^= 1 << (value % 8);
        else bytes = new Uint8Array([...bytes.subarray(0, at), ...bytes.subarray(at + 1 + value % 5)]);
      }
      try {
        const { examples } = await load_dataset(file(bytes, "a.parquet"));
        ok(examples.length <= 1000);
        accepted++;
      } catch (error) {
        if (!(error instanceof BerthError)) throw error;
        ok(error instanceof DataError, error.message);
      }
    }),
    { numRuns },
  );
  ok(accepted * 200 > numRuns, `only ${accepted} were accepted`);
});
