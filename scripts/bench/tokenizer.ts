/**
 * Tokenizer speed against npm's @huggingface/tokenizers and the Rust tokenizers (through Python, one thread),
 * in one run: many sentences, one long text, adversarial texts. First checks that the peers give the same ids.
 *
 *     deno run -A --no-lock scripts/bench/tokenizer.ts [--python PATH] [--vocab vocab.txt] [--data FILE.tsv] [--rounds 7]
 */

import { parseArgs } from "node:util";
import { BertTokenizer } from "../../src/tokenizer/mod.ts";

const PEER = "npm:@huggingface/tokenizers@0.2.0";
const shared = new URL("../../../shared/", import.meta.url).pathname;
const { values: flags } = parseArgs({
  args: Deno.args,
  options: {
    python: { type: "string" },
    vocab: { type: "string", default: `${shared}checkpoints/minilm-l6/vocab.txt` },
    data: { type: "string", default: `${shared}data/sst2_train.tsv` },
    rounds: { type: "string", default: "7" },
  },
});
const rounds = Number(flags.rounds);

interface PeerTokenizer {
  encode(text: string): { ids: number[] };
}

/** One program to time: encodes all texts and returns the number of tokens. */
type Run = (texts: string[]) => number;

// Milliseconds of each round, in order.
const PYTHON = `
import json, os, sys, time
os.environ["TOKENIZERS_PARALLELISM"] = "false"; os.environ["RAYON_NUM_THREADS"] = "1"
from tokenizers import Tokenizer
folder, rounds = sys.argv[1], int(sys.argv[2])
tokenizer = Tokenizer.from_file(folder + "/tokenizer.json")
result = {}
for name in ("sentences", "text"):
    texts = json.load(open(f"{folder}/{name}.json"))
    times = []
    for _ in range(rounds):
        begin = time.perf_counter()
        encodings = tokenizer.encode_batch(texts)
        times.append(1000 * (time.perf_counter() - begin))
    result[name] = dict(times=times, tokens=sum(len(e.ids) for e in encodings))
print(json.dumps(result))
`;

// Times the programs in turn, so that what else the machine does hits them alike.
function measure(runs: Run[], texts: string[]): { times: number[]; tokens: number }[] {
  const results = runs.map(() => ({ times: [] as number[], tokens: 0 }));
  for (let i = 0; i < rounds; i++) {
    runs.forEach((run, k) => {
      const begin = performance.now();
      results[k].tokens = run(texts);
      results[k].times.push(performance.now() - begin);
    });
  }
  return results;
}

function median(times: number[]): number {
  return [...times].sort((a, b) => a - b)[times.length >> 1];
}

function report(
  name: string,
  megabytes: number,
  ours: number[],
  peer: number[] | null,
  peerName: string,
): void {
  const ms = median(ours);
  const rate = `${ms.toFixed(1)} ms, ${(1000 * megabytes / ms).toFixed(1)} MB/s`;
  const ratio = peer
    ? `; ${peerName} ${median(peer).toFixed(1)} ms: ${(median(peer) / ms).toFixed(2)} x its speed`
    : "";
  console.log(`${name}: ${rate}${ratio}`);
}

async function loadPeer(json: string, config: string): Promise<PeerTokenizer | null> {
  try {
    const { Tokenizer } = await import(PEER);
    return new Tokenizer(JSON.parse(json), JSON.parse(config));
  } catch (error) {
    console.log(`${PEER} is not available: ${(error as Error).message}`);
    return null;
  }
}

async function runPython(
  folder: string,
): Promise<Record<string, { times: number[]; tokens: number }> | null> {
  if (!flags.python) return null;
  const { success, stdout, stderr } = await new Deno.Command(flags.python, {
    args: ["-c", PYTHON, folder, flags.rounds],
  }).output();
  if (success) return JSON.parse(new TextDecoder().decode(stdout));
  console.log(
    `Python's tokenizers are not available: ${new TextDecoder().decode(stderr).trim().split("\n").pop()}`,
  );
  return null;
}

const vocab = Deno.readTextFileSync(flags.vocab);
const beginLoad = performance.now();
const tokenizer = BertTokenizer.from_vocab(vocab);
console.log(`load ${tokenizer.length} tokens: ${(performance.now() - beginLoad).toFixed(0)} ms`);

const sentences = Deno.readTextFileSync(flags.data).split("\n").filter((line) => line !== "");
let text = "";
while (text.length < 1e6) text += sentences.join(" ") + " ";
text = text.slice(0, 1e6);
const inputs: Record<string, string[]> = { sentences, text: [text] };

const files = tokenizer.to_files();
const folder = Deno.makeTempDirSync();
Deno.writeTextFileSync(`${folder}/tokenizer.json`, files["tokenizer.json"]);
for (const [name, texts] of Object.entries(inputs)) {
  Deno.writeTextFileSync(`${folder}/${name}.json`, JSON.stringify(texts));
}
const python = await runPython(folder);
Deno.removeSync(folder, { recursive: true });
const peer = await loadPeer(files["tokenizer.json"], files["tokenizer_config.json"]);

for (const [name, texts] of Object.entries(inputs)) {
  const megabytes = texts.reduce((sum, line) => sum + line.length, 0) / 1e6;
  const count = (rows: number[][]): number => rows.reduce((sum, row) => sum + row.length, 0);
  const batch: Run = (list) => count(tokenizer(list).input_ids);
  const single: Run = (list) => list.reduce((sum, line) => sum + tokenizer(line).input_ids.length, 0);
  const npm: Run = (list) => list.reduce((sum, line) => sum + peer!.encode(line).ids.length, 0);
  const results = measure(peer ? [batch, single, npm] : [batch, single], texts);
  for (const other of [results[2], python?.[name]]) {
    if (other && other.tokens !== results[0].tokens) {
      console.log(`${name}: ${results[0].tokens} tokens here, ${other.tokens} there`);
    }
  }
  report(`${name}, one call`, megabytes, results[0].times, python?.[name].times ?? null, "Rust");
  report(`${name}, text by text`, megabytes, results[1].times, results[2]?.times ?? null, "npm");
}

const adversarial: Record<string, (length: number) => string> = {
  "one word": (length) => "x".repeat(length),
  "accents": (length) => "a" + "\u0301\u0316".repeat(length / 2),
  "accents with tone marks": (length) => "\u0301\u302e".repeat(length / 2),
  "punctuation": (length) => "!".repeat(length),
  "brackets": (length) => "[MAS".repeat(length / 4),
  "ideographs": (length) => "\u4e2d".repeat(length),
  "emoji": (length) => "\u{1f600}".repeat(length / 2),
};
for (const [name, make] of Object.entries(adversarial)) {
  const [small, large] = [1e5, 1e6].map((length) => {
    const input = make(length);
    return Math.min(...measure([(list) => tokenizer(list[0]).input_ids.length], [input])[0].times);
  });
  console.log(`1 MB of ${name}: ${large.toFixed(0)} ms, ${(large / small).toFixed(1)} x the time of 0.1 MB`);
}
