/**
 * Datasets by path, URL, hub id or in memory.
 *
 * @module
 */
export { type DataInput, load_dataset, type LoadOptions, type Records } from "./load_dataset.ts";
export type { DataLocation, OpenOptions } from "./open.ts";
export type { ParquetLimits } from "./parquet.ts";
