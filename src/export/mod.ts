/**
 * Trained models for other runtimes: ONNX files for onnxruntime, transformers.js and optimum.
 *
 * @module
 */
export {
  encodeOnnx,
  exportOnnx,
  type ExportOnnxOptions,
  type OnnxDtype,
  type OnnxFile,
  onnxFiles,
  type OnnxFilesOptions,
} from "./export_onnx.ts";
export type { ByteStream } from "./protobuf.ts";
