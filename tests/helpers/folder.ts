/** A folder of a test's own, gone when the test ends. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { pathToFileURL } from "node:url";

/** Runs with an empty folder. */
export async function withFolder(run: (folder: URL) => Promise<void> | void): Promise<void> {
  const folder = mkdtempSync(`${tmpdir()}/berth `); // names with spaces must do
  try {
    await run(pathToFileURL(`${folder}/`));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
