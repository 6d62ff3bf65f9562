/**
 * Which rows of embeddings have a gradient in a step, on any rank. A step touches few of a vocabulary's rows, so the
 * others need not be handed over; the sums are the same.
 *
 * @module
 */
import type { Communicator } from "../../distributed/communicator.ts";
import type { FlatGradients, GradientPlace } from "./flat_gradients.ts";
import { MarkedRows, type MarkedTable } from "./marked_rows.ts";

/** One embedding, and which of its rows had a gradient in an earlier step: a byte each, as in `parameter.touched`. */
interface Table extends GradientPlace {
  before: Uint8Array;
}

/** The embeddings' rows of one step. */
export class StepRows {
  readonly #tables: readonly Table[];
  readonly #rows: MarkedRows;

  constructor(readonly gradients: FlatGradients, readonly communicator: Communicator) {
    this.#rows = new MarkedRows(gradients.runtime);
    this.#tables = gradients.tables.map((place) => ({
      ...place,
      before: new Uint8Array(place.parameter.shape[0]),
    }));
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
    if (this.communicator.size === 1 || this.#tables.length === 0) return;
    const all = new Int32Array(this.#tables.reduce((sum, { before }) => sum + before.length, 0));
    this.#each((table, at) => all.set(this.#marks(table), at));
    this.communicator.allReduce(all, "max");
    this.#each((table, at) => this.#marks(table).set(all.subarray(at, at + table.before.length)));
  }

  /** Ends a step: the rows of earlier steps are marked again. */
  end(): void {
    for (const table of this.#tables) {
      const marks = this.#marks(table);
      for (let i = 0; i < marks.length; i++) marks[i] |= table.before[i];
    }
  }

  /** Ends a step whose gradients were forgotten: only the rows of earlier steps are marked. */
  cancel(): void {
    for (const table of this.#tables) this.#marks(table).set(table.before);
  }

  /** Hands the marked rows of each embedding in a block over, and puts them back. */
  handOver(block: number, reduce: (values: Float32Array) => void): void {
    for (const table of this.#tables) this.#rows.handOver(markedTable(table, block), reduce);
  }

  /** block += other in the marked rows, which are zeroed in `other`. */
  addInto(block: number, other: number): void {
    const { pool } = this.gradients.runtime;
    for (const table of this.#tables) {
      const from = other + table.at * 4, to = markedTable(table, block);
      this.#rows.add(to, from);
      pool.run("zero_touched_rows", to.rows, 4096, from, to.marks, to.width);
    }
  }

  dispose(): void {
    this.#rows.dispose();
  }

  #each(visit: (table: Table, at: number) => void): void {
    let at = 0;
    for (const table of this.#tables) {
      visit(table, at);
      at += table.before.length;
    }
  }

  #marks({ parameter: { touched }, before }: Table): Uint8Array {
    return this.gradients.runtime.heap.u8.subarray(touched, touched + before.length);
  }
}

function markedTable({ parameter: { touched, shape }, at }: GradientPlace, block: number): MarkedTable {
  return { values: block + at * 4, marks: touched, rows: shape[0], width: shape[1] };
}
