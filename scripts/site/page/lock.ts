/**
 * A page's rules can be made stricter while it is open, never laxer: a policy that is added to a document holds for the
 * document from then on, and for each worker that is started from a blob of it.
 */

/** While the worker and its threads start, from blobs: scripts of this page only, and no connection. */
export const STARTING =
  "default-src 'none'; script-src blob: 'wasm-unsafe-eval'; worker-src blob:; form-action 'none'";

/** From then on: nothing at all. */
export const LOCKED = "default-src 'none'; form-action 'none'";

/** Adds a policy. */
export function addPolicy(policy: string): void {
  const meta = document.createElement("meta");
  meta.httpEquiv = "Content-Security-Policy";
  meta.content = policy;
  document.head.append(meta);
}
