// Every kernel, by file. A kernel works on a half-open range [begin, end) of its outputs; see each file's head.
export { activation_forward, add, erf_forward, exp_forward, multiply, scale } from "./activation";
export { attention_backward, attention_forward, attention_probabilities, attention_scratch_bytes } from "./attention";
export { batch_matmul } from "./batch_matmul";
export { dropout } from "./dropout";
export {
  add_rows, embedding_backward, embedding_forward, gather_rows, scatter_rows, zero, zero_touched_rows,
} from "./embedding";
export { gemm, gemm_pack } from "./gemm";
export { gemm_dot, gemm_dot_units } from "./gemm_dot";
export { gemm_slices, gemm_slices_sum } from "./gemm_slices";
export { int8_gemm, int8_pack, int8_rows } from "./int8";
export { column_sums, layer_norm_backward, layer_norm_backward_parameters, layer_norm_forward } from "./layer_norm";
export { binary_cross_entropy, cross_entropy, mean_squared_error, sum_f64 } from "./loss";
export { adamw_step, adamw_update, gemm_adamw, scale_gradients, sum_squares } from "./optimizer";
export { normalize_backward, normalize_forward, pool_backward, pool_forward } from "./pooling";
export { row_sums, segment_sum } from "./reduce";
export { softmax_forward } from "./softmax";
export { transpose } from "./transpose";
