/**
 * Starts the package's two kinds of workers. The expressions that make them in browsers stand as bundlers look for
 * them.
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
  if (given) return startWorker(ofOwnOrigin(given));
  const file = name + (import.meta.url.endsWith(".ts") ? ".ts" : ".js");
  const url = new URL("./" + file, import.meta.url), own = ofOwnOrigin(url);
  return own === url ? startWorker(url, inBrowser) : startWorker(own);
}

/** A worker's script must be of the page's origin; one of another, such as a CDN, is imported by a script that is. */
function ofOwnOrigin(url: URL): URL {
  const { location } = globalThis as { location?: { origin: string } };
  if (!location || !/^https?:$/.test(url.protocol) || url.origin === location.origin) return url;
  const script = new Blob([`import ${JSON.stringify(url.href)};`], { type: "text/javascript" });
  return new URL(URL.createObjectURL(script));
}
