/**
 * Where runs are kept between requests: bytes by key, each write on condition that nobody wrote in between.
 *
 * @module
 */

/** A value of a {@linkcode StateStore}. */
export interface StoredState {
  /** The value. */
  bytes: Uint8Array;
  /** Another one after each write. */
  version: string;
}

/** Bytes by key. A write is whole or not at all, and is refused if another came first. */
export interface StateStore {
  /** What stands under the key, or null. */
  get(key: string): Promise<StoredState | null>;
  /**
   * Writes if what stands there is still of that version.
   *
   * @param expected The version that was read; null if there was nothing.
   * @returns The new version, or null if there is another version now: nothing is changed then.
   */
  put(key: string, bytes: Uint8Array<ArrayBuffer>, expected: string | null): Promise<string | null>;
}

/** A store that lasts as long as the program. */
export function memoryStore(): StateStore {
  const values = new Map<string, StoredState>();
  let writes = 0;
  return {
    get: (key) => Promise.resolve(values.get(key) ?? null),
    put: (key, bytes, expected) => {
      if ((values.get(key)?.version ?? null) !== expected) return Promise.resolve(null);
      const version = String(++writes);
      values.set(key, { bytes: bytes.slice(), version });
      return Promise.resolve(version);
    },
  };
}

/** What is used of a bucket of Cloudflare R2. */
export interface R2BucketLike {
  /** Reads an object. */
  get(key: string): Promise<{ etag: string; arrayBuffer(): Promise<ArrayBuffer> } | null>;
  /** Writes an object if the condition holds; else null. */
  put(
    key: string,
    value: Uint8Array<ArrayBuffer>,
    options: { onlyIf: { etagMatches: string } | Headers },
  ): Promise<{ etag: string } | null>;
}

/** A store in a bucket of Cloudflare R2; its conditional writes compare entity tags. */
export function r2Store(bucket: R2BucketLike): StateStore {
  return {
    async get(key) {
      const object = await bucket.get(key);
      return object && { bytes: new Uint8Array(await object.arrayBuffer()), version: object.etag };
    },
    async put(key, bytes, expected) {
      const onlyIf = expected === null ? new Headers({ "If-None-Match": "*" }) : { etagMatches: expected };
      return (await bucket.put(key, bytes, { onlyIf }))?.etag ?? null;
    },
  };
}
