/**
 * Uploads a model: weights, configuration, tokenizer and a model card, as one commit, with `@huggingface/hub`.
 *
 * @module
 */
import { HubError } from "../errors.ts";
import { fileState, folderUrl, isFolder, listFolder, readText } from "../runtime/files.ts";
import { HttpClient, type HttpRequest, limitBody } from "./http_client.ts";
import { explain, HttpFailure } from "./http_failure.ts";
import { type CardConfig, type ModelCard, modelCard } from "./model_card.ts";
import { checkFileName, encodePath, isHubId } from "./names.ts";
import { type HubOptions, hubSettings } from "./options.ts";

/** A model's folder, as a path or URL; or its files by name. */
export type PushFiles = string | URL | Readonly<Record<string, string | Uint8Array<ArrayBuffer> | Blob>>;

/** Options of {@linkcode push_to_hub}; those of the hub are as everywhere, `revision` is the branch. */
export interface PushOptions
  extends Pick<HubOptions, "revision" | "token" | "hub_url" | "progress_callback" | "signal" | "patience"> {
  /** Makes a new repository private. Default: what the account's settings say. */
  private?: boolean;
  /** Default `"Upload model with berth"`. */
  commit_message?: string;
  /** More about the commit. Default: nothing. */
  commit_description?: string;
  /** Opens a pull request instead of changing the branch. Default false. */
  create_pr?: boolean;
  /** What README.md tells; its text; or false for none. Default: the README.md of the files, else a generated one. */
  model_card?: ModelCard | string | false;
}

/** What an upload came to. */
export interface PushResult {
  /** The model's page. */
  readonly url: string;
  /** The new commit's hash. */
  readonly commit: string;
  /** The pull request, if one was opened. */
  readonly pull_request_url?: string;
}

/** What of a folder belongs to a model. */
const MODEL_FILES =
  /^(config\.json|[^.].*\.safetensors|model\.safetensors\.index\.json|pytorch_model.*\.(bin|bin\.index\.json)|vocab\.txt|tokenizer\.json|tokenizer_config\.json|special_tokens_map\.json|added_tokens\.json|README\.md|LICENSE(\.\w+)?)$/;

const MAX_ANSWER_BYTES = 32 * 2 ** 20;

/**
 * Uploads a model; makes its repository if there is none.
 *
 * @param files A folder, of which config.json, weights, tokenizer files, README.md and LICENSE are taken; or files by
 * name, of which all are.
 * @param repo `owner/name`.
 * @param options Where to and how.
 * @returns The commit.
 * @throws {HubError} if there is no model among the files, no token, or the hub refuses.
 */
