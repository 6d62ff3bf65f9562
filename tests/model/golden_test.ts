/** Outputs, every gradient and 20 steps of AdamW against PyTorch and transformers. */
import { checkCase } from "../helpers/golden_case.ts";
import { caseFolders, readGolden } from "../helpers/golden.ts";
import { CASES } from "../helpers/golden_model.ts";

const folders = caseFolders();
for (const name of CASES) {
  const folder = folders.get(name);
  Deno.test({
    name:
      `${name}: outputs within 1e-5, gradients within 1e-4, 20 losses and norms of AdamW within 1e-4 of PyTorch`,
    ignore: !folder, // the shared reference folder is absent and the repository does not carry this case
    fn: async () => await checkCase(await readGolden(name, folder!)),
  });
}
