import { seriesCount } from './svg.ts';

const seriesStyle = Array.from({ length: seriesCount }, (_, n) =>
  [`.s${n}.whisker,.s${n}.curve,.s${n}.level{stroke:var(--s${n})}`, `.s${n}.dot,.s${n}.band,.s${n}.bar{fill:var(--s${n})}`].join('\n'),
).join('\n');

/** The style sheet of report.html: light and dark by the reader's system, and as narrow as a phone. */
export const style = `
:root{color-scheme:light dark;--ground:#fff;--ink:#1c2128;--soft:#59636e;--line:#d8dee4;--panel:#f6f8fa;
--nudge:#fff1b8;--nudge-line:#9a6700;--good:#1a7f37;--bad:#cf222e;
--s0:#0969da;--s1:#bc4c00;--s2:#1a7f37;--s3:#8250df;--s4:#bf3989;--s5:#57606a}
@media(prefers-color-scheme:dark){:root{--ground:#0d1117;--ink:#e6edf3;--soft:#9198a1;--line:#30363d;--panel:#151b23;--nudge:#4b3a06;
--nudge-line:#e3b341;--good:#3fb950;--bad:#ff7b72;--s0:#58a6ff;--s1:#f0883e;--s2:#3fb950;--s3:#bc8cff;--s4:#ff7bc0;--s5:#b1bac4}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:1180px;padding:24px 20px 64px;background:var(--ground);color:var(--ink);
font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
h1{font-size:1.7rem;margin:0 0 4px}
h2{font-size:1.2rem;margin:44px 0 6px;padding-top:14px;border-top:1px solid var(--line)}
h3{font-size:1rem;margin:0 0 8px}
p,li{margin:6px 0;max-width:90ch}ul{margin:6px 0;padding-left:20px}
.about,.facts,footer{color:var(--soft);font-size:.9rem}
.facts{display:grid;grid-template-columns:max-content 1fr;gap:2px 16px;margin:12px 0}
.facts dd{margin:0;overflow-wrap:anywhere;color:var(--ink)}
.charts{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,340px),1fr));gap:16px;margin-top:14px}
.charts>div,.example{background:var(--panel);border:1px solid var(--line);border-radius:10px;padding:14px}
svg{display:block;width:100%;height:auto}
svg text{font:12px system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;fill:var(--ink)}
svg .title{font-weight:600;font-size:13px}svg .axis{fill:var(--soft);font-size:11px}
.grid{stroke:var(--line)}.diagonal{stroke:var(--soft);stroke-dasharray:4 4}
.whisker{stroke-width:2;opacity:.6}.curve{fill:none;stroke-width:2}.level{stroke-width:1.5;stroke-dasharray:5 4}
.band{opacity:.14}.bar{opacity:.75}
${seriesStyle}
.scroll{overflow-x:auto;margin-top:10px;border:1px solid var(--line);border-radius:10px}
table{border-collapse:collapse;width:100%;font-size:.9rem;font-variant-numeric:tabular-nums}
th,td{padding:7px 12px;text-align:left;border-bottom:1px solid var(--line);vertical-align:top}
tr:last-child td{border-bottom:0}thead th{background:var(--panel);font-weight:600}
td.figure{white-space:nowrap}
summary{cursor:pointer;color:var(--soft)}
.example{margin-top:14px}
.question,.answer{white-space:pre-wrap;overflow-wrap:anywhere;unicode-bidi:isolate}
.question{color:var(--soft);font-size:.92rem}
.of{margin-top:12px;padding-top:10px;border-top:1px solid var(--line)}
.who{display:flex;flex-wrap:wrap;gap:4px 12px;font-size:.88rem;font-weight:600}
.who span{font-weight:400;color:var(--soft)}
.right{color:var(--good)}.wrong{color:var(--bad)}
mark{background:var(--nudge);color:inherit;border-bottom:2px dotted var(--nudge-line);border-radius:2px;padding:0 1px}
@media(max-width:520px){body{padding:16px 12px 48px}.facts{grid-template-columns:minmax(72px,max-content) 1fr;gap:2px 10px}
.facts dt{max-width:100px}th,td{padding:6px 9px}}
@media print{.example,.charts>div{break-inside:avoid}}
`;