export async function push_to_hub(
  files: PushFiles,
  repo: string,
  options: PushOptions = {},
): Promise<PushResult> {
  const { revision, hubUrl, token, signal, report, patience } = hubSettings(options),
    action = `Cannot upload to "${repo}"`;
  if (!isHubId(repo) || !repo.includes("/")) throw new HubError(`${action}: "owner/name" is wanted`);
  if (token === undefined) {
    throw new HubError(`${action}: there is no token; give one (option token or HF_TOKEN)`);
  }
  const contents = await collect(files, action);
  await addCard(contents, repo, options.model_card);

  const client = new HttpClient(new URL(hubUrl).origin, token, signal, patience);
  const { createRepo, uploadFiles } = await import("@huggingface/hub");
  const model = { type: "model" as const, name: repo }, event = { name: repo };
  const send = async (url: RequestInfo | URL, request?: RequestInit & Hint) => {
    const response = limitBody(await client.request(String(url), request as HttpRequest), MAX_ANSWER_BYTES);
    if (request?.method === "PUT" && request.progressHint?.path !== undefined) {
      tell(request.progressHint.path);
    }
    return response;
  };
  const tell = (file: string) => {
    const total = contents.get(file)!.byteLength;
    if (total > 0) report({ ...event, file, status: "progress", progress: 100, loaded: total, total });
  };
  try {
    for (const file of contents.keys()) report({ ...event, file, status: "initiate" });
    // The client puts the token where it belongs; here it has only to look like one.
    const create = createRepo({
      repo: model,
      private: options.private,
      hubUrl,
      fetch: send,
      accessToken: "hf_",
    });
    await create.catch((error) => {
      if (!(error instanceof HttpFailure && error.status === 409)) throw error; // 409: it is there
    });
    const output = await uploadFiles({
      repo: model,
      files: Array.from(contents, ([path, { content }]) => ({ path, content })),
      commitTitle: options.commit_message ?? "Upload model with berth",
      commitDescription: options.commit_description,
      branch: revision,
      isPullRequest: options.create_pr,
      hubUrl,
      fetch: send,
      abortSignal: signal,
    });
    if (!output) throw new Error("it tells no commit");
    for (const file of contents.keys()) report({ ...event, file, status: "done" });
    const { commit, pullRequestUrl } = output;
    return {
      url: `${hubUrl}/${repo}`,
      commit: commit.oid,
      ...(pullRequestUrl ? { pull_request_url: pullRequestUrl } : {}),
    };
  } catch (error) {
    signal?.throwIfAborted();
    const told = explain(error, { action, wanted: `branch "${revision}"`, hubUrl, id: repo, hasToken: true });
    if (told instanceof HubError) throw told;
    throw new HubError(`${action}: ${error instanceof Error ? error.message : error}`, { cause: error });
  }
}

/** How the library says which file a request is for. */
interface Hint {
  progressHint?: { path?: string };
}

type Contents = Map<string, { content: Blob | URL; byteLength: number; text: () => Promise<string> }>;

async function collect(files: PushFiles, action: string): Promise<Contents> {
  const contents: Contents = new Map();
  if (typeof files === "string" || files instanceof URL) {
    const folder = folderUrl(files);
    if (!isFolder(folder)) throw new HubError(`${action}: there is no folder ${files}`);
    for (const name of (await listFolder(folder)).filter((name) => MODEL_FILES.test(name)).sort()) {
      const content = new URL(encodePath(name), folder), state = await fileState(content);
      if (!state || isFolder(content)) continue;
      contents.set(name, {
        content,
        byteLength: state.byteLength,
        text: async () => await readText(content) ?? "",
      });
    }
  } else {
    for (const [name, bytes] of Object.entries(files)) addBytes(contents, checkFileName(name), bytes);
  }
  const names = [...contents.keys()];
  const missing = !contents.has("config.json")
    ? "config.json"
    : !names.some((name) => /\.(safetensors|bin)$/.test(name))
    ? "weights (*.safetensors)"
    : null;
  if (missing) {
    throw new HubError(`${action}: there is no ${missing} among the files (${names.join(", ") || "none"})`);
  }
  return contents;
}

function addBytes(contents: Contents, name: string, bytes: string | Uint8Array<ArrayBuffer> | Blob): void {
  const content = bytes instanceof Blob ? bytes : new Blob([bytes]);
  contents.set(name, { content, byteLength: content.size, text: () => content.text() });
}

async function addCard(contents: Contents, repo: string, card: PushOptions["model_card"]): Promise<void> {
  if (card === false) return;
  if (typeof card === "string") addBytes(contents, "README.md", card);
  else if (card || !contents.has("README.md")) {
    const text = await contents.get("config.json")!.text();
    addBytes(contents, "README.md", modelCard(repo, card, parseConfig(text, repo)));
  }
}

function parseConfig(text: string, repo: string): CardConfig {
  try {
    const config = JSON.parse(text);
    if (typeof config === "object" && config !== null && Array.isArray(config.architectures ?? [])) {
      return config;
    }
  } catch {
    // told below
  }
  throw new HubError(`Cannot write a model card for "${repo}": config.json is not a model's`);
}
