import { ok } from "node:assert/strict";
import { STRONGEST_TINT } from "../../src/report/confusion_matrix.ts";
import { DARK, LIGHT, SERIES_COLOURS } from "../../src/report/theme.ts";
import type { ColourName } from "../../src/report/theme.ts";

type Rgb = number[];
const rgb = (hex: string): Rgb => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16));
const mix = (top: Rgb, ground: Rgb, share: number) => top.map((c, i) => c * share + ground[i] * (1 - share));

/** Relative luminance and contrast as WCAG 2.2 defines them. */
function luminance(colour: Rgb): number {
  const [r, g, b] = colour.map((c) =>
    c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4
  );
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(a: Rgb, b: Rgb): number {
  const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (high + 0.05) / (low + 0.05);
}

for (const [theme, colours] of [["light", LIGHT], ["dark", DARK]] as const) {
  Deno.test(`text on ${theme} ground has a contrast of at least 4.5, curves at least 3.5`, () => {
    const check = (top: ColourName, ground: ColourName, least: number) => {
      const found = contrast(rgb(colours[top]), rgb(colours[ground]));
      ok(found >= least, `${top} on ${ground}: ${found.toFixed(2)}`);
    };
    for (const ground of ["page", "surface"] as const) {
      check("ink", ground, 4.5);
      check("muted", ground, 4.5);
      check("accent", ground, 4.5);
      check("wrong", ground, 4.5);
    }
    for (let i = 0; i < SERIES_COLOURS; i++) check(`c${i}` as ColourName, "surface", 3.5);
    check("c0", "grid", 3);
    check("ink", "grid", 4.5);
  });

  Deno.test(`counts on the tints of a confusion matrix on ${theme} ground have a contrast of at least 4.5`, () => {
    for (const tint of ["hit", "miss"] as const) {
      for (let share = 0; share <= STRONGEST_TINT; share += 0.02) {
        const ground = mix(rgb(colours[tint]), rgb(colours.surface), share);
        ok(contrast(rgb(colours.ink), ground) >= 4.5, `${tint} at ${share}`);
      }
    }
  });

  Deno.test(`the first two series differ on ${theme} ground also without red or green receptors`, () => {
    // Viénot, Brettel and Mollon (1999): protanopia and deuteranopia in linear RGB.
    const linear = (hex: string) => rgb(hex).map((c) => (c / 255) ** 2.2);
    const protan = (
      [r, g, b]: Rgb,
    ) => [0.11238 * r + 0.88762 * g, 0.11238 * r + 0.88762 * g, 0.00401 * r - 0.00401 * g + b];
    const deutan = (
      [r, g, b]: Rgb,
    ) => [0.29275 * r + 0.70725 * g, 0.29275 * r + 0.70725 * g, -0.02234 * r + 0.02234 * g + b];
    for (const see of [protan, deutan]) {
      const [a, b] = [see(linear(colours.c0)), see(linear(colours.c1))].map((c) =>
        c.map((v) => Math.max(0, v) ** (1 / 2.2))
      );
      ok(Math.hypot(...a.map((v, i) => v - b[i])) > 0.35, `${a} and ${b}`);
    }
  });
}
