/** Starts the worker and passes on what is asked of it. */
const worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });

function ask(message: unknown): Promise<unknown> {
  return new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => data.error ? reject(new Error(data.error)) : resolve(data);
    worker.onerror = ({ message }) => reject(new Error(`the worker failed: ${message}`));
    worker.postMessage(message);
  });
}

Object.assign(globalThis, { ask });
