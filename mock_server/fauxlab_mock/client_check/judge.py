"""What is wrong with one call of a client: judged from how it ended, what went over the wire, and
what was overheard. Pure functions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fauxlab_contract.core.records import Exchange
from fauxlab_contract.core.strict_json import WireError, check_media_type, read_json
from fauxlab_contract.core.violation import summary
from fauxlab_contract.openapi.operation import Operation
from fauxlab_contract.validation.bodies import request_violations
from fauxlab_contract.validation.misspelt import meant_field
from fauxlab_contract.verdict.checks import PERMANENT
from fauxlab_contract.verdict.history import ClientHistory
from fauxlab_contract.verdict.verdict import VerdictFinding
from fauxlab_mock.client_check.arguments import ArgumentCase, Arguments
from fauxlab_mock.client_check.report import ClientObservation
from fauxlab_mock.client_check.run_call import CallOutcome, shown
from fauxlab_mock.client_check.servers import Trial
from fauxlab_mock.engine.messages import LINK_PATH, Call

__all__ = ["Evidence", "judge_arguments", "judge_call", "links_in"]

# virtual; whoever waits longer than that after the end was told has waited for nothing
SLACK_S = 5.0
BARE = (KeyError, IndexError, TypeError, AttributeError)


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that is known of one trial. `elsewhere` is what another host heard, `verdict` what the
    verdict says.
    """

    name: str
    key: str
    outcome: CallOutcome
    calls: Sequence[Call]
    exchanges: Sequence[Exchange]
    case: ClientHistory
    verdict: Sequence[VerdictFinding]
    elsewhere: Sequence[bytes]

    def told(self, rule: str, message: str, detail: str = "", field: str = "") -> ClientObservation:
        return ClientObservation(rule, message, self.name, detail, field)

    @property
    def submits(self) -> list[tuple[Call, Exchange]]:
        return [
            (call, one)
            for call, one in zip(self.calls, self.exchanges, strict=False)
            if one.kind == "submit"
        ]


def judge_call(
    seen: Evidence, trial: Trial, arguments: Arguments, fetches: Sequence[Operation]
) -> Iterator[ClientObservation]:
    """All that holds for any call, whatever its arguments and its server."""
    yield from _wire(seen, arguments.operation, fetches)
    yield from _key(seen)
    for finding in seen.verdict:
        if finding.rule not in ("request-violation", "abandoned-job"):
            yield seen.told(finding.rule, finding.message)
    if seen.outcome.is_stopped:
        last, place = len(seen.exchanges), seen.outcome.stuck_at
        where = f" It is stuck at {place}, and was left behind there." if place else ""
        yield seen.told(
            "endless",
            f"The call did not end within {last} requests and the time that it was given.{where}",
        )
    elif seen.outcome.error is not None:
        yield from _raised(seen, trial, seen.outcome.error)
    else:
        yield from _returned(seen, trial)


def judge_arguments(
    seen: Evidence, case: ArgumentCase, arguments: Arguments
) -> Iterator[ClientObservation]:
    """What went out for the arguments of one call, besides whether it conforms."""
    submits = seen.submits
    if not submits and case.must_pass and seen.outcome.error is not None:
        error = seen.outcome.error
        yield seen.told(
            "valid-arguments-refused",
            f"Nothing was sent: {type(error).__name__}: {_cut(str(error))}",
            case.label,
        )
    names = arguments.operation.conventions.fields
    # a client may well make something of these
    free = (names.webhook, names.face_image, names.prompt)
    for call, _ in submits[:1]:
        body = _body(call)
        given = (
            {case.field: case.value}
            if case.field
            else {field: case.arguments.get(name) for field, name in arguments.names.items()}
        )
        if isinstance(body, str) or not case.is_valid:
            return
        for field, value in given.items():
            if value is not None and field not in free and body.get(field) != value:
                came = f"{body[field]!r}" if field in body else "nothing"
                yield seen.told(
                    "argument-lost",
                    f"{field} was given as {value!r}, and {came} was sent.",
                    field,
                    field,
                )


def _wire(
    seen: Evidence, submit: Operation, fetches: Sequence[Operation]
) -> Iterator[ClientObservation]:
    """Every request that breaks the contract to the letter, and every field that nobody reads."""
    document = {operation.name: operation for operation in (submit, *fetches)}
    for call, one in zip(seen.calls, seen.exchanges, strict=False):
        operation = document.get(one.operation or "")
        if operation is None or operation.request is None:
            continue
        body = _body(call)
        if isinstance(body, str):
            yield seen.told("request-violation", f"{one.method} {one.path}: {body}", body)
            continue
        for violation in request_violations(operation, body):
            where = f"{operation.kind} {violation.pointer}: {violation.keyword}"
            yield seen.told(
                "request-violation",
                f"{one.method} {one.path}: {summary([violation])}",
                where,
                violation.field,
            )
        for name in body if operation is submit else ():
            if meant := meant_field(name, operation.request.properties, body):
                yield seen.told(
                    "misspelt-field", f"{name} was sent; {meant} was probably meant.", name, name
                )


def _body(call: Call) -> dict[str, Any] | str:
    """The JSON object that was sent, or why it is none."""
    try:
        check_media_type(call.headers.get("content-type"))
        body = read_json(call.body)
    except WireError as error:
        return str(error)
    return body if isinstance(body, dict) else "The body is no JSON object."


