/**
 * TensorFlow.js's core as berth's modules for browsers use it, so that a page without a bundler has one and the same.
 *
 * @module
 */
export * from "@tensorflow/tfjs-core";
