/**
 * Changes the number of word pieces that a model knows.
 *
 * @module
 */
import { RuntimeError } from "../errors.ts";
import { Random } from "../random.ts";
import type { PreTrainedModel } from "./pretrained_model.ts";

/** Parameters with a row a word piece. */
const VOCABULARY =
  /(^|\.)(word_embeddings\.weight|cls\.predictions\.(decoder\.weight|decoder\.bias|bias)|vocab_projector\.(weight|bias))$/;

/** Resizes every parameter with a row a word piece, and draws the new rows. Returns the new size. */
export function resizeVocabulary(
  model: PreTrainedModel,
  count: number,
  { pad_to_multiple_of: multiple = 1, seed = 0 }: { pad_to_multiple_of?: number; seed?: number },
): number {
  for (const [name, value] of [["vocabulary", count], ["multiple", multiple]] as const) {
    if (Number.isInteger(value) && value > 0) continue;
    throw new RangeError(`Cannot resize to a ${name} of ${value}: a whole number above 0 is wanted`);
  }
  const rows = Math.ceil(count / multiple) * multiple, { config } = model, random = new Random(seed);
  const parameters = Array.from(model.named_parameters()).filter(([name]) => VOCABULARY.test(name));
  const held = parameters.find(([, { optimizer }]) => optimizer);
  if (held) {
    throw new RuntimeError(
      `Cannot resize "${
        held[0]
      }": an optimizer was made for it; dispose() that one, and make another afterwards`,
    );
  }
  for (const [, parameter] of parameters) {
    const before = parameter.size;
    parameter.resizeRows(rows);
    const added = parameter.values().subarray(before);
    if (parameter.shape.length === 1) added.fill(0);
    else for (let i = 0; i < added.length; i++) added[i] = random.normal(0, config.initializer_range);
    parameter.markWritten();
  }
  return config.vocab_size = rows;
}
