/** Names, options and headers from outside. */
import assert from "node:assert/strict";
import fc from "../helpers/property.ts";
import { retryAfter } from "../../src/hub/http_failure.ts";
import { cacheFolderName, checkFileName, isHubId } from "../../src/hub/names.ts";
import { cacheFolder, takeHubOptions } from "../../src/hub/options.ts";

Deno.test("Retry-After is seconds or a date", () => {
  const now = Date.parse("2026-10-01T00:00:00Z");
  const values = [
    null,
    "7",
    " 0 ",
    "-1",
    "soon",
    "Thu, 01 Oct 2026 00:00:30 GMT",
    "Thu, 01 Oct 2020 00:00:00 GMT",
  ];
  assert.deepEqual(values.map((value) => retryAfter(value, now)), [0, 7000, 0, 0, 0, 30_000, 0]);
});

Deno.test("hub ids are names that cannot leave the cache", () => {
  for (const id of ["bert-base-uncased", "google/bert_uncased_L-2_H-128_A-2", "a", "A.b/c.d-e_f", "a/0"]) {
    assert.ok(isHubId(id), id);
  }
  for (
    const id of [
      "",
      ".",
      "a/",
      "/a",
      "a/b/c",
      "a--b",
      "a..b",
      "../a",
      "a/..",
      "-a",
      "a.",
      "a b",
      "a\n",
      "é",
      "x".repeat(97),
    ]
  ) {
    assert.ok(!isHubId(id), id);
  }
  fc.assert(fc.property(fc.string({ unit: fc.constantFrom(..."aZ0./\\-_: %\n~") }), (name) => {
    if (isHubId(name)) assert.match(cacheFolderName(name), /^models--[\w.-]+$/);
    let isFile = true;
    try {
      checkFileName(name);
    } catch {
      isFile = false;
    }
    if (!isFile) return;
    const inside = new URL(name.split("/").map(encodeURIComponent).join("/"), "file:///base/").href;
    assert.ok(inside.startsWith("file:///base/") && inside.length > "file:///base/".length);
  }));
});

Deno.test("hub options are told from others, and folders may begin with ~", () => {
  const [hub, others] = takeHubOptions({ revision: "x", num_labels: 3, signal: null });
  assert.deepEqual([hub.revision, hub.signal, others], ["x", null, { num_labels: 3 }]);
  assert.match(cacheFolder("~/x").pathname, /^\/(?!.*~).*\/x\/$/);
  assert.equal(cacheFolder(new URL("file:///a/b")).href, "file:///a/b/");
});
