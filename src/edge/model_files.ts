/**
 * A model's files from wherever a platform keeps them: objects of R2, values of KV, answers of fetch, or bytes.
 *
 * @module
 */
import { HubError } from "../errors.ts";
import { filesFromMap, type ModelFiles } from "../weights/mod.ts";

/** A file as platforms give it: bytes, or something with `arrayBuffer()` (an object of R2, a Response); none if null. */
export type FileBody =
  | Uint8Array
  | ArrayBuffer
  | { arrayBuffer(): Promise<ArrayBuffer>; ok?: boolean; status?: number }
  | null
  | undefined;

/** Gives a model's file by its name, such as `config.json`. */
export type FileReader = (name: string) => FileBody | Promise<FileBody>;

/** Options of {@linkcode readModelFiles}. */
export interface ReadOptions {
  /** What stands for the model in messages. Default `the given files`. */
  name?: string;
  /** Bytes of a file at most. Default 96 MiB. */
  maxBytes?: number;
}

/** What a model and its tokenizer may consist of; of the vocabularies, and of the weights, the first that is there. */
const ONE_OF = [
  ["config.json"],
  ["tokenizer_config.json"],
  ["special_tokens_map.json"],
  ["added_tokens.json"],
  ["tokenizer.json", "vocab.txt"],
  ["model.safetensors", "pytorch_model.bin"],
];

/**
 * Reads a model into memory once, so that no later work waits for it.
 *
 * @param read Gives a file: `(name) => env.BUCKET.get("models/berth-tiny/" + name)`, `(name) => fetch(base + name)`, or
 * `(name) => files[name]`.
 * @returns What `from_pretrained` takes.
 * @throws {HubError} if a file cannot be read, or is too large.
 */
export async function readModelFiles(read: FileReader, options: ReadOptions = {}): Promise<ModelFiles> {
  const { name = "the given files", maxBytes = 96 * 2 ** 20 } = options;
  const files = new Map<string, Uint8Array>();
  await Promise.all(ONE_OF.map(async (names) => {
    for (const file of names) {
      const bytes = await bytesOf(file, await read(file));
      if (!bytes) continue;
      if (bytes.byteLength > maxBytes) {
        throw new HubError(
          `Cannot read ${file}: it has ${bytes.byteLength} bytes, at most ${maxBytes} are wanted`,
        );
      }
      return void files.set(file, bytes);
    }
  }));
  return filesFromMap(name, files);
}

async function bytesOf(name: string, body: FileBody): Promise<Uint8Array | null> {
  if (!body) return null;
  if (body instanceof Uint8Array) return body;
  if (body instanceof ArrayBuffer) return new Uint8Array(body);
  if (body.ok === false) {
    if (body.status === 404) return null;
    throw new HubError(`Cannot read ${name}: HTTP status ${body.status}`);
  }
  return new Uint8Array(await body.arrayBuffer());
}
