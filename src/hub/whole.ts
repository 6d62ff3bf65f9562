/**
 * Small files read whole: configuration and vocabularies.
 *
 * @module
 */
import { HubError } from "../errors.ts";
import type { ByteSource } from "../weights/source.ts";

/** The largest vocabularies have some 20 MB. */
const MAX_WHOLE_BYTES = 256 * 2 ** 20;

/**
 * Reads a file and closes it.
 *
 * @param open Opens it; gets the length that is accepted.
 * @throws {HubError} if it is longer.
 */
export async function readWhole(
  name: string,
  open: (maxBytes: number) => Promise<ByteSource | null>,
): Promise<Uint8Array | null> {
  const source = await open(MAX_WHOLE_BYTES);
  if (!source) return null;
  try {
    if (source.byteLength > MAX_WHOLE_BYTES) {
      throw new HubError(
        `Cannot read ${name}: it has ${source.byteLength} bytes, the limit is ${MAX_WHOLE_BYTES}`,
      );
    }
    return await source.read(0, source.byteLength);
  } finally {
    source.close?.();
  }
}
