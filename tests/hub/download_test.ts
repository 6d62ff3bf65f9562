/** Downloads from servers that cut, lie, refuse and redirect. */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { HubError } from "../../src/errors.ts";
import { formatBytes, openModelFiles } from "../../src/hub/mod.ts";
import { blobName, FakeHub, type Fault, noise, type Request } from "./fake_hub.ts";
import { openFrom, QUICK, recorder, withHub } from "./helpers.ts";

const BIG = noise(300_000);

/** Faults for the downloads of one file, in order; then none. */
function faults(path: string, ...list: Fault[]): (request: Request) => Fault | undefined {
  return (request) =>
    request.path.endsWith(path) && !request.path.startsWith("/api/") ? list.shift() : undefined;
}

function incomplete(cache: URL, id: string, bytes: Uint8Array): URL {
  return new URL(`models--${id}/blobs/${blobName(bytes)}.incomplete`, cache);
}

Deno.test("a connection that is cut anywhere is taken up at the next byte", () =>
  withHub(async (hub, cache) => {
    hub.add("m", { "model.safetensors": BIG });
    const cuts = [0, 1, 17, 4096, 65535, 65536, 65537, 150_000, 299_998, 299_999];
    hub.fault = faults(
      "model.safetensors",
      ...cuts.map((cut, i) => ({ cutAfter: cut - (cuts[i - 1] ?? 0) })),
    );
    const { events, progress_callback } = recorder();
    const files = await openFrom(hub, cache, "m", { progress_callback });
    assert.deepEqual(await files.read("model.safetensors"), BIG);
    const asked = hub.downloads("model.safetensors").map(({ range }) => Number(range?.slice(6, -1) ?? 0));
    assert.deepEqual(asked, [0, ...cuts]);
    const loaded = events.filter(({ status }) => status === "progress").map((event) => event.loaded!);
    assert.deepEqual(loaded, loaded.toSorted((a, b) => a - b));
    assert.equal(loaded.at(-1), BIG.length);
  }));

Deno.test("a server without ranges sends all again, and what is there stays", () =>
  withHub(async (hub, cache) => {
    hub.add("m", { "model.safetensors": BIG });
    hub.fault = faults("model.safetensors", { cutAfter: 100_000, noRanges: true }, {
      cutAfter: 200_000,
      noRanges: true,
    }, {
      noRanges: true,
    });
    assert.deepEqual(await (await openFrom(hub, cache, "m")).read("model.safetensors"), BIG);
    const byUrl = await openModelFiles(`${hub.url}/m/resolve/main/`, QUICK);
    hub.fault = faults("model.safetensors", { noRanges: true, cutAfter: 5 }, { noRanges: true });
    assert.deepEqual(await byUrl.read("model.safetensors"), BIG);
  }));

Deno.test("a URL is read in ranges, and a cut one goes on", () =>
  withHub(async (hub) => {
    hub.add("m", { "model.safetensors": BIG, "empty": "" });
    const { events, progress_callback } = recorder();
    const files = await openModelFiles(`${hub.url}/m/resolve/main`, { ...QUICK, progress_callback });
    const source = (await files.open("model.safetensors"))!;
    assert.equal(source.byteLength, BIG.length);
    hub.fault = faults("model.safetensors", { cutAfter: 1000 });
    assert.deepEqual(await source.read(5, 200_000), BIG.subarray(5, 200_000));
    assert.deepEqual(await source.read(299_999, 300_000), BIG.subarray(299_999));
    source.close!();
    assert.deepEqual(hub.log.map(({ range }) => range), [
      ...["bytes=0-0", "bytes=5-199999", "bytes=1005-199999", "bytes=299999-"],
    ]);
    assert.deepEqual(events.map(({ status }) => status), [
      "initiate",
      "download",
      "progress",
      "progress",
      "done",
    ]);
    assert.equal((await files.read("empty"))!.length, 0);
  }));

