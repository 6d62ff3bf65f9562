/** The tokenizer against npm's and Rust's, and against its own time for a tenth of a hard text. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";
import { BertTokenizer } from "../../../src/tokenizer/mod.ts";
import { ADVERSARIAL, inputsOf } from "../contenders/tokenizer_inputs.ts";
import {
  type Bench,
  compare,
  compareChecks,
  type Contender,
  denoContender,
  type Row,
  startContender,
  type Suite,
  takeTurns,
} from "../harness.ts";

export const suite: Suite = {
  name: "tokenizer",
  title: "Tokenizer: 6,920 sentences, one text of 1 MB, hard texts",
  run,
};

const COMMAND = "deno task bench --only tokenizer";
/** A tenfold text may take this much longer. */
const GROWTH_GOAL = 20;

async function run(bench: Bench): Promise<Row[]> {
  if (!bench.shared) {
    bench.say("tokenizer: ../shared is absent, so there are no rows");
    return [];
  }
  const modules = await bench.peers.nodeModules(), python = await bench.peers.python();
  const folder = mkdtempSync(`${tmpdir()}/berth-tokenizer-`), started: Contender[] = [];
  const start = async (name: string, command: string[]) => {
    const contender = await startContender(command, { name });
    started.push(contender);
    return contender;
  };
  try {
    writeInputs(folder, bench.shared);
    bench.say("starting four tokenizers");
    const batch = await start("berth", denoContender("berth_tokenizer.ts", folder));
    const single = await start("berth, text by text", denoContender("berth_tokenizer.ts", folder, "single"));
    const npm = await start("npm tokenizers", denoContender("npm_tokenizer.ts", folder, modules));
    const script = fileURLToPath(new URL("../contenders/rust_tokenizer.py", import.meta.url));
    const rust = await start("Rust tokenizers, 1 thread", [python, script, folder]);
    for (const peer of [single, npm, rust]) compareChecks(batch, peer, 0);
    const rows: Row[] = [];
    for (const job of ["sentences", "text"]) {
      bench.say(job);
      const [a, b, c, d] = await takeTurns([batch, rust, single, npm], bench.rounds, 1, job);
      const verified = "all ids equal: their number, and a sum that depends on their order";
      const row = (work: string, ours: typeof a, peer: Contender, theirs: typeof a) =>
        compare({ work: `${job}, ${work}`, ours, peer: peer.name, theirs, verified, command: COMMAND }, {
          atMost: 1,
        });
      rows.push(row("one call", a, rust, b), row("text by text", c, npm, d));
    }
    bench.say("hard texts");
    for (const name of Object.keys(ADVERSARIAL)) {
      const [large] = await takeTurns([batch], bench.quick ? 1 : 3, 0, `${name} 1`);
      const [small] = await takeTurns([batch], bench.quick ? 1 : 3, 0, `${name} 0.1`);
      rows.push(compare({
        ...{ work: `1 MB of ${name}, by 0.1 MB of it`, ours: large, theirs: small, command: COMMAND },
        verified: "the time grows with the length, not with its square",
      }, { atMost: GROWTH_GOAL }));
    }
    return rows;
  } finally {
    await Promise.all(started.map((contender) => contender.end()));
    rmSync(folder, { recursive: true });
  }
}

/** The vocabulary, the tokenizer as the peers load it, and the texts. */
function writeInputs(folder: string, shared: URL): void {
  const vocab = readFileSync(new URL("checkpoints/minilm-l6/vocab.txt", shared), "utf8");
  const files = BertTokenizer.from_vocab(vocab).to_files();
  for (const name of ["tokenizer.json", "tokenizer_config.json"] as const) {
    writeFileSync(`${folder}/${name}`, files[name]);
  }
  writeFileSync(`${folder}/vocab.txt`, vocab);
  const inputs = inputsOf(readFileSync(new URL("data/sst2_train.tsv", shared), "utf8"));
  writeFileSync(`${folder}/inputs.json`, JSON.stringify(inputs));
}
