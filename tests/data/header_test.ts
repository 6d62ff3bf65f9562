/** Files without a header line. */
import { deepStrictEqual, match } from "node:assert/strict";
import { load_dataset } from "../../src/datasets/mod.ts";

const read = (text: string, options = {}) => load_dataset(new TextEncoder().encode(text), options);

Deno.test("a first line whose label other lines have is an example; a header stays a header", async () => {
  const lines = ["good game\t1", "bad game\t0", "fine\t1", "rain\t0", "sun\t1"];
  const { examples, labels, notes } = await read(lines.join("\n") + "\n", { format: "tsv" });
  deepStrictEqual([examples.length, examples[0], labels], [5, { text: "good game", label: 1 }, ["0", "1"]]);
  match(notes[0], /^the file has no header line \("1" of line 1 stands in column 2 of other lines too\)/);
  const pairs = [
    "yes,a dog,an animal",
    "no,a cat,a stone",
    "yes,a rose,a plant",
    "no,a car,a fish",
    "no,a,b",
    "yes,c,d",
  ];
  deepStrictEqual((await read(pairs.join("\n") + "\n")).examples[3], {
    ...{ text: "a car", text_pair: "a fish", label: 0 },
  });
  const headed = await read(["text,label", "label,label", "a,b", "c,b", "d,label"].join("\n") + "\n");
  deepStrictEqual([headed.length, headed.labels], [4, ["b", "label"]]);
  const named = await read("x,1\ny,0\nz,1\n", { column_names: ["text", "label"] });
  deepStrictEqual([named.length, named.notes.length], [3, 2]);
});
