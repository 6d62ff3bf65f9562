/** The MPI engines that the benchmark and the tests start ranks with, on this machine or between network namespaces. */
import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import process from "node:process";

/** One engine. */
export interface Engine {
  readonly name: "MPICH" | "Open MPI";
  /** The launcher. */
  readonly mpiexec: string;
  readonly library: string;
  /** What the launcher wants before `-n`. */
  readonly flags: readonly string[];
  /** Makes ranks of one machine use TCP. */
  readonly tcp: readonly string[];
  /** Makes ranks of several hosts use TCP through a device, and starts them by a remote shell. */
  between(hosts: readonly string[], device: string, remoteShell: string): string[];
}

/** As variables of each transport that MPICH may be built on: UCX, libfabric, its own. */
const MPICH_TCP = { UCX_TLS: "tcp,self", FI_PROVIDER: "tcp", MPIR_CVAR_NOLOCAL: "1" };
const variables = (values: Record<string, string>) =>
  Object.entries(values).flatMap(([name, value]) => ["-genv", name, value]);

/** All engines, installed or not. */
export const ENGINES: readonly Engine[] = [
  {
    ...{ name: "MPICH", mpiexec: "mpiexec.mpich", library: "libmpich.so.12", flags: [] },
    tcp: variables(MPICH_TCP),
    between: (hosts, device, remoteShell) => [
      ...["-iface", device, "-launcher", "ssh", "-launcher-exec", remoteShell, "-hosts", hosts.join(",")],
      ...variables({ ...MPICH_TCP, UCX_NET_DEVICES: device }),
    ],
  },
  {
    ...{ name: "Open MPI", mpiexec: "mpiexec.openmpi", library: "libmpi.so.40" },
    flags: ["--allow-run-as-root", "--oversubscribe"],
    tcp: ["--mca", "btl", "self,tcp"],
    between: (hosts, device, remoteShell) => [
      ...["--mca", "plm_rsh_agent", remoteShell, "--host", hosts.join(","), "--mca", "btl", "self,tcp"],
      ...["btl_tcp_if_include", "oob_tcp_if_include"].flatMap((name) => ["--mca", name, device]),
    ],
  },
];

/** True if the launcher is there. */
export function isInstalled({ mpiexec }: Engine): boolean {
  return spawnSync(mpiexec, ["--version"]).status === 0;
}

const DEVICE = "net0";

/** Network namespaces, as machines of their own, on one switch. */
export class Network {
  readonly names: readonly string[];
  readonly addresses: readonly string[];
  readonly #switch = `berth-${process.pid}-switch`;
  readonly #folder = mkdtempSync(`${tmpdir()}/berth-network-`);
  /** A program that is called as a remote shell is, and runs the command in the namespace with that address. */
  readonly #remoteShell = `${this.#folder}/remote_shell`;

  /**
   * @param size The number of namespaces.
   * @param rate What each may send, as `400mbit`; default: no limit.
   */
  constructor(size: number, readonly rate?: string) {
    this.names = Array.from({ length: size }, (_, i) => `berth-${process.pid}-${i + 1}`);
    this.addresses = this.names.map((_, i) => `10.77.0.${i + 1}`);
  }

  /** Gives what the system says if it forbids namespaces. */
  open(): string | undefined {
    const commands = [
      ...[`netns add ${this.#switch}`, `-n ${this.#switch} link add bridge type bridge`],
      `-n ${this.#switch} link set bridge up`,
      ...this.names.flatMap((name, i) => [
        `netns add ${name}`,
        `link add ${DEVICE} netns ${name} type veth peer name port${i} netns ${this.#switch}`,
        `-n ${this.#switch} link set port${i} master bridge`,
        `-n ${this.#switch} link set port${i} up`,
        `-n ${name} addr add ${this.addresses[i]}/24 dev ${DEVICE}`,
        `-n ${name} link set lo up`,
        `-n ${name} link set ${DEVICE} up`,
        ...this.rate
          ? [
            `netns exec ${name} tc qdisc add dev ${DEVICE} root tbf rate ${this.rate} burst 256k latency 50ms`,
          ]
          : [],
      ]),
    ];
    for (const command of commands) {
      const { status, error, stderr } = spawnSync("ip", command.split(" "), { encoding: "utf8" });
      if (status !== 0) return `ip ${command}: ${error?.message ?? stderr.trim()}`;
    }
    const isUp = (name: string) => this.#read(name, "operstate") === "up";
    for (let looks = 0; !this.names.every(isUp); looks++) { // it takes some milliseconds
      if (looks > 1000) return `${DEVICE} does not come up`;
    }
    const find = this.names.map((name, i) => `${this.addresses[i]}) name=${name};;`).join(" ");
    const lines = [
      ...["#!/bin/sh", 'while [ "${1#-}" != "$1" ]; do shift; done'],
      ...[`case $1 in ${find} esac`, "shift", 'exec ip netns exec "$name" sh -c "$*"'],
    ];
    writeFileSync(this.#remoteShell, lines.join("\n") + "\n");
    chmodSync(this.#remoteShell, 0o755);
  }

  /** The launcher that starts one rank in each of the first namespaces, with its flags before `-n`. */
  launcher(engine: Engine, size: number): string[] {
    const flags = engine.between(this.addresses.slice(0, size), DEVICE, this.#remoteShell);
    return ["ip", "netns", "exec", this.names[0], engine.mpiexec, ...engine.flags, ...flags];
  }

  /** Bytes that have left the first namespace. */
  sentBytes(): number {
    return Number(this.#read(this.names[0], "statistics/tx_bytes"));
  }

  close(): void {
    for (const name of [...this.names, this.#switch]) spawnSync("ip", ["netns", "del", name]);
    rmSync(this.#folder, { recursive: true });
  }

  /** What the system says of a namespace's device. */
  #read(name: string, fact: string): string {
    const command = ["netns", "exec", name, "cat", `/sys/class/net/${DEVICE}/${fact}`];
    return spawnSync("ip", command, { encoding: "utf8" }).stdout.trim();
  }
}
