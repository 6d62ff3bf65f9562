/** What the tests of the hub share. */
import { fileURLToPath } from "node:url";
import { openModelFiles } from "../../src/hub/mod.ts";
import type { DownloadProgress, HubOptions } from "../../src/hub/mod.ts";
import type { ModelFiles } from "../../src/weights/source.ts";
import { withFolder } from "../helpers/folder.ts";
import { FakeHub } from "./fake_hub.ts";

export { withFolder };

/** Runs with a hub and an empty cache folder. */
export async function withHub(run: (hub: FakeHub, cache: URL) => Promise<void>): Promise<void> {
  const hub = await FakeHub.start();
  try {
    await withFolder((cache) => run(hub, cache));
  } finally {
    await hub.close();
  }
}

/** No environment variable matters; pauses are short. */
export const QUICK: HubOptions = {
  token: false,
  local_files_only: false,
  patience: { pauseMs: 5, stallMs: 10_000 },
};

/** Opens a model of a fake hub. */
export function openFrom(
  hub: FakeHub,
  cache: URL,
  id: string,
  options: HubOptions = {},
): Promise<ModelFiles> {
  return openModelFiles(id, { ...QUICK, hub_url: hub.url, cache_dir: cache, ...options });
}

/** What a process of its own is to load, and where. */
export interface ChildJob {
  name: string;
  files: string[];
  options?: Record<string, unknown>;
  env?: Record<string, string>;
  cwd?: URL;
  /** Deno's permissions. Default: all. */
  permissions?: string[];
}

/** Starts a process that loads files. Environment and working folder belong to a process, and tests share theirs. */
export function startChild(
  { name, files, options = {}, env = {}, cwd, permissions = ["-A"] }: ChildJob,
): Deno.ChildProcess {
  const { token: _, ...quick } = QUICK;
  const job = JSON.stringify({ name, files, options: { ...quick, ...options } });
  const config = fileURLToPath(new URL("../../deno.json", import.meta.url));
  const script = fileURLToPath(new URL("child.ts", import.meta.url));
  const args = ["run", "--no-prompt", "--config", config, ...permissions, script, job];
  const kept = ["HOME", "PATH", "DENO_DIR", "TMPDIR", "XDG_CACHE_HOME"].flatMap((key) => {
    const value = Deno.env.get(key);
    return value === undefined ? [] : [[key, value]];
  });
  return new Deno.Command(Deno.execPath(), {
    ...{ args, cwd, clearEnv: true, env: { ...Object.fromEntries(kept), ...env } },
    ...{ stdin: "null", stdout: "piped", stderr: "piped" },
  }).spawn();
}

/** The lengths that a process prints, null for files that are not there; or `{ error }`. */
export async function childResult(child: Deno.ChildProcess): Promise<unknown> {
  const { stdout, stderr } = await child.output(), text = new TextDecoder().decode(stdout);
  if (!text.trim()) throw new Error(`The process said nothing but: ${new TextDecoder().decode(stderr)}`);
  return JSON.parse(text.trim());
}

/** Collects events. */
export function recorder(): {
  events: DownloadProgress[];
  progress_callback: (event: DownloadProgress) => void;
} {
  const events: DownloadProgress[] = [];
  return { events, progress_callback: (event) => events.push(event) };
}
