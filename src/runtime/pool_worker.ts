/**
 * A worker of the kernel pool: waits for a dispatch, takes its share, says that it is done.
 *
 * @module
 */
import { CONTROL, KernelRunner, slotOf, SLOTS } from "./kernel_runner.ts";
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
    if (Atomics.load(control, CONTROL.stop) !== 0) break;
    seen = Atomics.load(control, CONTROL.generation);
    // Says what it works on before it looks whether the slot is still that dispatch's; the caller does the reverse.
    Atomics.store(control, CONTROL.working + thread, seen);
    const age = Atomics.load(control, CONTROL.prepared) - seen;
    if (age >= 0 && age < SLOTS) runner.take(thread, slotOf(seen));
    Atomics.store(control, CONTROL.working + thread, 0);
  }
  port.close();
}

const port = parentPort();
port.onMessage((message) => serve(message as Start));
