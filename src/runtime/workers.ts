/**
 * Starts the package's two kinds of workers. For browsers, the expression that makes one stands as
 * bundlers look for it.
 *
 * @module
 */
import { givenUrl } from "./assets.ts";
import { startWorker, type WorkerHandle } from "./platform.ts";

/** Starts `pool_worker.ts`: a thread of the kernel pool. */
export function startPoolWorker(): WorkerHandle {
  return start(
    "pool_worker",
    () => new Worker(new URL("./pool_worker.js", import.meta.url), { type: "module" }),
  );
}

/** Starts `pthread_worker.ts`: a thread of tfjs's module. */
export function startPthreadWorker(): WorkerHandle {
  return start(
    "pthread_worker",
    () => new Worker(new URL("./pthread_worker.js", import.meta.url), { type: "module" }),
  );
}

function start(name: "pool_worker" | "pthread_worker", inBrowser: () => Worker): WorkerHandle {
  const given = givenUrl(`${name}.js`);
  if (given) return startWorker(given);
  const file = name + (import.meta.url.endsWith(".ts") ? ".ts" : ".js");
  return startWorker(new URL("./" + file, import.meta.url), inBrowser);
}
