/** Trains and serves text classifiers in an AWS Lambda function behind an HTTP API (payload 2.0) or a function URL. */
import { readFileSync } from "node:fs";
import { handleRequest, init, readModelFiles, TrainingService } from "@berth/berth/edge";
import { folderStore } from "./folder_store.js";

const code = process.env.LAMBDA_TASK_ROOT ?? ".";
/** A file system that all instances share, such as EFS. */
const runs = process.env.RUNS_FOLDER ?? "/mnt/runs";

let service;
/** Milliseconds from the start of the process until the first request could be answered; told once. */
let coldStartMs;

async function start() {
  const module = (name) => new WebAssembly.Module(readFileSync(`${code}/${name}`));
  await init({
    wasm: { tfjs: module("tfjs-backend-wasm-simd.wasm"), kernels: module("kernels_single.wasm") },
    memoryLimit: 256 * 2 ** 20,
  });
  const files = await readModelFiles((name) => readIfThere(`${code}/berth-tiny/${name}`), {
    name: "berth-tiny",
  });
  service = new TrainingService({ files, store: folderStore(runs) });
  coldStartMs = performance.now();
}

function readIfThere(path) {
  try {
    return readFileSync(path);
  } catch (error) {
    if (error.code === "ENOENT") return null;
    throw error;
  }
}

export async function handler(event) {
  if (!service) await start();
  const { method } = event.requestContext.http;
  const body = event.body === undefined || method === "GET"
    ? undefined
    : Buffer.from(event.body, event.isBase64Encoded ? "base64" : "utf8");
  const url = `https://lambda${event.rawPath}?${event.rawQueryString ?? ""}`;
  const response = await handleRequest(service, new Request(url, { method, headers: event.headers, body }));
  if (coldStartMs !== undefined) response.headers.set("x-cold-start-ms", coldStartMs.toFixed(0));
  coldStartMs = undefined;
  return {
    statusCode: response.status,
    headers: Object.fromEntries(response.headers),
    body: await response.text(),
  };
}
