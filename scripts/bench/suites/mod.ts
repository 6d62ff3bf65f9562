/** All suites, in the order in which they run. */
import type { Suite } from "../harness.ts";

export const SUITES: readonly Suite[] = [];
