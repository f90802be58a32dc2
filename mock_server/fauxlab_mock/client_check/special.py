"""The trials that are more than one call to one server: arguments, calls in a row, other hosts."""

from __future__ import annotations

import gc
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from fauxlab_contract.core.records import Exchange
from fauxlab_mock.client_check.demands.arguments import ArgumentCase, Arguments
from fauxlab_mock.client_check.demands.evidence import Evidence
from fauxlab_mock.client_check.demands.judge import (
    judge_arguments,
    judge_call,
    stale_fields,
)
from fauxlab_mock.client_check.demands.links import links_in
from fauxlab_mock.client_check.demands.servers import Trial
from fauxlab_mock.client_check.report import ClientObservation
from fauxlab_mock.client_check.run_call import cancelled_calls, is_async, shown, side_by_side
from fauxlab_mock.client_check.running.leftovers import left_after, more_each_time, there_now
from fauxlab_mock.client_check.stage import close_leftovers
from fauxlab_mock.client_check.under_way import CheckUnderWay

__all__ = ["SPECIAL_TRIALS", "try_special"]

REFUSALS, HOUR_S = 6, 3_600.0
PLAIN_HOST = "plain.elsewhere.example"  # a name that can belong to nobody (RFC 2606)
# Rules that an odd argument breaks without the client's fault: Python raises a TypeError, nobody
# listens at the webhook's address.
OF_THE_ARGUMENTS = ("crashed", "webhook-refused")
SPECIAL_TRIALS: Mapping[str, str] = {
    "arguments": "Every boundary of every field is sent to a server that answers at once.",
    "calls in a row": "The same client makes three calls, one after the other.",
    "after refusals": "The same client makes six calls that are refused; an hour later, another.",
    "side by side": "The same client makes two calls at the same time.",
    "cancelled": "Async calls are cancelled while they wait for their jobs.",
    "plain http": "The client is given an http:// address of another machine.",
    "untrusted tls": "The client is given a server whose certificate no authority has signed.",
}


def try_special(check: CheckUnderWay, name: str, call: Callable[..., Any]) -> None:
    """Try a trial of `SPECIAL_TRIALS`; `call` is a client that is not called itself."""
    trials: dict[str, Callable[[CheckUnderWay], None]] = {
        "arguments": _arguments,
        "calls in a row": _in_a_row,
        "after refusals": _after_refusals,
        "side by side": partial(_side_by_side, call=call),
        "cancelled": partial(_cancelled, call=call),
        "plain http": _plain_http,
        "untrusted tls": _untrusted,
    }
    trials[name](check)


def _arguments(check: CheckUnderWay) -> None:
    """Try every case of the arguments, with one client for all.

    When something is wrong with a call, or nothing was sent, that may be for what the client
    remembers of earlier calls; then a fresh one has the last word.
    """
    check.tried.append("arguments")
    for case in check.arguments.cases():
        if check.why_not():
            break
        is_fresh = not check.kept
        found, exchanges = _case(check, case)
        if (found or not exchanges) and not is_fresh:
            check.renew()
            found, _ = _case(check, case)
        check.found += found
    check.renew()


def _case(
    check: CheckUnderWay, case: ArgumentCase
) -> tuple[list[ClientObservation], Sequence[Exchange]]:
    """Return what is wrong with a call, and the exchanges that came of it."""
    check.stage.set_scene(with_same_key=bool(check.kept))
    check.stage.mock.scenario("instant")
    script = partial(check.call_kept, case.arguments)
    evidence = check.perform(f"arguments: {case.label}", script)
    trial = Trial("arguments", "", expects="either")
    observations = judge_call(evidence, trial, check.arguments, check.fetches, case)
    found = [one for one in observations if one.rule not in OF_THE_ARGUMENTS]
    return [*found, *judge_arguments(evidence, case, check.arguments)], evidence.exchanges


def _in_a_row(check: CheckUnderWay) -> None:
    """Try three calls of one client: each must end well, and none may leave more behind.

    What only the second was given must not come back with the third.
    """
    trial = Trial("calls in a row", "", expects="result")
    before, left = there_now(check.stage), []
    bodies: list[Mapping[str, Any]] = []
    for wish in _three_wishes(check.arguments):
        check.stage.set_scene(with_same_key=bool(check.kept))
        evidence = check.perform(trial.name, partial(check.call_kept, wish))
        check.found += judge_call(evidence, trial, check.arguments, check.fetches)
        if evidence.outcome.is_stopped:
            break
        left.append(left_after(check.stage, before))
        bodies += [exchange.request or {} for _, exchange in evidence.submits[:1]]
    check.renew()
    check.found += stale_fields(trial.name, bodies)
    if len(left) > 2:
        check.found += [
            ClientObservation("left-running", message, trial.name, what)
            for what, message in more_each_time(left)
        ]


