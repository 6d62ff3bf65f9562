/**
 * Hands over those rows of a table that are marked, side by side in memory of their own, and puts them back; a table of
 * which most rows are marked is handed over whole, where it is.
 *
 * @module
 */
import type { Runtime } from "../../runtime/mod.ts";

/** A table in WASM memory, and a byte for each row. */
export interface MarkedTable {
  /** Where its values stand. */
  values: number;
  /** Where its marks stand. */
  marks: number;
  rows: number;
  width: number;
}

/** Memory for rows side by side. */
export class MarkedRows {
  readonly #runtime: Runtime;
  #staging = 0;
  #stagingFloats = 0;
  #numbers = 0;
  #numbersRoom = 0;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  /** Calls `transfer` with the marked rows, unless there are none. */
  handOver(table: MarkedTable, transfer: (values: Float32Array) => void): void {
    const { heap, pool } = this.#runtime, { values, width, rows } = table, count = this.#list(table);
    if (count > rows / 2) return transfer(heap.floats(values, rows * width));
    if (count === 0) return;
    pool.run("gather_rows", count, 64, this.#staging, values, this.#numbers, width);
    transfer(heap.floats(this.#staging, count * width));
    pool.run("scatter_rows", count, 64, values, this.#staging, this.#numbers, width);
  }

  /** table += other in the marked rows. */
  add(table: MarkedTable, other: number): void {
    const { pool } = this.#runtime, { values, width, rows } = table, count = this.#list(table);
    if (count > rows / 2) {
      pool.run("add", Math.ceil(rows * width / 1024), 16, values, values, other, rows * width);
    } else if (count > 0) {
      pool.run("gather_rows", count, 64, this.#staging, other, this.#numbers, width);
      pool.run("add_rows", count, 64, values, this.#staging, this.#numbers, width);
    }
  }

  dispose(): void {
    this.#runtime.heap.free(this.#staging);
    this.#runtime.heap.free(this.#numbers);
    this.#staging =
      this.#numbers =
      this.#stagingFloats =
      this.#numbersRoom =
        0;
  }

  /** Counts the marked rows; if they are few, lists them and makes room for them. */
  #list({ marks, rows, width }: MarkedTable): number {
    const { heap } = this.#runtime;
    if (rows > this.#numbersRoom) {
      heap.free(this.#numbers);
      this.#numbers = heap.alloc(4 * (this.#numbersRoom = rows));
    }
    const marked = heap.u8.subarray(marks, marks + rows), numbers = heap.i32, first = this.#numbers / 4;
    let count = 0;
    for (let i = 0; i < rows; i++) if (marked[i] !== 0) numbers[first + count++] = i;
    const floats = count * width;
    if (count <= rows / 2 && floats > this.#stagingFloats) {
      heap.free(this.#staging);
      this.#staging = heap.alloc(4 * (this.#stagingFloats = Math.ceil(floats * 1.5)));
    }
    return count;
  }
}
