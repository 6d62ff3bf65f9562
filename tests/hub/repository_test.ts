/** Models by hub id: what is asked of the hub, what is kept, what is told. */
import assert from "node:assert/strict";
import { existsSync, lstatSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
import { HubError, TokenizerError } from "../../src/errors.ts";
import { BertTokenizer, openModelFiles } from "../../src/hub/mod.ts";
import { filePath } from "../../src/runtime/files.ts";
import { encodeSafetensors, openCheckpoint, shardSafetensors } from "../../src/weights/mod.ts";
import { blobName, FakeHub, noise } from "./fake_hub.ts";
import { childResult, openFrom, QUICK, recorder, startChild, withFolder, withHub } from "./helpers.ts";

function joined(chunks: Iterable<Uint8Array<ArrayBuffer>>): Uint8Array<ArrayBuffer> {
  const bytes = [...chunks].flatMap((chunk) => [...chunk]);
  return new Uint8Array(bytes);
}

const VOCAB = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "hello", "world"].join("\n");
const WEIGHTS = encodeSafetensors([{
  name: "x",
  dtype: "F32",
  shape: [2000],
  data: new Float32Array(2000).fill(3),
}]);
const FILES = {
  "config.json": `{"model_type": "bert"}`,
  "vocab.txt": VOCAB,
  "model.safetensors": WEIGHTS as Uint8Array<ArrayBuffer>,
  "pytorch_model.bin": noise(9000),
  "README.md": "# a model",
};

Deno.test("a model by id is downloaded into Python's cache layout, and only what is needed", () =>
  withHub(async (hub, cache) => {
    const { commit } = hub.add("owner/tiny", FILES), { events, progress_callback } = recorder();
    const files = await openFrom(hub, cache, "owner/tiny", { progress_callback });
    assert.equal(new TextDecoder().decode((await files.read("config.json"))!), FILES["config.json"]);
    const checkpoint = await openCheckpoint(files);
    const x = new Float32Array(2000);
    await checkpoint.readFloat32("x", x);
    assert.deepEqual(x, new Float32Array(2000).fill(3));
    checkpoint.close();
    const tokenizer = await BertTokenizer.from_pretrained("owner/tiny", {
      ...QUICK,
      hub_url: hub.url,
      cache_dir: cache,
    });
    assert.deepEqual(tokenizer.tokenize("hello world"), ["hello", "world"]);

    const model = new URL("models--owner--tiny/", cache), snapshot = new URL(`snapshots/${commit}/`, model);
    assert.equal(readFileSync(new URL("refs/main", model), "utf8"), commit);
    for (const name of ["config.json", "model.safetensors", "vocab.txt"] as const) {
      const blob = blobName(hub.models.get("owner/tiny")!.files.get(name)!);
      assert.equal(readlinkSync(new URL(name, snapshot)), `../../blobs/${blob}`);
      assert.ok(existsSync(new URL(`blobs/${blob}`, model)));
    }
    for (const name of ["pytorch_model.bin", "README.md", "tokenizer.json"]) {
      assert.ok(!existsSync(new URL(name, snapshot)));
    }
    assert.ok(existsSync(new URL(`.no_exist/${commit}/tokenizer.json`, model)));
    assert.deepEqual(
      events.filter(({ file }) => file === "model.safetensors").map(({ status, loaded }) => [status, loaded]),
      [["initiate", undefined], ["download", undefined], ["progress", 0], ["progress", WEIGHTS.length], [
        "done",
        undefined,
      ]],
    );
    assert.ok(events.every(({ name }) => name === "owner/tiny"));
  }));

Deno.test("the second time one request is sent, none for a commit, and none offline", () =>
  withHub(async (hub, cache) => {
    const { commit } = hub.add("tiny", FILES);
    const load = async (options = {}) => {
      hub.log.length = 0;
      const files = await openFrom(hub, cache, "tiny", options);
      for (const name of ["config.json", "vocab.txt"]) assert.ok(await files.read(name));
      assert.equal(await files.read("added_tokens.json"), null);
      return hub.log.length;
    };
    await load();
    assert.equal(await load(), 1);
    assert.equal(await load({ revision: commit }), 0);
    assert.equal(await load({ local_files_only: true }), 0);
    await assert.rejects(
      async () => await openFrom(hub, cache, "tiny", { local_files_only: true, revision: "v1" }),
      (error: Error) =>
        error instanceof HubError && /"tiny" \(revision v1\).*local_files_only/.test(error.message),
    );
    await load({ revision: "v1" });
    await load({ local_files_only: true, revision: "v1" });
    const absent = { local_files_only: true, revision: "0".repeat(40) };
    await assert.rejects(async () => await openFrom(hub, cache, "tiny", absent), /has nothing of it/);
  }));

