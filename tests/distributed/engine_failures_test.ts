/** Ranks that end, are killed or stop, and engines that do not fit: every time all ranks end, and say why. */
import { deepStrictEqual, match, ok } from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { allDone, type Ended, engines, launch } from "./engines.ts";

/** A run that failed in all ranks, with the lines that berth wrote. */
function failed({ code, stdout, stderr }: Ended): string[] {
  ok(code !== 0, stdout + stderr);
  ok(!stdout.includes("is done"), stdout + stderr);
  return stderr.split("\n").filter((line) => line.startsWith("CommunicationError: "));
}

for (const engine of engines) {
  Deno.test(`${engine.name}: a rank that aborts ends all ranks with its code`, async () => {
    const { code, stdout, stderr } = await launch(engine, 4, "abort");
    deepStrictEqual([code, stdout], [3, ""], stderr);
  });

  Deno.test(`${engine.name}: a rank that is killed ends all ranks, and the launcher names the signal`, async () => {
    const ended = await launch(engine, 4, "killed rank");
    deepStrictEqual(failed(ended), []);
    match(ended.stderr + ended.stdout, /signal 9/);
  });

  Deno.test(`${engine.name}: a rank that stops ends all ranks at the deadline, and one says why`, async () => {
    const lines = failed(await launch(engine, 4, "stopped rank", { options: { deadlineSeconds: 3 } }));
    match(
      lines[0],
      /Cannot go on as rank 0 of 4: allReduce has waited for 3 s \(.+\); another rank has stopped/,
    );
  });

  Deno.test(`${engine.name}: a wait that may be long has no deadline`, () =>
    allDone(engine, 2, "late rank", { options: { deadlineSeconds: 1 } }));

  Deno.test(`${engine.name}: the launcher of one engine with another's library is no run of one rank each`, async () => {
    const other = engines.find(({ name }) => name !== engine.name);
    if (!other) return console.log("Skipped: there is no other engine");
    const lines = failed(
      await launch(engine, 3, "operations", { env: { BERTH_MPI_LIBRARY: other.library } }),
    );
    match(
      lines[0],
      /_SIZE says 3 ranks, (MPICH|Open MPI) .+ finds 1; the library of the launcher's own engine/,
    );
  });

  Deno.test(`${engine.name}: a library that is missing, or is none of MPI's, is named`, async () => {
    for (
      const [file, reason] of [["libnone.so", /cannot open/], [
        "libc.so.6",
        /it is no MPI library: MPI_/,
      ]] as const
    ) {
      const [line] = failed(await launch(engine, 2, "operations", { env: { BERTH_MPI_LIBRARY: file } }));
      match(line, reason);
      ok(
        line.includes(`BERTH_MPI_LIBRARY is "${file}"`) && line.includes(`the library of ${engine.name}`),
        line,
      );
    }
  });

  Deno.test(`${engine.name}: without the permission to load a library, the flag is named`, async () => {
    const runtime = [Deno.execPath(), "run", "--no-check", "--no-prompt", "--allow-env", "--allow-read"];
    const { code, stderr } = await launch(engine, 2, "operations", { runtime });
    deepStrictEqual(code, 1);
    match(stderr, /^RuntimeError: Cannot open .+: Deno's flag --allow-ffi is wanted$/m);
  });
}

const mpich = engines.find(({ name }) => name === "MPICH");
Deno.test({
  name: "MPICH: a script between the launcher and Deno, as npm's, is noticed, and Deno's binary is named",
  ignore: !mpich,
  async fn() {
    const script = fileURLToPath(new URL("./wrapper.mjs", import.meta.url));
    const runtime = ["node", script, Deno.execPath(), "run", "-A", "--no-check"];
    const lines = failed(await launch(mpich!, 2, "operations", { runtime }));
    match(lines[0], /file descriptor \d+ \(PMI_FD\) did not reach this process/);
    ok(lines[0].includes(`mpiexec -n 2 ${Deno.execPath()} run -A`), lines[0]);
  },
});