def _after_refusals(check: CheckUnderWay) -> None:
    """Try a call of a client whose earlier calls were refused: what they took must be given back.

    A breaker of circuits closes again within the hour.
    """
    trial = Trial("after refusals", "", expects="result")
    wishes = check.arguments.two_wishes() or [check.arguments.base, check.arguments.base]
    for number in range(REFUSALS + 1):
        is_last = number == REFUSALS
        if is_last:
            check.stage.clock.begin_call(math.inf)
            check.stage.clock.advance(HOUR_S)
        check.stage.set_scene(with_same_key=bool(check.kept))
        if not is_last:
            check.stage.mock.scenario("rejected_image")
        evidence = check.perform(trial.name, partial(check.call_kept, wishes[is_last]))
        if is_last:
            check.found += judge_call(evidence, trial, check.arguments, check.fetches)
        elif evidence.outcome.has_returned or evidence.outcome.is_stopped:
            break  # it is told of elsewhere
    check.renew()


def _three_wishes(arguments: Arguments) -> Iterator[Mapping[str, Any]]:
    """Yield the arguments of a plain call, of one with every field, and of another plain one."""
    roles = arguments.operation.conventions.fields
    every = arguments.every_field()
    every.pop(arguments.names.get(roles.webhook, ""), None)  # nobody would be there
    wishes = arguments.two_wishes()
    yield arguments.base
    yield {**every, **(wishes[0] if wishes else {})}
    yield wishes[1] if wishes else arguments.base


def _side_by_side(check: CheckUnderWay, call: Callable[..., Any]) -> None:
    """Try two calls at once; each result must belong to the job that was submitted for it."""
    wishes = check.arguments.two_wishes()
    if not wishes:
        check.not_judged.append("side by side: no argument makes two calls differ")
        return
    if check.stage.worker.is_here and not is_async(call):
        check.not_judged.append("side by side: the client works in the main thread alone")
        return
    check.stage.set_scene()

    def script() -> list[Any]:
        with check.made() as made:
            return side_by_side(made, wishes, check.stage.worker)

    evidence = check.perform("side by side", script)
    outcome = evidence.outcome
    values = outcome.value if isinstance(outcome.value, list) else []
    check.found += _mixed_up(evidence, values, wishes, check.arguments)
    is_able = all(observation.trial != "success" for observation in check.found)
    if is_able and not outcome.has_returned:
        reason = "It did not end."
        if outcome.error:
            reason = shown(outcome.error)[:120].splitlines()[0]
        message = f"Two calls at once did not both succeed: {reason}"
        check.found.append(evidence.observation("mixed-up", message, "failed"))


def _cancelled(check: CheckUnderWay, call: Callable[..., Any]) -> None:
    if not is_async(call):
        return
    check.stage.set_scene()

    def script() -> tuple[int, int]:
        with check.made() as made:
            return cancelled_calls(check.stage, made, check.arguments.base)

    was_enabled = gc.isenabled()
    gc.disable()  # or luck would close what was left open
    try:
        evidence = check.perform("cancelled", script)
    finally:
        close_leftovers()
        if was_enabled:
            gc.enable()
    if evidence.outcome.value is None:
        return
    tasks, connections = evidence.outcome.value
    if tasks:
        message = f"{tasks} tasks were still running after three cancelled calls."
        check.found.append(evidence.observation("cancel-leaks", message, "tasks"))
    if connections > 1:  # one may be a session's that lives on
        message = f"{connections} connections were still open after three cancelled calls."
        check.found.append(evidence.observation("cancel-leaks", message, "open"))


def _plain_http(check: CheckUnderWay) -> None:
    check.stage.set_scene()
    base_url = f"http://{PLAIN_HOST}{check.stage.mock.document.base_path}"
    check.perform("plain http", lambda: check.call(check.arguments.base, base_url))
    if any(PLAIN_HOST in line for line in check.stage.mock.blocked):
        message = f"It connected to http://{PLAIN_HOST}, although it had the key."
        check.found.append(ClientObservation("http-accepted", message, "plain http"))


def _untrusted(check: CheckUnderWay) -> None:
    check.stage.set_scene()
    base_url = check.stage.untrusted.url + check.stage.mock.document.base_path
    evidence = check.perform("untrusted tls", lambda: check.call(check.arguments.base, base_url))
    if evidence.elsewhere:
        message = "It sent its request to a server whose certificate no authority has signed."
        check.found.append(evidence.observation("tls-not-verified", message))


def _mixed_up(
    evidence: Evidence, values: list[Any], wishes: list[Mapping[str, Any]], arguments: Arguments
) -> Iterator[ClientObservation]:
    """Yield the results that came out of the request that was made for the other wish."""
    requests = _requests_by_link(evidence)
    for value, wish, other in zip(values, wishes, reversed(wishes), strict=False):
        differing = [
            (field, name)
            for field, name in arguments.names.items()
            if wish.get(name) != other.get(name)
        ]
        for link in links_in(value) & requests.keys():
            sent = requests[link]
            is_other = all(sent.get(field) == other[name] for field, name in differing)
            if differing and is_other:
                message = (
                    f"A call got the picture of another call: its {differing[0][0]} is not the"
                    " requested one."
                )
                yield evidence.observation("mixed-up", message, "result")


def _requests_by_link(evidence: Evidence) -> dict[str, Mapping[str, Any]]:
    """Return the request of the job behind each link that a submit was answered with."""
    future_links = evidence.case.conventions.fields.future_links
    requests: dict[str, Mapping[str, Any]] = {}
    for _, exchange in evidence.submits:
        if exchange.request:
            links = exchange.members.get(future_links) or ()
            requests |= dict.fromkeys(links, exchange.request)
    return requests
