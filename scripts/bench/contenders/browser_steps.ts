/**
 * Training steps with the npm package in a page of a real browser: `browser_steps.ts BROWSER FOLDER QUERY SCRIPTS ISOLATED
 * PROFILE THREADS`. FOLDER is a built page; QUERY and SCRIPTS are what its way of building needs.
 */
import process from "node:process";
import { browserPath, launch } from "../../../tests/browser/browsers.ts";
import { serve } from "../../browser/serve.ts";
import { speak } from "./speak.mjs";

const [name, folder, query, scripts, isolated, profile, threads] = process.argv.slice(2);
const policy =
  `default-src 'none'; script-src 'self' 'wasm-unsafe-eval' ${scripts}; worker-src 'self'; connect-src 'self'; img-src data:`;
const server = await serve(new URL(folder), {
  isolated: isolated === "true",
  headers: { "content-security-policy": policy },
});
const browser = await launch(name as "chromium", browserPath(name as "chromium")!);
const page = await browser.newPage();
await page.goto(server.url);

/** Asks the page's worker. */
async function ask(message: object): Promise<Record<string, unknown>> {
  return await page.evaluate(
    async (message) => await (globalThis as unknown as { ask(message: object): never }).ask(message),
    message,
  );
}

const assets = new URLSearchParams(query).get("assets");
const init = { profile, threads: Number(threads), ...(assets ? { assets } : {}) };
const { check } = await ask({ init });
await speak(check as number[], async () => (await ask({})).ms as number);
