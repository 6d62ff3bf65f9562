/** The page in real browsers: trains on pasted sentences, keeps them to itself, and can be used by anyone. */
import { deepStrictEqual, ok } from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import axe from "npm:axe-core@4.14.1";
import { unzipSync } from "npm:fflate@0.8.3";
import type { Browser, ElementHandle, Page } from "npm:puppeteer-core@24.43.1";
import { BertForSequenceClassification, BertTokenizer, dispose, init, predict } from "../../mod.ts";
import { serve, type Server } from "../../scripts/browser/serve.ts";
import { readExamples } from "../../scripts/demo/data.ts";
import { buildSite } from "../../scripts/site/build.ts";
import { filesFromMap } from "../../src/weights/mod.ts";
import { type BrowserName, browserPath, complaints, launch } from "./browsers.ts";

const SITE = new URL("../../out/browser/site/", import.meta.url);
const ISOLATION = { isolated: true, alone: false } as const;

/** A hundred sentences as someone would paste them. */
const PASTED = readExamples("train").slice(300, 400)
  .map(({ text, label }) => `${text}\t${label === 1 ? "happy" : "unhappy"}`).join("\n");

let built: Promise<void> | undefined;

interface Session {
  browser: Browser;
  page: Page;
  server: Server;
  said: string[];
  /** Requests of the page over a network since it was loaded. */
  sent: string[];
}

/** Opens the page and waits until it is locked. */
async function withPage(
  name: BrowserName,
  path: string,
  isolated: boolean,
  run: (session: Session) => Promise<void>,
  prepare: (page: Page) => Promise<unknown> = async () => {},
): Promise<void> {
  await (built ??= buildSite(SITE));
  const server = await serve(SITE, { isolated }), browser = await launch(name, path);
  try {
    const page = await browser.newPage(), said = complaints(page), sent: string[] = [];
    await prepare(page);
    await page.goto(server.url);
    await page.waitForSelector("#lock[data-state=closed]");
    page.on("request", (request) => {
      if (!/^(blob|data):/.test(request.url())) sent.push(request.url());
    });
    server.requests.length = 0;
    await run({ browser, page, server, said, sent });
    deepStrictEqual(
      [...said, ...sent, ...server.requests],
      [],
      "complaints and requests after the page was locked",
    );
  } finally {
    await browser.close();
    await server.close();
  }
}

const textOf = (page: Page, id: string) => page.$eval(`#${id}`, (element) => element.textContent ?? "");

async function paste(page: Page, text: string): Promise<void> {
  await page.$eval("#sentences", (area, text) => {
    (area as HTMLTextAreaElement).value = text;
    area.dispatchEvent(new Event("input", { bubbles: true }));
  }, text);
  await page.waitForFunction(
    (text) => document.getElementById("summary")!.textContent !== text,
    {},
    "No sentences yet.",
  );
}

/** Trains in so many passes instead of as many as are needed. */
async function shorten(page: Page, epochs: number): Promise<void> {
  await page.$eval(
    "#epochs",
    (field, epochs) => void ((field as HTMLInputElement).value = String(epochs)),
    epochs,
  );
}

const trained = (page: Page) =>
  page.waitForFunction(() => document.getElementById("training-text")!.textContent!.startsWith("Done"), {
    timeout: 120_000,
  });

async function classify(page: Page, text: string): Promise<string> {
  await page.$eval("#try", (field, text) => void ((field as HTMLInputElement).value = text), text);
  await page.click("#try-button");
  await page.waitForFunction((text) => document.querySelector("blockquote")?.textContent === text, {}, text);
  return await page.$eval(".answers", (list) => list.textContent ?? "");
}

function browserTest(name: BrowserName, title: string, run: (path: string) => Promise<void>): void {
  const path = browserPath(name);
  const fn = () => run(path!);
  Deno.test({ name: `${name}: ${title}`, ignore: !path, sanitizeOps: false, sanitizeResources: false, fn });
}

for (const name of ["chromium", "firefox"] as const) {
  for (const [how, isolated] of Object.entries(ISOLATION)) {
    browserTest(
      name,
      `${how}, a hundred pasted sentences become a model, and no request is made`,
      async (path) => {
        const start = performance.now();
        await withPage(name, path, isolated, async ({ page }) => {
          await paste(page, PASTED);
          ok((await textOf(page, "summary")).startsWith("100 sentences, 2 labels"));
          await page.click("#train");
          await trained(page);
          const seconds = ((performance.now() - start) / 1000).toFixed(1);
          const [before, after] = [
            parseFloat(await textOf(page, "before")),
            parseFloat(await textOf(page, "after")),
          ];
          console.log(
            `${name}, ${how}: ${await textOf(
              page,
              "training-text",
            )} ${before} % -> ${after} %, ${seconds} s in all`,
          );
          ok(after >= 75 && after > before, `${before} % before, ${after} % after`);
          deepStrictEqual(
            await textOf(page, "machine"),
            `berth, ${isolated ? "2 threads" : "one thread"} of your machine`,
          );
          ok((await classify(page, "I love this team.")).startsWith("happy"));
        });
      },
    );
  }

  browserTest(
    name,
    "a locked page and its worker cannot send anything, in none of eight ways",
    async (path) => {
      await withPage(name, path, true, async ({ page, said, sent }) => {
        await page.click("#check");
        await page.waitForSelector("#check:not(:disabled)");
        const attempts = await page.$$eval("#attempts li", (items) => items.map((item) => item.textContent!));
        deepStrictEqual(attempts.length, 8);
        deepStrictEqual(attempts.filter((attempt) => !attempt.endsWith("refused by the browser")), []);
        said.length = 0; // the refusals
        sent.length = 0; // what the browser tells of before it refuses; the server has the last word
      });
    },
  );
}

