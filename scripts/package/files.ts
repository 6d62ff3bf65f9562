/** Files of a folder. */
import { readdirSync } from "node:fs";
import { pathToFileURL } from "node:url";

/** Every file in a folder and in those below it. */
export function filesBelow(folder: URL): URL[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
    .map((entry) => pathToFileURL(`${entry.parentPath}/${entry.name}`));
}
