/** Reports in a real browser: nothing that axe finds, nothing that is cut off sideways, no complaint, no request. */
import { deepStrictEqual } from "node:assert/strict";
import axe from "npm:axe-core@4.14.1";
import { compareRuns, reportFigures, trainingReport } from "../../src/report/mod.ts";
import { fullRun } from "../report/runs.ts";
import { browserPath, complaints, launch } from "./browsers.ts";

const PATH = browserPath("chromium");
const RUN = fullRun("Some words, مرحبا"), OTHER = { ...RUN, settings: { seed: 7 } };
const PAGES = {
  report: trainingReport(RUN),
  comparison: compareRuns([{ name: "out/one", run: RUN }, { name: "out/two", run: OTHER }]),
  figure:
    `<!doctype html><html lang="en"><title>Figure</title><style>svg{max-width:100%;height:auto}</style><main><h1>Figure</h1>${
      reportFigures(RUN)["calibration.svg"]
    }</main></html>`,
};

Deno.test({
  name: "axe finds nothing in reports, comparisons and figures, light and dark, wide and narrow",
  ignore: PATH === undefined,
  fn: async () => {
    const browser = await launch("chromium", PATH!);
    try {
      const page = await browser.newPage(), said = complaints(page), requests: string[] = [];
      page.on("request", (request) => requests.push(request.url()));
      await page.setBypassCSP(true); // for axe itself
      for (const [name, html] of Object.entries(PAGES)) {
        for (
          const [scheme, width] of [["light", 1280], ["dark", 1280], ["light", 375], ["dark", 375]] as const
        ) {
          await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
          await page.setViewport({ width, height: 900 });
          await page.setContent(html);
          await page.evaluate(axe.source);
          const found = await page.evaluate(async () => {
            const { axe } = globalThis as unknown as {
              axe: { run(): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> };
            };
            const { violations } = await axe.run(), { scrollWidth, clientWidth } = document.documentElement;
            return [
              ...violations.map(({ id, nodes }) =>
                `${id}: ${nodes.slice(0, 3).map(({ html }) => html).join("\n")}`
              ),
              ...(scrollWidth > clientWidth ? [`it is ${scrollWidth} pixels wide in ${clientWidth}`] : []),
            ];
          });
          deepStrictEqual(found, [], `${name}, ${scheme}, ${width} pixels`);
        }
      }
      deepStrictEqual([said, requests.filter((url) => url !== "about:blank")], [[], []]);
    } finally {
      await browser.close();
    }
  },
});
