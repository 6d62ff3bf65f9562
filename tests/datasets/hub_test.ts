/** Datasets on a hub: by file, by split, in folders; kept in the cache that Python shares. */
import { deepStrictEqual, match, ok, rejects } from "node:assert/strict";
import { existsSync } from "node:fs";
import { load_dataset, type LoadOptions } from "../../src/datasets/mod.ts";
import { DataError, HubError } from "../../src/errors.ts";
import { QUICK, withHub } from "../hub/helpers.ts";

const CSV = "text,label\na,1\nb,0\n";
const FILES = {
  "README.md": "# data",
  "train-00000-of-00002.csv": CSV,
  "train-00001-of-00002.csv": "text,label\nc,1\n",
  "test.csv": "text,label\nd,0\n",
  "sst2/validation.jsonl": '{"sentence":"e","label":0}\n',
};

Deno.test("a hub's dataset is read by split, by folder and by file, and kept", () =>
  withHub(async (hub, cache) => {
    const { commit } = hub.add("datasets/own/d", FILES);
    const load = async (path: string, options: LoadOptions = {}) =>
      (await load_dataset(`hf://datasets/own/d${path}`, {
        ...QUICK,
        hub_url: hub.url,
        cache_dir: cache,
        ...options,
      }))
        .examples.map(({ text }) => text);
    deepStrictEqual(await load(""), ["a", "b", "c"]);
    deepStrictEqual(await load("", { split: "test" }), ["d"]);
    deepStrictEqual(await load("/sst2", { split: "validation" }), ["e"]);
    deepStrictEqual(await load("@v1/sst2/validation.jsonl"), ["e"]);
    ok(existsSync(new URL(`datasets--own--d/snapshots/${commit}/test.csv`, cache)));
    hub.log.length = 0;
    deepStrictEqual(await load("", { local_files_only: true }), ["a", "b", "c"]);
    deepStrictEqual(hub.log, []);
    await rejects(
      () => load("", { split: "dev" }),
      (error) =>
        error instanceof DataError &&
        /no file is named for the split "dev"; there is "test.csv"/.test(error.message),
    );
    await rejects(() => load("/none.csv"), /none.csv": the dataset has no such file/);
  }));

Deno.test("a dataset that is not there, and an address that is none, are told", () =>
  withHub(async (hub, cache) => {
    const options = { ...QUICK, hub_url: hub.url, cache_dir: cache };
    await rejects(() => load_dataset("hf://datasets/own/none", options), (error: Error) => {
      match(error.message, /there is no such dataset, or it is private/);
      return error instanceof HubError;
    });
    await rejects(() => load_dataset("hf://own/none", options), /hf:\/\/datasets\/OWNER\/NAME/);
  }));
