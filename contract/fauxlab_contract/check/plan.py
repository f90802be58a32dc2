"""The unit of a check's plan: something to do, what it will take, and how much it is worth when
there is not budget for all.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from fauxlab_contract.check.options import PHASES, Options
from fauxlab_contract.check.probe import OutOfBudgetError, Probe

__all__ = ["Step", "chosen", "run_steps"]

Waits = Iterator[float]  # moments of the target's clock at which a step wants to go on


@dataclass(frozen=True, slots=True)
class Step:
    """`calls` and `submits` at most, when all goes well. `rank` 0 comes first when the budget is
    small.

    It makes no sense without the step whose label it `needs`.
    `run` does it at once; one that is an iterator yields the moments until which it wants to wait,
    and others go on meanwhile.
    """

    phase: str
    label: str
    run: Callable[[Probe], Waits | None]
    calls: int = 1
    submits: int = 0
    rank: int = 5
    needs: str = ""


def chosen(steps: Iterable[Step], options: Options) -> tuple[list[Step], list[Step]]:
    """(those that fit into the budget, in the order of phases; the others). By rank, then in the
    order given.
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
    labels = {step.label for step in fitting}
    left += [step for step in fitting if step.needs and step.needs not in labels]
    fitting = [step for step in fitting if not step.needs or step.needs in labels]
    return sorted(fitting, key=lambda step: (PHASES.index(step.phase), step.rank)), left


def run_steps(probe: Probe, steps: Sequence[Step], on_step: Callable[[Step], None]) -> None:
    """Do the steps in order; those that wait are taken up again when their moment has come, the
    earliest first.
    """
    waiting: list[tuple[float, int, Step, Any]] = []
    for number, step in enumerate(steps):
        enter(probe, step)
        going = _guarded(probe, step, step.run, probe)
        _go_on(probe, waiting, (number, step, going), on_step)
        following = steps[number + 1].phase if number + 1 < len(steps) else None
        if following not in ("lifecycle", "webhook"):  # those wait together
            _wait_for_all(probe, waiting, on_step)


def enter(probe: Probe, step: Step) -> None:
    probe.phase, probe.label = step.phase, step.label


def _wait_for_all(
    probe: Probe, waiting: list[tuple[float, int, Step, Any]], on_step: Callable[[Step], None]
) -> None:
    while waiting:
        moment, number, step, going = heapq.heappop(waiting)
        enter(probe, step)
        _guarded(probe, step, probe.sleep, max(0.0, moment - probe.target.now()))
        _go_on(probe, waiting, (number, step, going), on_step)


def _go_on(
    probe: Probe, waiting: list[Any], begun: tuple[int, Step, Any], on_step: Callable[[Step], None]
) -> None:
    """Take a step as far as it goes without waiting; one that has not ended joins those that wait."""
    number, step, going = begun
    following = None if going is None else _guarded(probe, step, next, going, None)
    if following is None:
        on_step(step)
    else:
        heapq.heappush(waiting, (following, number, step, going))


def _guarded(probe: Probe, step: Step, action: Callable[..., Any], *args: Any) -> Any:
    """What `action` returns; None when the budget was over before, which is noted."""
    try:
        return action(*args)
    except OutOfBudgetError as over:
        probe.note(f"{step.phase}: {step.label}: cut short by {over}")
        return None
