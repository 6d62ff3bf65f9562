/** A model's files as one zip, and back. */
import { unzip, zip } from "npm:fflate@0.8.3";
import type { Files } from "./messages.ts";

/** What belongs to a model; other files of an archive are passed over. */
const WANTED =
  /^(config\.json|model\.safetensors|vocab\.txt|tokenizer\.json|tokenizer_config\.json|special_tokens_map\.json|added_tokens\.json)$/;

/** No model that fits into a page comes near this. */
const MAX_BYTES = 2 ** 30;

/** Packs; weights hardly get smaller, so nothing is compressed. */
export function packFiles(files: Files): Promise<Blob> {
  return new Promise((resolve, reject) => {
    zip(Object.fromEntries(files), { level: 0 }, (error, bytes) => {
      if (error) reject(error);
      else resolve(new Blob([bytes as Uint8Array<ArrayBuffer>], { type: "application/zip" }));
    });
  });
}

/**
 * A model's files from what someone picked: a zip, or the files themselves.
 *
 * @throws {Error} if something is missing, with a sentence that says what.
 */
export async function unpackFiles(picked: readonly File[]): Promise<Files> {
  const found = new Map<string, Uint8Array<ArrayBuffer>>();
  for (const file of picked) {
    if (file.size > MAX_BYTES) {
      throw new Error(`${file.name} is too large: at most 1 GiB can be opened here.`);
    }
    const bytes = new Uint8Array(await file.arrayBuffer());
    if (/\.zip$/i.test(file.name)) {
      for (const [name, part] of await unpack(file.name, bytes)) found.set(name, part);
    } else if (WANTED.test(file.name)) found.set(file.name, bytes);
  }
  for (const wanted of ["config.json", "model.safetensors"]) {
    if (!found.has(wanted)) {
      throw new Error(`There is no ${wanted} in what you picked. A model’s zip or its files are wanted.`);
    }
  }
  if (!found.has("vocab.txt") && !found.has("tokenizer.json")) {
    throw new Error("There is no vocab.txt or tokenizer.json in what you picked.");
  }
  return found;
}

function unpack(name: string, bytes: Uint8Array): Promise<[string, Uint8Array<ArrayBuffer>][]> {
  const base = (path: string) => path.replace(/^.*\//, "");
  let total = 0;
  return new Promise((resolve, reject) => {
    const refuse = (reason: string) => reject(new Error(`${name} cannot be opened: ${reason}.`));
    const filter = (file: { name: string; originalSize: number }) =>
      WANTED.test(base(file.name)) && (total += file.originalSize) <= MAX_BYTES;
    unzip(bytes, { filter }, (error, files) => {
      if (error) return refuse("it is no zip file, or it is damaged");
      if (total > MAX_BYTES) return refuse("it holds more than 1 GiB");
      resolve(Object.entries(files).map(([path, part]) => [base(path), part as Uint8Array<ArrayBuffer>]));
    });
  });
}