browserTest(
  "chromium",
  "training stops and goes on; the downloaded model is the one that answers",
  async (path) => {
    const folder = mkdtempSync(join(tmpdir(), "berth-site-"));
    try {
      await withPage("chromium", path, true, async ({ browser, page }) => {
        const session = await browser.target().createCDPSession();
        await session.send("Browser.setDownloadBehavior", { behavior: "allow", downloadPath: folder });
        await paste(page, PASTED);
        await shorten(page, 6);
        await page.click("#train");
        await page.waitForFunction(() =>
          /^Step [5-9]/.test(document.getElementById("training-text")!.textContent!)
        );
        await page.click("#pause");
        await page.waitForFunction(() => document.getElementById("pause")!.textContent === "Go on");
        const stopped = await textOf(page, "training-text");
        await new Promise((later) => setTimeout(later, 300));
        deepStrictEqual(await textOf(page, "training-text"), stopped);
        await page.click("#pause");
        await trained(page);
        const answer = await classify(page, "What a dull evening.");
        await page.click("#save");
        await page.waitForFunction(() => document.getElementById("kept")!.textContent!.includes("downloads"));
        const zip = await waitForFile(folder);
        deepStrictEqual(await answerOf(readFileSync(zip), "What a dull evening."), answer);
        await paste(page, "");
        await open(page, zip);
        await page.waitForFunction(() => document.getElementById("kept")!.textContent!.startsWith("Opened"));
        deepStrictEqual(await classify(page, "What a dull evening."), answer);
        const broken = join(folder, "broken.zip");
        writeFileSync(broken, "no zip at all");
        await open(page, broken);
        await page.waitForSelector("#failure:not([hidden])");
        ok((await textOf(page, "failure")).includes("broken.zip cannot be opened"));
      });
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
);

async function open(page: Page, file: string): Promise<void> {
  const input = await page.$("#open") as ElementHandle<HTMLInputElement>;
  await input.uploadFile(file);
}

async function waitForFile(folder: string): Promise<string> {
  for (;;) {
    const name = readdirSync(folder).find((name) => name.endsWith(".zip"));
    if (name) return join(folder, name);
    await new Promise((later) => setTimeout(later, 50));
  }
}

/** What the page's list of answers says, by Deno from the same files. */
async function answerOf(zip: Uint8Array, text: string): Promise<string> {
  await init({ profile: "simd", threads: 2 });
  try {
    const files = filesFromMap("the download", new Map(Object.entries(unzipSync(zip))));
    const tokenizer = await BertTokenizer.from_pretrained(files);
    const model = await BertForSequenceClassification.from_pretrained(files);
    const [{ scores }] = await predict(model, tokenizer, [text]);
    return scores.map((score, i) => ({ score, label: model.config.id2label[i] })).sort((a, b) =>
      b.score - a.score
    )
      .map(({ score, label }) => `${label}${(100 * score).toFixed(1)} %`).join("");
  } finally {
    dispose();
  }
}

browserTest("chromium", "everything can be done with the keyboard alone", async (path) => {
  await withPage("chromium", path, true, async ({ page }) => {
    const tabTo = async (id: string) => {
      for (let i = 0; i < 30; i++) {
        await page.keyboard.press("Tab");
        if (await page.evaluate(() => document.activeElement?.id) === id) return;
      }
      throw new Error(`Cannot reach ${id} with the Tab key`);
    };
    await tabTo("sentences");
    for (const line of PASTED.split("\n").slice(0, 12)) {
      await page.keyboard.type(line.replace("\t", ";"));
      await page.keyboard.press("Enter");
    }
    await page.waitForFunction(() =>
      document.getElementById("summary")!.textContent!.startsWith("12 sentences")
    );
    await tabTo("train");
    await page.keyboard.press("Enter");
    await trained(page);
    await tabTo("try");
    await page.keyboard.type("Fine weather.");
    await page.keyboard.press("Enter");
    await page.waitForSelector(".answers");
    await tabTo("save");
  });
});

for (const scheme of ["light", "dark"]) {
  for (const [size, width, height] of [["phone", 360, 740], ["desktop", 1280, 900]] as const) {
    browserTest(
      "chromium",
      `axe finds nothing, ${scheme}, ${size}, before and after training`,
      async (path) => {
        const prepare = async (page: Page) => {
          await page.setViewport({ width, height });
          await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
        };
        await withPage("chromium", path, true, async ({ page }) => {
          deepStrictEqual(await violations(page), []);
          await paste(page, PASTED.split("\n").slice(0, 20).join("\n") + "\nno label\n,none");
          await page.click("#problems summary");
          await page.click("#settings summary");
          await shorten(page, 2);
          await page.click("#train");
          await trained(page);
          await classify(page, "Rain.");
          deepStrictEqual(await violations(page), []);
          const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
          ok(overflow <= 0, `${overflow} pixels stand out to the right`);
        }, prepare);
      },
    );
  }
}

async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  return await page.evaluate(async () => {
    const { axe } = globalThis as unknown as {
      axe: { run(): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> };
    };
    return (await axe.run()).violations.map(({ id, nodes }) =>
      `${id}: ${nodes.map(({ html }) => html).join(" ")}`
    );
  });
}
