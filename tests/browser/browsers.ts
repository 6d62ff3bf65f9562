/** Real browsers of this machine, headless; a test that needs one which is not there says so and passes over. */
import puppeteer, { type Browser, type Page } from "npm:puppeteer-core@24.43.1";
import { existsSync } from "node:fs";
import process from "node:process";

export type BrowserName = "chromium" | "firefox";

const PLACES: Readonly<Record<BrowserName, { variable: string; paths: string[] }>> = {
  chromium: {
    variable: "BERTH_CHROMIUM",
    paths: ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"],
  },
  firefox: { variable: "BERTH_FIREFOX", paths: ["/usr/bin/firefox-esr", "/usr/bin/firefox"] },
};

/** Nothing that a browser does by itself on a network; no sandbox, as the tests may run as root. */
const CHROMIUM_FLAGS = [
  ...["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"],
  ...["--disable-component-update", "--disable-sync", "--disable-dev-shm-usage"],
];

/** Where the browser's program is; `undefined`, with a word on it, if it is not there. */
export function browserPath(name: BrowserName): string | undefined {
  const { variable, paths } = PLACES[name];
  const path = [process.env[variable], ...paths].find((path) => path && existsSync(path));
  if (!path) console.warn(`no ${name} here: its tests are left out (${variable} can name one)`);
  return path;
}

/** Starts a browser. */
export function launch(name: BrowserName, path: string): Promise<Browser> {
  return puppeteer.launch({
    ...{ executablePath: path, headless: true, protocolTimeout: 120_000 },
    ...(name === "firefox" ? { browser: "firefox" } : { browser: "chrome", args: CHROMIUM_FLAGS }),
  });
}

/** What a page said on its console, from warnings on, and what it failed at. */
export function complaints(page: Page): string[] {
  const list: string[] = [];
  page.on("console", (message) => {
    if (["error", "warn"].includes(message.type())) list.push(message.text());
  });
  page.on("pageerror", (error) => void list.push(String(error)));
  return list;
}
