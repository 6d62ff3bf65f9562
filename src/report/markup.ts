/**
 * Markup that is safe by construction: the `markup` template escapes whatever is put into it, unless it is markup itself.
 * The result is well-formed XML, for SVG and HTML alike.
 *
 * @module
 */

/** A finished piece of SVG or HTML. Only this module and constant text make one. */
export class Markup {
  /** Takes text that is markup already; never text from outside. */
  constructor(readonly text: string) {}
}

/** What a {@linkcode markup} template takes: text and numbers are escaped, lists joined, `undefined` and `false` left out. */
export type Content = Markup | string | number | undefined | false | readonly Content[];

/** Characters that XML forbids, even escaped; `u` makes lone surrogates match as such. */
// deno-lint-ignore no-control-regex
const FORBIDDEN = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\ufffe\uffff\p{Surrogate}]/gu;

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Escapes text for element content and quoted attributes; characters that XML forbids become U+FFFD. */
export function escapeText(text: string): string {
  return text.replace(FORBIDDEN, "\ufffd").replace(/[&<>"']/g, (character) => ENTITIES[character]);
}

/** Template tag: ``markup`<p>${text}</p>` `` is markup with the text escaped. */
export function markup(parts: TemplateStringsArray, ...contents: Content[]): Markup {
  let text = parts[0];
  contents.forEach((content, i) => text += render(content) + parts[i + 1]);
  return new Markup(text);
}

function render(content: Content): string {
  if (content instanceof Markup) return content.text;
  if (content === undefined || content === false) return "";
  if (typeof content === "object") return content.map(render).join("");
  return escapeText(String(content));
}
