/**
 * A short training run in a process of its own that ends in the middle: `dying_run.ts FOLDER HOW AT`. HOW is `kill`
 * (SIGKILL at that event), `write` (SIGKILL at that chunk of a checkpoint), `term` (SIGTERM at that event), `full` (the
 * disk has room for so many files) or `none`. Exit code 0: finished; 3: stopped by a signal; 4: no room.
 */
import process from "node:process";
import { HubError } from "../../src/errors.ts";
import { dispose } from "../../src/runtime/mod.ts";
import { FolderStore } from "../../src/train/mod.ts";
import { BUSY, smallTrainer } from "./trainer_helpers.ts";

const [folder, how, at] = process.argv.slice(2), limit = Number(at);
let events = 0, chunks = 0, files = 0;

class DyingStore extends FolderStore {
  override async write(...[step, all]: Parameters<FolderStore["write"]>): Promise<void> {
    const dying = all.map(({ name, chunks: inner }) => ({
      name,
      chunks: async function* () {
        if (how === "full" && files++ === limit) {
          throw Object.assign(new Error("no space left on device"), { code: "ENOSPC" });
        }
        for await (const chunk of inner()) {
          for (const half of [chunk.subarray(0, chunk.length >> 1), chunk.subarray(chunk.length >> 1)]) {
            if (how === "write" && chunks++ === limit) process.kill(process.pid, "SIGKILL");
            yield half;
          }
        }
      },
    }));
    await super.write(step, dying);
  }
}

const trainer = await smallTrainer({
  store: new DyingStore(folder),
  args: {
    ...{ ...BUSY, save_strategy: "steps", save_steps: 2, save_total_limit: 2, load_best_model_at_end: true },
    handle_signals: true,
  },
  callbacks: [{
    on_event: async () => {
      if (events++ !== limit) return;
      if (how === "kill") process.kill(process.pid, "SIGKILL");
      if (how !== "term") return;
      process.kill(process.pid, "SIGTERM");
      await new Promise((resolve) => setTimeout(resolve, 50)); // until the signal has arrived
    },
  }],
});
try {
  const { stopped } = await trainer.train({ resume_from_checkpoint: true });
  if (stopped === "finished") await trainer.save_model(new URL("final/", new FolderStore(folder).folder));
  process.exitCode = stopped === "finished" ? 0 : 3;
} catch (error) {
  if (!(error instanceof HubError && /no space/.test(error.message))) throw error;
  process.exitCode = 4;
}
dispose();
