/** Several processes, killed processes, full disks, locks. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { HubError } from "../../src/errors.ts";
import { withFileLock } from "../../src/hub/file_lock.ts";
import { filePath } from "../../src/runtime/files.ts";
import { blobName, type FakeHub, noise } from "./fake_hub.ts";
import { childResult, openFrom, startChild, withFolder, withHub } from "./helpers.ts";

const BIG = noise(1_000_000);

function job(hub: FakeHub, cache: URL) {
  const options = { hub_url: hub.url, cache_dir: filePath(cache), patience: { stallMs: 20_000 } };
  return { name: "own/m", files: ["model.safetensors"], options };
}

function sizeOf(file: URL): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}

async function until(condition: () => boolean): Promise<void> {
  for (let i = 0; !condition(); i++) {
    if (i > 1000) throw new Error("It did not happen within 10 s");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

Deno.test("ten processes killed at random bytes, one after the other: no byte is sent twice", () =>
  withHub(async (hub, cache) => {
    hub.add("own/m", { "model.safetensors": BIG });
    const incomplete = new URL(`models--own--m/blobs/${blobName(BIG)}.incomplete`, cache);
    for (let run = 0, begin = 0; run < 10; run++) {
      const stop = begin + 1 + Math.floor(Math.random() * (BIG.length - begin - 1) / 4);
      hub.fault = ({ path }) =>
        path.endsWith("/model.safetensors") ? { stallAfter: stop - begin } : undefined;
      const child = startChild(job(hub, cache));
      await until(() => sizeOf(incomplete) === stop);
      child.kill("SIGKILL");
      await child.output();
      begin = stop;
    }
    hub.fault = () => undefined;
    assert.deepEqual(await childResult(startChild(job(hub, cache))), [BIG.length]);
    assert.deepEqual(
      await (await openFrom(hub, cache, "own/m", { local_files_only: true })).read("model.safetensors"),
      BIG,
    );
    const downloads = hub.downloads("model.safetensors");
    assert.equal(downloads.length, 11);
    assert.equal(downloads.reduce((sum, { sent }) => sum + sent, 0), BIG.length);
    assert.ok(!existsSync(incomplete));
    assert.deepEqual(readdirSync(new URL(".locks/models--own--m", cache)), []);
  }));

Deno.test("two processes at once: one downloads, the other waits for it", () =>
  withHub(async (hub, cache) => {
    hub.add("own/m", { "model.safetensors": BIG });
    hub.fault = ({ path }) => path.endsWith("/model.safetensors") ? { delayMs: 700 } : undefined;
    const both = await Promise.all([1, 2].map(() => childResult(startChild(job(hub, cache)))));
    assert.deepEqual(both, [[BIG.length], [BIG.length]]);
    assert.equal(hub.downloads("model.safetensors").length, 1);
  }));

Deno.test("the one who waits goes on when the other is killed", () =>
  withHub(async (hub, cache) => {
    hub.add("own/m", { "model.safetensors": BIG });
    let faults = 1;
    hub.fault = ({ path }) =>
      path.endsWith("/model.safetensors") && faults-- > 0 ? { stallAfter: 400_000 } : undefined;
    const first = startChild(job(hub, cache));
    await until(() => sizeOf(new URL(`models--own--m/blobs/${blobName(BIG)}.incomplete`, cache)) === 400_000);
    const second = openFrom(hub, cache, "own/m").then((files) => files.read("model.safetensors"));
    await new Promise((resolve) => setTimeout(resolve, 200));
    first.kill("SIGKILL");
    await first.output();
    assert.deepEqual(await second, BIG);
    assert.deepEqual(hub.downloads("model.safetensors").map(({ range }) => range), [
      undefined,
      "bytes=400000-",
    ]);
  }));

Deno.test("a lock is held by one, and one without a sign of life is taken over", () =>
  withFolder(async (folder) => {
    const lock = new URL("a/b.berth", folder);
    let inside = 0, most = 0;
    const hold = () =>
      withFileLock(lock, undefined, async () => {
        most = Math.max(most, ++inside);
        await new Promise((resolve) => setTimeout(resolve, 10));
        inside--;
      });
    await Promise.all(Array.from({ length: 8 }, hold));
    assert.deepEqual([most, existsSync(lock)], [1, false]);
    for (
      const left of ["", "{", `{"pid": ${Deno.pid}, "host": "${Deno.hostname()}", "id": "x"}`, `{"pid": 1e9}`]
    ) {
      writeFileSync(lock, left);
      assert.equal(await withFileLock(lock, undefined, () => Promise.resolve(5), 100), 5);
    }
    writeFileSync(lock, "");
    await assert.rejects(
      () => withFileLock(lock, AbortSignal.timeout(50), () => Promise.resolve()),
      { name: "TimeoutError" },
    );
    await assert.rejects(
      () => withFileLock(new URL("c.berth", folder), undefined, () => Promise.reject(new Error("no"))),
      /no/,
    );
    assert.ok(!existsSync(new URL("c.berth", folder)));
  }));

/** Runs with a folder on a file system of 256 KiB. */
async function withSmallDisk(run: (folder: URL) => Promise<void>): Promise<void> {
  await withFolder(async (folder) => {
    const path = filePath(folder);
    assert.equal(spawnSync("mount", ["-t", "tmpfs", "-o", "size=256k", "tmpfs", path]).status, 0);
    try {
      await run(folder);
    } finally {
      spawnSync("umount", [path]);
    }
  });
}

async function canMount(): Promise<boolean> {
  if (Deno.build.os !== "linux" || Deno.uid() !== 0) return false;
  return await withSmallDisk(() => Promise.resolve()).then(() => true, () => false);
}

Deno.test({
  name: "a full disk is an error before or while bytes come, and the download goes on when there is space",
  ignore: !await canMount(), // only root can make a small disk
  fn: () =>
    withHub((hub) =>
      withSmallDisk(async (cache) => {
        const small = BIG.slice(0, 150_000), filler = new URL("filler", cache);
        hub.add("own/m", { "model.safetensors": BIG, "small.bin": small });
        const files = await openFrom(hub, cache, "own/m");
        await assert.rejects(() => files.open("model.safetensors"), (error: Error) => {
          assert.ok(error instanceof HubError);
          assert.match(
            error.message,
            /^Cannot download model\.safetensors: no space is left for its 1\.00 MB in .*, \d+ kB are free/,
          );
          return true;
        });
        assert.equal(hub.downloads("model.safetensors").length, 0);
        hub.fault = ({ path }) => { // after the space was measured
          if (path.endsWith("small.bin")) writeFileSync(filler, new Uint8Array(190_000));
          return undefined;
        };
        await assert.rejects(
          () => files.open("small.bin"),
          (error: Error) =>
            error instanceof HubError &&
            /^Cannot write .*: no space is left on the disk$/.test(error.message),
        );
        hub.fault = () => undefined;
        Deno.removeSync(filler);
        assert.deepEqual(await files.read("small.bin"), small);
        assert.match(hub.downloads("small.bin").at(-1)!.range!, /^bytes=[1-9]\d*-$/);
      })
    ),
});
