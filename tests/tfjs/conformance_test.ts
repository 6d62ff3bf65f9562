/** tfjs-core's own tests of the ops that are ours; `deno task conformance` runs all of its tests. */
import { match, strictEqual } from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const OPS = [
  ...[
    "mat_mul",
    "fused_mat_mul",
    "einsum",
    "softmax",
    "log_softmax",
    "exp",
    "erf",
    "tanh",
    "gather",
    "clone",
  ],
  ...[
    "unsorted_segment_sum",
    "sum",
    "mean",
    "moments",
    "transpose",
    "rsqrt",
    "arithmetic",
    "max",
    "min",
    "pad",
  ],
  ...[
    "concat",
    "stack",
    "unstack",
    "split",
    "slice2d",
    "where",
    "tile",
    "leaky_relu",
    "elu",
    "variable",
    "gradients",
  ],
];

Deno.test("tfjs-core's own tests: nothing fails with our kernels that passes with tfjs's", () => {
  const root = new URL("../../", import.meta.url),
    script = fileURLToPath(new URL("scripts/tfjs_conformance.ts", root));
  const args = ["run", "-A", "--no-check", script, "--only", OPS.join()];
  const { status, stdout } = spawnSync(Deno.execPath(), args, { cwd: fileURLToPath(root), encoding: "utf8" });
  if (status === 2) return console.log(`Skipped: ${stdout.trim()}`);
  strictEqual(status, 0, stdout);
  match(stdout, /^ours +\d{3,} passed.* 0 lost$/m);
  match(stdout, /^core +\d{3,} passed.* 0 lost/m);
});
