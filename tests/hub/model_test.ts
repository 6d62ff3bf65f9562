/** A whole model by its id on the hub: downloaded, loaded, computed with, and as from the package itself. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { BertTokenizer } from "../../src/hub/mod.ts";
import { BertForSequenceClassification } from "../../src/model/mod.ts";
import { dispose } from "../../src/runtime/mod.ts";
import { QUICK, recorder, withHub } from "./helpers.ts";

const NAMES = ["config.json", "model.safetensors", "vocab.txt", "tokenizer_config.json"];

Deno.test("from_pretrained by hub id gives the model that the files give", () =>
  withHub(async (hub, cache) => {
    const assets = new URL("../../src/assets/berth-tiny/", import.meta.url);
    hub.add(
      "own/tiny",
      Object.fromEntries(NAMES.map((name) => [name, new Uint8Array(readFileSync(new URL(name, assets)))])),
    );
    const { events, progress_callback } = recorder();
    const options = { ...QUICK, hub_url: hub.url, cache_dir: cache, progress_callback };
    const run = async (name: string) => {
      const tokenizer = await BertTokenizer.from_pretrained(name, options);
      const model = await BertForSequenceClassification.from_pretrained(name, {
        ...{ ...options, num_labels: 2, runtime: { threads: 1 }, on_report: () => {} },
      });
      const { input_ids, attention_mask } = tokenizer(["a harbour", "a berth for a ship"], { padding: true });
      return model.eval().forward({ input_ids, attention_mask }).logits.dataSync();
    };
    try {
      assert.deepEqual(await run("own/tiny"), await run("berth-tiny"));
    } finally {
      dispose();
    }
    const statuses = new Set(
      events.filter(({ file }) => file === "model.safetensors").map(({ status }) => status),
    );
    assert.deepEqual([...statuses], ["initiate", "download", "progress", "done", "load"]);
  }));
