/**
 * LoRA on a Linear: y = f(x W^T + b + scaling * dropout(x) A^T B^T), of which only A and B are trained
 * (Hu et al., https://arxiv.org/abs/2106.09685; names and start values as in PEFT).
 *
 * @module
 */
import type { Random } from "../../random.ts";
import { matMul, type Runtime } from "../../runtime/mod.ts";
import type { StepContext } from "../context.ts";
import { applyDropout, Dropout, type Linear, type LinearAdapter, runDropout } from "../layers.ts";
import { Module } from "../module.ts";
import { Parameter } from "../parameter.ts";

/** One of the two matrices, [outputs, inputs]. */
class LoraMatrix extends Module {
  readonly weight: Parameter;

  constructor(readonly inputs: number, readonly outputs: number) {
    super("Linear");
    this.weight = this.parameter("weight", new Parameter([outputs, inputs]));
  }

  protected override describe(): string {
    return `in_features=${this.inputs}, out_features=${this.outputs}, bias=False`;
  }

  /** Draws as torch.nn.Linear begins: uniform up to 1 / sqrt(inputs). */
  drawUniform(random: Random): void {
    const values = this.weight.values(), bound = 1 / Math.sqrt(this.inputs);
    for (let i = 0; i < values.length; i++) values[i] = (2 * random.uniform() - 1) * bound;
    this.weight.markWritten();
  }

  drawNormal(random: Random, deviation: number): void {
    const values = this.weight.values();
    for (let i = 0; i < values.length; i++) values[i] = random.normal(0, deviation);
    this.weight.markWritten();
  }

  fillZero(): void {
    this.weight.values().fill(0);
    this.weight.markWritten();
  }
}

/** What one Linear's adapter is made of. */
export interface LoraSettings {
  r: number;
  scaling: number;
  dropout: number;
  /** The place of its dropout in the model. */
  site: number;
}

/** The adapter of one Linear. */
export class LoraLayer implements LinearAdapter {
  /** [r, I] */
  readonly lora_A: LoraMatrix;
  /** [O, r] */
  readonly lora_B: LoraMatrix;
  /** The factor of the product. */
  readonly scaling: number;
  /** Of the inputs. */
  readonly dropout: Dropout;
  /** False while it is switched off, or a part of the Linear's weight. */
  active = true;
  readonly #site: number;
  #context: StepContext | undefined;
  /** [n, r] of the step: scaling * dropout(x) A^T, and scaling * dy B if it is known. */
  #inner = 0;
  #dinner = 0;

  constructor(readonly linear: Linear, settings: LoraSettings) {
    this.lora_A = new LoraMatrix(linear.inputs, settings.r);
    this.lora_B = new LoraMatrix(settings.r, linear.outputs);
    this.scaling = settings.scaling;
    this.dropout = new Dropout(settings.dropout);
    this.#site = settings.site;
  }

  /** The matrices by name. */
  get parts(): { lora_A: Module; lora_B: Module } {
    return { lora_A: this.lora_A, lora_B: this.lora_B };
  }

  /** The rank. */
  get r(): number {
    return this.lora_A.outputs;
  }

  /** Sees the step that comes. */
  beginForward(context: StepContext): void {
    this.#context = context;
  }

  forward(runtime: Runtime, y: number, x: number, n: number, activation: number, slope: number): void {
    const { linear: { inputs, outputs }, r } = this;
    this.#dinner = 0;
    this.#inner = runtime.arena.floats(n * r); // [n, r], where the layer's activations stand
    const mark = runtime.arena.mark();
    const a = applyDropout(runtime, x, n, inputs, this.#drop());
    matMul(runtime, {
      ...{ c: this.#inner, a, b: this.lora_A.weight.pointer },
      ...{ m: n, n: r, k: inputs, transposeB: true },
    });
    runtime.arena.release(mark);
    this.#scale(runtime, this.#inner, n);
    matMul(runtime, {
      ...{ c: y, a: this.#inner, b: this.lora_B.weight.pointer, accumulate: true, activation, aux: slope },
      ...{ m: n, n: outputs, k: r, transposeB: true },
    });
  }

  backwardInput(runtime: Runtime, dx: number, dy: number, n: number, accumulate: boolean): void {
    const { linear: { inputs }, r } = this, drop = this.#drop();
    const a = this.#dinner = this.#backwardB(runtime, dy, n);
    const mark = runtime.arena.mark(), direct = drop.threshold === 0;
    const c = direct ? dx : runtime.arena.floats(n * inputs); // [n, I]
    matMul(runtime, {
      ...{ c, a, b: this.lora_A.weight.pointer, accumulate: direct && accumulate },
      ...{ m: n, n: inputs, k: r },
    });
    if (!direct) runDropout(runtime, dx, c, n, inputs, drop, accumulate);
    runtime.arena.release(mark);
  }

  backwardParameters(runtime: Runtime, dy: number, x: number, n: number): void {
    const { linear: { inputs, outputs }, r } = this, A = this.lora_A.weight, B = this.lora_B.weight;
    if (A.requires_grad) {
      const dinner = this.#dinner || this.#backwardB(runtime, dy, n);
      const dropped = applyDropout(runtime, x, n, inputs, this.#drop());
      const { pointer: c, accumulate } = A.beginGradient();
      matMul(runtime, { c, a: dinner, b: dropped, accumulate, m: r, n: inputs, k: n, transposeA: true });
      A.endGradient(c);
    }
    if (B.requires_grad) {
      const { pointer: c, accumulate } = B.beginGradient();
      matMul(runtime, { c, a: dy, b: this.#inner, accumulate, m: outputs, n: r, k: n, transposeA: true });
      B.endGradient(c);
    }
    this.#dinner = 0;
  }

  /** W += sign * scaling * B A, in place. */
  addToWeight(runtime: Runtime, sign: 1 | -1): void {
    const { linear: { inputs, outputs, weight }, r } = this, mark = runtime.arena.mark();
    const scaled = runtime.arena.floats(outputs * r); // [O, r]
    runScale(runtime, scaled, this.lora_B.weight.pointer, sign * this.scaling, outputs * r);
    matMul(runtime, {
      ...{ c: weight.pointer, a: scaled, b: this.lora_A.weight.pointer, accumulate: true },
      ...{ m: outputs, n: inputs, k: r },
    });
    runtime.arena.release(mark);
    weight.markWritten();
  }

  /** scaling * dy B, [n, r], in the arena. */
  #backwardB(runtime: Runtime, dy: number, n: number): number {
    const { linear: { outputs }, r } = this, c = runtime.arena.floats(n * r);
    matMul(runtime, { c, a: dy, b: this.lora_B.weight.pointer, m: n, n: r, k: outputs });
    this.#scale(runtime, c, n);
    return c;
  }

  #scale(runtime: Runtime, inner: number, n: number): void {
    if (this.scaling !== 1) runScale(runtime, inner, inner, this.scaling, n * this.r);
  }

  #drop() {
    return this.dropout.at(this.#context!, this.#site);
  }
}

/** y = factor * x over n floats. */
function runScale(runtime: Runtime, y: number, x: number, factor: number, n: number): void {
  runtime.pool.run("scale", Math.ceil(n / 1024), 4, y, x, factor, n);
}
