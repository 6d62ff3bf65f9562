/** The package built and installed as a user would: in an empty project, from its tarball, with npm. */
import { execFile } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import process from "node:process";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";

const ROOT = new URL("../../", import.meta.url);

/** Tools of npm, pinned. */
const TOOLS = {
  attw: ["@arethetypeswrong/cli@0.18.5", "attw"],
  publint: ["publint@0.3.25", "publint"],
  tsc: ["typescript@5.9.3", "tsc"],
  "tsc 7": ["typescript@7.0.2", "tsc"],
} as const;

/** What npm says when it cannot reach its registry. */
const UNREACHABLE = /\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|ENOTCACHED)\b/;

/** The longest that a program may take: one that does not end by itself fails. */
const TIMEOUT_MS = 120_000;

/** An empty project with the package. */
export interface Scratch {
  /** The built package. */
  folder: URL;
  /** Its tarball. */
  tarball: URL;
  /** The project, with the programs of the tests. */
  app: URL;
}

/** What a program printed. */
export async function run(command: string, args: string[], cwd?: URL, env = {}): Promise<string> {
  const options = {
    cwd,
    env: { ...process.env, NO_COLOR: "1", ...env },
    timeout: TIMEOUT_MS,
    maxBuffer: 2 ** 26,
  };
  try {
    return (await promisify(execFile)(command, args, options)).stdout;
  } catch (error) {
    const { stdout, stderr, killed } = error as { stdout: string; stderr: string; killed: boolean };
    const how = killed ? `did not end within ${TIMEOUT_MS / 1000} s` : "failed";
    throw new Error(`${command} ${args.join(" ")} ${how}:\n${stdout}\n${stderr}`, { cause: error });
  }
}

/** Runs a tool of npm's. */
export function tool(name: keyof typeof TOOLS, args: string[], cwd?: URL): Promise<string> {
  const [packed, command] = TOOLS[name];
  return run("npx", ["-y", "-p", packed, command, ...args], cwd);
}

/**
 * Builds and installs.
 *
 * @returns The project, or why there is none: npm cannot be reached.
 */
export async function prepare(): Promise<Scratch | string> {
  const root = pathToFileURL(`${mkdtempSync(`${tmpdir()}/berth package `)}/`); // names with spaces must do
  const folder = new URL("npm/", root), app = new URL("app/", root), tarball = new URL("package.tgz", folder);
  mkdirSync(app);
  writeFileSync(new URL("package.json", app), JSON.stringify({ name: "app", private: true, type: "module" }));
  try {
    await run(Deno.execPath(), ["task", "build:npm:offline", "--out", fileURLToPath(folder)], ROOT);
    await install(app, [fileURLToPath(tarball)]);
  } catch (error) {
    if (UNREACHABLE.test(String(error))) return `npm cannot be reached: ${String(error).slice(0, 300)}`;
    throw error;
  }
  cpSync(new URL("programs/", import.meta.url), app, { recursive: true });
  return { folder, tarball, app };
}

/** Installs packages into a project. */
export async function install(app: URL, packages: string[]): Promise<void> {
  await run("npm", ["install", "--no-audit", "--no-fund", "--prefer-offline", ...packages], app);
}

/** A JSON file. */
// deno-lint-ignore no-explicit-any
export function readJson(file: URL): any {
  return JSON.parse(readFileSync(file, "utf8"));
}
