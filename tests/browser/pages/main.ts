/** Runs the job on the page's own thread or in a worker, as its address says, and leaves the result. */
import * as berth from "@berth/berth";
import { trainingJob } from "./job.ts";
import { optionsOf } from "./options.ts";

const parameters = new URLSearchParams(location.search);

function inWorker(): Promise<unknown> {
  const worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
  return new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => data.error ? reject(new Error(data.error)) : resolve(data.result);
    worker.onerror = ({ message }) => reject(new Error(`the worker failed: ${message}`));
    worker.postMessage(location.search);
  });
}

const running = parameters.get("in") === "worker"
  ? inWorker()
  : trainingJob(berth, optionsOf(location.search));
Object.assign(globalThis, {
  job: running.then((result) => ({ result }), (error) => ({ error: error.stack ?? String(error) })),
});
