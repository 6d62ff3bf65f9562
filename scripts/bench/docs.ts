/** docs/performance.md from the results: how it was measured, the figures with their commands, charts, and the text. */
import type { Row } from "./harness.ts";
import { type Machine, machineLine } from "./machine.ts";
import { markdownTable } from "./table.ts";

/** What a suite gave. */
export interface SuiteResult {
  name: string;
  title: string;
  /** When it ran, and how. */
  date: string;
  rounds: number;
  quick: boolean;
  rows: Row[];
  /** SVG charts, in order; the files have these names. */
  charts: { name: string; title: string }[];
  seconds: number;
  /** Why there is no result. */
  error?: string;
}

/** What stands in bench.json: the last result of each suite. */
export interface Results {
  machine: Machine;
  suites: SuiteResult[];
}

/** Where the charts stand, from the page. */
export const CHART_FOLDER = "performance";

const INTRO = `# Performance

Every program below, ours included, runs in a child process of its own and is measured in the same way: it first shows
numbers of its result, which are compared; then the programs take turns (A B C, A B C, ...), after a turn that does not
count, so that whatever else the machine does hits them alike. Figures are medians of the turns; a ratio is the quotient
of two medians of one run. **berth / it** of times is better below 1, of GFLOPS above 1.

Peers come from npm and PyPI in pinned versions, into a folder of the benchmark; none is a dependency of the package.
Figures of a machine say something about that machine: run it on yours.

    deno task bench                       all of it
    deno task bench --only gemm,start     some tables
    deno task bench --quick               everything, shortly
    deno task bench --python PYTHON       a Python that has the peers' packages
`;

/**
 * The page.
 *
 * @param text The hand-written part, Markdown.
 */
export function performancePage({ machine, suites }: Results, text: string): string {
  const parts = [INTRO, measuredOn(machine), summary(suites)];
  for (const suite of suites) parts.push(section(suite));
  return parts.join("\n") + `\n${text.trim()}\n`;
}

function measuredOn(machine: Machine): string {
  const peers = Object.entries(machine.versions).map(([name, version]) => `${name} ${version}`).join(", ");
  return `## Measured on\n\n${machineLine(machine)}.${peers === "" ? "" : ` Peers: ${peers}.`}\n`;
}

/** How many goals are met, when, and how to run it, suite by suite. */
function summary(suites: readonly SuiteResult[]): string {
  const lines = suites.map(({ name, title, rows, error, date, rounds, quick }) => {
    const goals = rows.filter(({ met }) => met !== undefined), met = goals.filter((row) => row.met).length;
    const result = error
      ? `failed: ${error}`
      : goals.length === 0
      ? "no goals"
      : `${met} of ${goals.length} goals met`;
    const when = `${date}, ${rounds} turns${quick ? ", quick" : ""}`;
    return `| [${title}](#${anchor(title)}) | ${result} | ${when} | \`deno task bench --only ${name}\` |`;
  });
  const head = ["## All tables", "", "| table | goals | measured | command |", "| --- | --- | --- | --- |"];
  return [...head, ...lines, ""].join("\n");
}

/** GitHub's name of a heading. */
function anchor(title: string): string {
  return title.toLowerCase().replace(/[^\p{L}\p{N} _-]/gu, "").replaceAll(" ", "-");
}

function section({ title, rows, charts, error }: SuiteResult): string {
  const pictures = charts.map(({ name, title }) => `![${title}](${CHART_FOLDER}/${name}.svg)`);
  const commands = [...new Set(rows.map(({ command }) => command))].map((command) => `    ${command}`);
  return [
    ...[`## ${title}`, ""],
    ...error ? [`It failed: ${error}`, ""] : [],
    ...rows.length > 0 ? [...commands, "", markdownTable(rows), ""] : [],
    ...pictures.length > 0 ? [pictures.join("\n"), ""] : [],
  ].join("\n");
}
