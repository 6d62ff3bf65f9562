/**
 * The style sheet of a report's page: light and dark, narrow and wide, screen and paper.
 *
 * @module
 */

import { colourVariables, DARK, LIGHT, plotStyle } from "./theme.ts";

const LAYOUT = `*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;text-size-adjust:100%}
body{margin:0;background:var(--berth-page);color:var(--berth-ink);line-height:1.5;
font-family:system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;font-size:16px}
main,header,footer{max-width:1280px;margin:0 auto;padding:0 clamp(16px,4vw,40px)}
header{padding-top:clamp(28px,5vw,56px)}
footer{padding-top:28px;padding-bottom:40px;color:var(--berth-muted);font-size:14px}
h1{margin:0;font-size:clamp(26px,4vw,38px);line-height:1.2;letter-spacing:-.015em;overflow-wrap:anywhere}
h2{margin:0 0 16px;font-size:21px;line-height:1.3;letter-spacing:-.005em}
h3{margin:0;font-size:15px;line-height:1.4;overflow-wrap:anywhere}
p{margin:0}
section{margin-top:clamp(36px,5vw,56px)}
.kicker{color:var(--berth-accent);font-size:13px;font-weight:600;letter-spacing:.06em;text-transform:uppercase}
.facts{margin-top:10px;color:var(--berth-muted);overflow-wrap:anywhere}
.note{color:var(--berth-muted);font-size:14px;overflow-wrap:anywhere}
.card{margin:0;padding:18px 20px;min-width:0;background:var(--berth-surface);border:1px solid var(--berth-grid);border-radius:10px}
.grid{display:grid;gap:18px;grid-template-columns:repeat(auto-fit,minmax(min(100%,340px),1fr))}
.pairs{grid-template-columns:repeat(auto-fit,minmax(min(100%,430px),1fr))}
.quarters{grid-template-columns:repeat(auto-fit,minmax(min(100%,270px),1fr))}
.grid>.wide{grid-column:1/-1}
.start{align-items:start}
.stack{display:grid;gap:18px;min-width:0}
.below{margin-top:18px}
figcaption{margin-bottom:8px}
.berth-plot{display:block;width:100%;max-width:470px;height:auto;margin:0 auto}
.scroll{overflow-x:auto}
.scroll>div>.berth-plot{max-width:none;margin:0}
.tiles{display:flex;flex-wrap:wrap;gap:18px;margin:28px 0 0}
.tiles>*{flex:1 1 165px;min-width:min-content}
.tiles>.whole{flex-grow:1.6}
.tiles dt{color:var(--berth-muted);font-size:14px}
.tiles dd{margin:0}
.tiles .value{font-size:27px;font-weight:600;line-height:1.3;letter-spacing:-.015em;white-space:nowrap;font-variant-numeric:tabular-nums}
.tiles .value .from{color:var(--berth-muted);font-weight:400}
`;

