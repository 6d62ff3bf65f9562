/** What a program of a user's may write; only its types are checked. */
import {
  AdamW,
  BertForSequenceClassification,
  BertTokenizer,
  dispose,
  init,
  type Profile,
} from "@berth/berth";
import { linePlot } from "@berth/berth/report";
import { adamw, registerKernels } from "@berth/berth/tfjs";
import { BertTokenizer as PureTokenizer } from "@berth/berth/tokenizer";
import { openSafetensors } from "@berth/berth/weights";

const profile: Profile = "simd";
const { threads } = await init({ profile, threads: 2 });
const tokenizer: PureTokenizer = await BertTokenizer.from_pretrained("berth-tiny");
const model = await BertForSequenceClassification.from_pretrained("berth-tiny", { num_labels: 2 });
const { loss } = model.train().forward({ ...tokenizer(["A fine game."]), labels: [1] });
const value: number | undefined = loss;
new AdamW(model.parameters(), { lr: 1e-3 }).step({ max_grad_norm: 1 });
// @ts-expect-error: a profile of that name does not exist
await init({ profile: "fast" });
console.log(value, threads, openSafetensors, linePlot, adamw, registerKernels);
dispose();
