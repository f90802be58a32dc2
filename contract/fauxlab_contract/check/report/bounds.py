"""The report's picture of the bounds: for each field the values that were tried on a line, right
and wrong told apart.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Sequence
from itertools import groupby

from fauxlab_contract.check.findings import Point, Report
from fauxlab_contract.check.report.markup import brief, esc

__all__ = ["bounds_section", "short"]

MAX_FIELDS, MAX_VALUES, MAX_CHIPS = 40, 40, 40
# from so many values on a line: labels in two rows; only those that matter on a small screen
STAGGERED, THINNED = 10, 14
_BOUND = re.compile(r" at ((?:exclusive)?m(?:in|ax)imum)$", re.IGNORECASE)
_OUTCOMES = ("accepted", "refused", "broken")
_SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
_LEGEND = (
    ("accepted-right", "accepted, rightly"),
    ("refused-right", "refused, rightly"),
    ("accepted-wrong", "accepted, and should have been refused"),
    ("refused-wrong", "refused, and should have been accepted"),
    ("broken-wrong", "neither: the reply was broken"),
)
Slot = tuple[float, list[Point]]


def bounds_section(report: Report) -> str:
    """All fields of all operations; empty when none was tried."""
    if not report.points:
        return ""
    seen = {_mark(point) for point in report.points}
    legend = "".join(f"<li>{_icon(mark)}{words}</li>" for mark, words in _LEGEND if mark in seen)
    groups: dict[str, dict[str, list[Point]]] = {}
    for point in report.points:
        groups.setdefault(point.operation, {}).setdefault(point.field, []).append(point)
    return (
        '<section id="boundaries"><h2>Boundaries as a picture</h2>'
        '<p class="soft">Every value that was tried, smallest to the left, at even distances: '
        f'not to scale. Green: what the document allows.</p><ul class="legend">{legend}</ul>'
        + "".join(
            f'<div class="card"><h3>{brief(name, 120)}</h3>{_fields(fields)}</div>'
            for name, fields in groups.items()
        )
        + "</section>"
    )


def _fields(fields: dict[str, list[Point]]) -> str:
    """One row for each field; those with one case each share a row."""
    rows = {name: points for name, points in fields.items() if len(points) > 1}
    others = [point for points in fields.values() if len(points) == 1 for point in points]
    shown_rows = [
        _row(brief(name, 50), points, name) for name, points in [*rows.items()][:MAX_FIELDS]
    ]
    if others:
        shown_rows.append(_row("other cases", others, ""))
    left = len(rows) - MAX_FIELDS
    return "".join(shown_rows) + (
        f'<p class="soft">… and {left} more fields.</p>' if left > 0 else ""
    )


def _row(title: str, points: Sequence[Point], name: str) -> str:
    slots = _slots(points) if name else []
    on_line = {id(point) for _, here in slots for point in here}
    chips = [point for point in points if id(point) not in on_line]
    wrong = sum(not point.is_right for point in points)
    verdict = (
        f'<span class="wrong">{wrong} wrong</span> of {len(points)}'
        if wrong
        else f"{len(points)} right"
    )
    picture = (_line(title, slots) if slots else "") + (_chips(chips, name) if chips else "")
    return (
        f'<div class="field"><div><h4>{title}</h4><p'
        f' class="soft">{verdict}</p></div><div>{picture}</div></div>'
    )


def _slots(points: Sequence[Point]) -> list[Slot]:
    """The values of a field in their order, each with the cases that tried it; none when there are
    not two to compare.
    """
    numbers = [(number, point) for point in points if (number := _number(point)) is not None]
    numbers.sort(key=lambda pair: pair[0])
    slots = [
        (value, [point for _, point in group])
        for value, group in groupby(numbers, key=lambda pair: pair[0])
    ]
    return slots[:MAX_VALUES] if len(slots) > 1 else []


def _number(point: Point) -> float | None:
    """The exact number of a point: as it was sent, when that can be read, since a float holds no
    64-bit integer.
    """
    if point.number is None or not math.isfinite(point.number):
        return None
    try:
        value = json.loads(point.value)
    except ValueError:
        return point.number
    return value if type(value) in (int, float) and math.isfinite(value) else point.number


def _line(title: str, slots: Sequence[Slot]) -> str:
    """Positions are in percent, so that the line is as wide as there is room and its texts stay as
    large as they are.
    """
    places = {value: _middle(index, len(slots)) for index, (value, _) in enumerate(slots)}
    bounds = [
        (value, match[1])
        for value, here in slots
        for point in here
        if (match := _BOUND.search(point.label[-40:]))
    ]
    parts = [f'<line class="base" x1="0" x2="100%" y1="36" y2="36"/>{_band(places, bounds)}']
    parts += [_bound(places[value], f"{keyword} {short(value)}") for value, keyword in bounds]
    parts += [
        _tick(index, len(slots), slot, slot[0] in dict(bounds)) for index, slot in enumerate(slots)
    ]
    wrong = [
        f"{point.value} was {point.came}"
        for _, here in slots
        for point in here
        if not point.is_right
    ]
    told = f"{len(slots)} values; " + (
        "wrong: " + ", ".join(wrong) if wrong else "all judged rightly"
    )
    looks = "axis two" if len(slots) >= STAGGERED else "axis one"
    return (
        f'<svg class="{looks}" role="img"><title>{title}: {esc(told)}</title>{"".join(parts)}</svg>'
    )


def _middle(index: int, count: int) -> float:
    return (index + 0.5) * 100 / count


def _band(places: dict[float, float], bounds: Sequence[tuple[float, str]]) -> str:
    low = max(
        (places[value] for value, keyword in bounds if keyword.lower().endswith("minimum")),
        default=0.0,
    )
    high = min(
        (places[value] for value, keyword in bounds if keyword.lower().endswith("maximum")),
        default=100.0,
    )
    return (
        f'<line class="band" x1="{low:.2f}%" x2="{high:.2f}%" y1="36" y2="36"/>'
        if low < high
        else ""
    )


def _bound(x: float, words: str) -> str:
    anchor = "start" if x < 12 else "end" if x > 88 else "middle"
    return (
        f'<line class="bound" x1="{x:.2f}%" x2="{x:.2f}%" y1="18" y2="47"/>'
        f'<text class="name" x="{x:.2f}%" y="12" text-anchor="{anchor}">{esc(words)}</text>'
    )


def _tick(index: int, count: int, slot: Slot, is_bound: bool) -> str:
    x, (value, here) = _middle(index, count), slot
    worst = next((point for point in here if not point.is_right), here[0])
    looks = (
        "miss"
        if not worst.is_right
        else "strong"
        if is_bound
        else "minor spare"
        if count >= THINNED
        else "minor"
    )
    low = " low" if index % 2 else ""
    return (
        f'<g><title>{esc("; ".join(map(_sentence, here)), 240)}</title><use href="#{_mark(worst)}"'
        f' x="{x:.2f}%" y="36"/><text class="{looks}{low}" x="{x:.2f}%" y="61"'
        f' text-anchor="middle">{esc(short(value))}</text></g>'
    )


def _mark(point: Point) -> str:
    came = point.came if point.came in _OUTCOMES else "broken"
    return f"{came}-{'right' if point.is_right else 'wrong'}"


def _sentence(point: Point) -> str:
    wanted = (
        ""
        if point.is_right
        else f", and should have been {'accepted' if point.is_valid else 'refused'}"
    )
    return f"{point.label}, {point.value}: {point.came}{wanted}"


def _chips(points: Sequence[Point], name: str) -> str:
    chips = "".join(_chip(point, name) for point in points[:MAX_CHIPS])
    left = len(points) - MAX_CHIPS
    return f'<ul class="chips">{chips}{f"<li>… and {left} more</li>" if left > 0 else ""}</ul>'


def _chip(point: Point, name: str) -> str:
    label = point.label.removeprefix(name).strip() or point.value
    looks = "chip" if point.is_right else "chip miss"
    return (
        f'<li class="{looks}"'
        f' title="{esc(_sentence(point), 240)}">{_icon(_mark(point))}{brief(label, 50)}<span'
        ' class="hidden">:'
        f" {brief(point.came, 20)}{'' if point.is_right else ', wrongly'}</span></li>"
    )


def _icon(mark: str) -> str:
    return f'<svg viewBox="-12 -12 24 24" aria-hidden="true"><use href="#{mark}"/></svg>'


def short(value: float) -> str:
    """A number in a few characters: 1025, 2⁶³−1, 10+ε for the next float above 10."""
    return "".join(_short(value)).replace("-", "−").replace("e+", "e")


def _short(value: float) -> Iterator[str]:
    whole = int(value)
    if len(str(whole)) <= 7 and whole == value:
        yield str(whole)
    elif isinstance(value, int) and abs(abs(value) - _power(value)) <= 2:
        sign = -1 if value < 0 else 1
        rest = value - sign * _power(value)
        exponent = str(_power(value).bit_length() - 1).translate(_SUPERSCRIPTS)
        yield ("-" if sign < 0 else "") + f"2{exponent}" + (f"{rest:+d}" if rest else "")
    elif len(repr(value)) <= 8:
        yield repr(value)
    elif isinstance(value, float) and math.isclose(value, float(f"{value:.4g}"), rel_tol=1e-9):
        near = float(f"{value:.4g}")
        yield f"{near:g}" + ("" if near == value else "+ε" if value > near else "-ε")
    else:
        yield f"{value:.4g}" if abs(value) < 1e6 else f"{value:.2e}"


def _power(value: int) -> int:
    """The power of two that is next to an integer's size, or just below."""
    return 1 << ((abs(value) + 2).bit_length() - 1)
