/** Runs the job in a worker of the page's. */
import * as berth from "@berth/berth";
import { trainingJob } from "./job.ts";
import { optionsOf } from "./options.ts";

addEventListener("message", ({ data }) => {
  trainingJob(berth, optionsOf(data)).then(
    (result) => postMessage({ result }),
    (error) => postMessage({ error: error.stack ?? String(error) }),
  );
});
