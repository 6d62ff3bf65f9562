/**
 * The options of everything that finds a model's files, and what they come to with the environment.
 *
 * @module
 */
import { HubError } from "../errors.ts";
import { folderUrl } from "../runtime/files.ts";
import { environmentVariable, homeFolder } from "../runtime/platform.ts";
import type { Patience } from "./http_client.ts";
import { checkRevision } from "./names.ts";
import type { DownloadProgress } from "./progress.ts";

/** How a model's files are found. `revision`, `hub_url`, `cache_dir` and `local_files_only` matter only to models on a hub. */
export interface HubOptions {
  /** A branch, a tag or a commit. Default `"main"`. */
  revision?: string;
  /**
   * An access token; `false` for none. Default: the environment's `HF_TOKEN`. It is sent to the hub only. For a model
   * that is given as a URL, it is sent to that URL's host, and only if it is given here.
   */
  token?: string | false | null;
  /** The hub, or a mirror of it. Default: the environment's `HF_ENDPOINT`, else `https://huggingface.co`. */
  hub_url?: string | URL | null;
  /**
   * The folder of downloaded models, shared with Python's `huggingface_hub`. Default: the environment's
   * `HF_HUB_CACHE`, else `HF_HOME/hub`, else `~/.cache/huggingface/hub`. Browsers use their Cache Storage instead.
   */
  cache_dir?: string | URL | null;
  /** Uses what the cache has and sends no request. Default: the environment's `HF_HUB_OFFLINE`, else false. */
  local_files_only?: boolean | null;
  /** Called while files are downloaded; `progressBar` makes one. */
  progress_callback?: ((progress: DownloadProgress) => void) | null;
  /** Ends the download; what has come is kept, and the next call goes on from there. */
  signal?: AbortSignal | null;
  /** How patient requests are. */
  patience?: Partial<Patience> | null;
}

/** Takes the hub's options out of an object that has others too. */
export function takeHubOptions<T extends HubOptions>(options: T): [HubOptions, Omit<T, keyof HubOptions>] {
  const {
    revision,
    token,
    hub_url,
    cache_dir,
    local_files_only,
    progress_callback,
    signal,
    patience,
    ...others
  } = options;
  return [
    { revision, token, hub_url, cache_dir, local_files_only, progress_callback, signal, patience },
    others,
  ];
}

/** Options with nothing left open. */
export interface HubSettings {
  readonly revision: string;
  readonly token: string | undefined;
  /** Without a slash at its end. */
  readonly hubUrl: string;
  readonly isOffline: boolean;
  readonly signal: AbortSignal | undefined;
  readonly report: (progress: DownloadProgress) => void;
  readonly patience: Partial<Patience>;
}

/**
 * Fills options from the environment. Variables that the program may not read count as unset.
 *
 * @throws {HubError} if an option has a value that it cannot have.
 */
export function hubSettings(options: HubOptions): HubSettings {
  const hubUrl = String(options.hub_url ?? (environmentVariable("HF_ENDPOINT") || "https://huggingface.co"));
  if (!URL.canParse(hubUrl) || !/^https?:$/.test(new URL(hubUrl).protocol)) {
    throw new HubError(`Cannot use the hub ${JSON.stringify(hubUrl)}: an http or https URL is wanted`);
  }
  return {
    revision: checkRevision(options.revision ?? "main"),
    token: options.token === false
      ? undefined
      : options.token || environmentVariable("HF_TOKEN") || undefined,
    hubUrl: hubUrl.replace(/\/+$/, ""),
    isOffline: options.local_files_only ?? isOn(environmentVariable("HF_HUB_OFFLINE")),
    signal: options.signal ?? undefined,
    report: options.progress_callback ?? (() => {}),
    patience: options.patience ?? {},
  };
}

/** True for what Python's huggingface_hub takes as true. */
export function isOn(variable: string | undefined): boolean {
  return /^(1|on|yes|true)$/i.test(variable ?? "");
}

/**
 * The folder of downloaded models.
 *
 * @throws {HubError} if nothing says where it is.
 */
export function cacheFolder(option: string | URL | null | undefined): URL {
  if (option instanceof URL) return new URL(option.href.replace(/\/?$/, "/"));
  const variable = (name: string) => environmentVariable(name) || undefined;
  const home = variable("HF_HOME"), shared = variable("XDG_CACHE_HOME");
  const folder = option ?? variable("HF_HUB_CACHE") ?? variable("HUGGINGFACE_HUB_CACHE") ??
    (home && `${home}/hub`) ?? `${shared ?? "~/.cache"}/huggingface/hub`;
  if (!/^~(?=[/\\]|$)/.test(folder)) return folderUrl(folder);
  const user = homeFolder();
  if (user === undefined) {
    throw new HubError(
      `Cannot find the cache ${folder}: there is no home folder; set cache_dir or HF_HUB_CACHE`,
    );
  }
  return folderUrl(user + folder.slice(1));
}