Deno.test("wrong bytes are an error and do not stay", () =>
  withHub(async (hub, cache) => {
    hub.add("m", { "model.safetensors": BIG, "config.json": "{}" });
    const wrong = BIG.slice();
    wrong[123_456] ^= 1;
    hub.fault = ({ path }) => path.endsWith("/model.safetensors") ? { bytes: wrong } : undefined;
    const files = await openFrom(hub, cache, "m");
    await assert.rejects(
      () => files.open("model.safetensors"),
      (error: Error) =>
        error instanceof HubError &&
        /^Cannot use model\.safetensors: its sha256 is [0-9a-f]{64}, expected /.test(error.message),
    );
    assert.deepEqual(readdirSync(new URL("models--m/blobs/", cache)), []);
    hub.fault = ({ path }) =>
      path.endsWith("/config.json") ? { bytes: new TextEncoder().encode("[]") } : undefined;
    await assert.rejects(() => files.open("config.json"), /Cannot use config\.json: its git-sha1 is/);
    hub.fault = () => undefined;
    assert.deepEqual(await files.read("model.safetensors"), BIG);
  }));

Deno.test("what an earlier process left damaged is fetched anew", () =>
  withHub(async (hub, cache) => {
    hub.add("m", { "model.safetensors": BIG });
    const place = incomplete(cache, "m", BIG);
    mkdirSync(new URL(".", place), { recursive: true });
    for (const left of [new Uint8Array(5000), new Uint8Array(400_000), new Uint8Array(300_000), BIG]) {
      writeFileSync(place, left);
      const sent = () => hub.downloads("model.safetensors").reduce((sum, request) => sum + request.sent, 0);
      const before = sent();
      assert.deepEqual(await (await openFrom(hub, cache, "m")).read("model.safetensors"), BIG);
      assert.equal(sent() - before, left === BIG ? 0 : left.length === 5000 ? 595_000 : 300_000);
      Deno.removeSync(new URL("models--m/snapshots", cache), { recursive: true });
      Deno.removeSync(new URL("models--m/blobs", cache), { recursive: true });
      mkdirSync(new URL("models--m/blobs", cache));
    }
  }));

Deno.test("content of another length in the cache is not trusted", () =>
  withHub(async (hub, cache) => {
    hub.add("m", { "model.safetensors": BIG });
    await (await openFrom(hub, cache, "m")).read("model.safetensors");
    truncateSync(new URL(`models--m/blobs/${blobName(BIG)}`, cache), 10);
    Deno.removeSync(new URL("models--m/snapshots", cache), { recursive: true });
    assert.deepEqual(await (await openFrom(hub, cache, "m")).read("model.safetensors"), BIG);
  }));

Deno.test("files of other lengths than promised are not taken", () =>
  withHub(async (hub, cache) => {
    hub.add("m", { "model.safetensors": BIG });
    for (const bytes of [BIG.slice(0, 200_000), new Uint8Array(400_000)]) {
      hub.fault = ({ path }) => path.endsWith("/model.safetensors") ? { bytes } : undefined;
      await assert.rejects(
        async () => await (await openFrom(hub, cache, "m")).open("model.safetensors"),
        HubError,
      );
      assert.ok(!existsSync(new URL(`models--m/blobs/${blobName(BIG)}`, cache)));
    }
    hub.fault = () => undefined;
    assert.deepEqual(await (await openFrom(hub, cache, "m")).read("model.safetensors"), BIG);
  }));

Deno.test("redirects are followed, and the token stays with the hub", async () => {
  const cdn = await FakeHub.start();
  try {
    await withHub(async (hub, cache) => {
      hub.add("own/m", { "model.safetensors": BIG, "config.json": "{}" }, { token: "hf_x" });
      cdn.add("any", { "model.safetensors": BIG });
      hub.cdn = cdn.url;
      hub.fault = ({ path }) =>
        path.startsWith("/api/models/old/")
          ? { status: 307, headers: { location: path.replace("/old/", "/own/") } }
          : undefined;
      const files = await openFrom(hub, cache, "own/m", { token: "hf_x" });
      assert.deepEqual(await files.read("model.safetensors"), BIG);
      assert.ok(hub.log.length > 0 && hub.log.every(({ authorization }) => authorization === "Bearer hf_x"));
      assert.deepEqual(cdn.log.map(({ authorization }) => authorization), [undefined]);
      hub.fault = () => ({ status: 302, headers: { location: "/again" } });
      await assert.rejects(() => openFrom(hub, cache, "own/m"), /redirects more than 10 times/);
      hub.fault = () => ({ status: 302, headers: { location: "file:///etc/passwd" } });
      await assert.rejects(() => openFrom(hub, cache, "own/m"), /redirects from http: to file:/);
    });
  } finally {
    await cdn.close();
  }
});

