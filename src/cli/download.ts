/**
 * `berth download`: a model's files, into the cache or a folder.
 *
 * @module
 */
import { HubError } from "../errors.ts";
import { openModelFiles } from "../hub/mod.ts";
import { checkFileName, encodePath } from "../hub/names.ts";
import { folderUrl, writeFileWhole } from "../runtime/files.ts";
import type { ByteSource, ModelFiles } from "../weights/mod.ts";
import { type Command, defineCommand, MODEL_FLAGS } from "./command.ts";
import { hubOptions } from "./models.ts";
import { tsvLine } from "./text_input.ts";

/** Weights that berth reads: the first kind that is there is enough. */
const WEIGHTS = [/^model(-\d+-of-\d+)?\.safetensors$/, /^pytorch_model(-\d+-of-\d+)?\.bin$/];
/** What models, tokenizers and sentence-transformers keep in small files. */
const SMALL = /^([^/]+\.(json|txt)|\d+_[A-Z]\w+\/config\.json)$/;
/** What is asked for where files cannot be listed. */
const USUAL = [
  "config.json",
  "vocab.txt",
  "tokenizer.json",
  "tokenizer_config.json",
  "special_tokens_map.json",
];
const USUAL_WEIGHTS = ["model.safetensors", "pytorch_model.bin"];

/** Files are copied in pieces of this size. */
const CHUNK_BYTES = 2 ** 22;

export const command: Command = defineCommand({
  usage: "MODEL [--out FOLDER]",
  about:
    `Fetches a model: configuration, tokenizer, and the weights in the form that berth reads first. Without --out
they stay in the cache of huggingface_hub, where every command finds them, offline too (--local-files-only).`,
  words: [1, 1],
  flags: {
    out: { kind: "text", value: "FOLDER", short: "o", help: "copies the files there" },
    all: { kind: "switch", help: "every file of the repository" },
    revision: MODEL_FLAGS.revision,
    cache_dir: MODEL_FLAGS.cache_dir,
    local_files_only: MODEL_FLAGS.local_files_only,
  },
  examples: [
    ["berth download bert-base-uncased", "into the cache"],
    ["berth download owner/name --revision v2 --out models/name", "into a folder"],
  ],
  async run({ values, positionals: [name], terminal, json }) {
    const files = await openModelFiles(name, hubOptions(values, terminal)),
      names = await namesOf(files, values.all);
    const out = values.out === undefined ? undefined : folderUrl(values.out);
    const sizes: Record<string, number> = {};
    for (const file of names) {
      const source = await files.open(file);
      if (!source) continue;
      try {
        sizes[file] = source.byteLength;
        if (out) await writeFileWhole(new URL(encodePath(checkFileName(file)), out), chunksOf(source));
      } finally {
        source.close?.();
      }
    }
    if (Object.keys(sizes).length === 0) {
      throw new HubError(`Cannot download "${name}": it has no files of a model`);
    }
    if (json) return await terminal.out(JSON.stringify({ model: name, files: sizes }) + "\n");
    await terminal.out(Object.entries(sizes).map(([file, bytes]) => tsvLine([file, bytes])).join(""));
  },
});

async function namesOf(files: ModelFiles, all = false): Promise<readonly string[]> {
  const names = await files.list?.();
  if (!names) return [...USUAL, ...USUAL_WEIGHTS];
  if (all) return names;
  const weights = WEIGHTS.map((pattern) => names.filter((name) => pattern.test(name))).find(({ length }) =>
    length > 0
  );
  return [...names.filter((name) => SMALL.test(name)), ...weights ?? []];
}

async function* chunksOf(source: ByteSource): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < source.byteLength; at += CHUNK_BYTES) {
    yield await source.read(at, Math.min(source.byteLength, at + CHUNK_BYTES));
  }
}
