import * as berth from "@berth/berth";
import { args, train } from "./train.mjs";

await train(berth, args);
