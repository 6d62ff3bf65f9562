// Loads a tokenizer from a hub and uploads a model, the weights as a large file: `hub.mjs URL`.
import process from "node:process";
import { BertTokenizer, push_to_hub } from "@berth/berth";

const hub_url = process.argv[2], bytes = (text) => new TextEncoder().encode(text);
const tokenizer = await BertTokenizer.from_pretrained("own/model", {
  hub_url,
  token: false,
  cache_dir: "hub",
});
const files = {
  "config.json": bytes("{}"),
  "model.safetensors": new Uint8Array(50_000).fill(7),
  "vocab.txt": bytes([...tokenizer.get_vocab().keys()].join("\n")),
};
const { commit } = await push_to_hub(files, "own/copy", { hub_url, token: "hf_x" });
console.log(JSON.stringify({ ids: tokenizer("a b").input_ids, commit }));
