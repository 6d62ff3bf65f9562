/** What the page makes of pasted text, without a browser. */
import { deepStrictEqual } from "node:assert/strict";
import fc from "fast-check";
import { MAX_EXAMPLES, readExamples, splitExamples } from "../../scripts/site/page/examples.ts";

const pairs = (text: string) => readExamples(text).examples.map(({ text, label }) => [text, label]);
const problems = (text: string) =>
  readExamples(text).problems.map(({ line, message }) => `${line}: ${message}`);

Deno.test("pasted lines are read with commas, tabs and semicolons, with and without names, either column first", () => {
  const wanted = [["a fine day", "good"], ["a bad day", "bad"]];
  for (
    const text of [
      "a fine day,good\na bad day,bad",
      "a fine day\tgood\r\na bad day\tbad\r\n",
      "a fine day;good\n\na bad day;bad\n",
      "text,label\na fine day,good\na bad day,bad",
      "\ufefflabel,text\ngood,a fine day\nbad,a bad day",
      "good,a fine day\nbad,a bad day",
      "id,sentence,class\n1,a fine day,good\n2,a bad day,bad",
      '"a fine day","good"\n"a bad day",bad',
    ]
  ) deepStrictEqual(pairs(text), wanted, text);
});

Deno.test("a sentence keeps its commas, quotes and lines", () => {
  deepStrictEqual(pairs("Well, well, well,good\nOh no,bad"), [["Well, well, well", "good"], [
    "Oh no",
    "bad",
  ]]);
  deepStrictEqual(pairs('"He said ""no"", twice",bad\nFine,good'), [['He said "no", twice', "bad"], [
    "Fine",
    "good",
  ]]);
  deepStrictEqual(pairs('"two\nlines",bad\none line,good'), [["two\nlines", "bad"], ["one line", "good"]]);
});

Deno.test("each bad line is told by its number, and the others are read", () => {
  const text = ["fine,good", "no label", ",good", "lost,", '"open,bad', "fine again,bad"].join("\n");
  deepStrictEqual(pairs(text), [["fine", "good"], ["fine again", "bad"]]);
  deepStrictEqual(problems(text), [
    "2: it has no label; a comma, a tab or a semicolon and a label are wanted",
    "3: it has no sentence",
    "4: it has no label",
    "5: its quotes do not close, or something follows the closing quote",
  ]);
});

Deno.test("what cannot be trained on is told with what is wanted", () => {
  const wanted = (text: string) => readExamples(text).wanted;
  deepStrictEqual(wanted(""), undefined);
  deepStrictEqual(wanted("a,x\nb,x"), "All sentences have the label “x”. At least two labels are wanted.");
  deepStrictEqual(
    wanted("a,x\nb,x\nc,y"),
    "The label “y” stands at one sentence only. At least two of each are wanted.",
  );
  deepStrictEqual(
    wanted("a,x\nb,x\nc,y\nd,y"),
    "4 sentences are too few. At least 8 are wanted; 50 and more work well.",
  );
  deepStrictEqual(wanted("some,x\nwords,y\n".repeat(4)), undefined);
  const many = Array.from({ length: 120 }, (_, i) => `a sentence,label ${i % 60}`).join("\n");
  deepStrictEqual(wanted(many), "There are 60 labels. At most 50 can be told apart here; are they labels?");
});

Deno.test("too many sentences are cut, and it is said", () => {
  const { examples, problems } = readExamples("a sentence,x\nanother one,y\n".repeat(MAX_EXAMPLES));
  deepStrictEqual(examples.length, MAX_EXAMPLES);
  deepStrictEqual(problems, [{
    line: MAX_EXAMPLES + 1,
    message: `only the first ${MAX_EXAMPLES} sentences are used`,
  }]);
});

Deno.test("a fifth of each label is held out, nothing is lost, and it is the same each time", () => {
  const reading = readExamples(
    Array.from({ length: 100 }, (_, i) => `sentence ${i},${i % 4 ? "often" : "seldom"}`).join("\n"),
  );
  const { train, test, labels } = splitExamples(reading);
  deepStrictEqual(labels, ["often", "seldom"]);
  deepStrictEqual([0, 1].map((label) => test.filter((example) => example.label === label).length), [15, 5]);
  deepStrictEqual(new Set([...train, ...test].map(({ text }) => text)).size, 100);
  deepStrictEqual(splitExamples(reading), { train, test, labels });
});

Deno.test("any text gives sentences and problems, never an error, and no line is complained of twice", () => {
  const piece = fc.constantFrom(
    "a",
    "b c",
    ",",
    "\t",
    ";",
    '"',
    "\n",
    "\r\n",
    "label",
    "text",
    "é",
    "\ufeff",
    " ",
  );
  fc.assert(fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
    const { examples, problems } = readExamples(pieces.join(""));
    for (const { text, label } of examples) if (text === "" || label === "") return false;
    return new Set(problems.map(({ line }) => line)).size === problems.length;
  }));
});
