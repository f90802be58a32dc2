"""The report's picture of the bounds: the values of each field that were tried, on a line."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence

from fauxlab_contract.check.findings import Point, Report
from fauxlab_contract.check.report.markup import brief, esc

__all__ = ["bounds_section", "short"]

MAX_FIELDS, MAX_VALUES, MAX_CHIPS = 40, 40, 40
STAGGERED = 10  # from this many values on a line, labels stand in two rows
THINNED = 14  # from this many values, a small screen shows only the labels that matter
AXIS_Y = 36
MOST_DIGITS = 7  # of a whole number that is written out
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
Slot = tuple[float, str, list[Point]]  # a value, how it is written, and the cases that tried it


def bounds_section(report: Report) -> str:
    """Return the pictures of all fields of all operations; empty if no value was tried."""
    if not report.points:
        return ""
    seen = {_mark(point) for point in report.points}
    legend = ""
    for mark, words in _LEGEND:
        if mark in seen:
            legend += f"<li>{_icon(mark)}{words}</li>"
    groups: dict[str, dict[str, list[Point]]] = {}
    for point in report.points:
        fields = groups.setdefault(point.operation, {})
        fields.setdefault(point.field, []).append(point)
    cards = "".join(
        f'<div class="card"><h3>{brief(name, 120)}</h3>{_fields(fields)}</div>'
        for name, fields in groups.items()
    )
    return (
        '<section id="boundaries"><h2>Boundaries as a picture</h2>'
        '<p class="soft">Every value that was tried, smallest to the left, at even distances: '
        f'not to scale. Green: what the document allows.</p><ul class="legend">{legend}</ul>'
        f"{cards}</section>"
    )


def _fields(fields: dict[str, list[Point]]) -> str:
    """Return one row for each field; fields with a single case share a row."""
    several = [(name, points) for name, points in fields.items() if len(points) > 1]
    rows = [_row(brief(name, 50), points, name) for name, points in several[:MAX_FIELDS]]
    single = [points[0] for points in fields.values() if len(points) == 1]
    if single:
        rows.append(_row("other cases", single, ""))
    left = len(several) - MAX_FIELDS
    if left > 0:
        rows.append(f'<p class="soft">… and {left} more fields.</p>')
    return "".join(rows)


def _row(title: str, points: Sequence[Point], name: str) -> str:
    slots = _slots(points) if name else []
    on_line = {id(point) for _, _, here in slots for point in here}
    chips = [point for point in points if id(point) not in on_line]
    wrong = sum(not point.is_right for point in points)
    verdict = f"{len(points)} right"
    if wrong:
        verdict = f'<span class="wrong">{wrong} wrong</span> of {len(points)}'
    picture = _line(title, slots) if slots else ""
    if chips:
        picture += _chips(chips, name)
    return (
        f'<div class="field"><div><h4>{title}</h4><p class="soft">{verdict}</p></div>'
        f"<div>{picture}</div></div>"
    )


def _slots(points: Sequence[Point]) -> list[Slot]:
    """Return the values of a field, smallest first; empty if there are not two to compare."""
    cases: dict[float, list[Point]] = {}
    for point in points:
        number = _number(point)
        if number is not None:
            cases.setdefault(number, []).append(point)
    if len(cases) < 2:
        return []
    slots = [slot for value in sorted(cases) for slot in _spellings(value, cases[value])]
    return slots[:MAX_VALUES]


def _spellings(value: float, points: Sequence[Point]) -> list[Slot]:
    """Return one place for a value; several if 1024 and 1024.0 were not judged alike."""
    by_text: dict[str, list[Point]] = {}
    for point in points:
        by_text.setdefault(point.value, []).append(point)
    if len({_mark(point) for point in points}) == 1 or len(by_text) == 1:
        return [(value, short(value), [*points])]
    inward = sorted(by_text.items(), key=lambda item: _outward(item[1]))
    return [(value, _spelt(text), here) for text, here in inward]


def _outward(points: Sequence[Point]) -> int:
    """Return -1 for a lower bound, 1 for an upper one: a bound stands outside its like."""
    keywords = [keyword.lower() for keyword in _keywords(points)]
    if any(keyword.endswith("minimum") for keyword in keywords):
        return -1
    return int(any(keyword.endswith("maximum") for keyword in keywords))


def _spelt(text: str) -> str:
    return text if len(text) <= MOST_DIGITS + 1 else f"{text[:MOST_DIGITS]}…"


def _number(point: Point) -> float | None:
    """Return the number of a point as it was sent: a float cannot hold every 64-bit integer."""
    if point.number is None or not math.isfinite(point.number):
        return None
    try:
        value = json.loads(point.value)
    except ValueError:
        return point.number
    is_finite = type(value) in (int, float) and math.isfinite(value)
    return value if is_finite else point.number


def _line(title: str, slots: Sequence[Slot]) -> str:
    """Return the line of a field as SVG.

    Places are in percent, so that the line fills the width and its texts keep their size.
    """
    count = len(slots)
    bounds = [
        (_middle(index, count), keyword, label)
        for index, (_, label, here) in enumerate(slots)
        for keyword in _keywords(here)
    ]
    base = f'<line class="base" x1="0" x2="100%" y1="{AXIS_Y}" y2="{AXIS_Y}"/>'
    parts = [base, _band(bounds)]
    for place, keyword, label in bounds:
        parts.append(_bound(place, f"{keyword} {label}"))
    at_bound = {place for place, _, _ in bounds}
    for index, slot in enumerate(slots):
        parts.append(_tick(index, count, slot, _middle(index, count) in at_bound))
    looks = "axis two" if count >= STAGGERED else "axis one"
    said = f"{title}: {esc(_in_words(slots))}"
    return f'<svg class="{looks}" role="img"><title>{said}</title>{"".join(parts)}</svg>'


def _keywords(points: Sequence[Point]) -> list[str]:
    """Return the bounds that some cases are exactly at: `maximum` for `width at maximum`."""
    matches = [_BOUND.search(point.label[-40:]) for point in points]
    return [match[1] for match in matches if match]


def _in_words(slots: Sequence[Slot]) -> str:
    points = [point for _, _, here in slots for point in here]
    wrong = [f"{point.value} was {point.came}" for point in points if not point.is_right]
    verdict = "wrong: " + ", ".join(wrong) if wrong else "all judged rightly"
    return f"{len(slots)} values; {verdict}"


def _middle(index: int, count: int) -> float:
    return (index + 0.5) * 100 / count


def _band(bounds: Sequence[tuple[float, str, str]]) -> str:
    """Return the part of the line that the document allows; empty if there is none."""
    ends = [(place, keyword.lower()) for place, keyword, _ in bounds]
    lows = [place for place, keyword in ends if keyword.endswith("minimum")]
    highs = [place for place, keyword in ends if keyword.endswith("maximum")]
    low, high = max(lows, default=0.0), min(highs, default=100.0)
    if low >= high:
        return ""
    return f'<line class="band" x1="{low:.2f}%" x2="{high:.2f}%" y1="{AXIS_Y}" y2="{AXIS_Y}"/>'


def _bound(x: float, words: str) -> str:
    anchor = "middle"
    if x < 12:
        anchor = "start"
    if x > 88:
        anchor = "end"
    return (
        f'<line class="bound" x1="{x:.2f}%" x2="{x:.2f}%" y1="18" y2="47"/>'
        f'<text class="name" x="{x:.2f}%" y="12" text-anchor="{anchor}">{esc(words)}</text>'
    )


def _tick(index: int, count: int, slot: Slot, is_bound: bool) -> str:
    x, (_, label, here) = _middle(index, count), slot
    worst = next((point for point in here if not point.is_right), here[0])
    looks = "minor spare" if count >= THINNED else "minor"
    if is_bound:
        looks = "strong"
    if not worst.is_right:
        looks = "miss"
    low = " low" if index % 2 else ""
    said = esc("; ".join(map(_sentence, here)), 240)
    return (
        f'<g><title>{said}</title><use href="#{_mark(worst)}" x="{x:.2f}%" y="{AXIS_Y}"/>'
        f'<text class="{looks}{low}" x="{x:.2f}%" y="61" text-anchor="middle">'
        f"{esc(label)}</text></g>"
    )


def _mark(point: Point) -> str:
    came = point.came if point.came in _OUTCOMES else "broken"
    judged = "right" if point.is_right else "wrong"
    return f"{came}-{judged}"


def _sentence(point: Point) -> str:
    sentence = f"{point.label}, {point.value}: {point.came}"
    if point.is_right:
        return sentence
    expected = "accepted" if point.is_valid else "refused"
    return f"{sentence}, and should have been {expected}"


def _chips(points: Sequence[Point], name: str) -> str:
    chips = [_chip(point, name) for point in points[:MAX_CHIPS]]
    left = len(points) - MAX_CHIPS
    if left > 0:
        chips.append(f"<li>… and {left} more</li>")
    return f'<ul class="chips">{"".join(chips)}</ul>'


def _chip(point: Point, name: str) -> str:
    label = point.label.removeprefix(name).strip() or point.value
    looks, verdict = ("chip", "") if point.is_right else ("chip miss", ", wrongly")
    said = esc(_sentence(point), 240)
    return (
        f'<li class="{looks}" title="{said}">{_icon(_mark(point))}'
        f'{brief(label, 50)}<span class="hidden">: {brief(point.came, 20)}{verdict}</span></li>'
    )


def _icon(mark: str) -> str:
    return f'<svg viewBox="-12 -12 24 24" aria-hidden="true"><use href="#{mark}"/></svg>'


def short(value: float) -> str:
    """Return a number in a few characters: 1025, 2⁶³−1, 10+ε for the next float above 10."""
    return _short(value).replace("-", "−").replace("e+", "e")


def _short(value: float) -> str:
    whole = int(value)
    if whole == value and len(str(whole)) <= MOST_DIGITS:
        return str(whole)
    size = abs(value)
    if isinstance(value, int) and abs(size - _power(value)) <= 2:
        return _near_power(value)
    if len(repr(value)) <= MOST_DIGITS + 1:
        return repr(value)
    if isinstance(value, float) and math.isclose(value, _rounded(value), rel_tol=1e-9):
        return _near_rounded(value)
    return f"{value:.4g}" if size < 1e6 else f"{value:.2e}"


def _power(value: int) -> int:
    """Return the power of two that is next to an integer's size, or just below."""
    return 1 << ((abs(value) + 2).bit_length() - 1)


def _near_power(value: int) -> str:
    sign = -1 if value < 0 else 1
    size = _power(value)
    rest = value - sign * size
    exponent = str(size.bit_length() - 1).translate(_SUPERSCRIPTS)
    power = f"2{exponent}"
    if rest:
        power += f"{rest:+d}"
    return f"-{power}" if sign < 0 else power


def _rounded(value: float) -> float:
    return float(f"{value:.4g}")


def _near_rounded(value: float) -> str:
    """Return a float next to a short number: `10+ε`."""
    rounded = _rounded(value)
    if value == rounded:
        return f"{rounded:g}"
    return f"{rounded:g}+ε" if value > rounded else f"{rounded:g}-ε"
