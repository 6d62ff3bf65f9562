/** Small helpers for the page's elements. */

/** The element of that id, which is of that kind. */
export function byId<T extends Element>(id: string, kind: { new (): T }): T {
  const found = document.getElementById(id);
  if (found instanceof kind) return found;
  throw new Error(`The page has no ${kind.name} "${id}".`);
}

/** A new element with a text. */
export function make<K extends keyof HTMLElementTagNameMap>(
  name: K,
  text = "",
  ...children: Node[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(name);
  element.append(text, ...children);
  return element;
}

/** `87.5 %` */
export function percent(share: number): string {
  return `${(100 * share).toFixed(share === 1 || share === 0 ? 0 : 1)} %`;
}

/** `1 sentence`, `2 sentences` */
export function count(number: number, noun: string): string {
  return `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;
}

const status = byId("status", HTMLElement), failure = byId("failure", HTMLElement);

/** Says something to those who do not see the page. */
export function announce(text: string): void {
  status.textContent = text;
}

/** Shows what went wrong, or takes it away. */
export function showFailure(text: string | undefined): void {
  failure.hidden = text === undefined;
  failure.textContent = text ?? "";
  if (text !== undefined) failure.scrollIntoView({ block: "nearest" });
}
