/**
 * A lock between processes: a file that only one can create. It saves work and guards nothing: what is written under
 * it is named by its content, so two owners at once do no harm. Hence a lock may be taken over on suspicion.
 *
 * @module
 */
import { createFile, fileState, readText, removeFile, touchFile } from "../runtime/files.ts";
import { processIdentity, processRuns } from "../runtime/platform.ts";
import { sleep } from "./http_client.ts";

/** How often the owner touches the file. */
const BEAT_MS = 1000;
/** A lock that was not touched for so long has no owner: matters where nobody may ask whether a process runs. */
const STALE_MS = 8000;
const MAX_POLL_MS = 250;

/**
 * Runs a function while no other process that uses the same lock does.
 *
 * @param lock The lock's file.
 * @param signal Ends the waiting.
 * @param staleMs When an owner that gives no sign of life is taken as dead.
 */
export async function withFileLock<T>(
  lock: URL,
  signal: AbortSignal | undefined,
  run: () => Promise<T>,
  staleMs: number = STALE_MS,
): Promise<T> {
  const own = JSON.stringify({ ...processIdentity(), id: crypto.randomUUID() });
  await acquire(lock, own, signal, staleMs);
  const beat = setInterval(() => void touchFile(lock), BEAT_MS);
  try {
    return await run();
  } finally {
    clearInterval(beat);
    if (await readText(lock).catch(() => null) === own) await removeFile(lock).catch(() => {});
  }
}

async function acquire(
  lock: URL,
  own: string,
  signal: AbortSignal | undefined,
  staleMs: number,
): Promise<void> {
  let pollMs = 25, seen = "", seenMs = 0;
  while (!await createFile(lock, own)) {
    const [text, state] = await Promise.all([readText(lock), fileState(lock)]);
    if (text === null || state === null) continue; // released just now
    const sign = `${state.modifiedMs} ${text}`, nowMs = performance.now();
    if (sign !== seen) [seen, seenMs] = [sign, nowMs];
    // By this machine's clock alone: a file server's may differ.
    if (nowMs - seenMs > staleMs || ownerIsDead(text)) await removeFile(lock);
    else await sleep(pollMs = Math.min(MAX_POLL_MS, pollMs * 2), signal);
  }
}

/** True if the owner was a process of this machine and runs no more. */
function ownerIsDead(text: string): boolean {
  try {
    const { pid, host } = JSON.parse(text);
    return host === processIdentity().host && Number.isSafeInteger(pid) && pid > 0 &&
      processRuns(pid) === false;
  } catch {
    return false; // not written yet
  }
}
