/**
 * Examples and their order.
 *
 * @module
 */
export { lengthGroupedBatches, type LengthGroupedOptions } from "./sampler.ts";