Deno.test("a model that moved is found under its new name", () =>
  withHub(async (hub, cache) => {
    hub.add("google-bert/base", { "config.json": "{}" });
    hub.fault = ({ path }) =>
      /\/base\//.test(path) && !path.includes("google-bert")
        ? { status: 307, headers: { location: path.replace("/base/", "/google-bert/base/") } }
        : undefined;
    assert.ok(await (await openFrom(hub, cache, "base")).read("config.json"));
    assert.ok(existsSync(new URL("models--base/refs/main", cache)));
  }));

Deno.test("429 is obeyed, 503 and dropped connections are tried again", () =>
  withHub(async (hub, cache) => {
    hub.add("m", { "config.json": "{}" });
    const list: Fault[] = [{ status: 429, headers: { "retry-after": "1" } }, { status: 503 }, { drop: true }];
    hub.fault = () => list.shift();
    const begin = performance.now();
    const files = await openFrom(hub, cache, "m");
    assert.ok(performance.now() - begin >= 1000);
    assert.equal(hub.log.length, 4);
    list.push({ status: 500 }, {}, { drop: true }, { status: 408 });
    assert.ok(await files.read("config.json"));
  }));

Deno.test("a server that keeps failing is given up", () =>
  withHub(async (hub, cache) => {
    hub.add("m", { "config.json": "{}", "model.safetensors": BIG });
    hub.fault = () => ({ status: 503 });
    await assert.rejects(
      () => openFrom(hub, cache, "m"),
      /Cannot load "m" \(revision main\): the server answered 503/,
    );
    assert.equal(hub.log.length, 5);
    hub.fault = () => ({ status: 429, headers: { "retry-after": "3600" } });
    await assert.rejects(
      () => openFrom(hub, cache, "m"),
      /answered 429, too many requests and asks to wait 3600 s/,
    );
    assert.equal(hub.log.length, 6);
    hub.fault = ({ path }) => path.endsWith("safetensors") ? { cutAfter: 0 } : undefined;
    const files = await openFrom(hub, cache, "m");
    await assert.rejects(
      () => files.open("model.safetensors"),
      /^HubError: Cannot load model\.safetensors of "m" \(revision main, commit [0-9a-f]{40}\): the server/,
    );
    hub.fault = ({ path }) => path.endsWith("safetensors") ? { stallAfter: 0 } : undefined;
    const impatient = await openFrom(hub, cache, "m", { patience: { stallMs: 50, attempts: 2, pauseMs: 1 } });
    await assert.rejects(() => impatient.open("model.safetensors"), /nothing came for 50 ms/);
  }));

