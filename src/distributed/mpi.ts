/**
 * Ranks that talk through MPI. Every operation is a non-blocking one of MPI's, on the values where they lie, and a loop
 * of `MPI_Test`: so that a rank that stopped answering is noticed, and a gradient can travel while the next is computed.
 *
 * @module
 */
import { CommunicationError } from "../errors.ts";
import { addressOf } from "../runtime/native.ts";
import { endProcess } from "../runtime/platform.ts";
import { checkColor, checkCounts, checkRoot } from "./check.ts";
import type { CommunicationTimes, Communicator, Pending, Reducible, Reduction } from "./communicator.ts";
import type { Launch } from "./launcher.ts";
import type { Handle, MpiLibrary } from "./mpi_library.ts";
import { Requests } from "./mpi_requests.ts";

/** Only the thread that starts MPI calls it; the other threads compute. */
const THREAD_FUNNELED = 1;
/** Values are sent in pieces of at most so many bytes: MPI counts in 32 bits. */
const PIECE_BYTES = 2 ** 30;

/**
 * From so many ranks and bytes on, Open MPI sums in place by a tree of whole values (2 log2(n) times the bytes), but by
 * shares (less than 2 times) if the sums have memory of their own: nbc_iallreduce.c. Measured on four 400 Mb/s links:
 * 16 MiB in 1.4 s and 0.6 s.
 */
const TREE_RANKS = 4, TREE_BYTES = 65_536;

/** How the ranks are joined. */
export interface CommunicatorOptions {
  /** See {@linkcode Communicator.deadlineSeconds}. Default: 25. */
  deadlineSeconds?: number;
  /** Values of more bytes than this are sent in several pieces. Default: 2^30. */
  pieceBytes?: number;
}

/**
 * Joins the ranks that the launcher started.
 *
 * @throws {CommunicationError} if the library finds another number of them.
 */
export function joinWorld(
  library: MpiLibrary,
  launch: Launch,
  options: CommunicatorOptions = {},
): Communicator {
  const { functions, constants } = library, level = new Int32Array(1);
  const code = functions.MPI_Init_thread(0, 0, THREAD_FUNNELED, addressOf(level));
  if (code !== 0 || level[0] < THREAD_FUNNELED) {
    throw new CommunicationError(
      `Cannot join the other ranks: ${library.engine} does not start (code ${code}, thread level ${
        level[0]
      })`,
    );
  }
  const times = { seconds: 0, bytes: 0, calls: 0 };
  const { deadlineSeconds = 25, pieceBytes = PIECE_BYTES } = options;
  const world = new MpiCommunicator(library, constants.world, times, deadlineSeconds, pieceBytes, true);
  if (world.size === launch.size) return world;
  throw new CommunicationError(
    `Cannot join the other ranks: ${launch.variable} says ${launch.size} ranks, ${library.engine} ` +
      `(${library.file}) finds ${world.size}; the library of the launcher's own engine (${launch.engine}) is wanted, ` +
      "by its path in BERTH_MPI_LIBRARY if it is not found",
  );
}

class MpiCommunicator implements Communicator {
  readonly rank: number;
  readonly size: number;
  readonly engine: string;
  #requests: Requests;
  /** Memory for sums that none needs now; never more pieces than were under way at once. */
  #spare: Uint8Array[] = [];

  constructor(
    readonly library: MpiLibrary,
    readonly handle: Handle,
    readonly times: CommunicationTimes,
    public deadlineSeconds: number,
    readonly pieceBytes: number,
    readonly isWorld: boolean,
  ) {
    const { functions, constants, engine } = library, cell = new Int32Array(2);
    const address = addressOf(cell), requests = new Requests(library, this);
    this.#requests = requests;
    this.engine = engine;
    requests.check("set_errhandler", functions.MPI_Comm_set_errhandler(handle, constants.errorsReturn));
    requests.check("rank", functions.MPI_Comm_rank(handle, address));
    requests.check("size", functions.MPI_Comm_size(handle, address + cell.BYTES_PER_ELEMENT));
    [this.rank, this.size] = cell;
  }

