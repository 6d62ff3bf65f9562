/**
 * Models by their config.json: each AutoModel takes the class of the checkpoint's family.
 *
 * @module
 */
import { ConfigError } from "../errors.ts";
import { openModelFiles } from "../hub/model_files.ts";
import { takeHubOptions } from "../hub/options.ts";
import { type ModelFiles, parseConfigJson } from "../weights/mod.ts";
import { BertModel } from "./bert.ts";
import type { BertConfig } from "./config.ts";
import * as distilbert from "./distilbert.ts";
import { BertForMaskedLM, type MaskedLanguageModel } from "./masked_lm.ts";
import { BertForMultipleChoice, type ChoiceModel } from "./multiple_choice.ts";
import type { FromPretrainedOptions } from "./pretrained.ts";
import type { ModelClass, PreTrainedModel } from "./pretrained_model.ts";
import { BertForQuestionAnswering, type QuestionAnswerer } from "./question_answering.ts";
import { BertForSequenceClassification, type SequenceClassifier } from "./sequence_classification.ts";
import { BertForTokenClassification, type TokenClassifier } from "./token_classification.ts";

/** What stands for a class of each family. */
export interface AutoClass<T> {
  /**
   * Loads a model of the class that config.json's `model_type` says; BERT's if it says nothing, as old ones do.
   *
   * @param name A folder, a URL of a folder, an id on the Hugging Face hub, `"berth-tiny"`, or the model's files.
   * @throws {ConfigError} if it is of another family; else as `from_pretrained` of the class.
   */
  from_pretrained(name: string | URL | ModelFiles, options?: FromPretrainedOptions): Promise<T>;
  /** A new model with random weights, of the class that belongs to the configuration. */
  from_config(config: BertConfig, options?: Pick<FromPretrainedOptions, "runtime" | "seed">): Promise<T>;
}

type Loader<T> = ModelClass<PreTrainedModel & T> & AutoClass<T>;

function autoClass<T>(title: string, bert: Loader<T>, distilbert: Loader<T>): AutoClass<T> {
  const families: Record<string, Loader<T>> = { bert, distilbert };
  const choose = (kind: unknown, of: string) => {
    if (typeof kind === "string" && Object.hasOwn(families, kind)) return families[kind];
    throw new ConfigError(
      `Cannot make an ${title} of ${of}: its model_type is ${JSON.stringify(kind)}, one of ${
        Object.keys(families).join(", ")
      } is wanted`,
    );
  };
  return {
    async from_pretrained(name, options = {}) {
      const files = await openModelFiles(name, takeHubOptions(options)[0]);
      const json = await files.read("config.json");
      if (!json) throw new ConfigError(`Cannot load the model "${files.name}": it has no config.json`);
      const { model_type = "bert" } = parseConfigJson(json);
      return await choose(model_type, `"${files.name}"`).from_pretrained(files, options);
    },
    from_config: async (config, options) =>
      await choose(config.model_type, "the configuration").from_config(config, options),
  };
}

/**
 * The bare encoder of any family.
 *
 * @example
 * ```ts
 * import { AutoModel, dispose } from "@berth/berth";
 * const model = await AutoModel.from_pretrained("berth-tiny", { on_report: () => {} });
 * console.log(model.typeName); // BertModel
 * dispose();
 * ```
 */
export const AutoModel: AutoClass<BertModel | distilbert.DistilBertModel> = autoClass<
  BertModel | distilbert.DistilBertModel
>("AutoModel", BertModel as never, distilbert.DistilBertModel as never);

/** A classifier of sequences of any family. */
export const AutoModelForSequenceClassification: AutoClass<SequenceClassifier> = autoClass<
  SequenceClassifier
>(
  "AutoModelForSequenceClassification",
  BertForSequenceClassification,
  distilbert.DistilBertForSequenceClassification,
);

/** A classifier of tokens of any family. */
export const AutoModelForTokenClassification: AutoClass<TokenClassifier> = autoClass<TokenClassifier>(
  "AutoModelForTokenClassification",
  BertForTokenClassification,
  distilbert.DistilBertForTokenClassification,
);

/** Question answering of any family. */
export const AutoModelForQuestionAnswering: AutoClass<QuestionAnswerer> = autoClass<QuestionAnswerer>(
  "AutoModelForQuestionAnswering",
  BertForQuestionAnswering,
  distilbert.DistilBertForQuestionAnswering,
);

/** Multiple choice of any family. */
export const AutoModelForMultipleChoice: AutoClass<ChoiceModel> = autoClass<ChoiceModel>(
  "AutoModelForMultipleChoice",
  BertForMultipleChoice,
  distilbert.DistilBertForMultipleChoice,
);

/** A masked language model of any family. */
export const AutoModelForMaskedLM: AutoClass<MaskedLanguageModel> = autoClass<MaskedLanguageModel>(
  "AutoModelForMaskedLM",
  BertForMaskedLM,
  distilbert.DistilBertForMaskedLM,
);