Deno.test("a hub that is not there is no obstacle for what is cached, and that is said", () =>
  withFolder(async (cache) => {
    const hub = await FakeHub.start(), said: string[] = [], { warn } = console;
    hub.add("tiny", FILES);
    await (await openFrom(hub, cache, "tiny")).read("config.json");
    const { url } = hub;
    await hub.close();
    console.warn = (text: string) => said.push(text);
    try {
      const options = { ...QUICK, hub_url: url, cache_dir: cache };
      const files = await openModelFiles("tiny", options);
      assert.ok(await files.read("config.json"));
      assert.equal(await files.read("vocab.txt"), null);
      assert.match(files.name, /^tiny \(offline: only what .* has\)$/);
      assert.match(
        said.join(),
        /^Using the cached files of "tiny" \(commit [0-9a-f]{40}\): the server cannot be reached/,
      );
      await assert.rejects(
        () => openModelFiles("other", { ...options, patience: { attempts: 2, pauseMs: 1 } }),
        (error: Error) =>
          error instanceof HubError &&
          /Cannot load "other" \(revision main\): the server cannot/.test(error.message),
      );
    } finally {
      console.warn = warn;
    }
  }));

Deno.test("a new commit is found, and what did not change is not downloaded again", () =>
  withHub(async (hub, cache) => {
    const first = hub.add("tiny", FILES).commit;
    for (const name of ["config.json", "model.safetensors"]) {
      await (await openFrom(hub, cache, "tiny")).read(name);
    }
    const second = hub.add("tiny", { ...FILES, "config.json": "{}" }).commit;
    hub.log.length = 0;
    const files = await openFrom(hub, cache, "tiny");
    assert.equal(new TextDecoder().decode((await files.read("config.json"))!), "{}");
    assert.ok(await files.read("model.safetensors"));
    assert.deepEqual([hub.downloads("config.json").length, hub.downloads("model.safetensors").length], [
      1,
      0,
    ]);
    const model = new URL("models--tiny/", cache);
    assert.equal(readFileSync(new URL("refs/main", model), "utf8"), second);
    assert.ok(existsSync(new URL(`snapshots/${first}/config.json`, model)));
  }));

Deno.test("without links the snapshot has the files themselves", () =>
  withHub(async (hub, cache) => {
    const { commit } = hub.add("tiny", FILES);
    const options = { hub_url: hub.url, cache_dir: filePath(cache) };
    const job = { name: "tiny", files: ["vocab.txt"], options, env: { HF_HUB_DISABLE_SYMLINKS: "1" } };
    assert.deepEqual(await childResult(startChild(job)), [VOCAB.length]);
    assert.ok(lstatSync(new URL(`models--tiny/snapshots/${commit}/vocab.txt`, cache)).isFile());
    assert.ok(await (await openFrom(hub, cache, "tiny", { local_files_only: true })).read("vocab.txt"));
  }));

Deno.test("files in folders of a model are found, names that lead out are not tried", () =>
  withHub(async (hub, cache) => {
    hub.add("tiny", { ...FILES, "sub folder/é.txt": "deep" });
    const files = await openFrom(hub, cache, "tiny");
    assert.equal(new TextDecoder().decode((await files.read("sub folder/é.txt"))!), "deep");
    assert.equal(await files.read("none/at.all"), null);
    assert.deepEqual([...(await files.list!())].sort(), Object.keys(FILES).sort());
    for (const name of ["../x", "/etc/passwd", "a/../../b", "a\\b", "c:x", "", "a//b", "x\n"]) {
      await assert.rejects(() => files.open(name), HubError, name);
    }
  }));

Deno.test("a name is looked for as carried checkpoint, folder, URL and hub id, in this order", () =>
  withHub(async (hub, cache) => {
    assert.ok(await (await openModelFiles("berth-tiny")).read("config.json"));
    const folder = new URL("bert-base-uncased/", cache);
    hub.add("bert-base-uncased", FILES);
    const options = { hub_url: hub.url, cache_dir: filePath(cache) };
    const here = () =>
      childResult(startChild({ name: "bert-base-uncased", files: ["config.json"], options, cwd: cache }));
    assert.deepEqual(await here(), [FILES["config.json"].length]);
    Deno.mkdirSync(folder);
    writeFileSync(new URL("config.json", folder), "{}");
    assert.deepEqual(await here(), [2]);
    assert.deepEqual(await (await openModelFiles(filePath(folder))).list!(), ["config.json"]);
    const { commit } = hub.models.get("bert-base-uncased")!;
    const byUrl = await openModelFiles(`${hub.url}/bert-base-uncased/resolve/${commit}`, QUICK);
    assert.deepEqual(await byUrl.read("pytorch_model.bin"), FILES["pytorch_model.bin"]);
    assert.equal(await byUrl.read("none.txt"), null);
    for (
      const name of ["./nowhere", "a/b/c", "", "..x", "owner/--x", "file:///no/such/folder", "a.git", "/x"]
    ) {
      await assert.rejects(() => openModelFiles(name, QUICK), HubError, name);
    }
  }));

