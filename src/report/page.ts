/**
 * The frame of a page that holds everything it shows: head, heading, sections. A content security policy inside it
 * forbids scripts and requests.
 *
 * @module
 */

import { type Content, Markup, markup } from "./markup.ts";
import { pageStyle } from "./page_style.ts";

const POLICY = "default-src 'none'; style-src 'unsafe-inline'";

/** A page's parts. */
export interface Page {
  /** Above the heading. */
  kicker: string;
  /** The heading. */
  title: string;
  /** A line under the heading. */
  facts: Content;
  /** All else. */
  main: Content;
}

/** The HTML document. */
export function page({ kicker, title, facts, main }: Page): string {
  return markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8"/>
<meta http-equiv="Content-Security-Policy" content="${POLICY}"/>
<meta name="viewport" content="width=device-width, initial-scale=1"/>
<meta name="referrer" content="no-referrer"/>
<meta name="color-scheme" content="light dark"/>
<title>${title}</title>
<style>${new Markup(pageStyle())}</style>
</head>
<body>
<header>
<p class="kicker">${kicker}</p>
<h1 dir="auto">${title}</h1>
<p class="facts">${facts}</p>
</header>
<main>
${main}
</main>
<footer>Written by berth. This file needs no network and runs no script.</footer>
</body>
</html>
`.text;
}

/** A section with its heading; nothing if it has no content. */
export function section(id: string, title: string, content: Content): Markup | false {
  const isEmpty = content === undefined || content === false ||
    Array.isArray(content) && !content.some(Boolean);
  return !isEmpty &&
    markup`<section aria-labelledby="${id}"><h2 id="${id}">${title}</h2>${content}</section>`;
}

/** `2025-03-01T09:30:12.000Z` as `2025-03-01 09:30 UTC`; any other form as it is. */
export function readableTime(time: string): string {
  const parts = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d)(?::\d\d(?:\.\d+)?)?Z$/.exec(time);
  return parts === null ? time : `${parts[1]} ${parts[2]} UTC`;
}
