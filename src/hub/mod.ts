/**
 * Finds, downloads, keeps, reads, writes and uploads the files of models.
 *
 * @module
 */
import { findModelFiles } from "./find_model.ts";
import { useModelFinder } from "./model_files.ts";

export type { ByteSource, ModelFiles } from "../weights/source.ts";
export type { Patience } from "./http_client.ts";
export { openModelFiles } from "./model_files.ts";
export { type CardConfig, type ModelCard, modelCard } from "./model_card.ts";
export { type HubOptions, takeHubOptions } from "./options.ts";
export {
  type DownloadProgress,
  formatBytes,
  formatSeconds,
  formatTotals,
  ProgressSum,
  type ProgressTotals,
} from "./progress.ts";
export { progressBar, type ProgressStream } from "./progress_bar.ts";
export { push_to_hub, type PushFiles, type PushOptions, type PushResult } from "./push.ts";
export { BertTokenizer } from "./tokenizer.ts";

useModelFinder(findModelFiles);
