/**
 * The files of a dataset on a hub: `hf://datasets/OWNER/NAME`, with `@REVISION` and the path of a file or a folder if
 * wanted.
 *
 * @module
 */
import { formatOfName } from "../data/format.ts";
import { dataError, listed } from "../data/problem.ts";
import { findDatasetFiles } from "../hub/find_model.ts";
import type { HubOptions } from "../hub/mod.ts";
import type { ByteSource } from "../weights/source.ts";

/** A file that can be opened. */
export interface HubFile {
  readonly name: string;
  readonly open: () => Promise<ByteSource>;
}

const ADDRESS = /^hf:\/\/datasets\/([^/@]+(?:\/[^/@]+)?)(?:@([^/]+))?(?:\/(.*))?$/;

/** How the files of a split are named. */
const SPLITS: Readonly<Record<string, RegExp>> = {
  train: /(?<![a-z])train(ing)?(?![a-z])/i,
  validation: /(?<![a-z])(validation|valid|val|dev|eval)(?![a-z])/i,
  test: /(?<![a-z])(test|testing)(?![a-z])/i,
};

/** If a dataset comes in several formats, the first of these is taken. */
const PREFERENCE = ["parquet", "jsonl", "json", "csv", "tsv"];

/**
 * Finds the files of a split, or the one file that is named.
 *
 * @throws {DataError} if the address is none, or there is no such file or split.
 * @throws {HubError} if the hub does not give it.
 */
export async function openHubFiles(
  address: string,
  options: HubOptions & { split?: string },
): Promise<HubFile[]> {
  const [, id, revision, path = ""] = ADDRESS.exec(address) ?? [];
  if (!id) throw dataError(address, {}, "hf://datasets/OWNER/NAME, perhaps with /FILE, is wanted");
  const { split, ...hub } = options,
    files = await findDatasetFiles(id, revision ? { ...hub, revision } : hub);
  const base = `hf://datasets/${id}${revision ? `@${revision}` : ""}`;
  const open = async (file: string): Promise<ByteSource> => {
    const source = await files.open(file);
    if (source) return source;
    throw dataError(
      `${base}/${file}`,
      {},
      `the dataset has no such file; at its top there are ${listed(await files.list())}`,
    );
  };
  const folder = path.replace(/\/+$/, "");
  const chosen = formatOfName(folder) ? [folder] : await filesOfSplit(base, folder, split ?? "train", files);
  return chosen.map((file) => ({ name: `${base}/${file}`, open: () => open(file) }));
}

async function filesOfSplit(
  base: string,
  folder: string,
  split: string,
  files: { list(folder?: string): Promise<readonly string[]> },
): Promise<string[]> {
  const top = await files.list(folder), inner = folder === "" ? await files.list("data") : [];
  const all = [...top, ...inner].filter((file) => formatOfName(file)).sort();
  const pattern = SPLITS[split] ?? new RegExp(`(?<![a-z])${split.replace(/[^\w]/g, ".")}(?![a-z])`, "i");
  const named = all.filter((file) => pattern.test(file.split("/").at(-1)!));
  const isNamed = (file: string) =>
    Object.values(SPLITS).some((other) => other.test(file.split("/").at(-1)!));
  const rest = all.filter((file) => !isNamed(file));
  const candidates = named.length > 0 ? named : split === "train" && rest.length === 1 ? rest : [];
  const format = PREFERENCE.find((known) => candidates.some((file) => formatOfName(file) === known));
  if (format) return candidates.filter((file) => formatOfName(file) === format);
  const place = `${base}${folder && `/${folder}`}`;
  const there = all.length > 0 ? listed(all) : "no data file; the folder can be given after the name";
  throw dataError(place, {}, `no file is named for the split "${split}"; there is ${there}`);
}
