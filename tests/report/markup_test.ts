import { equal, throws } from "node:assert/strict";
import fc from "../helpers/property.ts";
import { escapeText, Markup, markup } from "../../src/report/markup.ts";
import { fitText, textWidth } from "../../src/report/svg.ts";
import { HOSTILE, readXml } from "./xml.ts";

// deno-lint-ignore no-control-regex
const FORBIDDEN = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\ufffe\uffff\p{Surrogate}]/gu;

Deno.test("the tests' own reader refuses what is not well-formed", () => {
  for (
    const bad of [
      "<a>",
      "<a></b>",
      "<a/><b/>",
      "<a b=c/>",
      '<a b="1" b="2"/>',
      "<a>&x;</a>",
      "<a>& </a>",
      "<a><</a>",
      "x",
    ]
  ) {
    throws(() => readXml(bad), Error, bad);
  }
});

Deno.test("markup escapes text, keeps markup, joins lists and leaves out what is absent", () => {
  const inner = markup`<b>${"a<b"}</b>`;
  equal(
    markup`<p title="${`"'`}">${[inner, 1, undefined, false, ["&"]]}</p>`.text,
    `<p title="&quot;&#39;"><b>a&lt;b</b>1&amp;</p>`,
  );
  equal(new Markup("<i/>").text, "<i/>");
});

Deno.test("escaped text stays well-formed and comes back as it was", () => {
  const check = (text: string) => {
    const [root] = readXml(`<a b="${escapeText(text)}">${escapeText(text)}</a>`);
    equal(root.text, root.attributes.b);
    equal(
      root.text,
      text.replace(FORBIDDEN, "\ufffd"),
    );
  };
  HOSTILE.forEach(check);
  fc.assert(fc.property(fc.string({ unit: "binary" }), check));
});

Deno.test("fitText cuts to the width and never inside a surrogate pair", () => {
  equal(fitText("short", 100), "short");
  equal(fitText("a long label of a class", 60).endsWith("…"), true);
  fc.assert(fc.property(fc.string({ unit: "grapheme" }), fc.integer({ min: 20, max: 200 }), (text, width) => {
    const fitted = fitText(text, width);
    equal(textWidth(fitted) <= width, true);
    equal(/\p{Surrogate}/u.test(fitted), false);
  }));
});
