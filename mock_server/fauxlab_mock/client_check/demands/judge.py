"""What is wrong with one call of a client: pure functions of all that is known of the call.

That is how it ended, what went over the wire, and what was printed and logged meanwhile.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from fauxlab_contract.core.conventions import Fields
from fauxlab_contract.core.pointers import parts_of
from fauxlab_contract.core.strict_json import WireError, check_media_type, read_json
from fauxlab_contract.core.text import counted, cut
from fauxlab_contract.core.violation import summary
from fauxlab_contract.openapi.operation import Operation, RequestBody
from fauxlab_contract.validation.bodies import request_violations
from fauxlab_contract.validation.misspelt import meant_field
from fauxlab_contract.verdict.checks import PERMANENT
from fauxlab_mock.client_check.demands.arguments import ArgumentCase, Arguments
from fauxlab_mock.client_check.demands.evidence import Evidence
from fauxlab_mock.client_check.demands.links import links_in
from fauxlab_mock.client_check.demands.servers import Trial
from fauxlab_mock.client_check.report import ClientObservation
from fauxlab_mock.client_check.run_call import shown
from fauxlab_mock.client_check.running.standing import place_of_error
from fauxlab_mock.engine.messages import Call

__all__ = ["judge_arguments", "judge_call", "stale_fields", "why_unaccepted"]

# Seconds of the mock's clock: a client that goes on for longer after the end has waited in vain.
SLACK_S = 5.0
# What Python and its JSON reader raise by themselves; a client has nothing to say with them.
BARE = (
    KeyError,
    IndexError,
    TypeError,
    AttributeError,
    NameError,
    UnboundLocalError,
    json.JSONDecodeError,
)
# Rules of the verdict that are judged by each call's own body, or not over one call.
JUDGED_HERE = frozenset({"request-violation", "misspelt-field", "abandoned-job"})
ROUNDING = 1e-9  # a number that went through a text or a 32-bit float and back


def judge_call(
    evidence: Evidence,
    trial: Trial,
    arguments: Arguments,
    fetches: Sequence[Operation],
    case: ArgumentCase | None = None,
) -> Iterator[ClientObservation]:
    """Yield what is wrong with any call, whatever its arguments and its server.

    `case` says which argument of the call was bad, if one was: that it is sent is the caller's
    fault.
    """
    bad = case.field if case is not None and not case.is_valid else ""
    for observation in _judged(evidence, trial, arguments.operation, fetches, bad):
        if observation.rule not in trial.tolerates:
            yield observation


def _judged(
    evidence: Evidence, trial: Trial, submit: Operation, fetches: Sequence[Operation], bad: str
) -> Iterator[ClientObservation]:
    yield from _wire(evidence, submit, fetches, bad)
    yield from _paid_twice(evidence)
    yield from _key(evidence)
    for finding in evidence.verdict:
        is_fault = finding.severity != "note"
        if is_fault and finding.rule not in JUDGED_HERE:
            yield evidence.observation(finding.rule, finding.message)
    for why in evidence.untimed:
        message = f"It waited five minutes for an answer: {why}."
        yield evidence.observation("no-timeout", message)
    if evidence.outcome.why_unjudged or evidence.is_unseen:
        return  # nobody knows how long it would have waited
    if evidence.outcome.is_stopped:
        yield _endless(evidence)
        return
    yield from _waited_as_told(evidence, trial)
    if evidence.outcome.error is not None:
        yield from _raised(evidence, trial, evidence.outcome.error)
    else:
        yield from _returned(evidence, trial)


def _endless(evidence: Evidence) -> ClientObservation:
    outcome, where = evidence.outcome, ""
    if outcome.hangs_at:
        where = f" It waits at {outcome.hangs_at}, and nothing is left that could wake it."
    elif outcome.stuck_at:
        where = f" It is stuck at {outcome.stuck_at}, and was left behind there."
    requests = counted(len(evidence.exchanges), "requests")
    message = f"The call did not end within {requests} and its time limit."
    return evidence.observation("endless", message + where)


def _waited_as_told(evidence: Evidence, trial: Trial) -> Iterator[ClientObservation]:
    """Yield when a call waited as long as a reply asked for, a day."""
    if 0 < trial.asks_s <= evidence.lasted_s:
        message = f"The call lasted {evidence.lasted_s:,.0f} s, because a reply said so."
        yield evidence.observation("waited-a-day", message)


def judge_arguments(
    evidence: Evidence, case: ArgumentCase, arguments: Arguments
) -> Iterator[ClientObservation]:
    """Yield what is wrong with the request that came of some arguments, beside its validity."""
    submits, error = evidence.submits, evidence.outcome.error
    if not submits and case.must_pass and error is not None:
        yield evidence.observation(
            "valid-arguments-refused", f"Nothing was sent: {_in_short(error)}", case.label
        )
    body = _body(submits[0][0]) if submits else ""
    if isinstance(body, str) or not case.is_valid:
        return
    roles = arguments.operation.conventions.fields
    for field, value in _given(case, arguments).items():
        if value is not None and not _has_arrived(value, body.get(field), roles, field):
            message = f"{field} was given as {_quoted(value)}, and {_what_came(field, value, body)}"
            yield evidence.observation("argument-lost", message, field, field)


def _has_arrived(given: Any, sent: Any, roles: Fields, field: str) -> bool:
    """Return True if a value was sent as it was given, give or take the last bit of a float.

    A client may put more words around a prompt, and a picture where its address was.
    """
    if field in (roles.face_image, roles.init_image):
        return sent is not None
    if field == roles.prompt and isinstance(given, str) and isinstance(sent, str):
        return given.strip() in sent
    if isinstance(given, float) and isinstance(sent, (int, float)):
        return math.isclose(given, sent, rel_tol=ROUNDING)
    return bool(given == sent)


def _what_came(field: str, given: Any, body: Mapping[str, Any]) -> str:
    if field in body:
        return f"{_quoted(body[field])} was sent."
    hint = "" if given else " Leave out None alone, not all that is falsy."
    return f"the request did not have it.{hint}"


def _quoted(value: Any) -> str:
    return cut(repr(value), 60)


def why_unaccepted(evidence: Evidence) -> str:
    """Return why the server took none of the submits, for what was wrong with them; else ""."""
    submits = [exchange for _, exchange in evidence.submits]
    if not submits or not all(one.refusal in ("invalid", "malformed") for one in submits):
        return ""
    said = submits[0].members.get(evidence.case.conventions.fields.message, "")
    return f"no submit was accepted: {cut(str(said), 120)}"


def stale_fields(trial: str, bodies: Sequence[Mapping[str, Any]]) -> Iterator[ClientObservation]:
    """Yield what a third call sends because the second was given it: the first did not send it."""
    if len(bodies) < 3:
        return
    first, second, third = bodies[:3]
    for field, value in third.items():
        if field not in first and field in second and second[field] == value:
            message = (
                f"{field} was given to an earlier call alone, and {_quoted(value)} was sent again."
            )
            yield ClientObservation("stale-field", message, trial, field, field)


def _given(case: ArgumentCase, arguments: Arguments) -> dict[str, Any]:
    """Return the fields that a case is about: one, or all that the arguments reach."""
    if case.field:
        return {case.field: case.value}
    return {field: case.arguments.get(name) for field, name in arguments.names.items()}


def _wire(
    evidence: Evidence, submit: Operation, fetches: Sequence[Operation], bad: str = ""
) -> Iterator[ClientObservation]:
    """Yield every request that breaks the contract, and every field that nobody reads.

    What is wrong with the field `bad` came from the caller.
    """
    operations = {operation.name: operation for operation in (submit, *fetches)}
    for call, exchange in zip(evidence.calls, evidence.exchanges, strict=False):
        operation = operations.get(exchange.operation or "")
        if operation is None or operation.request is None:
            continue
        body = _body(call)
        what = f"{exchange.method} {exchange.path}"
        if isinstance(body, str):
            is_theirs = bool(bad) and body.endswith("is not JSON.")  # NaN, Infinity
            rule = "bad-argument-sent" if is_theirs else "request-violation"
            field = bad if is_theirs else ""
            detail = "" if is_theirs else body
            yield evidence.observation(rule, f"{what}: {body}", detail, field)
            continue
        name = operation.conventions.fields.key
        if body.get(name, evidence.key) != evidence.key:
            message = f"{what}: its {name} is not the one that make was given."
            yield evidence.observation("wrong-key", message, operation.kind, name)
        for violation in request_violations(operation, body):
            message = f"{what}: {summary([violation])}"
            detail = f"{operation.kind} {violation.pointer}: {violation.keyword}"
            rule = "request-violation"
            if bad and parts_of(violation.pointer)[:1] == [bad]:  # it, or a member of it
                rule, detail = "bad-argument-sent", ""
            yield evidence.observation(rule, message, detail, violation.field)
        if operation is submit:
            yield from _misspelt(evidence, operation.request, body)


def _misspelt(
    evidence: Evidence, request: RequestBody, body: Mapping[str, Any]
) -> Iterator[ClientObservation]:
    for name in body:
        if meant := meant_field(name, request.properties, body, request.required):
            message = f"{name} was sent; {meant} was probably meant."
            yield evidence.observation("misspelt-field", message, name, name)


def _body(call: Call) -> dict[str, Any] | str:
    """Return the JSON object that was sent, or a sentence on why it is none."""
    try:
        check_media_type(call.headers.get("content-type"))
        body = read_json(call.body)
    except WireError as error:
        return str(error)
    return body if isinstance(body, dict) else "The body is not a JSON object."


def _paid_twice(evidence: Evidence) -> Iterator[ClientObservation]:
    """Yield when one call started a second job before it could know the end of the first.

    Whatever their seeds: it is one wish. The verdict knows it of equal requests alone.
    """
    accepted = [one for one in evidence.exchanges if one.kind == "submit" and one.job_id]
    told = any(finding.rule == "duplicate-submit" for finding in evidence.verdict)
    for first, second in pairwise(accepted):
        life = evidence.case.life_of(first)
        if not told and life is not None and not evidence.case.may_know(life, second.number):
            message = (
                f"Request {second.number} of one call started job {second.job_id}, while job"
                f" {first.job_id} of request {first.number} was not known to have ended."
            )
            yield evidence.observation("duplicate-submit", message)
            return


def _key(evidence: Evidence) -> Iterator[ClientObservation]:
    outcome, key = evidence.outcome, evidence.key
    if any(key.encode() in request for request in evidence.elsewhere):
        yield evidence.observation(
            "key-sent-elsewhere", "The key was sent to another host, which a reply had named."
        )
    rule = "key-repeated" if evidence.is_key_echoed else "key-leaked"
    if key in outcome.said:
        yield evidence.observation(rule, "The key is in a log or an output.", "said")
    if outcome.error is not None and key in shown(outcome.error):
        yield evidence.observation(
            rule,
            f"The key is in the text of {type(outcome.error).__name__} or its cause.",
            "error",
        )
    if outcome.has_returned and key in repr(outcome.value):
        yield evidence.observation(rule, "The key is in the repr of the result.", "result")


def _raised(evidence: Evidence, trial: Trial, error: BaseException) -> Iterator[ClientObservation]:
    if isinstance(error, SystemExit):
        place = place_of_error(error)
        message = f"It ended the process by sys.exit({error.code!r}), at {place}."
        yield evidence.observation("crashed", message, place)
    elif type(error) in BARE:
        place = place_of_error(error)
        message = f"{_in_short(error)}, raised at {place}." if place else _in_short(error)
        yield evidence.observation("crashed", message, place or type(error).__name__)
    elif trial.expects == "result":
        if not why_unaccepted(evidence):
            yield evidence.observation("gave-up", _in_short(error))
    elif evidence.must_say(trial) and (message := evidence.last_message) not in shown(error):
        yield evidence.observation(
            "message-lost",
            f"The server said {message!r}; the exception {type(error).__name__} does not.",
        )
    yield from _dawdled(evidence)


def _returned(evidence: Evidence, trial: Trial) -> Iterator[ClientObservation]:
    """Yield what is wrong with a result: only the output of a success is right."""
    result = _kind(evidence.outcome.value)
    # a result may repeat the request, with the address of the face
    outputs, links = _outputs(evidence), links_in(evidence.outcome.value) - _sent(evidence)
    if not outputs and not links and _was_told_no(evidence):
        yield evidence.observation(
            "error-taken-for-success",
            f"The call returned {result}, although the server had said {_last_status(evidence)}.",
        )
    elif not outputs:
        yield evidence.observation(
            "wrong-result",
            f"The call returned {result}, although no reply had said success with an output.",
            "untold",
        )
    elif links and not outputs & links:
        yield evidence.observation(
            "wrong-result", "The call returned a link that is not in the success's output.", "other"
        )
    elif trial.expects == "error" and not links & _outputs_of_webhooks(evidence):
        yield evidence.observation(
            "wrong-result",
            f"The call returned {result}, although there was nothing to return.",
            "nothing",
        )
    yield from _dawdled(evidence)


def _last_status(evidence: Evidence) -> Any:
    last = evidence.last_heard
    return last.members.get(evidence.case.conventions.fields.status) if last else None


def _was_told_no(evidence: Evidence) -> bool:
    """True when the last reply said error or failed, or refused the request."""
    words, last = evidence.case.conventions.words, evidence.last_heard
    is_refused = last is not None and bool(last.refusal)
    return is_refused or _last_status(evidence) in (words.error, words.failed)


def _outputs(evidence: Evidence) -> set[str]:
    """Return the links of every success that was told, by a reply or a webhook."""
    fields, case = evidence.case.conventions.fields, evidence.case
    outputs: set[str] = set()
    for exchange in evidence.exchanges:
        is_told = not exchange.is_lost and not exchange.is_link
        if is_told and case.tells(exchange) == "success":
            output = exchange.members.get(fields.output)
            links = output if isinstance(output, list) else [output]
            outputs |= {link for link in links if isinstance(link, str) and link}
    return outputs | _outputs_of_webhooks(evidence)


def _sent(evidence: Evidence) -> set[str]:
    """Return the texts that the client itself sent."""
    bodies = [exchange.request or {} for exchange in evidence.exchanges]
    return {text for body in bodies for text in body.values() if isinstance(text, str)}


def _outputs_of_webhooks(evidence: Evidence) -> set[str]:
    """Return the links of every success that a webhook told, whatever the replies said."""
    fields, case = evidence.case.conventions.fields, evidence.case
    outputs: set[str] = set()
    for attempt in case.webhooks:
        life = case.lives.get(attempt.job_id) if attempt.delivered else None
        if life is not None and life.submit is not None and life.job.outcome == "success":
            future_links = life.submit.members.get(fields.future_links) or ()
            outputs |= {str(link) for link in future_links}
    return outputs


def _dawdled(evidence: Evidence) -> Iterator[ClientObservation]:
    last = evidence.exchanges[-1] if evidence.exchanges else None
    if last is None or last.is_link or not last.is_heard:  # a client may wait for a link
        return
    waited_s = evidence.outcome.ended_at - last.at
    is_over = evidence.case.tells(last) in ("success", "failed")
    has_ended = is_over or last.refusal in PERMANENT
    if has_ended and waited_s > SLACK_S:
        yield evidence.observation(
            "waited-after-end",
            f"The call ended {waited_s:.0f} s after a reply had said that the job was over.",
        )


def _kind(value: Any) -> str:
    return "None" if value is None else f"a value of type {type(value).__name__}"


def _in_short(error: BaseException) -> str:
    """Return `KeyError: 'output'`, with a message of at most 120 characters."""
    said = " ".join(str(error).split())
    return f"{type(error).__name__}: {cut(said, 120)}"
