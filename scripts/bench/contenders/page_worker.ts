/** Does the work in a worker of a page: `{ init }` starts, any other message makes the steps of one run. */
import * as berth from "@berth/berth";
import { startWork, STEPS } from "./package_work.mjs";

let work: Awaited<ReturnType<typeof startWork>>;

async function answer({ init }: { init?: berth.InitOptions }): Promise<object> {
  if (init) {
    const { profile, threads } = await berth.init(init);
    work = await startWork(berth, "berth-tiny");
    return { check: work.check, profile, threads };
  }
  const start = performance.now();
  work.run();
  return { ms: (performance.now() - start) / STEPS };
}

addEventListener("message", ({ data }) => {
  answer(data).then(postMessage, (error) => postMessage({ error: error.stack ?? String(error) }));
});
