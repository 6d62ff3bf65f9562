/**
 * What berth uses of the hub client, as one file for bundlers of browser programs: the client's package leads some of
 * them to its build for Node.
 *
 * @module
 */
export { createRepo, listFiles, modelInfo, uploadFiles } from "@huggingface/hub";
