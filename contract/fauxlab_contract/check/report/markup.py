"""What the parts of the report's page share: escaping, style sheet, script, marks of pictures."""

from __future__ import annotations

from html import escape
from importlib.resources import files

from fauxlab_contract.forms.printable import MAX_TEXT_CHARS, shown

__all__ = ["MARKS", "brief", "esc", "script", "style_sheet"]


def esc(value: object, limit: int = MAX_TEXT_CHARS) -> str:
    """Return a text for the content of an element or a quoted attribute: on one line, cut."""
    return escape(shown(str(value), limit))


def brief(value: str, limit: int) -> str:
    """Return the same for a place that is `limit` characters wide."""
    if len(value) > limit:
        value = f"{value[: limit - 1]}…"
    return escape(shown(value, 10 * limit)[: 2 * limit])


def style_sheet() -> str:
    """Return the style sheet of the page."""
    return files(__package__).joinpath("page.css").read_text(encoding="utf-8")


def script() -> str:
    """Return the script of the page."""
    return files(__package__).joinpath("page.js").read_text(encoding="utf-8")


# The cross and the shape say what the colour says.
MARKS = """<svg class="marks" width="0" height="0" aria-hidden="true"><defs>
<circle id="accepted-right" class="m-yes" r="6"/>
<path id="refused-right" class="m-no" d="M0-7 7 0 0 7-7 0Z"/>
<g id="accepted-wrong">
<circle class="m-bad" r="9"/><path class="m-x" d="M-3.5-3.5l7 7m0-7l-7 7"/></g>
<g id="refused-wrong">
<path class="m-bad" d="M0-11 11 0 0 11-11 0Z"/><path class="m-x" d="M-3-3l6 6m0-6l-6 6"/></g>
<g id="broken-wrong">
<path class="m-bad" d="M-8-8h16v16h-16Z"/><path class="m-x" d="M-3.5-3.5l7 7m0-7l-7 7"/></g>
<path id="t-submit" class="m-job" d="M-5-8 8 0-5 8Z"/>
<circle id="t-fetch" class="m-job" r="5"/>
<path id="t-link" class="m-link" d="M-5-5h10v10h-10Z"/>
<path id="t-webhook" class="m-hook" d="M0-7 7 0 0 7-7 0Z"/>
</defs></svg>"""
