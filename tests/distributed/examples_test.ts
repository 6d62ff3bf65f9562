/** The job files of Slurm and Kubernetes: they parse, and what they say of berth and of each other is so. */
import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";
import { command } from "../../src/cli/train.ts";
import { COMMON_FLAGS } from "../../src/cli/command.ts";
import { parseFlags } from "../../src/cli/flags.ts";

const ROOT = new URL("../../", import.meta.url);
const path = (name: string) => fileURLToPath(new URL(name, ROOT));
const SBATCH = "examples/slurm/train.sbatch", MPIJOB = "examples/kubernetes/mpijob.yaml";

/** Throws as `berth train` would if it were called so. */
function checkTrain(words: readonly string[]): ReturnType<typeof parseFlags> {
  return parseFlags(words, { ...command.flags, ...COMMON_FLAGS });
}

Deno.test("Slurm: the script starts berth on every task, with flags that there are", () => {
  const folder = Deno.makeTempDirSync();
  try {
    // srun, played by a script that writes down how it is called
    Deno.writeTextFileSync(`${folder}/srun`, '#!/bin/sh\nprintf "%s\\n" "$@"\n', { mode: 0o755 });
    const env = {
      ...{ PATH: `${folder}:${Deno.env.get("PATH")}`, HOME: "/home/me" },
      ...{ SLURM_JOB_NAME: "berth", SLURM_JOB_ID: "7", SLURM_CPUS_PER_TASK: "16" },
    };
    const { status, stdout, stderr } = spawnSync("bash", [path(SBATCH), "train.tsv", "dev.tsv"], {
      ...{ env, encoding: "utf8" },
    });
    strictEqual(status, 0, stderr);
    const words = stdout.trim().split("\n"), at = words.indexOf("train");
    ok(words.includes("--mpi=pmi2") && words.includes("--kill-on-bad-exit=1"), stdout);
    deepStrictEqual(words.slice(at - 4, at), [
      ...["/home/me/.deno/bin/deno", "run", "-A", "/home/me/berth/src/cli/main.ts"],
    ]);
    const { values, positionals } = checkTrain(words.slice(at + 1));
    deepStrictEqual(positionals, []);
    deepStrictEqual([values.train, values.eval, values.threads], ["train.tsv", "dev.tsv", 16]);
    strictEqual(values.out, "/home/me/runs/berth-7");
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

Deno.test("Slurm: the script's directives are options of sbatch with values", () => {
  const directives = readFileSync(path(SBATCH), "utf8").split("\n").filter((line) =>
    line.startsWith("#SBATCH")
  );
  ok(directives.length > 4);
  for (const line of directives) {
    match(
      line,
      /^#SBATCH --(job-name|nodes|ntasks-per-node|cpus-per-task|mem|time)=\S+$|^#SBATCH --requeue$/,
    );
  }
});

interface Container {
  image: string;
  command?: string[];
  resources: { requests: Record<string, string>; limits?: Record<string, string> };
  volumeMounts: { name: string; mountPath: string }[];
}
interface Replica {
  replicas: number;
  template: { spec: { containers: Container[]; volumes: { name: string }[] } };
}

Deno.test("Kubernetes: as many ranks as workers, with flags that there are, threads that they have, volumes that are mounted", () => {
  const job = parse(readFileSync(path(MPIJOB), "utf8"));
  deepStrictEqual([job.apiVersion, job.kind, job.spec.mpiImplementation], [
    "kubeflow.org/v2beta1",
    "MPIJob",
    "MPICH",
  ]);
  const { Launcher, Worker } = job.spec.mpiReplicaSpecs as Record<string, Replica>;
  const [launcher] = Launcher.template.spec.containers, [worker] = Worker.template.spec.containers;
  const words = launcher.command!, at = words.indexOf("train");
  deepStrictEqual(words.slice(0, at), ["mpiexec", "-n", "4", "deno", "run", "-A", "/berth/src/cli/main.ts"]);
  strictEqual(Number(words[2]), Worker.replicas * job.spec.slotsPerWorker);
  const { values } = checkTrain(words.slice(at + 1));
  strictEqual(String(values.threads), worker.resources.limits!.cpu);
  strictEqual(launcher.image, worker.image);
  for (const { template: { spec } } of [Launcher, Worker]) {
    const volumes = spec.volumes.map(({ name }) => name);
    for (const { volumeMounts } of spec.containers) {
      ok(volumeMounts.every(({ name, mountPath }) => volumes.includes(name) && mountPath === "/data"));
    }
  }
});

Deno.test("Kubernetes: the image has the program where the job calls it", () => {
  const lines = readFileSync(path("examples/kubernetes/Dockerfile"), "utf8").split("\n");
  ok(lines.includes("COPY . /berth") && lines.includes("COPY --from=deno /deno /usr/local/bin/deno"));
  ok(lines.some((line) => line.includes("mpich") && line.includes("openssh-server")));
  ok(existsSync(path("src/cli/main.ts")));
});
