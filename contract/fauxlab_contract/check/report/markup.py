"""What the parts of the report's page share: escaping, its style sheet, and the marks of its
pictures.
"""

from __future__ import annotations

from html import escape

from fauxlab_contract.check.report.formats import MAX_TEXT_CHARS, shown

__all__ = ["MARKS", "STYLE", "brief", "esc"]


def esc(value: object, limit: int = MAX_TEXT_CHARS) -> str:
    """Any text as the content of an element or a quoted attribute, on one line, cut."""
    return escape(shown(str(value), limit))


def brief(value: str, limit: int) -> str:
    """The same for a place that is as narrow as `limit` characters."""
    return escape(
        shown(value if len(value) <= limit else f"{value[: limit - 1]}…", 10 * limit)[: 2 * limit]
    )


# The cross and the shape say what the colour says.
MARKS = """<svg class="marks" width="0" height="0" aria-hidden="true"><defs>
<circle id="accepted-right" class="m-yes" r="6"/>
<path id="refused-right" class="m-no" d="M0-7 7 0 0 7-7 0Z"/>
<g id="accepted-wrong"><circle class="m-bad" r="9"/><path class="m-x" d="M-3.5-3.5l7 7m0-7l-7 7"/></g>
<g id="refused-wrong"><path class="m-bad" d="M0-11 11 0 0 11-11 0Z"/><path class="m-x" d="M-3-3l6 6m0-6l-6 6"/></g>
<g id="broken-wrong"><path class="m-bad" d="M-8-8h16v16h-16Z"/><path class="m-x" d="M-3.5-3.5l7 7m0-7l-7 7"/></g>
<path id="t-submit" class="m-job" d="M-5-8 8 0-5 8Z"/>
<circle id="t-fetch" class="m-job" r="5"/>
<path id="t-link" class="m-link" d="M-5-5h10v10h-10Z"/>
<path id="t-webhook" class="m-hook" d="M0-7 7 0 0 7-7 0Z"/>
</defs></svg>"""

