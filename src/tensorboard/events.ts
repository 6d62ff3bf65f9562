/**
 * TensorBoard's event files: a TFRecord for each event, which is a message of tensorflow/core/util/event.proto.
 *
 * @module
 */
import { type ByteStream, Message } from "../export/protobuf.ts";
import { maskedCrc32c } from "./crc32c.ts";

/** One event of a run. */
export interface TensorBoardEvent {
  /** Seconds since 1970. */
  wallTime: number;
  /** Optimizer steps done. Default 0. */
  step?: number;
  /** Numbers by tag, such as `train/loss`. */
  scalars?: Readonly<Record<string, number>>;
  /** Texts (Markdown) by tag. */
  texts?: Readonly<Record<string, string>>;
}

/** What stands first in a file. */
const FILE_VERSION = "brain.Event:2";

/** DataType DT_STRING, and DataClass DATA_CLASS_TENSOR. */
const DT_STRING = 7, DATA_CLASS_TENSOR = 2;

/** The record that begins a file. */
export function headRecord(wallTime: number): Uint8Array<ArrayBuffer> {
  return record(joined(new Message().double(1, wallTime).text(3, FILE_VERSION)));
}

/** The record of a run that goes on: readers drop what they have of this step and later ones. */
export function restartRecord(wallTime: number, step: number): Uint8Array<ArrayBuffer> {
  const start = new Message().integer(1, 1); // SessionLog.START
  return record(joined(new Message().double(1, wallTime).integer(2, step).embed(7, start)));
}

/** An event as a record. */
export function eventRecord(
  { wallTime, step = 0, scalars = {}, texts = {} }: TensorBoardEvent,
): Uint8Array<ArrayBuffer> {
  const summary = new Message();
  for (const [tag, value] of Object.entries(scalars)) {
    summary.embed(1, new Message().text(1, tag).float(2, value));
  }
  for (const [tag, text] of Object.entries(texts)) {
    const shape = new Message().embed(2, new Message().integer(1, 1)); // [1]
    const tensor = new Message().integer(1, DT_STRING).embed(2, shape).text(8, text);
    const plugin = new Message().embed(1, new Message().text(1, "text")).integer(4, DATA_CLASS_TENSOR);
    summary.embed(1, new Message().text(1, tag).embed(8, tensor).embed(9, plugin));
  }
  return record(joined(new Message().double(1, wallTime).integer(2, step).embed(5, summary)));
}

function joined(message: ByteStream): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(message.byteLength);
  let at = 0;
  for (const chunk of message.chunks()) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

/** A TFRecord: length, its checksum, data, their checksum; little endian. */
function record(data: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(16 + data.length), view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(data.length), true);
  view.setUint32(8, maskedCrc32c(bytes.subarray(0, 8)), true);
  bytes.set(data, 12);
  view.setUint32(12 + data.length, maskedCrc32c(data), true);
  return bytes;
}
