/** What a page may hold. */
import { match, ok } from "node:assert/strict";
import type { Element } from "./xml.ts";

const ELEMENTS = new Set(
  ("html head meta title style body header main footer section h1 h2 h3 p dl div dt dd span time figure figcaption " +
    "svg desc rect text path g circle table caption thead tbody tr th td wbr pre code details summary").split(
      " ",
    ),
);

/** Fails on an element or attribute that could run or fetch anything. */
export function checkHarmless(elements: Element[]): void {
  for (const { name, attributes } of elements) {
    ok(ELEMENTS.has(name), `<${name}>`);
    for (const key of Object.keys(attributes)) ok(!/^on|href|src|action/.test(key), `<${name} ${key}>`);
    if (attributes.style !== undefined) match(attributes.style, /^width:[\d.]+(%|px;margin:0 auto)$/);
  }
}
