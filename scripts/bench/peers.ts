/**
 * Installs the peers that the suites compare with, into a scratch folder: pinned packages of npm, and of PyPI into a
 * virtual environment unless a Python that has them is named.
 */
import { execFile } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Peers } from "./harness.ts";

const run = promisify(execFile);

/** Pinned, so that a figure can be made again. */
export const NPM: Readonly<Record<string, string>> = {
  "@huggingface/tokenizers": "0.2.0",
  "@huggingface/transformers": "4.3.1",
  "@jax-js/jax": "0.1.25",
  "@tensorflow/tfjs-backend-wasm": "4.22.0",
  "@tensorflow/tfjs-core": "4.22.0",
  bun: "1.4.5",
  node: "24.21.0",
  "onnxruntime-web": "1.30.0",
};

/** The Python packages, by the name that `importlib.metadata` knows. */
export const PYPI: Readonly<Record<string, string>> = {
  torch: "2.15.0",
  transformers: "5.23.0",
  tokenizers: "0.23.3",
};

/** How {@linkcode openPeers} installs. */
export interface PeersOptions {
  /** The scratch folder. */
  folder: URL;
  /** A Python that has the packages; without it a virtual environment is made. */
  python?: string;
  say(line: string): void;
}

/** The peers of a folder; nothing is installed before it is asked for. */
export function openPeers({ folder, python, say }: PeersOptions): Peers {
  const root = fileURLToPath(folder), versions: Record<string, string> = {};
  let modules: Promise<string> | undefined, interpreter: Promise<string> | undefined;

  const installNpm = async (): Promise<string> => {
    const wanted = Object.entries(NPM).map(([name, version]) => `${name}@${version}`);
    const stamp = `${root}npm.txt`, target = `${root}node_modules`;
    if (!existsSync(stamp) || readFileSync(stamp, "utf8") !== wanted.join("\n")) {
      mkdirSync(root, { recursive: true });
      say(`installing ${wanted.length} packages of npm`);
      await run("npm", ["install", "--prefix", root, "--no-audit", "--no-fund", "--no-save", ...wanted], {
        env: { ...process.env, ONNXRUNTIME_NODE_INSTALL: "skip" }, // its GPU libraries
      });
      writeFileSync(stamp, wanted.join("\n"));
    }
    Object.assign(versions, NPM);
    return target;
  };

  const installPypi = async (): Promise<string> => {
    const wanted = Object.entries(PYPI).map(([name, version]) => `${name}==${version}`);
    const stamp = `${root}pypi.txt`, target = `${root}python`;
    if (!existsSync(stamp) || readFileSync(stamp, "utf8") !== wanted.join("\n")) {
      say(`making a Python environment with ${wanted.length} packages of PyPI, some minutes`);
      await run("python3", ["-m", "venv", "--clear", target]);
      await run(`${target}/bin/python`, ["-m", "pip", "install", "--quiet", ...wanted], {
        maxBuffer: 2 ** 26,
      });
      writeFileSync(stamp, wanted.join("\n"));
    }
    return `${target}/bin/python`;
  };

  const findPython = async (): Promise<string> => {
    python ??= await installPypi();
    const names = Object.keys(PYPI);
    const script =
      "import importlib.metadata as m, sys; print('\\n'.join(m.version(n) for n in sys.argv[1:]))";
    const { stdout } = await run(python, ["-c", script, ...names]);
    stdout.trim().split("\n").forEach((version, i) => versions[names[i]] = version);
    return python;
  };

  return {
    nodeModules: () => modules ??= installNpm(),
    python: () => interpreter ??= findPython(),
    versions: () => ({ ...versions }),
  };
}

/** The Python that the environment names. */
export function pythonOfEnvironment(): string | undefined {
  return process.env.BERTH_PYTHON;
}
