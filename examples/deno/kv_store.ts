/// <reference lib="deno.unstable" />
/** Runs in Deno KV, whose values have 64 KiB at most: the parts first, then, atomically, what says which parts count. */
import type { StateStore } from "@berth/berth/edge";

/** Bytes of a part. */
const PART = 60_000;

interface Entry {
  parts: string;
  count: number;
}

/** A store in Deno KV. */
export function kvStore(kv: Deno.Kv): StateStore {
  const partKeys = (key: string, { parts, count }: Entry) =>
    Array.from({ length: count }, (_, i) => ["part", key, parts, i]);
  const find = async (key: string) => {
    const { value, versionstamp } = await kv.get<Entry>(["entry", key]);
    if (value === null) return null;
    const parts: Uint8Array<ArrayBuffer>[] = [];
    for (const part of partKeys(key, value)) {
      const { value } = await kv.get<Uint8Array<ArrayBuffer>>(part);
      if (value === null) return undefined; // replaced while it was read
      parts.push(value);
    }
    return { bytes: new Uint8Array(await new Blob(parts).arrayBuffer()), version: versionstamp };
  };
  return {
    async get(key) {
      for (;;) {
        const found = await find(key);
        if (found !== undefined) return found;
      }
    },
    async put(key, bytes, expected) {
      const former = await kv.get<Entry>(["entry", key]);
      if (former.versionstamp !== expected) return null;
      const entry = { parts: crypto.randomUUID(), count: Math.ceil(bytes.length / PART) };
      for (const part of partKeys(key, entry)) {
        await kv.set(part, bytes.slice(Number(part[3]) * PART, (Number(part[3]) + 1) * PART));
      }
      const written = await kv.atomic().check(former).set(["entry", key], entry).commit();
      const unused = written.ok ? former.value : entry;
      for (const part of unused ? partKeys(key, unused) : []) await kv.delete(part);
      return written.ok ? written.versionstamp : null;
    },
  };
}