  allReduce(values: Reducible, operation: Reduction = "sum"): void {
    this.#allReduce("allReduce", values, operation).wait();
  }

  startAllReduce(values: Reducible): Pending {
    return this.#allReduce("startAllReduce", values, "sum");
  }

  #allReduce(name: string, values: Reducible, operation: Reduction): Pending {
    const { constants, functions: { MPI_Iallreduce } } = this.library, op = constants[operation];
    if (this.library.kind === "Open MPI" && this.size >= TREE_RANKS && values.byteLength >= TREE_BYTES) {
      return this.#allReduceApart(name, values, op);
    }
    return this.#inPieces(
      name,
      values,
      (address, count, type, request) =>
        MPI_Iallreduce(constants.inPlace, address, count, type, op, this.handle, request),
    );
  }

  /** With sums in memory of their own. */
  #allReduceApart(name: string, values: Reducible, op: Handle): Pending {
    const { functions: { MPI_Iallreduce } } = this.library, { byteLength } = values;
    const sums = this.#takeMemory(byteLength), distance = addressOf(sums) - addressOf(values);
    const pending = this.#inPieces(
      name,
      values,
      (address, count, type, request) =>
        MPI_Iallreduce(address, address + distance, count, type, op, this.handle, request),
    );
    let isTaken = false;
    const take = () => {
      if (isTaken) return;
      isTaken = true;
      new Uint8Array(values.buffer, values.byteOffset, byteLength).set(sums.subarray(0, byteLength));
      this.#spare.push(sums);
    };
    return {
      test: () => pending.test() && (take(), true),
      wait: () => (pending.wait(), take()),
    };
  }

  #takeMemory(bytes: number): Uint8Array {
    const fits = this.#spare.findIndex(({ byteLength }) => byteLength >= bytes);
    if (fits >= 0) return this.#spare.splice(fits, 1)[0];
    this.#spare.pop(); // in place of one that is too small
    return new Uint8Array(bytes);
  }

  reduceScatter(values: Reducible, counts: readonly number[]): void {
    checkCounts("reduceScatter", values, counts, this.size);
    const begins = beginsOf(counts), begin = begins[this.rank];
    if (values.byteLength > this.pieceBytes) {
      return this.#allOf(
        counts.map((count, root) =>
          this.#reduce("reduceScatter", values.subarray(begins[root], begins[root] + count), root)
        ),
      );
    }
    const { constants, functions: { MPI_Ireduce_scatter } } = this.library, lengths = Int32Array.from(counts);
    // not MPI's own "in place": MPICH 4.0 fails with parts of different lengths
    const own = values.subarray(begin, begin + counts[this.rank]), sums = own.slice();
    this.#whole("reduceScatter", values, [lengths, sums], (address, type, request) =>
      MPI_Ireduce_scatter(
        ...[address, addressOf(sums), addressOf(lengths), type, constants.sum, this.handle, request],
      ));
    own.set(sums);
  }

  startReduce(values: Reducible, root: number): Pending {
    checkRoot("startReduce", root, this.size);
    return this.#reduce("startReduce", values, root);
  }

  #reduce(name: string, values: Reducible, root: number): Pending {
    const { constants, functions: { MPI_Ireduce } } = this.library, isRoot = this.rank === root;
    return this.#inPieces(name, values, (address, count, type, request) =>
      MPI_Ireduce(
        ...(isRoot ? [constants.inPlace, address] : [address, 0]),
        ...[count, type, constants.sum, root, this.handle, request],
      ));
  }

  allGather(values: Reducible | Uint8Array, counts: readonly number[]): void {
    checkCounts("allGather", values, counts, this.size);
    const begins = beginsOf(counts);
    if (values.byteLength > this.pieceBytes) {
      return this.#allOf(
        counts.map((count, root) =>
          this.#broadcast("allGather", values.subarray(begins[root], begins[root] + count), root)
        ),
      );
    }
    const { constants, functions: { MPI_Iallgatherv } } = this.library;
    const lengths = Int32Array.from(counts), places = Int32Array.from(begins);
    this.#whole("allGather", values, [lengths, places], (address, type, request) =>
      MPI_Iallgatherv(
        ...[constants.inPlace, 0, constants.noType, address],
        ...[addressOf(lengths), addressOf(places), type, this.handle, request],
      ));
  }

  broadcast(values: Reducible | Uint8Array, root: number): void {
    checkRoot("broadcast", root, this.size);
    this.#broadcast("broadcast", values, root).wait();
  }

  startBroadcast(values: Reducible | Uint8Array, root: number): Pending {
    checkRoot("startBroadcast", root, this.size);
    return this.#broadcast("startBroadcast", values, root);
  }

  #broadcast(name: string, values: Reducible | Uint8Array, root: number): Pending {
    const { functions: { MPI_Ibcast } } = this.library;
    return this.#inPieces(
      name,
      values,
      (address, count, type, request) => MPI_Ibcast(address, count, type, root, this.handle, request),
    );
  }

  barrier(): void {
    const { functions: { MPI_Ibarrier } } = this.library;
    this.#requests.start("barrier", 0, [(request) => MPI_Ibarrier(this.handle, request)], []).wait();
  }

  split(color: number, key: number): Communicator {
    checkColor(color, key);
    this.barrier(); // MPI_Comm_split waits without an end
    const cell = new BigInt64Array(1);
    this.#requests.check(
      "split",
      this.library.functions.MPI_Comm_split(this.handle, color + 0, key + 0, addressOf(cell)),
    );
    const handle = Number(this.library.kind === "MPICH" ? BigInt.asIntN(32, cell[0]) : cell[0]);
    return new MpiCommunicator(
      ...[this.library, handle, this.times, this.deadlineSeconds, this.pieceBytes, false] as const,
    );
  }

  abort(code: number): never {
    this.library.functions.MPI_Abort(this.library.constants.world, code);
    return endProcess(code);
  }

  close(): void {
    this.barrier(); // what follows waits without an end
    if (this.isWorld) return this.#requests.check("close", this.library.functions.MPI_Finalize());
    const cell = BigInt64Array.of(BigInt(this.handle));
    this.#requests.check("close", this.library.functions.MPI_Comm_free(addressOf(cell)));
  }

  #type(values: Reducible | Uint8Array): Handle {
    const { byte, float, double, int } = this.library.constants;
    if (values instanceof Uint8Array) return byte;
    return values instanceof Float32Array ? float : values instanceof Float64Array ? double : int;
  }

  /** One operation for each piece of the values. */
  #inPieces(
    name: string,
    values: Reducible | Uint8Array,
    start: (address: number, count: number, type: Handle, request: number) => number,
  ): Pending {
    const { length, BYTES_PER_ELEMENT: width } = values, most = Math.floor(this.pieceBytes / width);
    const type = this.#type(values), address = length > 0 ? addressOf(values) : 0;
    const starts = Array.from({ length: Math.ceil(length / most) }, (_, piece) => {
      const begin = piece * most, count = Math.min(most, length - begin);
      return (request: number) => start(address + begin * width, count, type, request);
    });
    return this.#requests.start(name, values.byteLength, starts, [values]);
  }

  /** One operation on all values. */
  #whole(
    name: string,
    values: Reducible | Uint8Array,
    kept: readonly unknown[],
    start: (address: number, type: Handle, request: number) => number,
  ): void {
    if (values.length === 0) return;
    const address = addressOf(values), type = this.#type(values);
    const starts = [(request: number) => start(address, type, request)];
    this.#requests.start(name, values.byteLength, starts, [values, ...kept]).wait();
  }

  #allOf(pending: readonly Pending[]): void {
    for (const operation of pending) operation.wait();
  }
}

/** Where each rank's part begins. */
function beginsOf(counts: readonly number[]): number[] {
  let begin = 0;
  return counts.map((count) => (begin += count) - count);
}
