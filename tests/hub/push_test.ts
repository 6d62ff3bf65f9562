/** Uploads and model cards. */
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { HubError } from "../../src/errors.ts";
import { BertTokenizer, modelCard, push_to_hub } from "../../src/hub/mod.ts";
import { FakeHub, noise, sha256 } from "./fake_hub.ts";
import { openFrom, QUICK, recorder, withFolder, withHub } from "./helpers.ts";

const CONFIG = JSON.stringify({
  architectures: ["BertForSequenceClassification"],
  id2label: { 0: "bad", 1: "good" },
});
const { patience } = QUICK;

Deno.test("a folder is uploaded as one commit, with a card, and without what does not belong to a model", async () => {
  const storage = await FakeHub.start();
  try {
    await withHub((hub) =>
      withFolder(async (folder) => {
        hub.cdn = storage.url;
        const weights = noise(50_000), { events, progress_callback } = recorder();
        await (await BertTokenizer.from_pretrained("berth-tiny")).save_pretrained(folder);
        writeFileSync(new URL("config.json", folder), CONFIG);
        writeFileSync(new URL("model.safetensors", folder), weights);
        writeFileSync(new URL("optimizer.bin", folder), "x");
        writeFileSync(new URL(".hidden.safetensors", folder), "x");
        mkdirSync(new URL("x.safetensors", folder));
        const result = await push_to_hub(folder, "own/new", {
          ...{ hub_url: hub.url, token: "hf_x", patience, progress_callback, private: true },
          ...{ commit_message: "First", model_card: { license: "mit", metrics: { accuracy: 0.9 } } },
        });
        assert.deepEqual(result, { url: `${hub.url}/own/new`, commit: "c".repeat(40) });
        const [header, ...entries] = hub.commits[0] as {
          key: string;
          value: { path: string; content: string; oid: string };
        }[];
        assert.deepEqual(header, { key: "header", value: { summary: "First" } });
        const names = [
          "README.md",
          "config.json",
          "model.safetensors",
          "special_tokens_map.json",
          "tokenizer.json",
        ];
        names.push("tokenizer_config.json", "vocab.txt");
        assert.deepEqual(entries.map(({ value }) => value.path).toSorted(), names);
        assert.deepEqual(storage.uploads.get(sha256(weights)), weights);
        assert.equal(
          entries.find(({ value }) => value.path === "model.safetensors")!.value.oid,
          sha256(weights),
        );
        assert.ok(hub.log.every(({ authorization }) => authorization === "Bearer hf_x"));
        assert.ok(storage.log.every(({ authorization }) => authorization === undefined));
        assert.deepEqual(
          events.filter(({ status }) => status === "done").map(({ file }) => file).toSorted(),
          names,
        );
        assert.ok(events.some(({ status, file, total }) =>
          status === "progress" && file === "model.safetensors" && total === 50_000
        ));
      })
    );
  } finally {
    await storage.close();
  }
});

Deno.test("files in memory go to a repository that is there, and come back", () =>
  withHub(async (hub, cache) => {
    hub.add("own/m", {}, { token: "secret" }); // tokens need not begin with hf_
    const files = {
      "config.json": CONFIG,
      "model.safetensors": new Uint8Array([1, 2, 3]),
      "README.md": "# mine",
    };
    const options = { hub_url: hub.url, token: "secret", patience };
    let faults = 2;
    hub.fault = ({ path }) => path.includes("/preupload/") && faults-- > 0 ? { status: 503 } : undefined;
    await push_to_hub(files, "own/m", options);
    const model = await openFrom(hub, cache, "own/m", { token: "secret" });
    assert.deepEqual(await model.read("model.safetensors"), files["model.safetensors"]);
    assert.equal(new TextDecoder().decode((await model.read("README.md"))!), "# mine");
  }));

Deno.test("what cannot be uploaded is told before anything is sent; refusals are told", () =>
  withHub(async (hub) => {
    const good = { "config.json": CONFIG, "model.safetensors": "x" };
    const options = { hub_url: hub.url, token: "hf_x", patience };
    const refused = (message: RegExp, ...args: Parameters<typeof push_to_hub>) =>
      assert.rejects(() => push_to_hub(...args), (error: Error) => {
        assert.ok(error instanceof HubError);
        assert.match(error.message, message);
        return true;
      });
    await refused(/"owner\/name" is wanted/, good, "name", options);
    await refused(/there is no token/, good, "own/m", { ...options, token: false });
    await refused(/no config\.json among the files \(none\)/, {}, "own/m", options);
    await refused(
      /no weights .* among the files \(config\.json\)/,
      { "config.json": "{}" },
      "own/m",
      options,
    );
    await refused(/config\.json is not a model's/, { ...good, "config.json": "{" }, "own/m", options);
    await refused(/config\.json is not a model's/, { ...good, "config.json": "null" }, "own/m", options);
    await refused(/Cannot use the file name/, { ...good, "../x": "" }, "own/m", options);
    await refused(/there is no folder/, "./nowhere", "own/m", options);
    assert.equal(hub.log.length, 0);
    hub.fault = () => ({ status: 403 });
    await refused(
      /^Cannot upload to "own\/m": .* answered 403: the token may not do this/,
      good,
      "own/m",
      options,
    );
    hub.fault = () => ({ status: 401 });
    await refused(/the token is wrong or may not use it/, good, "own/m", options);
    hub.fault = ({ path }) => path.includes("/commit/") ? { status: 404 } : undefined;
    await refused(/has no branch "x" of it \(404\)/, good, "own/m", { ...options, revision: "x" });
    hub.fault = ({ path }) => path.includes("/preupload/") ? { status: 200, body: "no" } : undefined;
    await refused(/^Cannot upload to "own\/m": /, good, "own/m", options);
  }));

Deno.test("a card has front matter that YAML readers take, and escapes what comes from outside", () => {
  const card = modelCard("own/my-model", {
    ...{
      language: ["en", "no"],
      license: "apache-2.0",
      base_model: "google-bert/bert-base-uncased",
      datasets: ["stanfordnlp/sst2"],
    },
    ...{
      metrics: { accuracy: 0.915 },
      evaluated_on: "sst2: dev",
      training: { "learning|rate": 2e-5, note: "a\nb" },
      tags: ["bert"],
    },
  }, JSON.parse(CONFIG));
  const [, front, body] = card.split("---\n", 3);
  assert.equal(
    front,
    `language:
- en
- "no"
license: apache-2.0
library_name: transformers
pipeline_tag: text-classification
base_model: google-bert/bert-base-uncased
datasets:
- stanfordnlp/sst2
tags:
- bert
- berth
metrics:
- accuracy
model-index:
- name: my-model
  results:
  - task:
      type: text-classification
    dataset:
      name: "sst2: dev"
      type: "sst2: dev"
    metrics:
    - type: accuracy
      value: 0.915
`,
  );
  assert.ok(body.startsWith("\n# my-model\n"));
  for (
    const part of [
      "- 1: good",
      "| learning\\|rate | 0.00002 |",
      "| note | a b |",
      "AutoModelForSequenceClassification",
    ]
  ) {
    assert.ok(body.includes(part), part);
  }
  assert.match(
    modelCard("a/b"),
    /pipeline_tag: feature-extraction\n[^]*AutoModel\.from_pretrained\("a\/b"\)/,
  );
});
