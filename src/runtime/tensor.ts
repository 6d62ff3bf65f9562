/**
 * tfjs's tensor types under names of ours.
 *
 * @module
 */
import type * as tf from "@tensorflow/tfjs-core";

/** @ignore A tensor of tfjs. */
export type Tensor = ReturnType<typeof tf.zeros>;
/** @ignore A single number. */
export type Scalar = ReturnType<typeof tf.scalar>;
/** @ignore A tensor of two dimensions. */
export type Tensor2D = ReturnType<typeof tf.tensor2d>;
/** @ignore A tensor of three dimensions. */
export type Tensor3D = ReturnType<typeof tf.tensor3d>;
/** @ignore A tensor of four dimensions. */
export type Tensor4D = ReturnType<typeof tf.tensor4d>;
/** @ignore A tensor that can be assigned to. */
export type Variable = ReturnType<typeof tf.variable>;
