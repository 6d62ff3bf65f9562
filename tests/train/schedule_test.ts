/** Schedules against the numbers of transformers. */
import { ok, strictEqual, throws } from "node:assert/strict";
import { readFileSync } from "node:fs";
import { Parameter } from "../../src/model/mod.ts";
import { dispose, init } from "../../src/runtime/mod.ts";
import { AdamW, get_scheduler, type SchedulerOptions, type SchedulerType } from "../../src/train/mod.ts";
import { largestDifference } from "../helpers/errors.ts";

interface Case {
  name: SchedulerType;
  warmup: number;
  total: number;
  options: SchedulerOptions;
  rates: number[];
}

const cases: Case[] = JSON.parse(readFileSync(new URL("golden/schedules.json", import.meta.url), "utf8"));

Deno.test("all schedules give transformers' rates within 1e-18", async () => {
  await init({ threads: 1 });
  for (const { name, warmup, total, options, rates } of cases) {
    const optimizer = new AdamW([new Parameter([1])], { lr: 3e-4 });
    const steps = { num_warmup_steps: warmup, num_training_steps: total };
    const schedule = get_scheduler(name, optimizer, { ...steps, ...options }), own: number[] = [];
    for (let i = 0; i < rates.length; i++, schedule.step()) own.push(schedule.get_last_lr()[0]);
    ok(
      largestDifference(own, rates) < 1e-18,
      `${name} ${JSON.stringify(options)}: ${largestDifference(own, rates)}`,
    );
    schedule.last_step = 4;
    strictEqual(schedule.get_last_lr()[0], own[4]);
  }
  const optimizer = new AdamW([new Parameter([1])], { lr: 1e-8 });
  throws(
    () => get_scheduler("polynomial", optimizer, { num_training_steps: 3 }),
    /lr_end 1e-7: it is not below/,
  );
  throws(() => get_scheduler("linear", optimizer), /without num_training_steps/);
  dispose();
});
