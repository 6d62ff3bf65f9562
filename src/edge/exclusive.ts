/**
 * One piece of work at a time: there is one backend, and models change while they train.
 *
 * @module
 */

let last: Promise<unknown> = Promise.resolve();

/**
 * Waits for the work before it, then does this. The work must not wait for a request's own input or output: where a
 * platform cancels that request, the work would never end.
 */
export async function exclusively<T>(work: () => Promise<T>): Promise<T> {
  const turn = last.then(work);
  last = turn.catch(() => {});
  return await turn;
}
