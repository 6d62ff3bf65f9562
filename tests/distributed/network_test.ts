/** Two ranks in network namespaces of their own, as on two machines: they reach each other by TCP alone. */
import { ok } from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { allDone, type Engine, engines } from "./engines.ts";

/** The network's device, the same name in both namespaces, and the addresses. */
const DEVICE = "net0", ADDRESSES = ["10.77.0.1", "10.77.0.2"];

/** What makes each engine use TCP, through that device, and start the second rank by our remote shell. */
function overTcp(engine: Engine, remoteShell: string): string[] {
  const hosts = ADDRESSES.join(",");
  if (engine.name === "Open MPI") {
    return [
      ...["--mca", "plm_rsh_agent", remoteShell, "--host", hosts, "--mca", "btl", "self,tcp"],
      ...["btl_tcp_if_include", "oob_tcp_if_include"].flatMap((name) => ["--mca", name, "10.77.0.0/24"]),
    ];
  }
  const variables = { // of each transport that MPICH may be built on: UCX, libfabric, its own
    ...{ UCX_TLS: "tcp,self", UCX_NET_DEVICES: DEVICE, FI_PROVIDER: "tcp", MPIR_CVAR_NOLOCAL: "1" },
  };
  return [
    ...["-iface", DEVICE, "-launcher", "ssh", "-launcher-exec", remoteShell, "-hosts", hosts],
    ...Object.entries(variables).flatMap(([name, value]) => ["-genv", name, value]),
  ];
}

/** Two network namespaces with a cable between them. */
class Network {
  readonly names = ["a", "b"].map((letter) => `berth-${Deno.pid}-${letter}`);
  readonly #folder = mkdtempSync(`${tmpdir()}/berth-network-`);
  /** A program that is called as a remote shell is, and runs the command in the second namespace. */
  readonly remoteShell = `${this.#folder}/remote_shell`;

  /** Gives what the system says if it forbids namespaces. */
  open(): string | undefined {
    const [a, b] = this.names,
      commands = [
        ...this.names.map((name) => `netns add ${name}`),
        `link add ${DEVICE} netns ${a} type veth peer name ${DEVICE} netns ${b}`,
        ...this.names.flatMap((name, i) => [
          `-n ${name} addr add ${ADDRESSES[i]}/24 dev ${DEVICE}`,
          `-n ${name} link set lo up`,
          `-n ${name} link set ${DEVICE} up`,
        ]),
      ];
    for (const command of commands) {
      const { status, error, stderr } = spawnSync("ip", command.split(" "), { encoding: "utf8" });
      if (status !== 0) return `ip ${command}: ${error?.message ?? stderr.trim()}`;
    }
    const isUp = () => this.#run(b, "cat", `/sys/class/net/${DEVICE}/operstate`) === "up"; // after some milliseconds
    for (let looks = 0; !isUp(); looks++) if (looks > 1000) return `${DEVICE} does not come up`;
    const lines = [
      "#!/bin/sh",
      'while [ "${1#-}" != "$1" ]; do shift; done',
      "shift",
      `exec ip netns exec ${b} sh -c "$*"`,
    ];
    writeFileSync(this.remoteShell, lines.join("\n") + "\n");
    chmodSync(this.remoteShell, 0o755);
  }

  close(): void {
    for (const name of this.names) spawnSync("ip", ["netns", "del", name]);
    rmSync(this.#folder, { recursive: true });
  }

  /** Bytes that have left the first namespace. */
  sentBytes(): number {
    return Number(this.#run(this.names[0], "cat", `/sys/class/net/${DEVICE}/statistics/tx_bytes`));
  }

  #run(name: string, ...command: string[]): string {
    return spawnSync("ip", ["netns", "exec", name, ...command], { encoding: "utf8" }).stdout.trim();
  }
}

for (const engine of engines) {
  Deno.test(`${engine.name}: two ranks in network namespaces of their own talk by TCP`, async () => {
    const network = new Network();
    try {
      const refusal = network.open();
      if (refusal) return console.log(`Skipped: this machine makes no network namespaces (${refusal})`);
      const options = {
        flags: overTcp(engine, network.remoteShell),
        shell: ["ip", "netns", "exec", network.names[0]],
      };
      await allDone(engine, 2, "operations", options);
      const before = network.sentBytes();
      await allDone(engine, 2, "large", options);
      const sent = network.sentBytes() - before;
      ok(sent > 50e6, `100 MB were summed, but only ${sent} bytes went through the network`);
    } finally {
      network.close();
    }
  });
}
