/**
 * Rows of embeddings: which ones have a gradient in a step, on any rank, and these rows side by side. A step touches few
 * of a vocabulary's rows, so the others need not be handed over; the sums are the same.
 *
 * @module
 */
import type { Communicator } from "../../distributed/mod.ts";
import type { FlatGradients, GradientPlace } from "./flat_gradients.ts";

/** Rows of one embedding in this step. */
interface Table extends GradientPlace {
  rows: number;
  width: number;
  /** Rows that had a gradient in an earlier step: a byte each, as in `parameter.touched`. */
  before: Uint8Array;
}

/** The embeddings' rows of one step. */
export class StepRows {
  readonly #tables: readonly Table[];
  #staging = 0;
  #stagingFloats = 0;
  #numbers = 0;

  constructor(readonly gradients: FlatGradients, readonly communicator: Communicator) {
    this.#tables = gradients.tables.map((place) => {
      const [rows, width] = place.parameter.shape;
      return { ...place, rows, width, before: new Uint8Array(rows) };
    });
  }

  /** Begins a step: from now on only its own rows are marked. */
  begin(): void {
    for (const table of this.#tables) {
      const marks = this.#marks(table);
      table.before.set(marks);
      marks.fill(0);
    }
  }

  /** Marks the rows that any rank has marked. */
  unite(): void {
    if (this.communicator.size === 1) return;
    const all = new Int32Array(this.#tables.reduce((sum, { rows }) => sum + rows, 0));
    let at = 0;
    for (const table of this.#tables) {
      all.set(this.#marks(table), at);
      at += table.rows;
    }
    this.communicator.allReduce(all, "max");
    at = 0;
    for (const table of this.#tables) {
      this.#marks(table).set(all.subarray(at, at + table.rows));
      at += table.rows;
    }
  }

  /** Ends a step: the rows of earlier steps are marked again. */
  end(): void {
    for (const { before, ...table } of this.#tables) {
      const marks = this.#marks(table);
      for (let i = 0; i < marks.length; i++) marks[i] |= before[i];
    }
  }

  /** Ends a step whose gradients were forgotten: only the rows of earlier steps are marked. */
  cancel(): void {
    for (const { before, ...table } of this.#tables) this.#marks(table).set(before);
  }

  /**
   * Hands the marked rows of each embedding in a block over as one array, and puts them back. An embedding of which most
   * rows are marked is handed over whole, where it is.
   */
  handOver(block: number, reduce: (values: Float32Array) => void): void {
    const { heap, pool } = this.gradients.runtime;
    for (const table of this.#tables) {
      const { width, rows, at } = table, values = block + at * 4, count = this.#markedRows(table);
      if (count > rows / 2) {
        reduce(heap.floats(values, rows * width));
      } else if (count > 0) {
        pool.run("gather_rows", count, 64, this.#staging, values, this.#numbers, width);
        reduce(heap.floats(this.#staging, count * width));
        pool.run("scatter_rows", count, 64, values, this.#staging, this.#numbers, width);
      }
    }
  }

  /** block += other in the marked rows, which are zeroed in `other`. */
  addInto(block: number, other: number): void {
    const { pool } = this.gradients.runtime;
    for (const table of this.#tables) {
      const { width, rows, at, parameter: { touched } } = table,
        offset = at * 4,
        count = this.#markedRows(table);
      if (count > rows / 2) {
        const to = block + offset, n = rows * width;
        pool.run("add", Math.ceil(n / 1024), 16, to, to, other + offset, n);
      } else if (count > 0) {
        pool.run("gather_rows", count, 64, this.#staging, other + offset, this.#numbers, width);
        pool.run("add_rows", count, 64, block + offset, this.#staging, this.#numbers, width);
      }
      pool.run("zero_touched_rows", rows, 4096, other + offset, touched, width);
    }
  }

  dispose(): void {
    const { heap } = this.gradients.runtime;
    heap.free(this.#staging);
    heap.free(this.#numbers);
    this.#staging = this.#numbers = this.#stagingFloats = 0;
  }

  #marks({ parameter, rows }: Pick<Table, "parameter" | "rows">): Uint8Array {
    return this.gradients.runtime.heap.u8.subarray(parameter.touched, parameter.touched + rows);
  }

  /** Counts an embedding's marked rows; if they are few, lists them and makes room for them. */
  #markedRows(table: Table): number {
    const { heap } = this.gradients.runtime, { rows, width } = table;
    this.#numbers ||= heap.alloc(4 * Math.max(...this.#tables.map((one) => one.rows)));
    const marks = this.#marks(table), numbers = heap.i32, first = this.#numbers / 4;
    let count = 0;
    for (let i = 0; i < rows; i++) if (marks[i] !== 0) numbers[first + count++] = i;
    const floats = count * width;
    if (count <= rows / 2 && floats > this.#stagingFloats) {
      heap.free(this.#staging);
      this.#stagingFloats = Math.ceil(floats * 1.5);
      this.#staging = heap.alloc(this.#stagingFloats * 4);
    }
    return count;
  }
}
