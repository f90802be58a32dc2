"""What a webhook must be: one for each job, after its end, saying what the fetches say."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from fauxlab_contract.check.causes import breaks_member
from fauxlab_contract.check.findings import Moment
from fauxlab_contract.check.jobs.following import poll
from fauxlab_contract.check.jobs.observed_job import ObservedJob
from fauxlab_contract.check.oracle import meta_problems, problem_of_numbers
from fauxlab_contract.check.probe import Probe
from fauxlab_contract.check.receiver import Event, Receiver
from fauxlab_contract.core.secrets import secret_in
from fauxlab_contract.core.strict_json import WireError, read_json
from fauxlab_contract.openapi.document import Document
from fauxlab_contract.openapi.operation import Operation, Variant, variants_of
from fauxlab_contract.openapi.schema import Schema

__all__ = ["TRACK_ID", "check_webhook", "webhook_problems", "without_fetch"]

TRACK_ID = -(2**53) - 1  # negative, and beyond what 32 bits or a double can hold
COMES_WITHIN_S, AGAIN_WITHIN_S, LOOK_S = 10.0, 6.0, 0.5
WITH_FETCH_S = 1.0  # what comes so soon after a fetch was sent because of it


def check_webhook(probe: Probe, job: ObservedJob, receiver: Receiver, name: str) -> Iterator[float]:
    """Wait for the webhook of a job that has ended, then compare it with what the fetches said.

    Yields the moments until which it waits; a second webhook is waited for as well.
    """
    find = partial(probe.find, reply=job.submit, phase="webhook")
    began = probe.target.now()
    yield from until_sent(probe, receiver, name, began + COMES_WITHIN_S)
    waited_s = probe.target.now() - began
    yield probe.target.now() + AGAIN_WITHIN_S
    events = receiver.events(name)
    for event in events:
        at_s = round(event.at - job.began, 3)
        job.moments.append(Moment(at_s, "webhook", ""))
    if not events:
        end = f"it ended as {job.last_word}; {waited_s:.0f} s later no webhook had arrived."
        find("webhook-missing", f"{job.label}: {end}")
        return
    own = [event for event in events if _id_in(event, probe.names.id) in (None, job.id)]
    if own and own != events:  # if none is its own, it has a wrong id
        find("webhook-body", f"{job.label}: the webhook of another job came to its address, too.")
        events = own
    if len(events) > 1:
        rule = "webhook-repeated" if len(events) > 2 else "webhook-twice"
        times = f"its webhook came {len(events)} times; each was answered with 200."
        find(rule, f"{job.label}: {times}")
    for rule, message in webhook_problems(probe.document, probe.options.key, job, events[0]):
        find(rule, f"{job.label}: {message}", came=f"webhook {probe.cut(events[0].body)}")


def _id_in(event: Event, name: str) -> Any:
    """Return the id in a webhook; None if there is none, or it cannot be read."""
    try:
        body = read_json(event.body)
    except WireError:
        return None
    return body.get(name) if isinstance(body, dict) else None


def until_sent(
    probe: Probe, receiver: Receiver, name: str, deadline: float
) -> Generator[float, None, bool]:
    """Wait for the first webhook, at most until a moment. Returns True if it came."""
    while not receiver.events(name) and probe.target.now() < deadline:
        yield probe.target.now() + LOOK_S
    return bool(receiver.events(name))


def without_fetch(
    probe: Probe, job: ObservedJob, receiver: Receiver, name: str, within_s: float
) -> Generator[float, None, bool]:
    """Wait for the webhook of a job, some seconds beyond its eta; only then fetch it.

    Returns True if it had ended, and its webhook came with that fetch.
    """
    deadline = job.submit.came.at + job.eta_s + within_s
    if (yield from until_sent(probe, receiver, name, deadline)):
        return False
    reply = poll(probe, job)
    is_told = yield from until_sent(probe, receiver, name, reply.came.at + WITH_FETCH_S)
    return is_told and not job.is_processing


@dataclass(frozen=True, slots=True)
class _Webhook:
    """A webhook that is a JSON object, and the job that it is about."""

    document: Document
    key: str
    job: ObservedJob
    event: Event
    body: dict[str, Any]

    @property
    def names(self) -> Any:
        """The names of the fields."""
        return self.document.conventions.fields

    @property
    def word(self) -> Any:
        """The status in the webhook."""
        return self.body.get(self.names.status)


def webhook_problems(
    document: Document, key: str, job: ObservedJob, event: Event
) -> Iterator[tuple[str, str]]:
    """Yield (rule, message) for everything that is wrong with a webhook of a job that has ended."""
    try:
        body = read_json(event.body)
    except WireError as error:
        body = str(error)
    if not isinstance(body, dict):
        yield "webhook-body", f"its webhook is not a JSON object: {str(body)[:100]}"
        return
    webhook = _Webhook(document, key, job, event, body)
    secret = secret_in(key)
    if secret and secret in event.body.decode("utf-8", "replace"):
        yield "key-echoed", "the key is in its webhook."
    if webhook.word == document.conventions.words.processing:
        yield "webhook-early", "its webhook says that it is processing."
        return
    for rule, check in CHECKS:
        for message in check(webhook):
            yield rule, message


def _media_type(webhook: _Webhook) -> Iterator[str]:
    media_type = webhook.event.media_type
    if "json" not in media_type:
        yield f"its webhook is labelled {media_type[:60]!a}, not application/json."


def _schema(webhook: _Webhook) -> Iterator[str]:
    """Compare the body with the callback that the document declares, if it declares one."""
    word = webhook.word
    variants = _variants(webhook.document, webhook.job.operation)
    if not variants:
        return
    if not isinstance(word, str) or word not in variants:
        yield f"its webhook has the status {_shown(word)}; there are {', '.join(variants)}."
        return
    for violation in variants[word].check.violations(webhook.body):
        yield f"in its webhook: {violation}"


def _below_zero(rule: str, webhook: _Webhook) -> Iterator[str]:
    for broken, _, message in problem_of_numbers(webhook.body, webhook.document.conventions):
        if broken == rule:
            yield f"in its webhook: {message}"


def _meta(webhook: _Webhook) -> Iterator[str]:
    job = webhook.job
    for message in meta_problems(job.operation, job.body, webhook.body):
        yield f"in its webhook: {message}"


def _end(webhook: _Webhook) -> Iterator[str]:
    success = webhook.document.conventions.words.success
    if (webhook.word == success) != (webhook.job.last_word == success):
        yield f"its webhook says {_shown(webhook.word)}, fetches say {webhook.job.last_word}."


def _id(webhook: _Webhook) -> Iterator[str]:
    number = webhook.body.get(webhook.names.id)
    expected = webhook.job.id
    is_told = str(number) == str(expected) and breaks_member(webhook.job.submit, webhook.names.id)
    if not (is_told or _same(number, expected)):
        yield f"its webhook has the id {_shown(number)}, the submit had {_shown(expected)}."


def _output(webhook: _Webhook) -> Iterator[str]:
    if webhook.word != webhook.document.conventions.words.success:
        return
    name = webhook.names.output
    output, fetched = webhook.body.get(name), webhook.job.links(name)
    if name in webhook.body and fetched and output != fetched:
        yield f"the output in its webhook differs from the fetch: {json.dumps(output)[:200]}."


def _track_id(webhook: _Webhook) -> Iterator[str]:
    name = webhook.names.track_id
    sent, came = webhook.job.body.get(name), webhook.body.get(name)
    if not _same(came, sent):
        shown = json.dumps(came)[:60] if name in webhook.body else "nothing"
        sent = "nothing" if sent is None else sent
        yield f"{name} was sent as {sent} and came back as {shown}."


# Rule -> what is wrong with a webhook, once for each problem.
CHECKS: tuple[tuple[str, Callable[[_Webhook], Iterator[str]]], ...] = (
    ("webhook-body", _media_type),
    ("webhook-body", _schema),
    ("generation-time", partial(_below_zero, "generation-time")),
    ("eta", partial(_below_zero, "eta")),
    ("meta-differs", _meta),
    ("webhook-body", _end),
    ("webhook-body", _id),
    ("webhook-body", _output),
    ("track-id", _track_id),
)


def _same(value: Any, other: Any) -> bool:
    """Return True for equal values of the same type: 1 is neither 1.0 nor True."""
    return type(value) is type(other) and bool(value == other)


def _shown(value: Any) -> str:
    return json.dumps(value)[:40]


def _variants(document: Document, operation: Operation) -> Mapping[str, Variant]:
    """Return the branches of the callback body that the document declares, by status word."""
    callbacks = document.at(operation.pointer).member("callbacks")
    for _, callback in callbacks.members():
        for _, item in callback.members():
            body = item.member("post").member("requestBody")
            media = body.member("content").member("application/json")
            schema = Schema.of(media.member("schema"))
            if schema.value is not None:
                return variants_of(schema, document.conventions)
    return {}
