/** The service in this process, without HTTP. */
import { readFileSync } from "node:fs";
import {
  type HandleOptions,
  handleRequest,
  init,
  memoryStore,
  readModelFiles,
  TrainingService,
  type TrainingServiceOptions,
} from "../../src/edge/mod.ts";
import { Client } from "./client.ts";

/** The folder of berth-tiny. */
export const TINY: URL = new URL("../../src/assets/berth-tiny/", import.meta.url);

/** The file of a folder, or null. */
export function fileOf(name: string): Uint8Array | null {
  try {
    return readFileSync(new URL(name, TINY));
  } catch {
    return null;
  }
}

/** A client of a new service. */
export async function localClient(
  options: Partial<TrainingServiceOptions> = {},
  handling: HandleOptions = {},
): Promise<Client> {
  await init();
  const service = new TrainingService({
    files: await readModelFiles(fileOf),
    store: memoryStore(),
    ...options,
  });
  return new Client("http://local", "", (request) => handleRequest(service, request, handling));
}
