// A contender that behaves as it is told: `fake_contender.mjs MODE`.
import process from "node:process";
import { speak } from "../../scripts/bench/contenders/speak.mjs";

const mode = process.argv.at(-1);
if (mode === "crash") throw new Error("no such model");
if (mode === "chatter") console.log("Loading...");
if (mode === "silent") await new Promise((resolve) => setTimeout(resolve, 60_000));
let runs = 0;
await speak(mode === "nan" ? [NaN] : Float32Array.of(1, 2.5), (job) => {
  runs++;
  if (job === "crash") throw new Error(`run ${runs} failed`);
  if (job === "nothing") return { hash: "x" };
  return job === "" ? 10 * runs : { ms: runs, job };
}, { version: "1.2" });
