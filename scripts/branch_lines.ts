/**
 * How the kernels' innermost loops lie in memory: for each loop that multiplies, the 32-byte lines of machine code in
 * which a branch crosses or meets the line's end. Intel cores before Ice Lake decode such lines anew each time round.
 * The tile of tile.ts has 40 products, dotPair of gemm_dot.ts 48, addPair of gemm_slices.ts 96, the tile of int8.ts 16.
 * Wants a Node of version 24 or later, whose V8 compiles with the bounds checks that Deno's has.
 *
 *     deno run -A scripts/branch_lines.ts [--node NODE] [--wasm src/kernels/generated/kernels_relaxed.wasm]
 */
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

interface Instruction {
  at: number;
  bytes: number;
  text: string;
}

interface Loop {
  instructions: number;
  products: number;
  bytes: number;
  lines: number;
  spoiled: number;
}

const LINE = 32;
const PRODUCT = /^(vfmadd|vpmaddwd)/;
/** Loops of fewer products are not what time is spent in. */
const LEAST_PRODUCTS = 8;

const COMPILE = `
const { readFileSync } = require("node:fs");
const module = new WebAssembly.Module(readFileSync(process.argv[1]));
const memory = new WebAssembly.Memory({ initial: 65535, maximum: 65535, shared: true });
new WebAssembly.Instance(module, { env: { memory } });`;

/** The machine code of each function, by its number in the module. */
function machineCode(node: string, wasm: string): Map<number, Instruction[]> {
  const flags = [
    "--wasm-enforce-bounds-checks",
    "--no-wasm-lazy-compilation",
    "--no-liftoff",
    "--print-wasm-code",
  ];
  const output = execFileSync(node, [...flags, "-e", COMPILE, wasm], {
    encoding: "utf8",
    maxBuffer: 2 ** 30,
  });
  const functions = new Map<number, Instruction[]>();
  for (const part of output.split("--- WebAssembly code ---")) {
    const index = /index: (\d+)\n/.exec(part)?.[1];
    if (index === undefined) continue;
    const lines = part.matchAll(/^0x([0-9a-f]+)\s+[0-9a-f]+\s+([0-9a-f]+)\s+(.*)$/gm);
    functions.set(
      Number(index),
      Array.from(lines, ([, at, code, text]) => ({ at: parseInt(at, 16), bytes: code.length / 2, text })),
    );
  }
  return functions;
}

/** The shortest loop with enough products. */
function hotLoop(code: Instruction[]): Instruction[] | undefined {
  let best: Instruction[] | undefined;
  for (const { at, text } of code) {
    const to = parseInt(/^j\w+ 0x([0-9a-f]+)/.exec(text)?.[1] ?? "", 16);
    if (!(to < at)) continue;
    const body = code.filter((instruction) => instruction.at >= to && instruction.at <= at);
    const products = body.filter((instruction) => PRODUCT.test(instruction.text)).length;
    if (products >= LEAST_PRODUCTS && (!best || body.length < best.length)) best = body;
  }
  return best;
}

/** A compare and the branch after it are one to the processor. */
function branchStart(code: Instruction[], i: number): number {
  const before = code[i - 1];
  const fused = before && before.at + before.bytes === code[i].at &&
    /^(REX\.W )?(cmp|test|add|sub)/.test(before.text) &&
    !before.text.includes("[r13");
  return fused ? before.at : code[i].at;
}

function measure(code: Instruction[]): Loop {
  const first = code[0].at, end = code.at(-1)!.at + code.at(-1)!.bytes, spoiled = new Set<number>();
  code.forEach(({ at, bytes, text }, i) => {
    if (!/^(j|call|ret)/.test(text)) return;
    const line = Math.floor(branchStart(code, i) / LINE);
    if (Math.floor((at + bytes) / LINE) !== line) spoiled.add(line);
  });
  return {
    ...{ instructions: code.length, products: code.filter(({ text }) => PRODUCT.test(text)).length },
    ...{ bytes: end - first, lines: Math.floor((end - 1) / LINE) - Math.floor(first / LINE) + 1 },
    spoiled: spoiled.size,
  };
}

const { values: flags } = parseArgs({
  options: {
    node: { type: "string", default: "node" },
    wasm: {
      type: "string",
      default: fileURLToPath(new URL("../src/kernels/generated/kernels_relaxed.wasm", import.meta.url)),
    },
  },
});
const loops: Record<string, Loop> = {};
for (const [index, code] of machineCode(flags.node, flags.wasm)) {
  const loop = hotLoop(code);
  if (loop) loops[`function ${index}`] = measure(loop);
}
console.table(loops);
