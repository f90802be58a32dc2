"""The plan of a check: its steps, what each will take, and which of them fit into the budget."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from fauxlab_contract.check.options import PHASES, Options
from fauxlab_contract.check.probe import OutOfBudgetError, Probe

__all__ = ["Step", "Waits", "chosen", "run_steps"]

Waits = Iterator[float]  # the moments of the target's clock until which a step waits
OnStep = Callable[[Probe, "Step"], None]
TOGETHER = ("lifecycle", "webhook")  # the steps of these phases wait at the same time


@dataclass(frozen=True, slots=True)
class Step:
    """Something to do in a check.

    `calls` and `submits` are what it takes at most if all goes well. Steps with a low `rank` come
    first if the budget is small. A step is left out without the one whose label it `needs`.
    `run` either does all at once, or returns an iterator of the moments until which it waits;
    meanwhile other steps go on.
    """

    phase: str
    label: str
    run: Callable[[Probe], Waits | None]
    calls: int = 1
    submits: int = 0
    rank: int = 5
    needs: str = ""


def chosen(steps: Iterable[Step], options: Options) -> tuple[list[Step], list[Step]]:
    """Return (the steps that fit into the budget, the other ones).

    They are chosen by rank, then in the order given; the first list is in the order of the phases.
    """
    calls = float("inf") if options.max_calls is None else options.max_calls
    submits = float("inf") if options.max_submits is None else options.max_submits
    fitting, left = [], []
    for step in sorted(steps, key=lambda step: step.rank):
        if step.calls <= calls and step.submits <= submits:
            calls, submits = calls - step.calls, submits - step.submits
            fitting.append(step)
        else:
            left.append(step)
    labels = {step.label for step in fitting} | {""}
    left += [step for step in fitting if step.needs not in labels]
    fitting = [step for step in fitting if step.needs in labels]
    fitting.sort(key=lambda step: (PHASES.index(step.phase), step.rank))
    return fitting, left


Waiting = tuple[float, int, Step, Waits]  # moment, number of the step, step, its moments


def run_steps(probe: Probe, steps: Sequence[Step], on_step: OnStep) -> None:
    """Do the steps in order. Those that wait go on at their moment, the earliest first."""
    waiting: list[Waiting] = []
    for number, step in enumerate(steps):
        _enter(probe, step)
        moments = _within_budget(probe, step, step.run, probe)
        _go_on(probe, waiting, (number, step, moments), on_step)
        is_last = number + 1 == len(steps)
        if is_last or steps[number + 1].phase not in TOGETHER:
            _finish_all(probe, waiting, on_step)


def _enter(probe: Probe, step: Step) -> None:
    probe.phase, probe.label = step.phase, step.label


def _finish_all(probe: Probe, waiting: list[Waiting], on_step: OnStep) -> None:
    while waiting:
        moment, number, step, moments = heapq.heappop(waiting)
        _enter(probe, step)
        pause_s = max(0.0, moment - probe.target.now())
        _within_budget(probe, step, probe.sleep, pause_s)
        _go_on(probe, waiting, (number, step, moments), on_step)


def _go_on(
    probe: Probe,
    waiting: list[Waiting],
    begun: tuple[int, Step, Waits | None],
    on_step: OnStep,
) -> None:
    """Run a step until it yields the moment at which it wants to go on, and queue it for that."""
    number, step, moments = begun
    following = None if moments is None else _within_budget(probe, step, next, moments, None)
    if following is None or moments is None:
        on_step(probe, step)
    else:
        heapq.heappush(waiting, (following, number, step, moments))


def _within_budget(probe: Probe, step: Step, action: Callable[..., Any], *args: Any) -> Any:
    """Return what `action` returns; None, and a note, if the budget is used up before."""
    try:
        return action(*args)
    except OutOfBudgetError as over:
        probe.note(f"{step.phase}: {step.label}: cut short by {over}")
        return None
