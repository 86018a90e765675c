/** The style sheet of a report. Colours keep their contrast in both schemes, and for those who see red and green alike. */
export const STYLE = `
:root { color-scheme: light dark; --back: #fbfbfa; --card: #ffffff; --ink: #1c2430; --soft: #5b6675; --rule: #e2e5ea;
  --c1: #1f6fb2; --c2: #b26a00; --c3: #c2323f; --c4: #6b7684; --good: #1c7a4a; --bad: #c2323f; }
@media (prefers-color-scheme: dark) { :root { --back: #12161c; --card: #1a2029; --ink: #e7ebf0; --soft: #9aa6b5;
  --rule: #2c3541; --c1: #62b0f0; --c2: #f0b254; --c3: #ff7a80; --c4: #8d99a8; --good: #5cc48d; --bad: #ff7a80; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 1120px; padding: 24px 16px 48px; background: var(--back); color: var(--ink);
  font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 22px; margin: 0; } h2 { font-size: 17px; margin: 32px 0 12px; } p { margin: 4px 0; color: var(--soft); }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(112px, 1fr)); gap: 12px; margin: 20px 0 0; padding: 0; }
.figures div, figure { background: var(--card); border: 1px solid var(--rule); border-radius: 8px; padding: 12px; margin: 0; }
.figures dt { color: var(--soft); font-size: 13px; } .figures dd { margin: 0; font-size: 20px; white-space: nowrap;
  font-variant-numeric: tabular-nums; } small { font-size: 13px; color: var(--soft); }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(480px, 100%), 1fr)); gap: 12px; margin-top: 20px; }
figcaption { font-weight: 600; margin-bottom: 6px; } svg { width: 100%; height: auto; display: block; overflow: visible; }
svg text { fill: var(--soft); font-size: 12px; dominant-baseline: middle; } .end { text-anchor: end; } .middle { text-anchor: middle; }
.grid { stroke: var(--rule); } .line { fill: none; stroke-width: 2; stroke-linejoin: round; }
path.dashed { stroke-dasharray: 5 4; } .dot { opacity: 0; stroke: none; } .dot:hover { opacity: 1; }
path.c1 { stroke: var(--c1); } path.c2 { stroke: var(--c2); } path.c3 { stroke: var(--c3); } path.c4 { stroke: var(--c4); }
circle.c1, .key.c1 { fill: var(--c1); background: var(--c1); } circle.c2, .key.c2 { fill: var(--c2); background: var(--c2); }
circle.c3, .key.c3 { fill: var(--c3); background: var(--c3); } circle.c4, .key.c4 { fill: var(--c4); background: var(--c4); }
.legend { display: flex; flex-wrap: wrap; gap: 4px 16px; list-style: none; margin: 6px 0 0; padding: 0; font-size: 13px; color: var(--soft); }
.key { display: inline-block; width: 14px; height: 3px; margin-right: 6px; vertical-align: middle; border-radius: 2px; }
.key.dashed { opacity: 0.6; height: 0; background: none; border-top: 3px dotted var(--c4); }
.scroll { overflow-x: auto; } table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
.narrow { width: auto; min-width: min(420px, 100%); }
th, td { text-align: right; padding: 6px 10px; border-bottom: 1px solid var(--rule); white-space: nowrap; }
th { color: var(--soft); font-weight: 500; } th:first-child, td:first-child { text-align: left; white-space: normal; overflow-wrap: anywhere;
  min-width: 11em; }
.good { color: var(--good); } .bad { color: var(--bad); }
`;