Deno.test("the environment gives hub, cache, token and offline mode, as in Python", () =>
  withHub(async (hub, cache) => {
    hub.add("own/secret", FILES, { token: "hf_env" });
    const env = { HF_ENDPOINT: `${hub.url}/`, HF_HOME: filePath(cache), HF_TOKEN: "hf_env" };
    const job = {
      name: "own/secret",
      files: ["config.json", "none"],
      options: { local_files_only: undefined },
    };
    assert.deepEqual(await childResult(startChild({ ...job, env })), [FILES["config.json"].length, null]);
    assert.ok(existsSync(new URL("hub/models--own--secret/refs/main", cache)));
    hub.log.length = 0;
    const offline = { ...env, HF_HUB_OFFLINE: "1" };
    assert.deepEqual(await childResult(startChild({ ...job, env: offline })), [
      FILES["config.json"].length,
      null,
    ]);
    assert.equal(hub.log.length, 0);
  }));

Deno.test("permissions for the hub and the cache are enough", () =>
  withHub(async (hub, cache) => {
    const { commit } = hub.add("own/tiny", FILES), folder = filePath(cache);
    const host = new URL(hub.url).host, options = { hub_url: hub.url, cache_dir: folder };
    const job = { name: "own/tiny", files: ["vocab.txt"], options };
    const permissions = [`--allow-net=${host}`, `--allow-read=${folder}`, `--allow-write=${folder}`];
    assert.deepEqual(await childResult(startChild({ ...job, permissions })), [VOCAB.length]);
    assert.ok(lstatSync(new URL(`models--own--tiny/snapshots/${commit}/vocab.txt`, cache)).isFile());
    const { error } = await childResult(startChild({ ...job, permissions: permissions.slice(1) })) as {
      error: string;
    };
    assert.match(error, /^HubError: Cannot load "own\/tiny" \(revision main\): .*--allow-net/);
  }));

Deno.test("a model in several files is downloaded file by file", () =>
  withHub(async (hub, cache) => {
    const tensors = ["a", "b", "c"].map((name, i) => ({
      ...{ name, dtype: "F32" as const, shape: [1500], data: new Float32Array(1500).fill(i) },
    }));
    const shards = shardSafetensors(tensors, { max_shard_size: 7000 });
    const files = Object.fromEntries(shards.map(({ name, chunks }) => [name, joined(chunks())]));
    assert.equal(Object.keys(files).length, 4);
    hub.add("own/m", files);
    const checkpoint = await openCheckpoint(await openFrom(hub, cache, "own/m"));
    const c = new Float32Array(1500);
    await checkpoint.readFloat32("c", c);
    checkpoint.close();
    assert.deepEqual(c, new Float32Array(1500).fill(2));
  }));

Deno.test("what is no BERT tokenizer is recognized by the names of its files alone", () =>
  withHub(async (hub, cache) => {
    const options = { ...QUICK, hub_url: hub.url, cache_dir: cache };
    hub.add("own/gpt", { "config.json": "{}", "merges.txt": "a b", "vocab.json": "{}" });
    await assert.rejects(
      () => BertTokenizer.from_pretrained("own/gpt", options),
      /merges\.txt belongs to a BPE/,
    );
    assert.equal(hub.downloads("merges.txt").length, 0);
    hub.add("own/none", { "config.json": "{}" });
    await assert.rejects(() => BertTokenizer.from_pretrained("own/none", options), TokenizerError);
  }));

Deno.test("a tokenizer goes through its folder and back", () =>
  withFolder(async (folder) => {
    const tokenizer = await BertTokenizer.from_pretrained("berth-tiny", { model_max_length: 77 });
    await tokenizer.save_pretrained(new URL("saved", folder));
    const again = await BertTokenizer.from_pretrained(new URL("saved", folder));
    assert.equal(again.model_max_length, 77);
    assert.deepEqual(again.encode("A harbour, a berth."), tokenizer.encode("A harbour, a berth."));
  }));
