// Training steps with the npm package, in the runtime that runs this: `package_steps.mjs PROFILE THREADS`. Copied beside the
// installed package.
import process from "node:process";
import * as berth from "@berth/berth";
import { startWork, STEPS } from "./package_work.mjs";
import { speak } from "./speak.mjs";

const [profile, threads] = process.argv.slice(2);
await berth.init({ profile, threads: Number(threads) });
const { check, run } = await startWork(berth, "berth-tiny");
await speak(check, () => {
  const start = performance.now();
  run();
  return (performance.now() - start) / STEPS;
});
