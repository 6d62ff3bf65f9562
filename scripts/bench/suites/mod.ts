/** All suites, in the order in which they run. */
import type { Suite } from "../harness.ts";
import { suite as gemm } from "./gemm.ts";
import { suite as profile } from "./profile.ts";
import { suite as scaling } from "./scaling.ts";
import { suite as start } from "./start.ts";

export const SUITES: readonly Suite[] = [start, gemm, profile, scaling];
