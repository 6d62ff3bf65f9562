/**
 * Names that come from users and servers: hub ids, revisions, files. What is accepted here cannot leave a folder.
 *
 * @module
 */
import { HubError } from "../errors.ts";

/** A full commit hash. */
const COMMIT = /^[0-9a-f]{40}$/;

/** `name` or `owner/name`: letters, digits, `-`, `_`, `.`; no `..` and no `--`; 96 characters at most. */
export function isHubId(name: string): boolean {
  return name.length <= 96 && !/--|\.\.|\.git$/.test(name) &&
    /^([A-Za-z0-9_][\w.-]*\/)?[A-Za-z0-9_]([\w.-]*\w)?$/.test(name);
}

/** True if a revision names one commit for ever, and not a branch or a tag. */
export function isCommit(revision: string): boolean {
  return COMMIT.test(revision);
}

/**
 * Makes sure that a file's name is a path inside the model's folder.
 *
 * @throws {HubError} otherwise.
 */
export function checkFileName(name: string): string {
  return checkPath(name, "file name");
}

/**
 * Makes sure that a revision is a branch, tag or commit.
 *
 * @throws {HubError} otherwise.
 */
export function checkRevision(revision: string): string {
  return checkPath(revision, "revision");
}

function checkPath(path: string, kind: string): string {
  // No way up, no drive, no control character.
  // deno-lint-ignore no-control-regex
  const part = /^(?!\.{0,2}$)[^\\:\x00-\x1f\x7f]+$/;
  const isGood = path.length <= 1024 && path.split("/").every((name) => part.test(name));
  if (!isGood) {
    throw new HubError(
      `Cannot use the ${kind} ${JSON.stringify(path)}: a relative path without ".." is wanted`,
    );
  }
  return path;
}

/** A path as part of a URL. */
export function encodePath(path: string): string {
  return path.split("/").map(encodeURIComponent).join("/");
}

/** What a hub keeps: models and datasets may have the same id. */
export type RepositoryType = "model" | "dataset";

/** Where the hub says that a model or a dataset is: its name in the cache, as in Python. */
export function cacheFolderName(id: string, type: RepositoryType = "model"): string {
  return `${type}s--${id.replaceAll("/", "--")}`;
}

/** What follows the hub's address in the address of a model or a dataset. */
export function pagePath(id: string, type: RepositoryType): string {
  return type === "model" ? id : `${type}s/${id}`;
}
