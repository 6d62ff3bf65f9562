/** All suites, in the order in which they run. */
import type { Suite } from "../harness.ts";
import { suite as bits } from "./bits.ts";
import { suite as epoch } from "./epoch.ts";
import { suite as gemm } from "./gemm.ts";
import { suite as inference } from "./inference.ts";
import { suite as jaxStep } from "./jax_step.ts";
import { suite as mpi } from "./mpi.ts";
import { suite as notebook } from "./notebook.ts";
import { suite as notebook100 } from "./notebook100.ts";
import { suite as profile } from "./profile.ts";
import { suite as pytorchStep } from "./pytorch_step.ts";
import { suite as ranks } from "./ranks.ts";
import { suite as runtimes } from "./runtimes.ts";
import { suite as scaling } from "./scaling.ts";
import { suite as start } from "./start.ts";
import { suite as tfjsOps } from "./tfjs_ops.ts";
import { suite as tokenizer } from "./tokenizer.ts";

export const SUITES: readonly Suite[] = [
  start,
  gemm,
  tfjsOps,
  notebook,
  pytorchStep,
  jaxStep,
  epoch,
  inference,
  notebook100,
  profile,
  scaling,
  mpi,
  bits,
  runtimes,
  ranks,
  tokenizer,
];
