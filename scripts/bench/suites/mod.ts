/** All suites, in the order in which they run. */
import type { Suite } from "../harness.ts";
import { suite as gemm } from "./gemm.ts";

export const SUITES: readonly Suite[] = [gemm];
