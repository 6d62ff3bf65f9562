/** The cache is shared with Python's huggingface_hub, both ways. The variable BERTH_PYTHON names another Python. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readlinkSync } from "node:fs";
import { filePath } from "../../src/runtime/files.ts";
import { FakeHub, noise } from "./fake_hub.ts";
import { openFrom, withHub } from "./helpers.ts";

const PYTHON = Deno.env.get("BERTH_PYTHON") ?? "python3";
const hasPython = spawnSync(PYTHON, ["-c", "import huggingface_hub"]).status === 0;
if (!hasPython) console.log(`Skipped: ${PYTHON} has no huggingface_hub; BERTH_PYTHON names another Python`);

const FILES = { "config.json": "{}", "sub/vocab.txt": "a\nb", "model.safetensors": noise(50_000) };

/** Runs Python with a hub and a cache; gives what it prints. */
async function python(
  hub: FakeHub,
  cache: URL,
  script: string,
  env: Record<string, string> = {},
): Promise<string> {
  const settings = {
    HF_ENDPOINT: hub.url,
    HF_HUB_CACHE: filePath(cache),
    HF_HUB_DISABLE_TELEMETRY: "1",
    HF_HUB_DISABLE_XET: "1",
  };
  const { success, stdout, stderr } = await new Deno.Command(PYTHON, {
    args: [
      "-c",
      `from huggingface_hub import hf_hub_download, try_to_load_from_cache, scan_cache_dir\n${script}`,
    ],
    env: { ...settings, ...env },
  }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout).trim();
}

Deno.test({
  name: "a model that Python downloaded is found, online and offline",
  ignore: !hasPython,
  fn: () =>
    withHub(async (hub, cache) => {
      hub.add("own/m", FILES);
      await python(hub, cache, `for f in ${JSON.stringify(Object.keys(FILES))}: hf_hub_download("own/m", f)`);
      hub.log.length = 0;
      for (const local_files_only of [false, true]) {
        const files = await openFrom(hub, cache, "own/m", { local_files_only });
        assert.deepEqual(await files.read("model.safetensors"), FILES["model.safetensors"]);
        assert.equal(new TextDecoder().decode((await files.read("sub/vocab.txt"))!), "a\nb");
      }
      assert.equal(hub.log.length, 1);
    }),
});

Deno.test({
  name: "a model that was downloaded here is found by Python, online and offline",
  ignore: !hasPython,
  fn: () =>
    withHub(async (hub, cache) => {
      const { commit } = hub.add("own/m", FILES);
      const files = await openFrom(hub, cache, "own/m");
      for (const name of Object.keys(FILES)) await files.read(name);
      assert.equal(await files.read("none.json"), null);
      hub.log.length = 0;
      const load = `
for f in ${JSON.stringify(Object.keys(FILES))}: print(len(open(hf_hub_download("own/m", f), "rb").read()))
print(type(try_to_load_from_cache("own/m", "none.json")).__name__, try_to_load_from_cache("own/m", "none.json") is not None)
info = scan_cache_dir()
print(len(info.warnings), [(r.repo_id, r.nb_files, sorted(r.refs)) for r in info.repos])`;
      const wanted = "2\n3\n50000\nobject True\n0 [('own/m', 3, ['main'])]";
      assert.equal(await python(hub, cache, load), wanted);
      assert.ok(hub.log.length > 0 && hub.log.every(({ method }) => method === "HEAD"));
      assert.equal(await python(hub, cache, load, { HF_HUB_OFFLINE: "1" }), wanted);
      const link = new URL(`models--own--m/snapshots/${commit}/sub/vocab.txt`, cache);
      assert.match(readlinkSync(link), /^\.\.\/\.\.\/\.\.\/blobs\/[0-9a-f]{40}$/);
    }),
});
