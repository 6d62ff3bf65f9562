/**
 * A run of one process.
 *
 * @module
 */
import { endProcess } from "../runtime/platform.ts";
import type { Communicator, Pending, Reducible } from "./communicator.ts";
import { checkColor, checkCounts, checkRoot } from "./check.ts";

const DONE: Pending = { test: () => true, wait: () => {} };

/** Rank 0 of 1: every operation leaves the values as they are. */
export const alone: Communicator = {
  rank: 0,
  size: 1,
  engine: "one process",
  times: { seconds: 0, bytes: 0, calls: 0 },
  deadlineSeconds: 25,
  allReduce() {},
  startAllReduce: () => DONE,
  reduceScatter: (values: Reducible, counts) => checkCounts("reduceScatter", values, counts, 1),
  startReduce(_values, root) {
    checkRoot("startReduce", root, 1);
    return DONE;
  },
  allGather: (values, counts) => checkCounts("allGather", values, counts, 1),
  broadcast: (_values, root) => checkRoot("broadcast", root, 1),
  startBroadcast(_values, root) {
    checkRoot("startBroadcast", root, 1);
    return DONE;
  },
  barrier() {},
  split(color, key) {
    checkColor(color, key);
    return alone;
  },
  abort: (code) => endProcess(code),
  close() {},
};
