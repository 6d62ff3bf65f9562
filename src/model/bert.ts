/**
 * BertModel: hidden states and a pooled vector.
 *
 * @module
 */
import type { Tensor2D, Tensor3D } from "../runtime/tensor.ts";
import { BertBackbone } from "./backbone.ts";
import type { BertInputs } from "./batch.ts";
import type { BertConfig } from "./config.ts";
import { type EncoderInputs, EncoderModel, ModelOutput } from "./encoder_model.ts";
import { denseResult, rowsResult } from "./results.ts";

/** What {@linkcode BertModel.forward} gives; tensors live until the model's next forward pass. */
export class BaseModelOutput extends ModelOutput {
  /** [B, T, H]; zero at masked positions. */
  get last_hidden_state(): Tensor3D {
    return this.tensor("last_hidden_state");
  }

  /** [B, H] */
  get pooler_output(): Tensor2D {
    return this.tensor("pooler_output");
  }
}

/**
 * The bare encoder: hidden states and a pooled vector.
 *
 * @example
 * ```ts
 * import { BertModel, BertTokenizer, dispose } from "@berth/berth";
 * const tokenizer = await BertTokenizer.from_pretrained("berth-tiny");
 * const model = await BertModel.from_pretrained("berth-tiny");
 * const output = model.forward(tokenizer(["A fine game."]));
 * console.log(output.last_hidden_state.shape); // [1, 6, 128]
 * dispose();
 * ```
 */
export class BertModel extends EncoderModel<"last_hidden_state" | "pooler_output"> {
  /** None: this is the encoder itself. */
  static override readonly base_model_prefix: string = "";

  /** A model whose weights are not set yet; see `from_pretrained` and `from_config`. */
  constructor(config: BertConfig) {
    super("BertModel", config);
    this.adopt(this.attach("", new BertBackbone(config)));
    this.finish();
  }

  /**
   * Runs the encoder.
   *
   * @throws {DataError} if the batch does not fit the model.
   */
  forward(inputs: EncoderInputs): BaseModelOutput {
    return this.run(inputs, BaseModelOutput, (context, { lastHidden, pooled }) => {
      const h = this.config.hidden_size;
      const states = rowsResult(context, "last_hidden_state", lastHidden, h);
      const pooler = denseResult(context, "pooler_output", pooled, [context.batch.size, h]);
      return {
        ...{ loss: undefined, results: [states, pooler] },
        backward: (gradients) => ({ dhidden: gradients.of(states), dpooled: gradients.of(pooler) }),
      };
    });
  }

  /** @ignore */
  override rehearse(inputs: BertInputs): void {
    const { last_hidden_state, pooler_output } = this.forward(inputs);
    if (this.training) this.backward({ last_hidden_state, pooler_output });
  }
}