def _key(seen: Evidence) -> Iterator[ClientObservation]:
    outcome, key = seen.outcome, seen.key
    if any(key.encode() in request for request in seen.elsewhere):
        yield seen.told("key-sent-elsewhere", "Another host, named by a reply, was sent the key.")
    if key in outcome.said:
        yield seen.told("key-leaked", "The key stood in a log or an output.", "said")
    if outcome.error is not None and key in shown(outcome.error):
        yield seen.told(
            "key-leaked",
            f"The key stood in the text of {type(outcome.error).__name__} or its cause.",
            "error",
        )
    if outcome.has_returned and key in repr(outcome.value):
        yield seen.told("key-leaked", "The key stood in the repr of the result.", "result")


def _raised(seen: Evidence, trial: Trial, error: BaseException) -> Iterator[ClientObservation]:
    if type(error) in BARE:
        yield seen.told(
            "crashed", f"{type(error).__name__}: {_cut(str(error))}", type(error).__name__
        )
    elif trial.expects == "result":
        yield seen.told("gave-up", f"{type(error).__name__}: {_cut(str(error))}")
    elif trial.says and (message := _last_message(seen)) and message not in shown(error):
        yield seen.told(
            "message-lost",
            f"The server said {message!r}, the exception {type(error).__name__} does not.",
        )
    yield from _dawdled(seen)


def _returned(seen: Evidence, trial: Trial) -> Iterator[ClientObservation]:
    """A result is right when a success was told, with an output, and that is what it is."""
    value, outputs = seen.outcome.value, _outputs(seen)
    words = seen.case.conventions.words
    last = next((one for one in reversed(seen.exchanges) if one.is_heard and not one.is_link), None)
    status = last.members.get(seen.case.conventions.fields.status) if last else None
    links = links_in(value)
    if (
        not outputs
        and not links
        and (status in (words.error, words.failed) or (last is not None and last.refusal))
    ):
        yield seen.told(
            "error-taken-for-success",
            f"The server had said {status}, and the call returned {_kind(value)}.",
        )
    elif not outputs:
        yield seen.told(
            "wrong-result",
            f"No success with an output had been told, and the call returned {_kind(value)}.",
            "untold",
        )
    elif links and not outputs & links:
        yield seen.told(
            "wrong-result", "The call returned a link that is not in the success's output.", "other"
        )
    elif trial.expects == "error":
        yield seen.told(
            "wrong-result",
            f"The call returned {_kind(value)}, where there was nothing to return.",
            "nothing",
        )
    yield from _dawdled(seen)


def _outputs(seen: Evidence) -> set[str]:
    """The links of every success that was told, by an answer or a webhook."""
    fields, found = seen.case.conventions.fields, set()
    for one in seen.exchanges:
        if seen.case.tells(one) == "success" and not one.is_lost and not one.is_link:
            output = one.members.get(fields.output)
            found |= {
                link
                for link in (output if isinstance(output, list) else [output])
                if isinstance(link, str) and link
            }
    for attempt in seen.case.webhooks:
        life = seen.case.lives.get(attempt.job_id)
        if (
            attempt.delivered
            and life is not None
            and life.submit is not None
            and life.job.outcome == "success"
        ):
            found |= set(map(str, life.submit.members.get(fields.future_links) or ()))
    return found


def _dawdled(seen: Evidence) -> Iterator[ClientObservation]:
    last = seen.exchanges[-1] if seen.exchanges else None
    if last is None or last.is_link or not last.is_heard:  # whoever reads links may wait for them
        return
    waited_s = seen.outcome.ended_at - last.at
    has_ended = seen.case.tells(last) in ("success", "failed") or last.refusal in PERMANENT
    if has_ended and waited_s > SLACK_S:
        yield seen.told(
            "waited-after-end",
            f"The call ended {waited_s:.0f} s after the server had told its end.",
        )


def _last_message(seen: Evidence) -> str:
    """The server's words in the last answer that said error or failed."""
    fields, words = seen.case.conventions.fields, seen.case.conventions.words
    for one in reversed(seen.exchanges):
        if one.members.get(fields.status) in (words.error, words.failed):
            return str(one.members.get(fields.message, ""))
    return ""


def links_in(value: Any, depth: int = 0) -> set[str]:
    """Every link to a picture inside a result, whatever it is: text, a reply, an object with
    attributes.
    """
    if isinstance(value, str):
        return (
            {value}
            if value.startswith("http") and (LINK_PATH in value or value.endswith(".png"))
            else set()
        )
    if depth > 5 or isinstance(value, (bytes, int, float)) or value is None:
        return set()
    if isinstance(value, Mapping):
        inner: Any = value.values()
    elif isinstance(value, (list, tuple, set, frozenset)):
        inner = value
    else:
        inner = [
            getattr(value, name, None)
            for name in getattr(value, "__slots__", ()) or getattr(value, "__dict__", ())
        ]
    return set().union(*(links_in(one, depth + 1) for one in inner))


def _kind(value: Any) -> str:
    return "None" if value is None else f"a value of type {type(value).__name__}"


def _cut(text: str) -> str:
    return text if len(text) <= 120 else text[:117] + "..."
