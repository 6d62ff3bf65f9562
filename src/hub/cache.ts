/**
 * What keeps downloaded files: a folder or a browser's Cache Storage, behind one interface. Content is named by its
 * hash, and a file of a commit points to content; so nothing that is kept ever changes.
 *
 * @module
 */
import { HubError } from "../errors.ts";
import type { ByteSource } from "../weights/source.ts";
import type { FileHash } from "./hash.ts";

/** A file as the hub lists it. */
export interface RemoteFile {
  /** Its path in the model's folder. */
  readonly path: string;
  readonly byteLength: number;
  readonly hash: FileHash;
}

/** Downloads a file from a byte on. */
export type FetchFrom = (begin: number) => AsyncIterable<Uint8Array>;

/** The files of one model that are kept here. */
export interface HubCache {
  /** For messages. */
  readonly place: string;
  /** The commit that a branch or tag had when it was last asked for, or null. */
  commitOf(revision: string): Promise<string | null>;
  /** Keeps what {@linkcode commitOf} gives. */
  rememberCommit(revision: string, commit: string): Promise<void>;
  /** What is here of a commit, or of one of its folders. */
  list(commit: string, folder?: string): Promise<string[]>;
  /** Opens a file of a commit, or gives null if it is not here. */
  open(commit: string, path: string): Promise<ByteSource | null>;
  /** True if it is known that the commit has no such file. */
  isAbsent(commit: string, path: string): Promise<boolean>;
  /** Keeps what {@linkcode isAbsent} gives. */
  rememberAbsent(commit: string, path: string): Promise<void>;
  /**
   * Gets a file unless it is here, going on where an earlier download ended.
   *
   * @throws {HubError} if other bytes came than were promised (they are removed), or there is no space.
   */
  add(commit: string, file: RemoteFile, fetchFrom: FetchFrom, signal?: AbortSignal): Promise<void>;
}

/** The error for bytes that are not those that the hub promised. */
export function wrongBytes(file: RemoteFile, found: string): HubError {
  return new HubError(
    `Cannot use ${file.path}: its ${file.hash.algorithm} is ${found}, expected ${file.hash.hex}; what came was removed`,
  );
}
