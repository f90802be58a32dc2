"""Drive a client through all its arguments and many misbehaving servers; say what it does wrong."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from fauxlab_contract.core.text import either, must_be, nearest
from fauxlab_contract.openapi.document import Document, check_document, load_document
from fauxlab_contract.openapi.operation import Operation
from fauxlab_mock.client_check.demands.arguments import arguments_of
from fauxlab_mock.client_check.demands.evidence import Evidence
from fauxlab_mock.client_check.demands.judge import judge_call, why_unaccepted
from fauxlab_mock.client_check.demands.servers import TRIALS, Trial
from fauxlab_mock.client_check.making import check_make, opened, swapped
from fauxlab_mock.client_check.report import (
    ALL_TRIALS,
    ClientObservation,
    ClientReport,
    check_waivers,
    findings_of,
)
from fauxlab_mock.client_check.run_call import (
    MakeClient,
    perform,
)
from fauxlab_mock.client_check.special import SPECIAL_TRIALS, try_special
from fauxlab_mock.client_check.stage import KEY, Stage, TrialLimits, staged
from fauxlab_mock.client_check.under_way import MAKE, CheckUnderWay

__all__ = ["KEY", "SPECIAL_TRIALS", "Progress", "check_client"]

STUCK = "stuck"  # the trial that shows for how long a client waits for a job
UNSEEN = (
    "nothing ended its wait for the answer, and how it waits was not seen (in C, in a selector, in"
    " uvloop or trio, for a thread, in another process)"
)
HOSTS = frozenset({"plain http", "untrusted tls"})  # trials with another base_url
DOCS = "docs/check_client.md"
ANOTHER_PROCESS = (  # what to do about a client that forks
    "Check what the child does by itself, or start `fauxlab serve` and ask for the verdict."
)
ALIKE = 0.5  # of difflib: a wrong name and the trials that may have been meant
Progress = Callable[[str, int, int, int], object]


def check_client(  # noqa: PLR0913 # all but the first two by name
    make: MakeClient,
    arguments: Mapping[str, Any] | None = None,
    *,
    names: Mapping[str, str] | None = None,
    trials: Collection[str] | None = None,
    document: Document | None = None,
    operation: str | None = None,
    waive: Mapping[str, str] | None = None,
    wrong_types: bool = False,
    max_calls: int = 1_000,
    max_virtual_s: float = 3_600.0,
    max_real_s: float = 20.0,
    progress: Progress | None = None,
) -> ClientReport:
    """Check a client; `make(base_url, key)` returns a callable that does one whole generation.

    The callable, sync or async, returns the result. It is called by name, with the fields that its
    parameters are named after; `names` maps fields to parameters with other names, `arguments` are
    added, or take the place of such values. `trials` limits the check to some of the trials
    (docs/check_client.md), `waive` maps ids of rules to reasons. With `wrong_types`, a parameter
    with an annotation gets values of other types, too. A call may make `max_calls`
    requests, and last `max_virtual_s` on the mock's clock and `max_real_s` on yours.
    `progress(trial, done, total, observations)` is called before each trial. Raise
    ValueError for unknown names, TypeError for a `make` that cannot be called like this, or that
    returns no callable. One check at a time in a process: its time is virtual.
    """
    __tracebackhide__ = True
    check_waivers({} if waive is None else waive)
    document = load_document() if document is None else document
    check_document(document)
    for name, given in (("arguments", arguments), ("names", names)):
        if not isinstance(given, Mapping | None):
            raise TypeError(must_be(name, "a mapping", given))
    chosen = _chosen(trials)
    submit = _submit_of(document, operation)
    fields = submit.request.properties if submit.request else {}
    check_make(make, MAKE, {*fields} - {submit.conventions.fields.key})
    started = time.monotonic()
    with staged(document, TrialLimits(max_calls, max_virtual_s, max_real_s)) as stage:
        call = _first_made(stage, make)
        fetches = tuple(other for other in document.operations if other.kind == "fetch")
        to_give = arguments_of(submit, call, arguments, names, wrong_types=wrong_types)
        shared = getattr(call, "__self__", call)
        check = CheckUnderWay(stage, make, to_give, fetches, shared)
        began = stage.clock.now()
        _run(check, call, chosen, progress or _untold)
        virtual_s = stage.clock.now() - began
    return _report(check, waive or {}, chosen, virtual_s, time.monotonic() - started)


def _first_made(stage: Stage, make: MakeClient) -> Callable[..., Any]:
    """Return what `make` gives, of which no more than the signature is of interest."""
    __tracebackhide__ = True

    def script() -> Callable[..., Any]:
        made = make(stage.mock.url, KEY)
        with opened(made, MAKE, stage.worker, shared=getattr(made, "__self__", made)) as call:
            return call

    outcome = perform(stage, script)
    if outcome.error is not None:
        raise outcome.error
    if outcome.forks_at:
        raise RuntimeError(f"make(base_url, key): {outcome.why_unjudged}")
    if outcome.is_stopped:
        place = outcome.stuck_at or outcome.waits_at or outcome.hangs_at
        raise RuntimeError(f"make(base_url, key) did not return; it stands at {place or 'no line'}")
    call: Callable[..., Any] = outcome.value
    return call


def _chosen(trials: Collection[str] | None) -> tuple[str, ...]:
    __tracebackhide__ = True
    known = (*TRIALS, *SPECIAL_TRIALS)
    if trials is None:
        return known
    if not isinstance(trials, Collection):
        raise TypeError(must_be("trials", "names, such as ['success']", trials))
    wanted = [trials] if isinstance(trials, str) else [*trials]
    for name in wanted:
        if name not in known:
            raise ValueError(_no_trial(str(name), known))
    return tuple(name for name in known if name in wanted)


def _no_trial(name: str, known: Collection[str]) -> str:
    near = nearest(name[:200], known, ALIKE, most=3)
    hint = f"did you mean {either(near)}?" if near else f"the {len(known)} trials are in {DOCS}"
    return f"there is no trial {name[:40]!a}; {hint}"


def _submit_of(document: Document, name: str | None) -> Operation:
    """Return the operation with this path or name, by default the first that starts jobs."""
    for operation in document.operations:
        if operation.kind == "submit" and name in (None, operation.path, operation.name):
            return operation
    operation_name = f"operation {name}" if name else "operation"
    raise ValueError(f"the document has no {operation_name} that starts jobs")


def _untold(*_: object) -> None:
    """Show no progress."""


def _run(
    check: CheckUnderWay, call: Callable[..., Any], chosen: Collection[str], progress: Progress
) -> None:
    inner = call
    while isinstance(inner, partial):  # whose repr is Python's
        inner = inner.func
    owner = getattr(inner, "__self__", None)  # the client, if the call is a method of it
    if KEY in repr(inner) or KEY in repr(owner):
        message = "The key is in the repr of the client."
        found = ClientObservation("key-leaked", message, "the client itself", "repr")
        check.found.append(found)
    for done, name in enumerate(chosen):
        progress(name, done, len(chosen), len(check.found))
        if reason := check.why_not():
            check.not_judged.append(f"{name}: {reason}")
            continue
        is_left_out = name in TRIALS and TRIALS[name].for_webhooks and not check.has_webhooks
        if is_left_out and len(chosen) > 1:
            continue
        began = time.monotonic()
        if name in SPECIAL_TRIALS:
            check.attempt(partial(try_special, check, name, call))
        else:
            check.attempt(partial(_trial, check, TRIALS[name]))
        check.took_s[name] = time.monotonic() - began
    check.note_late()


def _trial(check: CheckUnderWay, trial: Trial) -> None:
    scene = check.stage.set_scene(trial.change, asks_s=trial.asks_s, held_s=trial.held_s)
    scene.foreign_webhook = trial.foreign_webhook
    for rule in trial.rules:
        check.stage.mock.add_rule(rule)
    evidence = check.perform(trial.name, lambda: check.call(check.arguments.base))
    if any(job.webhook for job in check.stage.jobs()):
        check.has_webhooks = True
    if trial.name == STUCK:
        check.patience_s, check.pause_s = _patience_s(evidence), evidence.longest_pause_s
    reason = why_unaccepted(evidence)
    if trial.held_s:
        reason = reason or _why_uncertain(trial, evidence, check)
        if evidence.untimed or evidence.lasted_s + check.pause_s >= check.patience_s:
            trial = replace(trial, expects="either")  # its own deadline has passed, or may have
    check.found += judge_call(evidence, trial, check.arguments, check.fetches)
    if reason:
        check.not_judged.append(f"{trial.name}: {reason}")


def _patience_s(evidence: Evidence) -> float:
    """Return for how long a call waited for a job that never ends; 0 if that is unknown."""
    if evidence.outcome.waits_at:
        return 0.0
    return math.inf if evidence.outcome.is_stopped else evidence.lasted_s


def _why_uncertain(trial: Trial, evidence: Evidence, check: CheckUnderWay) -> str:
    """Return why it is uncertain what a client made of a late answer; else ""."""
    if evidence.is_unseen:
        return UNSEEN
    has_raised = evidence.outcome.error is not None and not evidence.untimed
    if trial.expects != "result" or not has_raised:
        return ""
    if not check.patience_s:
        return f"it raised, perhaps at its own deadline; the trial {STUCK} tells when that is"
    if evidence.lasted_s < check.patience_s <= evidence.lasted_s + check.pause_s:
        return (
            f"it raised after {evidence.lasted_s:.0f} s, less than a pause before its own deadline:"
            f" in the trial {STUCK} it lasted {check.patience_s:.0f} s"
        )
    return ""


def _report(
    check: CheckUnderWay,
    waive: Mapping[str, str],
    chosen: tuple[str, ...],
    virtual_s: float,
    real_s: float,
) -> ClientReport:
    unreachable = check.arguments.unreachable if "arguments" in chosen else ()
    unreached = [f"{name}: no argument reaches it" for name in unreachable]
    found, not_judged = check.found, [*unreached, *check.not_judged]
    nothing = ""  # why nothing at all was judged
    if check.forks and not check.has_ended and not found:
        nothing = f"{ALL_TRIALS}: {check.forks}. {ANOTHER_PROCESS}"
    elif not check.calls and not HOSTS.issuperset(check.tried):
        # its calls answered to nothing; that one never ends is true all the same
        found = [one for one in found if one.rule == "endless"]
        nothing = "" if found else _nothing_came(check)
    report = ClientReport(
        findings_of([_without_key(observation) for observation in found]),
        not_judged=(nothing,) if nothing else tuple(not_judged),
        is_judged=not nothing,
        trials=tuple(check.tried),
        calls=check.calls,
        virtual_s=virtual_s,
        real_s=real_s,
        took_s=check.took_s,
    )
    return report.with_waivers(waive)


def _nothing_came(check: CheckUnderWay) -> str:
    """Return that no request came, what happened instead, and what to do."""
    instead = (check.astray or [check.first_end])[0].replace(KEY, "***").rstrip(".")
    advice = "Use base_url for every address."
    if names := swapped(check.make):
        advice = f"make(base_url, key) is called with base_url first, but takes {names}: swap them."
    return (
        f"{ALL_TRIALS}: no request came to base_url, which make is given; instead: {instead}."
        f" {advice}"
    )


def _without_key(observation: ClientObservation) -> ClientObservation:
    return replace(
        observation,
        message=observation.message.replace(KEY, "***"),
        detail=observation.detail.replace(KEY, "***"),
        exchanges=tuple(line.replace(KEY, "***") for line in observation.exchanges),
    )
