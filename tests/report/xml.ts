// A strict reader of well-formed markup for the tests: it fails where an XML parser would, and lists what it read.

/** One element as it was read. */
export interface Element {
  name: string;
  attributes: Record<string, string>;
  /** The text directly inside. */
  text: string;
}

const NAMED: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', "#39": "'" };
const TAG = /<(\/?)([A-Za-z][\w-]*)((?:\s+[A-Za-z][\w:-]*="[^"<]*")*)\s*(\/?)>/y;

/** Reads SVG, or HTML in XML form, or throws. */
export function readXml(markup: string): Element[] {
  // deno-lint-ignore no-control-regex
  if (/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff\p{Surrogate}]/u.test(markup)) {
    throw new Error("a character that XML forbids");
  }
  const elements: Element[] = [];
  const open: Element[] = [];
  let at = markup.startsWith("<!doctype html>") ? 15 : 0;
  while (at < markup.length) {
    if (markup[at] !== "<") {
      const end = markup.indexOf("<", at);
      const text = unescape(markup.slice(at, end < 0 ? undefined : end));
      if (open.length > 0) open[open.length - 1].text += text;
      else if (text.trim() !== "") throw new Error(`text outside of the root: ${text}`);
      at = end < 0 ? markup.length : end;
      continue;
    }
    TAG.lastIndex = at;
    const match = TAG.exec(markup);
    if (match === null) throw new Error(`not a tag: ${markup.slice(at, at + 80)}`);
    at = TAG.lastIndex;
    const [, closing, name, attributes, empty] = match;
    if (closing) {
      if (open.pop()?.name !== name) throw new Error(`</${name}> closes another element`);
      continue;
    }
    if (open.length === 0 && elements.length > 0) throw new Error("a second root");
    const element: Element = { name, attributes: {}, text: "" };
    for (const [, key, value] of attributes.matchAll(/([\w:-]+)="([^"]*)"/g)) {
      if (key in element.attributes) throw new Error(`<${name}> has ${key} twice`);
      element.attributes[key] = unescape(value);
    }
    elements.push(element);
    if (!empty) open.push(element);
  }
  if (open.length > 0) throw new Error(`<${open[0].name}> is not closed`);
  return elements;
}

function unescape(text: string): string {
  return text.replace(/&([^;\s]*);?/g, (whole, name) => {
    if (!(name in NAMED) || !whole.endsWith(";")) throw new Error(`not an entity: ${whole}`);
    return NAMED[name];
  });
}

/** The elements of one name. */
export function all(elements: Element[], name: string): Element[] {
  return elements.filter((element) => element.name === name);
}

/** Strings that break careless templates. */
export const HOSTILE: readonly string[] = [
  `</title><script>alert(1)</script>`,
  `"><img src=x onerror=alert(1)>`,
  `' onmouseover='alert(1)`,
  `</style><style>*{display:none}`,
  `]]><!--<![CDATA[`,
  `&lt;b&gt; &amp; &#x41; &nbsp`,
  "\u0000\u0008\u000b\u001f\ud800 \udc00\uffff\ufffe",
  "\u202egnp.exe \u2066\u2069",
  "${1+1} `x` {{y}} \\",
  "https://example.com/x.js url(http://a)",
  "",
  "x".repeat(5000),
  "野球の試合は楽しかった 👩‍👩‍👧 مرحبا",
];