const TABLES = `table{width:100%;border-collapse:collapse;font-size:15px;font-variant-numeric:tabular-nums}
caption,.caption{padding-bottom:8px;text-align:left}
th,td{padding:8px 10px;text-align:left;vertical-align:top;border-top:1px solid var(--berth-grid)}
thead th{border-top:0;color:var(--berth-muted);font-size:13px;font-weight:500;white-space:nowrap}
th:first-child,td:first-child{padding-left:0}
th:last-child,td:last-child{padding-right:0}
tbody th{font-weight:500}
tr.total>*{border-top:1px solid var(--berth-line)}
.number{text-align:right;white-space:nowrap}
.text{overflow-wrap:anywhere}
.label{min-width:7.5em;overflow-wrap:anywhere}
.compact{font-size:14px}
.compact th,.compact td{padding:3px 8px}
.rows{max-height:330px;overflow-y:auto}
.outcome{width:12em}
.texts.narrow .outcome{width:9.2em}
.texts.narrow .bar{min-width:70px}
.pair{display:block;margin-top:4px;padding-left:10px;border-left:2px solid var(--berth-line)}
.bar{display:flex;align-items:center;gap:8px;min-width:92px;color:var(--berth-muted);font-size:13px}
.bar>span{flex:1;height:7px;overflow:hidden;border-radius:4px;background:var(--berth-grid)}
.bar>span>span{display:block;height:100%;border-radius:4px;background:var(--berth-c0)}
.wrong .bar>span>span{background:var(--berth-c1)}
.mark{color:var(--berth-muted);font-weight:600}
.wrong .mark{color:var(--berth-wrong)}
details{margin-top:10px;font-size:14px}
summary{color:var(--berth-muted);cursor:pointer}
details .scroll{margin-top:8px}
.verdict{max-width:62em;margin-bottom:18px;font-size:18px;line-height:1.45;text-wrap:pretty}
.legend{margin:18px 0}
.legend span{white-space:nowrap;color:var(--berth-ink)}
.swatch{display:inline-block;width:24px;height:16px;margin:0 8px 0 0;vertical-align:-2px}
.best{font-weight:600}
.alert{color:var(--berth-wrong);font-weight:600}
.key-facts{margin-top:6px;font-size:15px;font-weight:600;text-align:center;font-variant-numeric:tabular-nums}
.for1,.for2,.for3,.against1,.against2,.against3{padding:.05em .1em;border-radius:3px;text-underline-offset:.22em;text-decoration:underline;text-decoration-thickness:1px}
.for1{background:color-mix(in srgb,var(--berth-hit) 14%,transparent)}
.for2{background:color-mix(in srgb,var(--berth-hit) 28%,transparent)}
.for3{background:color-mix(in srgb,var(--berth-hit) 44%,transparent);text-decoration-thickness:2px}
.against1,.against2,.against3{text-decoration-style:dotted}
.against1{background:color-mix(in srgb,var(--berth-miss) 14%,transparent)}
.against2{background:color-mix(in srgb,var(--berth-miss) 28%,transparent)}
.against3{background:color-mix(in srgb,var(--berth-miss) 44%,transparent);text-decoration-thickness:2px}
.facts-list{margin:10px 0 0;font-size:15px}
.facts-list>div{display:flex;flex-wrap:wrap;justify-content:space-between;gap:0 14px;padding:3px 0}
.facts-list dt{color:var(--berth-muted);overflow-wrap:anywhere}
.facts-list dd{flex:1 0 auto;max-width:100%;margin:0;text-align:right;overflow-wrap:anywhere;font-variant-numeric:tabular-nums}
pre{margin:10px 0 0;padding:14px 16px;overflow-x:auto;border-radius:7px;background:var(--berth-page);border:1px solid var(--berth-grid)}
code{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;font-size:13.5px;line-height:1.55}
:focus-visible{outline:2px solid var(--berth-accent);outline-offset:2px}
.hidden{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
`;

const NARROW = `@media (max-width:560px){
.card{padding:16px}
.tiles{gap:12px}
.tiles>*{flex-basis:140px}
.tiles>.whole{flex-basis:100%}
.tiles .value{font-size:22px}
th,td{padding:7px 6px}
table{font-size:14px}
.scores th,.scores td{padding:7px 4px;font-size:13px}
.scores .label{min-width:5.5em}
.texts thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
.texts,.texts tbody{display:block}
.texts tr{display:grid;grid-template-columns:3fr 2fr;gap:6px 18px;padding:12px 0;border-top:1px solid var(--berth-grid)}
.texts td{padding:0;border:0}
.texts td:first-child{grid-column:1/-1}
.texts .bar{max-width:180px}
.texts .expected::before{content:"expected ";color:var(--berth-muted)}
}
`;

const PAPER = `@media print{
@page{margin:14mm}
body{background:#fff;font-size:10.5pt}
main,header,footer{max-width:none;padding:0}
header{padding-top:0}
section{margin-top:22px}
.grid{grid-template-columns:repeat(2,1fr)}
.grid.texts-grid{grid-template-columns:1fr}
details:not([open]){display:none}
.scroll,.rows{max-height:none;overflow:visible}
.card{padding:12px 14px}
th,td{padding:5px 6px}
.scores th,.scores td{padding:5px 3px}
.scores .label{min-width:5em}
table,.facts-list{font-size:9.5pt}
.tiles .value{font-size:17pt}
th:first-child,td:first-child{padding-left:0}
.card,tr,pre,.berth-plot{break-inside:avoid}
.long{break-inside:auto}
h2,h3,caption,.caption,figcaption{break-after:avoid}
pre{white-space:pre-wrap;overflow-wrap:anywhere}
.berth-plot,.bar,.texts span,.legend{margin:18px 0}
.legend span{-webkit-print-color-adjust:exact;print-color-adjust:exact}
}
`;

/** The whole style sheet. */
export function pageStyle(): string {
  return `:root{color-scheme:light dark;${colourVariables(LIGHT)}}
@media screen and (prefers-color-scheme:dark){:root{${colourVariables(DARK)}}}
${LAYOUT}${TABLES}${plotStyle("page")}
${NARROW}${PAPER}`;
}
