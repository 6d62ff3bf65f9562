/**
 * The tree of modules that a model is: named children and parameters, printed as PyTorch prints them.
 *
 * @module
 */
import type { Parameter } from "./parameter.ts";

/** Counts the changes of all trees: what was listed before one may be stale. */
let changes = 0;

/** A part of a model. Children are printed and named in the order in which they are added. */
export class Module {
  readonly #children = new Map<string, Module>();
  readonly #parameters = new Map<string, Parameter>();
  /** All parameters as they were after so many changes; every step asks for them, some parts of the model too. */
  #listed: { after: number; parameters: readonly Parameter[] } = { after: -1, parameters: [] };

  /**
   * A module without parts.
   *
   * @param typeName The class name that PyTorch prints.
   */
  constructor(readonly typeName: string) {}

  /** Adds a part under the name that the checkpoint uses. */
  protected child<T extends Module>(name: string, module: T): T {
    this.#children.set(name, module);
    changes++;
    return module;
  }

  /** Adds another module's parts under their names. */
  protected adopt(other: Module): void {
    for (const [name, module] of other.#children) this.child(name, module);
  }

  /** Takes a part away. */
  protected removeChild(name: string): void {
    this.#children.delete(name);
    changes++;
  }

  /** Adds a trainable tensor. */
  protected parameter(name: string, parameter: Parameter): Parameter {
    this.#parameters.set(name, parameter);
    changes++;
    return parameter;
  }

  /** What stands in the brackets of a module without parts: `in_features=768, out_features=2, bias=True`. */
  protected describe(): string {
    return "";
  }

  /** Names and parameters, in PyTorch's order. One that stands in several places comes once, by its first name. */
  *named_parameters(
    prefix = "",
    seen: Set<Parameter> = new Set(),
  ): Generator<[name: string, parameter: Parameter]> {
    for (const [name, parameter] of this.#parameters) {
      if (seen.has(parameter)) continue;
      seen.add(parameter);
      yield [prefix + name, parameter];
    }
    for (const [name, module] of this.#children) yield* module.named_parameters(`${prefix}${name}.`, seen);
  }

  /** Names and modules: this one, and all those within it. */
  *named_modules(name = ""): Generator<[name: string, module: Module]> {
    yield [name, this];
    for (const [own, module] of this.#children) yield* module.named_modules(name ? `${name}.${own}` : own);
  }

  /** This module and all those within it. */
  *modules(): Generator<Module> {
    for (const [, module] of this.named_modules()) yield module;
  }

  /** All parameters, in PyTorch's order. */
  parameters(): Parameter[] {
    return [...this.#list()];
  }

  /** True if any parameter in here is trained. */
  isTrainable(): boolean {
    return this.#list().some((parameter) => parameter.requires_grad);
  }

  #list(): readonly Parameter[] {
    if (this.#listed.after !== changes) {
      const parameters = Array.from(this.named_parameters(), ([, parameter]) => parameter);
      this.#listed = { after: changes, parameters };
    }
    return this.#listed.parameters;
  }

  /** The module tree, as PyTorch prints it. */
  toString(): string {
    if (this.#children.size === 0) return `${this.typeName}(${this.describe()})`;
    const lines = Array.from(
      this.#children,
      ([name, module]) => `(${name}): ${module}`.replaceAll("\n", "\n  "),
    );
    return `${this.typeName}(\n  ${lines.join("\n  ")}\n)`;
  }
}

/** A numbered list of modules. */
export class ModuleList<T extends Module> extends Module {
  readonly items: readonly T[];

  constructor(items: T[]) {
    super("ModuleList");
    this.items = items;
    items.forEach((item, i) => this.child(String(i), item));
  }
}

/** A number as Python prints a float: `1e-05`, `0.1`, `0.0`. */
export function pythonFloat(x: number): string {
  if (Number.isInteger(x)) return `${x}.0`;
  return Math.abs(x) < 1e-4 ? x.toExponential().replace(/e-(\d)$/, "e-0$1") : String(x);
}
