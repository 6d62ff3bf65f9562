/** Runs as files of a folder that instances share. Each version is a file of its own; only one instance can make it. */
import { link, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";

/** A store in a folder. */
export function folderStore(folder) {
  const fileOf = (key, version) => `${folder}/${key}/${version}`;
  const newest = async (key) => {
    const names = await readdir(`${folder}/${key}`).catch((error) => {
      if (error.code === "ENOENT") return [];
      throw error;
    });
    return Math.max(0, ...names.filter((name) => /^\d+$/.test(name)).map(Number));
  };
  return {
    async get(key) {
      const version = await newest(key);
      return version === 0 ? null : { bytes: await readFile(fileOf(key, version)), version: String(version) };
    },
    async put(key, bytes, expected) {
      const former = Number(expected ?? 0);
      if (await newest(key) !== former) return null;
      await mkdir(`${folder}/${key}`, { recursive: true });
      const temporary = fileOf(key, `${crypto.randomUUID()}.part`);
      try {
        await writeFile(temporary, bytes, { flush: true });
        await link(temporary, fileOf(key, former + 1)); // fails if another instance was faster
      } catch (error) {
        if (error.code === "EEXIST") return null;
        throw error;
      } finally {
        await rm(temporary, { force: true });
      }
      if (former > 1) await rm(fileOf(key, former - 1), { force: true }); // the one before may still be being read
      return String(former + 1);
    },
  };
}
