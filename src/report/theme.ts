/**
 * Colours and styles of plots and page. Each colour is a CSS variable `--berth-<name>` with a light and a dark value;
 * the series colours differ in lightness and hue for colour-blind readers.
 *
 * @module
 */

/** The names of the colours. */
export type ColourName =
  | "page"
  | "surface"
  | "ink"
  | "muted"
  | "line"
  | "grid"
  | "accent"
  | "wrong"
  | "hit"
  | "miss"
  | "c0"
  | "c1"
  | "c2"
  | "c3"
  | "c4"
  | "c5";

/** Colours on light ground. */
export const LIGHT: Readonly<Record<ColourName, string>> = {
  page: "#f6f7f9",
  surface: "#ffffff",
  ink: "#1b2430",
  muted: "#566273",
  line: "#c9d0d9",
  grid: "#e8ebf0",
  accent: "#1c5d9f",
  wrong: "#b0410a",
  hit: "#3d86cc",
  miss: "#e2722f",
  c0: "#1c5d9f",
  c1: "#c5530c",
  c2: "#13806a",
  c3: "#8e3f86",
  c4: "#8a6a00",
  c5: "#5b6676",
};

/** Colours on dark ground. */
export const DARK: Readonly<Record<ColourName, string>> = {
  page: "#0e1217",
  surface: "#161b22",
  ink: "#e5eaf1",
  muted: "#9ba8b8",
  line: "#3d4756",
  grid: "#262e39",
  accent: "#74b4f2",
  wrong: "#f49b66",
  hit: "#2c6cad",
  miss: "#a9531f",
  c0: "#74b4f2",
  c1: "#f49b66",
  c2: "#56c5a8",
  c3: "#d797cd",
  c4: "#dcbc55",
  c5: "#a9b4c2",
};

/** How many series have a colour of their own. */
export const SERIES_COLOURS = 6;

/** Where an SVG is shown: alone in its own file, or inside the report's page, which brings style and title. */
export type Place = "alone" | "page";

const FONT = `system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif`;

/** Shapes and sizes, the same everywhere. */
const SHAPES = `.berth-plot{font-family:${FONT};font-size:13px;font-variant-numeric:tabular-nums}
.berth-plot .head{font-size:15px;font-weight:600}
.berth-plot .small{font-size:11px}
.berth-plot .strong{font-weight:600}
.berth-plot .end{text-anchor:end}
.berth-plot .middle{text-anchor:middle}
.berth-plot .curve{fill:none;stroke-width:2;stroke-linejoin:round;stroke-linecap:round}
.berth-plot .faint{stroke-width:1;stroke-opacity:.32}
.berth-plot .key{stroke-width:2;stroke-opacity:.5}
.berth-plot .rule{fill:none;stroke-width:1}
.berth-plot .dashed{stroke-dasharray:5 4}
`;

/** Which colour paints which class. */
const PAINT: readonly [selector: string, property: string, colour: ColourName][] = [
  [".surface", "fill", "surface"],
  [".ink", "fill", "ink"],
  [".muted", "fill", "muted"],
  [".track", "fill", "grid"],
  [".hit", "fill", "hit"],
  [".miss", "fill", "miss"],
  [".axis", "stroke", "line"],
  [".grid", "stroke", "grid"],
  [".base", "stroke", "muted"],
  [".lost", "stroke", "wrong"],
  ...Array.from({ length: SERIES_COLOURS }, (_, i): [string, string, ColourName][] => [
    [`.s${i}`, "stroke", `c${i}` as ColourName],
    [`.f${i}`, "fill", `c${i}` as ColourName],
  ]).flat(),
];

/**
 * The style of plots. Alone, every colour stands there itself and as the fallback of its variable, for viewers
 * without variables, for pages that set none and for dark screens; on the page the variables are enough.
 */
export function plotStyle(place: Place): string {
  if (place === "page") {
    return SHAPES +
      PAINT.map(([selector, property, colour]) =>
        `.berth-plot ${selector}{${property}:var(--berth-${colour})}`
      ).join("\n");
  }
  const light = PAINT.map(([selector, property, colour]) =>
    `.berth-plot ${selector}{${property}:${LIGHT[colour]};${property}:var(--berth-${colour},${
      LIGHT[colour]
    })}`
  );
  const dark = PAINT.map(([selector, property, colour]) =>
    `.berth-plot ${selector}{${property}:var(--berth-${colour},${DARK[colour]})}`
  );
  return `${SHAPES}${light.join("\n")}\n@media screen and (prefers-color-scheme:dark){\n${
    dark.join("\n")
  }\n}\n`;
}

/** The colours as the variables of a page. */
export function colourVariables(colours: Readonly<Record<ColourName, string>>): string {
  return Object.entries(colours).map(([name, colour]) => `--berth-${name}:${colour}`).join(";");
}
