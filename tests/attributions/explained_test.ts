/** Which rows of a report get the words behind their answers. */
import { deepStrictEqual } from "node:assert/strict";
import { explained } from "../../src/cli/explain.ts";
import { BertTokenizer } from "../../src/hub/mod.ts";
import { AutoModelForSequenceClassification } from "../../src/model/mod.ts";
import { dispose } from "../../src/runtime/mod.ts";

Deno.test("rows of all lists are explained in turn, each text once, until the work is too much", async () => {
  const model = await AutoModelForSequenceClassification.from_pretrained("berth-tiny", {
    on_report: () => {},
  });
  const tokenizer = await BertTokenizer.from_pretrained("berth-tiny");
  const row = (text: string, text_pair?: string) => ({
    text,
    predicted: "LABEL_1",
    ...(text_pair ? { text_pair } : {}),
  });
  const options = (done: number[]) => ({
    max_length: 128,
    onProgress: (count: number) => void done.push(count),
  });
  const done: number[] = [], shared = row("A fine game.");
  const [a, b] = await explained(
    ...[model, tokenizer, [[shared, row("Rain.")], [shared, row("Who?", "Nobody.")]], [
      "LABEL_0",
      "LABEL_1",
    ]] as const,
    options(done),
  );
  deepStrictEqual(done, [1, 2, 3]);
  deepStrictEqual(a[0], b[0]);
  deepStrictEqual(b[1].attributions!.map(({ start, end, pair }) => [start, end, pair ?? false]), [
    ...[[0, 3, false], [3, 4, false], [0, 6, true], [6, 7, true]],
  ]);
  const [few] = await explained(model, tokenizer, [[shared, row("Rain."), row("Sun.")]], [
    "LABEL_0",
    "LABEL_1",
  ], {
    ...{ ...options([]), most_flops: 1 },
  });
  deepStrictEqual(few.map(({ attributions }) => attributions !== undefined), [true, false, false]);
  dispose();
});
