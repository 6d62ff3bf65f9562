/**
 * The hashes by which a hub names files, taken while the bytes pass: SHA-256 of large files, git's SHA-1 of small ones.
 *
 * @module
 */
import { nativeHash } from "../runtime/platform.ts";

/** Which bytes a file has. */
export interface FileHash {
  /** `"git-sha1"` is SHA-1 over `blob <length>\0` and the content. */
  readonly algorithm: "sha256" | "git-sha1";
  /** In lower-case hexadecimal digits. */
  readonly hex: string;
}

/** A hash under way. */
export interface Hasher {
  update(bytes: Uint8Array): void;
  /** The result; nothing can be added afterwards. */
  hex(): string;
}

/** Starts a hash, native where that exists. */
export async function createHasher(algorithm: FileHash["algorithm"], byteLength: number): Promise<Hasher> {
  const hasher = nativeHash(algorithm === "sha256" ? "sha256" : "sha1") ?? await portableHasher(algorithm);
  if (algorithm === "git-sha1") hasher.update(new TextEncoder().encode(`blob ${byteLength}\0`));
  return hasher;
}

/** The hash in JavaScript, as in browsers; git's header is not in it. */
export async function portableHasher(algorithm: FileHash["algorithm"]): Promise<Hasher> {
  const hash = algorithm === "sha256"
    ? (await import("@noble/hashes/sha2.js")).sha256.create()
    : (await import("@noble/hashes/legacy.js")).sha1.create();
  return {
    update: (bytes) => void hash.update(bytes),
    hex: () => Array.from(hash.digest(), (byte) => byte.toString(16).padStart(2, "0")).join(""),
  };
}
