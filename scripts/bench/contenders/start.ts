/** From import to the first loss of berth-tiny, in a fresh process; the first line has the times. */
const begin = performance.now();
const { BertForSequenceClassification, BertTokenizer, init } = await import("../../../mod.ts");
const imported = performance.now();
const { threads } = await init();
const started = performance.now();
const tokenizer = await BertTokenizer.from_pretrained("berth-tiny");
const model = await BertForSequenceClassification.from_pretrained("berth-tiny", { on_report: () => {} });
const loaded = performance.now();
const texts = ["I love baseball.", "I hate baseball."];
const { loss } = model.train().forward({ ...tokenizer(texts), labels: [1, 0] });
const computed = performance.now();
const { speak } = await import("./speak.mjs");
await speak([loss!], () => computed - begin, {
  ms: computed - begin,
  threads,
  parts: {
    "importing the module": imported - begin,
    "starting the backend": started - imported,
    "loading berth-tiny and its tokenizer": loaded - started,
    "encoding, the first forward pass and loss": computed - loaded,
  },
});
