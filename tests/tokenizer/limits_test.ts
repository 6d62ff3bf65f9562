/** Time that grows with the text, not with its square; and the size of the module. */

import { ok } from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { AddedToken, BertTokenizer } from "../../src/tokenizer/mod.ts";

const tokenizer = BertTokenizer.from_vocab("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\n##a\n!\n中");
const LENGTH = 1_000_000;
const MAX_MS = 10_000; // takes 30 to 600 ms on an idle machine, minutes if it grew with the square

const texts: Record<string, string> = {
  "one word": "a".repeat(LENGTH),
  "words of 100 letters": ("a".repeat(100) + " ").repeat(LENGTH / 101),
  "accents in the wrong order": "a" + "\u0301\u0316".repeat(LENGTH / 2),
  "accents and a tone mark that stays": "\u302e" + "\u0301\u0316".repeat(LENGTH / 2),
  "punctuation": "!".repeat(LENGTH),
  "beginnings of special tokens": "[MAS".repeat(LENGTH / 4),
  "white space": " \t".repeat(LENGTH / 2),
  "ideographs": "中".repeat(LENGTH),
  "emoji": "\u{1f600}".repeat(LENGTH / 2),
};
for (const [name, text] of Object.entries(texts)) {
  Deno.test(`1 MB of ${name} is encoded in linear time`, () => {
    const begin = performance.now();
    tokenizer(text, { return_offsets_mapping: true, truncation: true, max_length: 512 });
    ok(performance.now() - begin < MAX_MS);
  });
}

Deno.test("1 MB of what a long added token begins with is encoded in linear time", () => {
  const other = BertTokenizer.from_vocab("[UNK]\na\n##a");
  other.add_tokens([
    new AddedToken("a".repeat(255) + "b", { normalized: false, lstrip: true, rstrip: true }),
  ]);
  const begin = performance.now();
  other("a".repeat(LENGTH / 4) + " ".repeat(LENGTH / 4));
  ok(performance.now() - begin < MAX_MS);
});

Deno.test("a tokenizer alone bundles for the browser into less than 12 kB (minified, gzip), training into 2 kB", async () => {
  const bundle = async (names: string): Promise<number> => {
    const folder = await Deno.makeTempDir();
    const entry = `${folder}/entry.ts`, module = new URL("../../src/tokenizer/mod.ts", import.meta.url).href;
    await Deno.writeTextFile(entry, `export ${names} from "${module}";`);
    const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["bundle", "--quiet", "--minify", "--platform=browser", entry],
    }).output();
    await Deno.remove(folder, { recursive: true });
    ok(success, new TextDecoder().decode(stderr));
    ok(!/\bDeno\b|node:|tensorflow/.test(new TextDecoder().decode(stdout)));
    return gzipSync(stdout, { level: 9 }).length;
  };
  const size = await bundle("{ BertTokenizer }"), whole = await bundle("*");
  ok(size < 12_000, `${size} bytes`);
  ok(whole - size < 2_000, `${whole} bytes`);
});
