/** Runs that stop anywhere and go on: bit-equal, and nothing half written is ever read. */
import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { readdirSync, readFileSync, renameSync, truncateSync, writeFileSync } from "node:fs";
import "../../src/hub/mod.ts";
import { BertForSequenceClassification } from "../../src/model/mod.ts";
import {
  type CheckpointStore,
  type Example,
  FolderStore,
  MemoryStore,
  Trainer,
  type TrainingArguments,
} from "../../src/train/mod.ts";
import { withFolder } from "../helpers/folder.ts";
import { BUSY, DEV, smallModel, smallTrainer, TRAIN, weightsOf, withBackend } from "./trainer_helpers.ts";

const ARGS: TrainingArguments = { ...BUSY, save_strategy: "steps", save_steps: 2, save_total_limit: 2 };

/** Weights and state of a run that nothing disturbs. */
async function undisturbed(args: TrainingArguments, train_dataset: unknown = TRAIN): Promise<unknown[]> {
  let result: unknown[] = [];
  await withBackend(async () => {
    const trainer = await smallTrainer({
      args,
      train_dataset: train_dataset as Example[],
      store: new MemoryStore(),
    });
    await trainer.train();
    result = [weightsOf(trainer.model), structuredClone(trainer.state)];
  });
  return result;
}

/** Runs in pieces, each ended by a callback's error or a signal at a step, until it is finished. */
async function disturbed(
  args: TrainingArguments,
  ends: readonly { step: number; by: "error" | "signal" }[],
  train_dataset: unknown = TRAIN,
  store: CheckpointStore = new MemoryStore(),
): Promise<unknown[]> {
  let result: unknown[] = [];
  for (const end of [...ends, undefined]) {
    await withBackend(async () => {
      const abort = new AbortController();
      const trainer = await smallTrainer({
        ...{ args, store, train_dataset: train_dataset as Example[] },
        callbacks: [{
          on_substep_end: ({ state }) => {
            if (state.global_step !== end?.step) return;
            if (end.by === "error") throw new Error("the process is gone");
            abort.abort();
          },
        }],
      });
      const run = trainer.train({ resume_from_checkpoint: true, signal: abort.signal });
      if (end?.by === "error") await rejects(run, /is gone/);
      else strictEqual((await run).stopped, end ? "signal" : "finished");
      result = [weightsOf(trainer.model), structuredClone(trainer.state)];
    });
  }
  return result;
}

const ENDS = [{ step: 1, by: "error" }, { step: 3, by: "signal" }, { step: 5, by: "error" }, {
  step: 10,
  by: "signal",
}] as const;

for (
  const [name, more] of Object.entries<TrainingArguments>({
    "in random order": {},
    "grouped by length, with 8-bit moments": { group_by_length: true, state_dtype: "int8" },
    "with the best model at the end": { load_best_model_at_end: true, save_total_limit: 1 },
    "with frozen embeddings and evaluations each epoch": {
      freeze: "bert.embeddings",
      eval_strategy: "epoch",
    },
    "with fused AdamW": { fused_backward: true, max_grad_norm: 0, gradient_accumulation_steps: 1 },
  })
) {
  Deno.test(`a run that dies and is stopped goes on with the same bits: ${name}`, async () => {
    const args = { ...ARGS, ...more };
    deepStrictEqual(await disturbed(args, ENDS), await undisturbed(args));
  });
}

Deno.test("a stream goes on where it was, with the same bits", async () => {
  const opened: number[] = [];
  const stream = async function* (epoch: number) {
    opened.push(epoch);
    for (const example of TRAIN) yield await Promise.resolve(example);
  };
  const args = { ...ARGS, max_steps: 11, shuffle_buffer_size: 10 };
  const whole = await undisturbed(args, stream);
  deepStrictEqual(opened, [0, 1, 2]);
  deepStrictEqual(await disturbed(args, ENDS, stream), whole);
});

