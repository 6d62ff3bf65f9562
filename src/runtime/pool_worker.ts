/**
 * A worker of the kernel pool: waits for a dispatch, takes its share, says that it is done.
 *
 * @module
 */
import { CONTROL, KernelRunner } from "./kernel_runner.ts";
import { parentPort } from "./platform.ts";

/** Looks this often (some 200 us) before it sleeps, so that dispatches in a row wake nobody. */
const SPINS = 20_000;

interface Start {
  module: WebAssembly.Module;
  memory: WebAssembly.Memory;
  control: Int32Array;
  thread: number;
}

function serve({ module, memory, control, thread }: Start): void {
  const runner = new KernelRunner(module, memory, control);
  let seen = Atomics.load(control, CONTROL.generation);
  port.postMessage("ready");
  for (;;) {
    for (let spins = 0; Atomics.load(control, CONTROL.generation) === seen; spins++) {
      if (spins > SPINS) Atomics.wait(control, CONTROL.generation, seen);
    }
    seen = Atomics.load(control, CONTROL.generation);
    if (Atomics.load(control, CONTROL.stop) !== 0) break;
    try {
      runner.take(thread);
    } catch {
      Atomics.store(control, CONTROL.failed, 1);
    }
    Atomics.sub(control, CONTROL.pending, 1);
  }
  port.close();
}

const port = parentPort();
port.onMessage((message) => serve(message as Start));
