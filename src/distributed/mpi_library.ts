/**
 * The MPI library of this machine: MPICH and its relatives, whose handles are numbers that their common binary
 * interface fixes (https://www.mpich.org/abi/), or Open MPI, whose handles are addresses of variables.
 *
 * @module
 */
import { CommunicationError } from "../errors.ts";
import {
  addressOf,
  hasNativeLibraries,
  type NativeFunction,
  type NativeParameter,
  openNativeLibrary,
} from "../runtime/native.ts";
import { environmentVariable } from "../runtime/platform.ts";
import type { Launch } from "./launcher.ts";

/** A handle or an address, as functions take it. */
export type Handle = number | bigint;

/** What has another value in each library. */
export interface MpiConstants {
  readonly world: Handle;
  readonly byte: Handle;
  readonly int: Handle;
  readonly float: Handle;
  readonly double: Handle;
  readonly sum: Handle;
  readonly max: Handle;
  readonly min: Handle;
  readonly noType: Handle;
  readonly errorsReturn: Handle;
  readonly inPlace: Handle;
  readonly ignoreStatus: Handle;
}

type FunctionName = keyof ReturnType<typeof signatures>;

/** A library that was opened. */
export interface MpiLibrary {
  /** The file's name or path. */
  readonly file: string;
  readonly kind: Launch["engine"];
  /** Name and version: `"MPICH 4.0.2"`. */
  readonly engine: string;
  readonly functions: Readonly<Record<FunctionName, NativeFunction>>;
  readonly constants: MpiConstants;
}

const MPICH: MpiConstants = {
  world: 0x44000000,
  byte: 0x4c00010d,
  int: 0x4c000405,
  float: 0x4c00040a,
  double: 0x4c00080b,
  sum: 0x58000003,
  max: 0x58000001,
  min: 0x58000002,
  noType: 0x0c000000,
  errorsReturn: 0x54000001,
  inPlace: 0xffffffffffffffffn, // -1
  ignoreStatus: 1,
};

/** The variables behind Open MPI's handles. */
const OPEN_MPI = {
  world: "ompi_mpi_comm_world",
  byte: "ompi_mpi_byte",
  int: "ompi_mpi_int",
  float: "ompi_mpi_float",
  double: "ompi_mpi_double",
  sum: "ompi_mpi_op_sum",
  max: "ompi_mpi_op_max",
  min: "ompi_mpi_op_min",
  noType: "ompi_mpi_datatype_null",
  errorsReturn: "ompi_mpi_errors_return",
} as const;

/** The file names that packages give the libraries, on Linux and macOS. */
const FILES: Readonly<Record<Launch["engine"], readonly string[]>> = {
  "MPICH": [
    "libmpich.so.12",
    "libmpich.so",
    "libmpi.so.12",
    "libmpi_cray.so.12",
    "libmpich.dylib",
    "libmpi.12.dylib",
  ],
  "Open MPI": ["libmpi.so.40", "libmpi.so.20", "libmpi.40.dylib"],
};

/** The functions' parameters; a handle is as wide as the library makes it. */
function signatures(handle: NativeParameter) {
  const address = "usize", int = "i32";
  return {
    MPI_Get_library_version: [address, address],
    MPI_Init_thread: [address, address, int, address],
    MPI_Finalize: [],
    MPI_Abort: [handle, int],
    MPI_Error_string: [int, address, address],
    MPI_Comm_set_errhandler: [handle, handle],
    MPI_Comm_rank: [handle, address],
    MPI_Comm_size: [handle, address],
    MPI_Comm_split: [handle, int, int, address],
    MPI_Comm_free: [address],
    MPI_Test: [address, address, address],
    MPI_Ibarrier: [handle, address],
    MPI_Ibcast: [address, int, handle, int, handle, address],
    MPI_Ireduce: [address, address, int, handle, handle, int, handle, address],
    MPI_Iallreduce: [address, address, int, handle, handle, handle, address],
    MPI_Ireduce_scatter: [address, address, address, handle, handle, handle, address],
    MPI_Iallgatherv: [address, int, handle, address, address, address, handle, handle, address],
    sched_yield: [], // of the C library, which every MPI library is linked with
  } satisfies Record<string, NativeParameter[]>;
}