Deno.test("refusals say what to do", () =>
  withHub(async (hub, cache) => {
    hub.add("own/secret", { "config.json": "{}" }, { token: "hf_right" });
    hub.add("own/gated", { "config.json": "{}" }, { isGated: true });
    hub.add("own/open", { "config.json": "{}", "model.safetensors": BIG });
    const refused = (id: string, message: RegExp, options = {}) =>
      assert.rejects(
        () => openFrom(hub, cache, id, options),
        (error: Error) => {
          assert.ok(error instanceof HubError);
          assert.match(error.message, message);
          return true;
        },
      );
    await refused(
      "own/secret",
      /"own\/secret" \(revision main\): .* answered 401: .*it is private; .*give a token/,
    );
    await refused("own/secret", /answered 401: .*the token is wrong/, { token: "hf_wrong" });
    await refused("own/none", /answered 401: there is no such model/);
    await refused(
      "own/gated",
      /access to it is restricted \(403\): ask for it at http:.*\/own\/gated, then give a token/,
    );
    await refused("own/open", /has no revision "v9" of it \(404\); it was looked for at http:/, {
      revision: "v9",
    });
    await refused("own/open", /Cannot use the revision "\.\.\/x"/, { revision: "../x" });
    hub.fault = ({ path }) => path.endsWith("safetensors") ? { status: 404 } : undefined;
    const files = await openFrom(hub, cache, "own/open");
    await assert.rejects(
      () => files.open("model.safetensors"),
      /Cannot load model\.safetensors of "own\/open" \(revision main, .*has no file "model\.safetensors" of it \(404\)/,
    );
    hub.fault = () => ({ status: 200, headers: { "content-type": "text/html" }, body: "<html>" });
    await refused("own/open", /does not answer as a hub/);
    const byUrl = await openModelFiles(`${hub.url}/x/resolve/main/`, QUICK);
    hub.fault = () => ({ status: 403 });
    await assert.rejects(() => byUrl.open("config.json"), /answered 403; a token can be given/);
  }));

Deno.test("answers of a hostile hub are errors", () =>
  withHub(async (hub, cache) => {
    const { commit } = hub.add("m", { "config.json": "{}" });
    const entry = { type: "file", path: "config.json", size: 2, oid: "0".repeat(40) };
    const lists: unknown[] = [
      ...[{ ...entry, oid: "../../x" }, { ...entry, size: -1 }, { ...entry, size: 1e300 }, {
        ...entry,
        path: 5,
      }].map((e) => [e]),
      ...[5, null, { a: 1 }, [null], [{ ...entry, lfs: { oid: "x", size: 1 } }], "[".repeat(1e6)],
    ];
    for (const list of lists) {
      hub.fault = ({ path }) =>
        path.includes("/tree/") ? { status: 200, body: JSON.stringify(list) } : undefined;
      await assert.rejects(
        async () => await (await openFrom(hub, cache, "m")).open("config.json"),
        HubError,
        JSON.stringify(list).slice(0, 100),
      );
    }
    hub.fault = ({ path }) =>
      path.includes("/revision/") ? { status: 200, body: `{"sha": "../${commit}"}` } : undefined;
    await assert.rejects(() => openFrom(hub, cache, "m"), /tells no commit/);
    const next = { link: `<${hub.url}/api/models/m/tree/x>; rel="next"` };
    hub.fault = ({ path }) =>
      path.includes("/tree/") ? { status: 200, headers: next, body: "[]" } : undefined;
    await assert.rejects(
      async () => await (await openFrom(hub, cache, "m")).open("config.json"),
      /more than 100 pages/,
    );
    const bomb = `[${`${JSON.stringify(entry)},`.repeat(20)}{}]`, length = 40 * 2 ** 20;
    hub.fault = ({ path }) =>
      path.includes("/tree/") ? { status: 200, body: bomb + " ".repeat(length) } : undefined;
    await assert.rejects(
      async () => await (await openFrom(hub, cache, "m")).open("config.json"),
      /more than 33554432 bytes/,
    );
  }));

Deno.test("an abort ends download and pauses at once, and keeps what came", () =>
  withHub(async (hub, cache) => {
    hub.add("m", { "model.safetensors": BIG });
    const stop = new AbortController(), reason = new Error("enough");
    hub.fault = faults("model.safetensors", { stallAfter: 100_000 });
    const files = await openFrom(hub, cache, "m", {
      signal: stop.signal,
      progress_callback: ({ loaded = 0 }) => loaded >= 0 && setTimeout(() => stop.abort(reason), 150),
    });
    await assert.rejects(() => files.open("model.safetensors"), (error) => error === reason);
    assert.equal(readFileSync(incomplete(cache, "m", BIG)).length, 100_000);
    hub.fault = () => ({ status: 429, headers: { "retry-after": "100" } });
    const pause = AbortSignal.timeout(50);
    await assert.rejects(() => openFrom(hub, cache, "m", { signal: pause }), { name: "TimeoutError" });
  }));

Deno.test("many files and readers at once get each file once", () =>
  withHub(async (hub, cache) => {
    const all = Object.fromEntries(Array.from({ length: 12 }, (_, i) => [`f${i}`, noise(20_000 + i, i + 1)]));
    hub.add("m", all);
    const repositories = await Promise.all([1, 2].map(() => openFrom(hub, cache, "m")));
    await Promise.all(
      repositories.flatMap((files) =>
        [...Object.keys(all), ...Object.keys(all)].map(async (name) => {
          assert.deepEqual(await files.read(name), all[name]);
        })
      ),
    );
    for (const name of Object.keys(all)) assert.equal(hub.downloads(`/${name}`).length, 1, name);
    assert.equal(formatBytes(all.f0.length), "20.0 kB");
  }));
