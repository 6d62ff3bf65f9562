/**
 * Opens a model's files. Names are looked up by a finder that `mod.ts` of this folder sets: programs that bring the
 * files themselves (edge functions) carry no code for downloads.
 *
 * @module
 */
import { HubError } from "../errors.ts";
import type { ModelFiles } from "../weights/source.ts";
import type { HubOptions } from "./options.ts";

/** Finds a model's files by its name. */
export type ModelFinder = (name: string | URL, options: HubOptions) => Promise<ModelFiles>;

let finder: ModelFinder | undefined;

/** Sets what finds models by name. */
export function useModelFinder(find: ModelFinder): void {
  finder = find;
}

/**
 * Opens a model's files.
 *
 * @param name What the finder knows (see {@linkcode findModelFiles}), or the files themselves, which are given back.
 * @throws {HubError} if there is no such model, or no finder.
 */
export async function openModelFiles(
  name: string | URL | ModelFiles,
  options: HubOptions = {},
): Promise<ModelFiles> {
  if (typeof name === "object" && "open" in name) return name;
  if (finder) return await finder(name, options);
  throw new HubError(
    `Cannot find the model "${name}": nothing looks for models by name here, as in @berth/berth/edge; ` +
      "give the model's files",
  );
}