STYLE = """
:root { color-scheme: light dark; --page: #f4f5f7; --card: #fff; --ink: #1b1f27; --soft: #566070; --line: #d5dae2; --inset: #f1f3f6;
  --yes: #16794a; --no: #4a5a78; --bad: #c4242b; --bad-soft: #fdecec; --warn: #8a5a00; --warn-soft: #fdf3da; --yes-soft: #e3f4ea;
  --band: #cfe8da; --on: #fff; --job: #2459b3; --job-soft: #c9dbf8; --link: #7a4bb0; --hook: #a04a00; }
@media screen and (prefers-color-scheme: dark) { :root { --page: #12151a; --card: #1b1f27; --ink: #e6e9ef; --soft: #a3adbd; --line: #363d4a;
  --inset: #12151a; --yes: #4fc98c; --no: #9fb0d0; --bad: #ff7d7a; --bad-soft: #3a1d20; --warn: #e8b94e; --warn-soft: #352b12;
  --yes-soft: #14301f; --band: #1f4a34; --on: #12151a; --job: #7fb0ff; --job-soft: #24406e; --link: #c79bf2; --hook: #f0a060; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 16px/1.5 system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
main { max-width: 1120px; margin: 0 auto; padding: 24px 20px 48px; }
h1, h2, h3, p, ul, ol, dl { margin: 0; }
h1 { font-size: 30px; line-height: 1.2; letter-spacing: -.01em; }
h2 { font-size: 21px; margin: 40px 0 4px; }
h3 { font-size: 16px; margin: 20px 0 8px; overflow-wrap: anywhere; }
.soft { color: var(--soft); }
code, pre { font: 13px/1.5 ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace;
  overflow-wrap: anywhere; unicode-bidi: isolate; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 16px 20px; margin-top: 12px; }
.card > h3:first-child { margin-top: 0; }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.marks { position: absolute; }
.n { white-space: nowrap; }
a { color: var(--job); }
nav { display: flex; flex-wrap: wrap; gap: 4px 20px; margin-top: 14px; }

.verdict { display: flex; gap: 20px; align-items: center; border-top: 6px solid var(--yes); padding: 22px 24px; }
.verdict.bad { border-top-color: var(--bad); }
.verdict.warn { border-top-color: var(--warn); }
.verdict > svg { flex: none; width: 64px; height: 64px; color: var(--yes); }
.verdict.bad > svg { color: var(--bad); }
.verdict.warn > svg { color: var(--warn); }
.sign { fill: none; stroke: var(--on); stroke-width: 6; stroke-linecap: round; stroke-linejoin: round; }
.verdict p { overflow-wrap: anywhere; }
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(120px, 1fr)); gap: 12px; margin: 12px 0 0; }
.facts div, .tile { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 12px 16px; }
.facts dt { color: var(--soft); font-size: 14px; }
.facts dd { margin: 0; font-size: 26px; font-weight: 650; line-height: 1.25; font-variant-numeric: tabular-nums; }
.tiles { display: grid; grid-template-columns: repeat(auto-fill, minmax(165px, 1fr)); gap: 12px; margin-top: 12px;
  padding: 0; list-style: none; }
.tile { border-left: 5px solid var(--yes); font-size: 14px; }
.tile.found { border-left-color: var(--bad); }
.tile b { display: block; font-size: 16px; overflow-wrap: anywhere; }
.tile .state { font-weight: 600; color: var(--yes); }
.tile.found .state { color: var(--bad); }

.legend { display: flex; flex-wrap: wrap; gap: 4px 18px; color: var(--soft); font-size: 14px; margin-top: 4px;
  padding: 0; list-style: none; }
.legend svg, .chip svg { width: 18px; height: 18px; vertical-align: -4px; margin-right: 5px; overflow: visible; }
.field { display: grid; grid-template-columns: 190px 1fr; gap: 4px 20px; padding: 14px 0; border-top: 1px solid var(--line);
  break-inside: avoid; }
.field:first-of-type { border-top: 0; }
.field h4, .job h4 { margin: 0; font-size: 15px; overflow-wrap: anywhere; }
.field p, .job p { font-size: 13px; }
.wrong { color: var(--bad); font-weight: 600; }
.axis { display: block; width: 100%; overflow: visible; }
.axis text { font: 12px system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; fill: var(--ink); unicode-bidi: isolate; }
.axis.one { height: 66px; } .axis.two { height: 81px; } .axis.two .low { transform: translateY(15px); }
.axis .minor { fill: var(--soft); }
.axis .on-bar { paint-order: stroke; stroke: var(--card); stroke-width: 6; }
.axis .name { fill: var(--soft); font-size: 11.5px; }
.axis .strong { font-weight: 700; }
.axis .miss { fill: var(--bad); font-weight: 700; }
.axis .base { stroke: var(--line); stroke-width: 2; }
.axis .band { stroke: var(--band); stroke-width: 14; }
.axis .bound { stroke: var(--ink); stroke-width: 1.5; }
.axis .grid { stroke: var(--line); }
.axis .eta { stroke: var(--ink); stroke-width: 1.5; stroke-dasharray: 4 3; }
.axis .state-0 { fill: var(--job-soft); }
.axis .state-1 { fill: var(--job); opacity: .75; }
.axis .unsure { stroke: var(--job-soft); stroke-width: 3; stroke-dasharray: 2 4; }
.axis .m-job, .axis .m-link, .axis .m-hook { stroke: var(--card); stroke-width: 1.5; }
.m-yes { fill: var(--yes); } .m-no { fill: var(--no); } .m-bad { fill: var(--bad); }
.m-x { stroke: var(--on); stroke-width: 2.2; stroke-linecap: round; fill: none; }
.m-job { fill: var(--job); } .m-link { fill: var(--link); } .m-hook { fill: var(--hook); }
.chips { display: flex; flex-wrap: wrap; gap: 6px; margin: 0; padding: 0; list-style: none; align-content: flex-start; }
.chip { border: 1px solid var(--line); border-radius: 999px; padding: 1px 11px 1px 6px; font-size: 13px;
  overflow-wrap: anywhere; unicode-bidi: isolate; }
.chip.miss { border-color: var(--bad); background: var(--bad-soft); color: var(--bad); font-weight: 600; }
.field .axis + .chips { margin-top: 8px; }

.job { display: grid; grid-template-columns: 190px 1fr; gap: 2px 20px; padding: 12px 0; border-top: 1px solid var(--line);
  break-inside: avoid; }
.job.scale { border-top: 0; padding: 0; }
.job > div:first-child { grid-row: span 2; }
.job.scale > div:first-child { grid-row: auto; }
.moments { grid-column: 2; display: flex; flex-wrap: wrap; gap: 0 14px; padding: 0; list-style: none; font-size: 13px; color: var(--soft); }
.moments b { color: var(--ink); font-weight: 600; }

.rule { border-left: 5px solid var(--bad); }
.rule.warning { border-left-color: var(--warn); }
.rule h3 { margin: 0 0 2px; }
.badge { display: inline-block; border-radius: 6px; padding: 0 8px; font-size: 13px; font-weight: 650;
  background: var(--bad-soft); color: var(--bad); }
.badge.warning { background: var(--warn-soft); color: var(--warn); }
details { border-top: 1px solid var(--line); margin-top: 10px; padding-top: 10px; }
summary { cursor: pointer; overflow-wrap: anywhere; unicode-bidi: isolate; }
summary:focus-visible { outline: 2px solid var(--job); outline-offset: 3px; border-radius: 4px; }
.told { display: grid; grid-template-columns: 70px 1fr; gap: 4px 12px; margin: 10px 0; font-size: 14px; }
.told dt { color: var(--soft); }
.told dd { margin: 0; min-width: 0; }
pre { margin: 0; padding: 10px 12px; background: var(--inset); border: 1px solid var(--line); border-radius: 8px; white-space: pre-wrap;
  user-select: all; }
.left { padding-left: 20px; overflow-wrap: anywhere; }
footer { margin-top: 32px; color: var(--soft); font-size: 14px; }
@media (max-width: 640px) {
  main { padding: 12px 10px 32px; } h1 { font-size: 24px; } .card { padding: 14px; } .verdict { gap: 14px; padding: 16px 14px; }
  .verdict > svg { width: 44px; height: 44px; } .facts { grid-template-columns: 1fr 1fr; } .tiles { grid-template-columns: 1fr 1fr; }
  .field, .job { grid-template-columns: 1fr; } .moments { grid-column: 1; } .job > div:first-child { grid-row: auto; }
  .told { grid-template-columns: 1fr; gap: 0; } .told dd { margin-bottom: 6px; }
  .axis.one { height: 81px; } .axis.one .low { transform: translateY(15px); } .axis .spare { display: none; }
  .axis text { font-size: 11px; } }
@media print {
  :root { color-scheme: light; } body { background: none; font-size: 12px; } main { max-width: none; padding: 0; }
  .tile, .facts div, pre { break-inside: avoid; } h2, h3, summary { break-after: avoid; } code, pre { font-size: 10px; }
  details::details-content { content-visibility: visible; block-size: auto; } nav { display: none; } summary { list-style: none; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; } }
"""
