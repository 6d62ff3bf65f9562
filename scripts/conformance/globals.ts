/** The globals that tfjs-core's test files expect, set before they are imported: jasmine's, and CommonJS's `require`. */
import { createRequire } from "node:module";
// @ts-ignore: only the import map that the tests run by has it
import jasmineRequire from "jasmine-core/lib/jasmine-core/jasmine.js";

const jasmine = jasmineRequire.core(jasmineRequire), nodeRequire = createRequire(import.meta.url);

/** jasmine's environment. */
export const env = jasmine.getEnv();

Object.assign(globalThis, jasmineRequire.interface(jasmine, env), {
  require: (name: string) => name.startsWith("jasmine-core") ? jasmineRequire : nodeRequire(name),
});
