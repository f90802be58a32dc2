"""One check of a server: plan, do, report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from fauxlab_contract._parts import missing, not_installed
from fauxlab_contract.check.causes import by_weight
from fauxlab_contract.check.findings import PhaseResult, Report, ServerFinding, StepResult
from fauxlab_contract.check.opening import (
    opening,
    require_a_taker,
    require_an_opening,
    require_opened,
)
from fauxlab_contract.check.options import PHASES, Options
from fauxlab_contract.check.oracle import read_reply
from fauxlab_contract.check.phases.beside_body import beside_body, without_body
from fauxlab_contract.check.phases.coverage import (
    not_covered,
    not_judged,
    reached,
    unfollowed,
    untried,
    why_not,
)
from fauxlab_contract.check.phases.lifecycle import lifecycle, webhook
from fauxlab_contract.check.phases.robustness import robustness
from fauxlab_contract.check.phases.single_bodies import boundaries, examples, properties
from fauxlab_contract.check.plan import Step, chosen, run_steps
from fauxlab_contract.check.probe import Probe
from fauxlab_contract.check.target import GoneError, Target
from fauxlab_contract.core.secrets import SHORTEST_SECRET, secret_in
from fauxlab_contract.core.text import counted
from fauxlab_contract.openapi.document import Document, check_document
from fauxlab_contract.openapi.operation import Operation

__all__ = ["PHASES", "Options", "Progress", "check", "planned_steps", "require_a_phase"]

Progress = Callable[[str, int, int, int], None]  # phase, steps done, steps in all, findings so far

MANY = 4  # notes that say the same are told as one
PARTS = {"properties": "hypothesis"}  # phase -> the module without which it is not run


def planned_steps(document: Document, options: Options) -> tuple[list[Step], list[Step]]:
    """Return (the steps to do, the steps that the budget leaves out). Nothing is sent."""
    phases = set(options.only) - {*_not_possible(options)}
    steps = [step for step in _all_steps(document, options) if step.phase in phases]
    first = opening(document, options, min(phases, key=PHASES.index)) if steps else None
    if first is not None:
        steps = [first, *(step for step in steps if step.label != first.label)]
    return chosen(steps, options)


def _not_possible(options: Options) -> dict[str, ModuleNotFoundError]:
    """Return the phases that are asked for and lack a package, each with what it says."""
    return {
        phase: not_installed("this phase", [module])
        for phase, module in PARTS.items()
        if phase in options.only and missing([module])
    }


def require_a_phase(options: Options) -> None:
    """Raise ModuleNotFoundError if each phase that is asked for lacks a package."""
    lacking = _not_possible(options)
    if lacking and set(options.only) == {*lacking}:
        raise next(iter(lacking.values()))


def _all_steps(document: Document, options: Options) -> Iterator[Step]:
    takers = [one for one in document.operations if not why_not(document, one, options)]
    for operation in takers:
        yield from examples(operation, options)
        yield from boundaries(operation, options)
        yield from properties(operation, options)
        fetch = reached(document, operation, options)
        if fetch is not None:
            yield from lifecycle(operation, fetch, options)
            yield from webhook(operation, options)
        yield from robustness(document, operation, fetch)
        yield from beside_body(document, operation, fetch)
    for operation in filter(_is_without_body, document.operations if takers else ()):
        yield from without_body(document, operation)


def check(
    target: Target, document: Document, options: Options, on_progress: Progress = lambda *_: None
) -> Report:
    """Check a server and report what was found, within the budget of `options`.

    A phase that lacks a package is left out, and `not_covered` says so; ModuleNotFoundError if no
    other was asked for.
    """
    check_document(document)
    require_a_phase(options)
    steps, left = planned_steps(document, options)
    require_a_taker(document, options)
    meter = _Meter(len(steps), on_progress)
    probe = Probe(target, document, options, meter.count)
    require_an_opening(probe, left)
    is_whole = True
    try:
        run_steps(probe, steps, meter.done)
    except KeyboardInterrupt:
        is_whole = False
        probe.note("stopped by hand before the end")
    except GoneError as gone:
        _tell_gone(probe, gone)
    finally:
        probe.close()
    if steps and is_whole:
        require_opened(probe)
    phases = meter.results(probe)
    uncovered = (
        *_left_out(left),
        *_not_wanted(document, options),
        *not_judged(document),
        *not_covered(document, options),
        *_gathered(probe.notes),
    )
    return Report(
        url=target.url,
        document=document.source,
        profile=options.profile,
        errors=options.errors,
        seed=options.seed,
        phases=phases,
        findings=tuple(_placed(document, one) for one in by_weight(probe.findings.values())),
        not_covered=uncovered,
        points=tuple(probe.points),
        lives=tuple(job.facts() for job in probe.jobs),
        calls=probe.calls,
        submits=probe.submits,
        seconds=round(probe.spent_s(), 3),
        steps=tuple(_results_of(probe, steps, left, meter)),
        is_whole=is_whole,
        untried=tuple(untried(document, options)),
        unfollowed=tuple(unfollowed(document, options)) if "lifecycle" in options.only else (),
    )


def _tell_gone(probe: Probe, gone: GoneError) -> None:
    """Add a finding for a server that ended during the check, and say since when."""
    operations = probe.document.operations
    named = (one for one in operations if probe.label.startswith(f"{one.name}: "))
    operation = next(named, operations[0])
    reply = read_reply(operation, gone.sent, gone.came)
    said = f"{gone} since {probe.label}"
    probe.find("crash", f"{said[0].upper()}{said[1:]}.", reply, form="gone")
    probe.note(f"{said}: nothing after that was tried")


class _Meter:
    """Counts what each phase took."""

    def __init__(self, total: int, on_progress: Progress) -> None:
        self._total, self._tell = total, on_progress
        self._steps: Counter[str] = Counter()
        self._spent: dict[str, list[float]] = {}  # phase -> calls, submits, seconds
        self._before = (0, 0, 0.0)
        self.took_s: dict[str, float] = {}  # label of a step -> seconds
        self.ended: set[str] = set()  # labels

    def count(self, probe: Probe) -> None:
        """Add what was spent since the last time to the phase that runs."""
        now = (probe.calls, probe.submits, probe.spent_s())
        spent = self._spent.setdefault(probe.phase, [0, 0, 0.0])
        took_s = now[2] - self._before[2]
        self.took_s[probe.label] = self.took_s.get(probe.label, 0.0) + took_s
        for place, (after, before) in enumerate(zip(now, self._before, strict=True)):
            spent[place] += after - before
        self._before = now

    def done(self, probe: Probe, step: Step) -> None:
        """Count a step that has ended."""
        self._steps[step.phase] += 1
        self.ended.add(step.label)
        self.count(probe)
        self._tell(step.phase, self._steps.total(), self._total, len(probe.findings))

    def results(self, probe: Probe) -> tuple[PhaseResult, ...]:
        """Return the phases that did something, in their order."""
        findings = Counter(finding.phase for finding in probe.findings.values())
        results = []
        for phase in PHASES:
            if phase in self._steps or phase in self._spent:
                calls, submits, seconds = self._spent.get(phase, [0, 0, 0.0])
                counts = (self._steps[phase], int(calls), int(submits))
                results.append(PhaseResult(phase, *counts, round(seconds, 3), findings[phase]))
        return tuple(results)


def _results_of(
    probe: Probe, steps: Sequence[Step], left: Sequence[Step], meter: _Meter
) -> Iterator[StepResult]:
    """Yield what became of each step: done, cut short, not reached, or left out."""
    for step in steps:
        why = "" if step.label in meter.ended else "the check was stopped before"
        start = f"{step.phase}: {step.label}: "
        for note in probe.notes:
            if note.startswith(start):
                why = note.removeprefix(start)
        seconds = round(meter.took_s.get(step.label, 0.0), 3)
        yield StepResult(step.phase, step.label, seconds, why)
    for step in left:
        yield StepResult(step.phase, step.label, skipped="left out by the budget")


def _placed(document: Document, finding: ServerFinding) -> ServerFinding:
    is_place = finding.where.startswith("/")
    return replace(finding, place=document.place_of(finding.where)) if is_place else finding


def _left_out(left: Sequence[Step]) -> Iterator[str]:
    """Yield one sentence for each phase that the budget made smaller."""
    for phase in PHASES:
        labels = [step.label for step in left if step.phase == phase]
        labels = [label.partition(": ")[2] or label for label in labels]
        if labels:
            named = ", ".join(labels[:3])
            if len(labels) > 3:
                named += f" and {len(labels) - 3} more"
            yield f"{phase}: {len(labels)} left out by the budget: {named}"


def _gathered(notes: Iterable[str]) -> Iterator[str]:
    """Yield notes, those of one phase and one reason as one sentence.

    `lifecycle: 9 steps: needs a job that could be followed`.
    """
    groups: dict[tuple[str, str], list[str]] = {}
    for note in notes:
        phase, _, rest = note.partition(": ")
        reason = rest.rpartition(": ")[2]
        groups.setdefault((phase, reason) if phase in PHASES else (note, ""), []).append(note)
    for (phase, reason), alike in groups.items():
        if len(alike) < MANY:
            yield from alike
        else:
            yield f"{phase}: {len(alike)} steps: {reason}"


def _not_wanted(document: Document, options: Options) -> Iterator[str]:
    for phase, error in _not_possible(options).items():
        yield f"{phase}: {error}"
    phases = [phase for phase in PHASES if phase not in options.only]
    if phases:
        yield f"not asked for: {', '.join(phases)}"
    if options.other_key is None and "lifecycle" in options.only:
        yield "lifecycle: a second valid key (--other-key) was not tried, only an invented key"
    if any(secret_in(key) is None for key in options.secrets):
        yield (
            f"key-echoed: a key of fewer than {SHORTEST_SECRET} characters may be a word, so no"
            " reply was searched for it"
        )
    if options.queue_limit is None and "lifecycle" in options.only:
        yield "lifecycle: the limit of the queue (--queue-limit) was not checked"
    plain = [operation.name for operation in document.operations if _is_without_body(operation)]
    if plain:
        named = ", ".join(plain[:3])
        yield f"{counted(len(plain), 'operations')} without a JSON body: {named}"


def _is_without_body(operation: Operation) -> bool:
    return operation.request is None and operation.kind != "fetch"
