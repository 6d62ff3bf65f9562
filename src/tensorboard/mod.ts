/**
 * Event files for TensorBoard.
 *
 * @module
 */
export type { TensorBoardEvent } from "./events.ts";
export { tensorBoardCallback, type TensorBoardOptions, TensorBoardWriter } from "./writer.ts";
