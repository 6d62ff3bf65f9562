/** Cases that Python makes anew: random classes, sizes, settings, masks, positions. BERTH_SEED chooses others. */
import { checkCase, checkOp } from "../helpers/golden_case.ts";
import { withFolder } from "../helpers/folder.ts";
import { readGolden } from "../helpers/golden.ts";
import { hasPython, runPython } from "../helpers/python.ts";

const COUNT = 12, SEED = Deno.env.get("BERTH_SEED") ?? "20261125";
const SCRIPT = new URL("golden/make_heads.py", import.meta.url);

Deno.test({
  name: `${COUNT} random cases of PyTorch (seed ${SEED}), through the model's own passes and as ops`,
  ignore: !hasPython("transformers"),
  fn: () =>
    withFolder(async (folder) => {
      for (const name of await runPython(SCRIPT, folder, SEED, String(COUNT)) as string[]) {
        const golden = await readGolden(name, new URL(`${name}/`, folder));
        await checkCase(golden);
        await checkOp(golden);
      }
    }),
});
