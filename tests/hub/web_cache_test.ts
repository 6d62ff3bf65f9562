/** Models in a browser's Cache Storage, here one in memory. */
import assert from "node:assert/strict";
import { HubError } from "../../src/errors.ts";
import { createHasher, portableHasher } from "../../src/hub/hash.ts";
import { hubSettings } from "../../src/hub/options.ts";
import { Repository } from "../../src/hub/repository.ts";
import { WebCache } from "../../src/hub/web_cache.ts";
import { type FakeHub, gitSha1, noise, sha256 } from "./fake_hub.ts";
import { QUICK, withHub } from "./helpers.ts";

const BIG = noise(300_000), PART = 64_000;

/** The part of CacheStorage that is used. */
class MemoryStorage {
  readonly entries = new Map<string, Uint8Array<ArrayBuffer>>();
  /** What may be kept, in bytes. */
  quota = Infinity;

  open(): Promise<Cache> {
    const { entries } = this;
    return Promise.resolve({
      match: (key: string) => Promise.resolve(entries.has(key) ? new Response(entries.get(key)) : undefined),
      put: async (key: string, response: Response) => {
        const bytes = new Uint8Array(await response.arrayBuffer());
        this.quota -= bytes.length;
        if (this.quota < 0) throw new DOMException("Quota exceeded.", "QuotaExceededError");
        entries.set(new URL(key).href, bytes);
      },
      delete: (key: string) => Promise.resolve(entries.delete(key)),
      keys: () => Promise.resolve([...entries.keys()].map((url) => new Request(url))),
    } as unknown as Cache);
  }
}

function open(hub: FakeHub, storage: Pick<CacheStorage, "open"> | null, options = {}): Promise<Repository> {
  const cache = storage && new WebCache(storage, hub.url, "own/m", PART);
  return Repository.open("own/m", hubSettings({ ...QUICK, hub_url: hub.url, ...options }), cache);
}

Deno.test("Cache Storage keeps a model: parts, ranges, commits, offline", () =>
  withHub(async (hub) => {
    const { commit } = hub.add("own/m", {
      "config.json": "{}",
      "a b/é.txt": "deep",
      "model.safetensors": BIG,
      "empty": "",
    });
    const storage = new MemoryStorage(), files = await open(hub, storage);
    const source = (await files.open("model.safetensors"))!;
    for (
      const [begin, end] of [[0, 300_000], [63_999, 64_001], [0, 0], [128_000, 128_001], [299_999, 300_000], [
        5,
        200_000,
      ]]
    ) {
      assert.deepEqual(await source.read(begin, end), BIG.subarray(begin, end));
    }
    await assert.rejects(() => source.read(0, 300_001), /ends at byte 300000/);
    for (const name of ["config.json", "a b/é.txt", "empty"]) assert.ok(await files.read(name));
    assert.equal(await files.read("none"), null);
    hub.log.length = 0;
    const again = await open(hub, storage, { local_files_only: true });
    assert.deepEqual(await again.read("model.safetensors"), BIG);
    assert.equal(new TextDecoder().decode((await again.read("a b/é.txt"))!), "deep");
    assert.equal(await again.read("none"), null);
    assert.deepEqual((await again.list()).toSorted(), [
      "a b/é.txt",
      "config.json",
      "empty",
      "model.safetensors",
    ]);
    assert.equal(again.commit, commit);
    assert.equal(hub.log.length, 0);
  }));

Deno.test("in Cache Storage a cut download goes on after its last whole part", () =>
  withHub(async (hub) => {
    hub.add("own/m", { "model.safetensors": BIG });
    const storage = new MemoryStorage();
    hub.fault = ({ path }) => path.endsWith("safetensors") ? { stallAfter: 150_000 } : undefined;
    const impatient = { patience: { stallMs: 100, attempts: 1 } };
    await assert.rejects(
      async () => await (await open(hub, storage, impatient)).open("model.safetensors"),
      HubError,
    );
    hub.fault = () => undefined;
    assert.deepEqual(await (await open(hub, storage)).read("model.safetensors"), BIG);
    assert.equal(hub.downloads("model.safetensors").at(-1)!.range, "bytes=128000-");
  }));

Deno.test("Cache Storage takes no wrong bytes, and says when it is full or was emptied", () =>
  withHub(async (hub) => {
    hub.add("own/m", { "model.safetensors": BIG, "config.json": "{}" });
    const storage = new MemoryStorage(), wrong = BIG.slice();
    wrong[200_000] ^= 1;
    hub.fault = ({ path }) => path.endsWith("/model.safetensors") ? { bytes: wrong } : undefined;
    await assert.rejects(
      async () => await (await open(hub, storage)).open("model.safetensors"),
      /its sha256 is/,
    );
    assert.ok([...storage.entries.keys()].every((key) => !key.includes("/blobs/")));
    hub.fault = () => undefined;
    storage.quota = 100_000;
    await assert.rejects(
      async () => await (await open(hub, storage)).open("model.safetensors"),
      (error: Error) =>
        error instanceof HubError && /in the Cache Storage "berth-hub": no space is left/.test(error.message),
    );
    storage.quota = Infinity;
    const source = (await (await open(hub, storage)).open("model.safetensors"))!;
    for (const key of storage.entries.keys()) if (key.includes("/blobs/")) storage.entries.delete(key);
    await assert.rejects(() => source.read(0, 10), /part 0 of it is no longer in/);
  }));

Deno.test("the runtime's own Cache Storage does as well", () =>
  withHub(async (hub) => {
    hub.add("own/m", { "model.safetensors": BIG });
    try {
      await (await open(hub, caches)).open("model.safetensors");
      assert.deepEqual(await (await open(hub, caches, { revision: "v1" })).read("model.safetensors"), BIG);
      assert.equal(hub.downloads("model.safetensors").length, 1);
    } finally {
      await caches.delete("berth-hub");
    }
  }));

Deno.test("without any cache files are read from the hub in ranges", () =>
  withHub(async (hub) => {
    hub.add("own/m", { "model.safetensors": BIG }, { token: "hf_x" });
    const source = (await (await open(hub, null, { token: "hf_x" })).open("model.safetensors"))!;
    assert.deepEqual(await source.read(1000, 2000), BIG.subarray(1000, 2000));
    assert.deepEqual(hub.downloads("model.safetensors").map(({ range }) => range), [
      "bytes=0-0",
      "bytes=1000-1999",
    ]);
    await assert.rejects(
      () => open(hub, null, { local_files_only: true }),
      /this runtime, which has no cache, has nothing/,
    );
  }));

Deno.test("both ways of hashing agree", async () => {
  for (const length of [0, 1, 63, 64, 65, 5000]) {
    const bytes = noise(length);
    for (const [algorithm, hex] of [["sha256", sha256(bytes)], ["git-sha1", gitSha1(bytes)]] as const) {
      const native = await createHasher(algorithm, length), portable = await portableHasher(algorithm);
      if (algorithm === "git-sha1") portable.update(new TextEncoder().encode(`blob ${length}\0`));
      for (const hasher of [native, portable]) {
        hasher.update(bytes.subarray(0, length >> 1));
        hasher.update(bytes.subarray(length >> 1));
        assert.equal(hasher.hex(), hex);
      }
    }
  }
});
