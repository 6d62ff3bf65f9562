/** What the tests ask of a service, over HTTP or in this process; and the runs that they make. */
import { strictEqual } from "node:assert/strict";
import type { RunRequest, RunStatus, SliceResult } from "../../src/edge/mod.ts";
import type { Prediction } from "../../src/model/mod.ts";
import { LABELS, readExamples } from "../../scripts/demo/data.ts";

/** Sentences about baseball with the names of their labels. */
export function sentences(set: "train" | "test"): { text: string; label: string }[] {
  return readExamples(set).map(({ text, label }) => ({ text, label: LABELS[label] }));
}

/** A run of 24 steps that every runtime makes. */
export const SMALL_RUN: RunRequest = {
  ...{
    examples: sentences("train").slice(0, 96),
    train: "top",
    batch_size: 16,
    num_train_epochs: 4,
    seed: 7,
  },
};

/** One of 72 steps, long enough to end it in the middle. */
export const LONG_RUN: RunRequest = { ...SMALL_RUN, num_train_epochs: 12 };

/** Texts that it is asked about afterwards. */
export const TEXTS: string[] = sentences("test").slice(0, 20).map(({ text }) => text);

/** Answers one request. */
export type Ask = (request: Request) => Promise<Response>;

/** A service as its clients see it. */
export class Client {
  constructor(readonly url: string, readonly token = "", readonly ask: Ask = fetch) {}

  /** Sends a request whatever the answer. */
  async send(method: string, path: string, body?: unknown): Promise<Response> {
    const text = typeof body === "string" || body === undefined ? body : JSON.stringify(body);
    const headers = { authorization: `Bearer ${this.token}`, "content-type": "application/json" };
    return await this.ask(new Request(new URL(path, this.url), { method, headers, body: text }));
  }

  /** Sends a request that is to succeed. */
  async get<T>(method: string, path: string, body?: unknown, status = 200): Promise<T> {
    const response = await this.send(method, path, body), text = await response.text();
    strictEqual(response.status, status, text);
    return JSON.parse(text);
  }

  begin(id: string, run: RunRequest): Promise<RunStatus> {
    return this.get("POST", "/train", { id, ...run }, 201);
  }

  train(id: string, steps?: number): Promise<SliceResult> {
    return this.get("POST", `/train/${id}`, { steps });
  }

  status(id: string): Promise<RunStatus> {
    return this.get("GET", `/train/${id}`);
  }

  predict(id: string, texts: string[]): Promise<Prediction[]> {
    return this.get("POST", `/predict/${id}`, { texts });
  }
}

/** What a run comes to: all its losses, and what it says of some texts. */
export interface Outcome {
  losses: number[];
  logits: number[][];
}

/** Makes a run to its end in slices. */
export async function wholeRun(
  client: Client,
  id: string,
  run: RunRequest,
  steps?: number,
): Promise<Outcome> {
  await client.begin(id, run);
  return await restOfRun(client, id, steps);
}

/** Makes the steps that are left. */
export async function restOfRun(client: Client, id: string, steps?: number): Promise<Outcome> {
  const losses: number[] = [];
  for (let slice; !slice?.done;) losses.push(...(slice = await client.train(id, steps)).losses);
  return { losses, logits: (await client.predict(id, TEXTS)).map(({ logits }) => logits) };
}