/**
 * Opens the library that goes with the launcher: the file that `BERTH_MPI_LIBRARY` names, else the first one that is
 * there.
 *
 * @throws {CommunicationError} if there is none, or one that is no MPI library.
 */
export function openMpiLibrary(engine: Launch["engine"]): MpiLibrary {
  const named = environmentVariable("BERTH_MPI_LIBRARY");
  const other = engine === "MPICH" ? "Open MPI" : "MPICH"; // Slurm's launcher can serve both
  const files = named ? [named] : [...FILES[engine], ...FILES[other]];
  const library = firstLibrary(files);
  if (typeof library !== "string") return library;
  const wanted = `the library of ${engine}, whose launcher started this process, is wanted`;
  throw new CommunicationError(
    named
      ? `Cannot join the other ranks: BERTH_MPI_LIBRARY is "${named}", but ${library}; ${wanted}`
      : `Cannot join the other ranks: no MPI library is found (tried ${files.join(", ")}); ${wanted} ` +
        `(Debian: ${engine === "MPICH" ? "mpich" : "openmpi-bin"}), or its path in BERTH_MPI_LIBRARY`,
  );
}

/** Names and versions of the engines that are installed; none where native libraries cannot be opened. */
export function installedEngines(): string[] {
  if (!hasNativeLibraries()) return [];
  return Object.values(FILES).map(firstLibrary).flatMap((library) =>
    typeof library === "string" ? [] : [library.engine]
  );
}

/** The first of the files that is an MPI library, or why the last one is none. */
function firstLibrary(files: readonly string[]): MpiLibrary | string {
  let reason = "";
  for (const file of files) {
    const library = openLibrary(file);
    if (typeof library !== "string") return library;
    reason = library;
  }
  return reason;
}

/** Opens a file; gives the reason if that fails. */
function openLibrary(file: string): MpiLibrary | string {
  const probe = openNativeLibrary(file, {}, [OPEN_MPI.world]);
  if (typeof probe === "string") return probe;
  const kind = probe.addresses[OPEN_MPI.world] === undefined ? "MPICH" : "Open MPI";
  const wanted = signatures(kind === "MPICH" ? "i32" : "usize");
  const opened = openNativeLibrary(file, wanted, kind === "MPICH" ? [] : Object.values(OPEN_MPI));
  if (typeof opened === "string") return opened;
  const missing = Object.keys(wanted).find((name) => !opened.functions[name]);
  if (missing) return `it is no MPI library: ${missing} is missing`;
  const functions = opened.functions as MpiLibrary["functions"];
  return {
    file,
    kind,
    functions,
    engine: engineName(functions),
    constants: constantsOf(kind, opened.addresses),
  };
}

function constantsOf(
  kind: Launch["engine"],
  addresses: Readonly<Record<string, bigint | undefined>>,
): MpiConstants {
  if (kind === "MPICH") return MPICH;
  const handles = Object.fromEntries(
    Object.entries(OPEN_MPI).map(([key, variable]) => [key, Number(addresses[variable] ?? 0)]),
  ) as Record<keyof typeof OPEN_MPI, number>;
  return { ...handles, inPlace: 1, ignoreStatus: 0 };
}

const VERSION_BYTES = 8192; // the longest text of all libraries

/** Name and version, from a text such as `"Open MPI v4.1.4, package: ..."`, `"MPICH Version:\t4.0.2\n..."`. */
function engineName(functions: MpiLibrary["functions"]): string {
  const text = new Uint8Array(VERSION_BYTES), length = new Int32Array(1);
  functions.MPI_Get_library_version(addressOf(text), addressOf(length));
  const whole = new TextDecoder().decode(text.subarray(0, length[0])).replaceAll("\0", "");
  const [name, version] = [
    /^[^\n,:]*?(?=\s+(?:Version|Library|v\d))/i.exec(whole),
    /\d+(?:\.\d+)+\w*/.exec(whole),
  ];
  return `${name?.[0] ?? "MPI"} ${version?.[0] ?? ""}`.trim();
}
