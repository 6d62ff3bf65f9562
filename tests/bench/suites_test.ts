/** The suites: their products' inputs and references, the profile's arithmetic, and one that runs. */
import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import {
  CHECKED,
  checkedPlaces,
  GEMM_CASES,
  type GemmCase,
  matrixA,
  matrixB,
  operations,
  reference,
} from "../../scripts/bench/contenders/gemm_cases.ts";
import { profileRows } from "../../scripts/bench/suites/profile.ts";
import { SUITES } from "../../scripts/bench/suites/mod.ts";
import { withFolder } from "../helpers/folder.ts";
import { matMulReference } from "../reference/matmul.ts";

const run = promisify(execFile);

Deno.test("suites have names of their own", () => {
  strictEqual(new Set(SUITES.map(({ name }) => name)).size, SUITES.length);
  for (const { name, title } of SUITES) ok(/^[a-z0-9_]+$/.test(name) && title.length > 10, name);
});

for (const [transposeA, transposeB] of [[false, false], [false, true], [true, false]]) {
  Deno.test(`the products' reference is that of the tests, ${transposeA ? "T" : "N"}${transposeB ? "T" : "N"}`, () => {
    const gemm: GemmCase = { name: "small", kind: "PV", m: 7, n: 11, k: 5, batch: 3 }, { m, n, k } = gemm;
    const a = matrixA(gemm, transposeA), b = matrixB(gemm, transposeB), wanted = reference(gemm);
    checkedPlaces(gemm).forEach(({ at, i, j }, t) => {
      const operands = [a.slice(at * m * k, (at + 1) * m * k), b.slice(at * k * n, (at + 1) * k * n)];
      const zeros = [new Float32Array(m * n), new Float32Array(n)];
      const { sums } = matMulReference({ m, n, k, transposeA, transposeB }, [...operands, ...zeros]);
      ok(Math.abs(sums[i * n + j] / Math.sqrt(k) - wanted[t]) < 1e-12);
    });
    strictEqual(wanted.length, CHECKED);
    strictEqual(operations(gemm), 2 * 7 * 11 * 5 * 3);
  });
}

Deno.test("the native kernel's products have whole strips", () => {
  ok(GEMM_CASES.filter(({ batch }) => batch === 1).every(({ n }) => n % 8 === 0));
});

Deno.test("a profile's rows: the largest first, small ones together, and their sum against the step", () => {
  const parts = (a: number, b: number) => ({
    a: { ms: a, calls: 3 },
    b: { ms: b, calls: 1 },
    c: { ms: 0.1, calls: 9 },
    d: { ms: 0.2, calls: 2 },
  });
  const epochs = [{ ms: 100, parts: parts(30, 60) }, { ms: 100, parts: parts(40, 50) }, {
    ms: 100,
    parts: parts(35, 55),
  }];
  const rows = profileRows("m", epochs);
  deepStrictEqual(rows.map(({ work }) => work), [
    ...["m: b", "m: a", "m: 2 smaller parts", "m: all of these", "m: the step"],
  ]);
  const shares = rows.map(({ share }) => Math.round(1000 * share!));
  deepStrictEqual(shares, [550, 350, 3, 903, 1000]);
  deepStrictEqual([rows[3].met, rows[2].verified], [false, "11 calls"]);
});

Deno.test("the benchmark runs a suite, prints its table and writes its results", () =>
  withFolder(async (folder) => {
    const bench = fileURLToPath(new URL("../../scripts/bench/bench.ts", import.meta.url));
    const args = ["run", "-A", "--no-check", bench, "--only", "start", "--quick", "--threads", "2"];
    const { stdout } = await run(Deno.execPath(), [...args, "--out", fileURLToPath(folder)]);
    ok(/^import to first loss +\d+(\.\d+)? ms +100\.0 % +below 700 ms/m.test(stdout), stdout);
    const { machine, suites } = JSON.parse(readFileSync(new URL("bench.json", folder), "utf8"));
    ok(machine.cores > 0 && machine.threads === 2 && machine.profile !== "");
    deepStrictEqual(suites.map(({ name }: { name: string }) => name), ["start"]);
    strictEqual(suites[0].rows.length, 5);
  }));

Deno.test("the benchmark says which suites there are, and what a wrong number is", async () => {
  const bench = fileURLToPath(new URL("../../scripts/bench/bench.ts", import.meta.url));
  const fail = async (...args: string[]) => {
    const { stderr, code } = await run(Deno.execPath(), ["run", "-A", "--no-check", bench, ...args]).catch((
      e,
    ) => e);
    strictEqual(code, 2);
    return stderr as string;
  };
  ok(/Cannot run suite "nothing": there are start, gemm/.test(await fail("--only", "nothing")));
  ok(/Cannot run with --rounds 0: a whole number from 1 up/.test(await fail("--rounds", "0")));
});
