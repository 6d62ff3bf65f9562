/** TensorFlow.js's core as the package's modules for browsers use it: a page without a bundler has one and the same. */
export * from "@tensorflow/tfjs-core";
