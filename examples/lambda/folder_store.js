/**
 * Runs as files of a folder that instances share. Each version is a file of its own, which only one instance can make;
 * older ones are emptied and stay, so that no number is ever used twice.
 */
import { link, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";

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
      for (let version; (version = await newest(key)) > 0;) {
        const bytes = await readFile(fileOf(key, version));
        if (bytes.length > 0) return { bytes, version: String(version) }; // else there is a newer one by now
      }
      return null;
    },
    async put(key, bytes, expected) {
      const former = Number(expected ?? 0), version = former + 1;
      await mkdir(`${folder}/${key}`, { recursive: true });
      const temporary = fileOf(key, `${crypto.randomUUID()}.part`);
      try {
        await writeFile(temporary, bytes, { flush: true });
        await link(temporary, fileOf(key, version)); // fails if another instance was faster
        await rm(temporary);
        if (former > 0) {
          await writeFile(temporary, "");
          await rename(temporary, fileOf(key, former));
        }
        return String(version);
      } catch (error) {
        if (error.code === "EEXIST") return null;
        throw error;
      } finally {
        await rm(temporary, { force: true });
      }
    },
  };
}