Deno.test("a folder's checkpoints: damaged and half-written ones are passed over, old ones go", async () => {
  await withFolder(async (folder) => {
    const whole = await undisturbed(ARGS), store = new FolderStore(folder), skipped: [number, string][] = [];
    await withBackend(async () => {
      const abort = new AbortController();
      const trainer = await smallTrainer({
        args: { ...ARGS, output_dir: folder },
        callbacks: [{ on_step_end: ({ step: { step } }) => step === 7 ? abort.abort() : undefined }],
      });
      strictEqual((await trainer.train({ signal: abort.signal })).stopped, "signal");
    });
    deepStrictEqual(readdirSync(folder).sort(), ["checkpoint-6", "checkpoint-7"]);
    // A process that was ended while it wrote leaves a folder under another name; a disk may damage a file.
    renameSync(new URL("checkpoint-7", folder), new URL(".checkpoint-8.1234.part", folder));
    for (const name of ["model.safetensors", "optimizer.safetensors", "SHA256SUMS"]) {
      const step = 7 + ["model.safetensors", "optimizer.safetensors", "SHA256SUMS"].indexOf(name);
      await store.write(
        step,
        (await files(store, 6)).map((file) => ({ name: file.name, chunks: () => [file.bytes] })),
      );
      const path = new URL(`checkpoint-${step}/${name}`, folder), { length } = readFileSync(path);
      if (name === "model.safetensors") {
        const bytes = readFileSync(path);
        bytes[length - 5] ^= 1;
        writeFileSync(path, bytes);
      } else truncateSync(path, length - 70);
    }
    await withBackend(async () => {
      const trainer = await smallTrainer({
        args: { ...ARGS, output_dir: folder },
        callbacks: [{ on_checkpoint_skipped: ({ step, reason }) => void skipped.push([step, reason]) }],
      });
      await trainer.train({ resume_from_checkpoint: true });
      deepStrictEqual([weightsOf(trainer.model), structuredClone(trainer.state)], whole);
    });
    deepStrictEqual(skipped.map(([step]) => step), [9, 8, 7]);
    ok(!readdirSync(folder).some((name) => name.endsWith(".part")));
    await withBackend(async () => {
      const model = await BertForSequenceClassification.from_pretrained(new URL("checkpoint-15", folder));
      deepStrictEqual(weightsOf(model), whole[0]);
    });
  });
});

/** The files of a checkpoint. */
async function files(store: FolderStore, step: number): Promise<{ name: string; bytes: Uint8Array }[]> {
  const found = await store.read(step);
  return await Promise.all(
    (await found.list!()).map(async (name) => ({ name, bytes: (await found.read(name))! })),
  );
}

Deno.test("a disk that is full ends the run with an error and leaves the checkpoints before as they are", async () => {
  const args = { ...ARGS, save_total_limit: undefined }, whole = await undisturbed(args);
  await withFolder(async (folder) => {
    /** Accepts so many files, then has no room. */
    class FullDisk extends FolderStore {
      room = 9;
      override async write(...[step, files]: Parameters<FolderStore["write"]>) {
        const full = () => {
          throw Object.assign(new Error("no space"), { code: "ENOSPC" });
        };
        await super.write(step, files.map((file) => this.room-- > 0 ? file : { ...file, chunks: full }));
      }
    }
    await withBackend(async () => {
      const trainer = await smallTrainer({ args, store: new FullDisk(folder) });
      await rejects(trainer.train(), /checkpoint-4.*no space is left on the disk/);
    });
    deepStrictEqual(readdirSync(folder), ["checkpoint-2"]);
    deepStrictEqual(await disturbed(args, [], TRAIN, new FolderStore(folder)), whole);
  });
});

Deno.test("a state of another run is refused, and a new run does not mix with an old one's checkpoints", async () => {
  await withBackend(async () => {
    const store = new MemoryStore(), model = await smallModel(), args = { ...ARGS, max_steps: 3 };
    const make = (args: TrainingArguments, train_dataset = TRAIN) =>
      new Trainer({ model, args, train_dataset, eval_dataset: DEV, store });
    const { state } = await make(args).run({ steps: 2 });
    await rejects(make({ ...args, seed: 8 }).load_state(state), /made with seed 7, now it is 8/);
    await rejects(make(args, TRAIN.slice(1)).load_state(state), /training examples are others/);
    for (const at of [100, state.length - 9]) {
      await rejects(make(args).load_state(state.with(at, state[at] ^ 4)), /they are damaged/);
    }
    await rejects(make(args).load_state(new Uint8Array(100)), /they are no state of a Trainer/);
    await rejects(make({ ...args, freeze: "bert.embeddings" }).load_state(state), /not trained are others/);
    for (const [, parameter] of model.named_parameters()) parameter.requires_grad = true;
    await rejects(make(args).train(), /there is checkpoint-2 of an earlier one/);
    strictEqual((await make({ ...args, overwrite_output_dir: true }).train()).global_step, 3);
    deepStrictEqual(await store.list(), [2, 3]);
  });
});
