"""The report's timelines: what happened to each job that was followed, on one axis of seconds."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise

from fauxlab_contract.check.findings import JobLife, Moment, Report
from fauxlab_contract.check.report.markup import brief, esc

__all__ = ["timeline_section"]

MAX_JOBS, MAX_MOMENTS = 40, 80
ROOM = 82.0  # percent of the width for the time; the rest is for the last word
_TOP = {"webhook": 27, "link": 62}  # where a kind of moment stands; all others stand on the bar
_BAR = 44
_KINDS = ("submit", "fetch", "link", "webhook")
_SAYS_STATE = ("submit", "fetch")


def timeline_section(report: Report) -> str:
    """Return one lane for each job; empty if no job was followed."""
    lives = report.lives[:MAX_JOBS]
    if not lives:
        return ""
    end_s = _end_s(lives)
    icon = '<svg viewBox="-9 -9 18 18" aria-hidden="true"><use href="#t-{0}"/></svg>'
    legend = "".join(f"<li>{icon.format(kind)}{kind}</li>" for kind in _KINDS)
    left = len(report.lives) - len(lives)
    return (
        '<section id="timeline"><h2>A timeline per job</h2><p class="soft">Seconds since the'
        " submit was sent. The dashed line is the eta that the submit was answered with; dots are"
        f' time in which nobody asked.</p><ul class="legend">{legend}</ul><div class="card"><div'
        f' class="job scale"><div></div>{_scale(end_s)}</div>'
        + "".join(_job(life, end_s) for life in lives)
        + (f'<p class="soft">… and {left} more jobs.</p>' if left > 0 else "")
        + "</div></section>"
    )


def _end_s(lives: Sequence[JobLife]) -> float:
    moments = [_seconds(moment.at_s) for life in lives for moment in life.moments]
    etas = [_seconds(life.eta_s or 0.0) for life in lives]
    return max([*moments, *etas, 0.1])


def _seconds(value: float) -> float:
    """Return seconds that are finite and not below 0, whatever a server said."""
    return min(max(value, 0.0), 1e9) if math.isfinite(value) else 0.0


def _x(seconds: float, end_s: float) -> float:
    return 1.5 + (ROOM - 1.5) * _seconds(seconds) / end_s


def _scale(end_s: float) -> str:
    ticks = "".join(
        f'<text class="minor" x="{_x(tick, end_s):.2f}%" y="12" text-anchor="middle">{tick:g}'
        " s</text>"
        for tick in _ticks(end_s)
    )
    return f'<svg class="axis" height="16" aria-hidden="true">{ticks}</svg>'


def _ticks(end_s: float) -> list[float]:
    """Return at most six round numbers of seconds."""
    power = 10.0 ** math.floor(math.log10(end_s / 5))
    steps = [power * factor for factor in (1, 2, 5, 10)]
    step = next(step for step in steps if end_s / step <= 5)
    last = int(end_s / step + 1e-9)
    return [round(index * step, 6) for index in range(last + 1)]


def _job(life: JobLife, end_s: float) -> str:
    moments = sorted(life.moments[:MAX_MOMENTS], key=lambda moment: _seconds(moment.at_s))
    listed = "".join(_listed(moments))
    left = len(life.moments) - MAX_MOMENTS
    if left > 0:
        listed += f"<li>… and {left} more</li>"
    words = ", ".join(f"{moment.what} {moment.came}".strip() for moment in moments)
    parts: list[str] = []
    for tick in _ticks(end_s):
        x = _x(tick, end_s)
        parts.append(f'<line class="grid" x1="{x:.2f}%" x2="{x:.2f}%" y1="0" y2="72"/>')
    parts += _states(moments, end_s)
    parts += _eta(life, end_s)
    parts += _marks(moments, end_s)
    return (
        f'<div class="job"><div><h4>{brief(life.label, 60)}</h4><p class="soft">id'
        f' <code>{brief(life.job_id, 40)}</code></p></div><svg class="axis" role="img"'
        f' height="72"><title>{brief(life.label, 60)}:'
        f' {esc(words, 300)}</title>{"".join(parts)}</svg><ol class="moments">{listed}</ol></div>'
    )


def _states(moments: Sequence[Moment], end_s: float) -> Iterator[str]:
    """Yield a bar for as long as the same status came, with the status in it.

    The last status stands behind its bar.
    """
    spans = _spans(moments)
    for index, (_, began, ended) in enumerate(spans):
        left, right = _x(began, end_s), _x(ended, end_s)
        yield (
            f'<rect class="state-{min(index, 1)}" x="{left:.2f}%" width="{right - left:.2f}%"'
            f' y="{_BAR - 8}" height="16" rx="3"/>'
        )
    for (word, began, ended), (_, following, _) in pairwise(spans):
        left, middle = _x(began, end_s), _x(ended, end_s)
        right = _x(following, end_s)
        yield f'<line class="unsure" x1="{middle:.2f}%" x2="{right:.2f}%" y1="{_BAR}" y2="{_BAR}"/>'
        if right - left > 24:
            looks, x = "on-bar", (left + right) / 2
            if middle - left > 20:
                looks, x = "in-bar", (left + middle) / 2
            yield (
                f'<text class="{looks}" x="{x:.2f}%" y="{_BAR + 4}"'
                f' text-anchor="middle">{brief(word, 20)}</text>'
            )
    if spans:
        right = _x(max(moment.at_s for moment in moments), end_s)
        yield (
            f'<text class="strong" x="{right:.2f}%" dx="12"'
            f' y="{_BAR + 4}">{brief(spans[-1][0], 16)}</text>'
        )


def _spans(moments: Sequence[Moment]) -> list[tuple[str, float, float]]:
    """Return (status, first second, last second) for each run of replies with the same status."""
    replies = [moment for moment in moments if moment.what in _SAYS_STATE]
    runs = [[*run] for _, run in groupby(replies, key=lambda moment: moment.came)]
    return [(run[0].came, run[0].at_s, run[-1].at_s) for run in runs]


def _eta(life: JobLife, end_s: float) -> Iterator[str]:
    if life.eta_s is None:
        return
    x = _x(life.eta_s, end_s)
    anchor, dx = ("start", 4) if x < 12 else ("end", -4)
    yield f'<line class="eta" x1="{x:.2f}%" x2="{x:.2f}%" y1="0" y2="72"/>'
    yield (
        f'<text class="name" x="{x:.2f}%" dx="{dx}" y="12" text-anchor="{anchor}">eta'
        f" {life.eta_s:g} s</text>"
    )


def _marks(moments: Sequence[Moment], end_s: float) -> Iterator[str]:
    """Yield a mark for each moment; off the bar with its word beside it, where there is room."""
    for index, moment in enumerate(moments):
        x, top = _x(moment.at_s, end_s), _TOP.get(moment.what, _BAR)
        mark = moment.what if moment.what in _KINDS else "fetch"
        said = f"{moment.at_s:.2f} s: {moment.what} {moment.came}".strip()
        yield (f'<g><title>{esc(said)}</title><use href="#t-{mark}" x="{x:.2f}%" y="{top}"/></g>')
        later = [other.at_s for other in moments[index + 1 :] if other.what == moment.what]
        following = _x(later[0], end_s) if later else 100.0
        if moment.what in _TOP and following - x > 8:
            yield (
                f'<text class="minor" x="{x:.2f}%" dx="10"'
                f' y="{top + 4}">{brief(moment.came or moment.what, 16)}</text>'
            )


def _listed(moments: Sequence[Moment]) -> Iterator[str]:
    """Yield the moments in words; what happened several times in a row is listed once."""
    for (what, came), group in groupby(moments, key=lambda moment: (moment.what, moment.came)):
        times = [f"{moment.at_s:.2f}" for moment in group]
        first, last = times[0], times[-1]
        span = first if first == last else f"{first}–{last}"
        often = f" × {len(times)}" if len(times) > 1 else ""
        yield (
            f'<li><span class="n">{span} s</span> <b>{brief(what, 30)}</b>'
            f" {brief(came, 40)}{often}</li>"
        )
