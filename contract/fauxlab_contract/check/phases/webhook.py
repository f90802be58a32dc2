"""What is demanded of webhooks: one for each job, after its end, saying what the fetch says."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from fauxlab_contract.check.findings import Moment
from fauxlab_contract.check.observed_job import ObservedJob, meta_problems
from fauxlab_contract.check.oracle import problem_of_numbers
from fauxlab_contract.check.probe import Probe
from fauxlab_contract.check.receiver import Event, Receiver
from fauxlab_contract.core.strict_json import WireError, read_json
from fauxlab_contract.openapi.document import Document
from fauxlab_contract.openapi.operation import Operation, Variant, variants_of
from fauxlab_contract.openapi.schema import Schema

__all__ = ["TRACK_ID", "hook_checked"]

TRACK_ID = -(2**53) - 1  # negative, and beyond what 32 bits or a double can hold
COMES_WITHIN_S, AGAIN_WITHIN_S, LOOK_S = 10.0, 6.0, 0.5


def hook_checked(probe: Probe, life: ObservedJob, receiver: Receiver, name: str) -> Iterator[float]:
    """Wait for the webhook of a job that has ended, and a little for a second one; then compare it
    with what fetches said.
    """
    waited_s = 0.0
    while not receiver.events(name) and waited_s < COMES_WITHIN_S:
        yield probe.target.now() + LOOK_S
        waited_s += LOOK_S
    yield probe.target.now() + AGAIN_WITHIN_S
    events = receiver.events(name)
    life.moments += [Moment(round(event.at - life.began, 3), "webhook", "") for event in events]
    if not events:
        message = (
            f"{life.label}: it ended as {life.last_word}; {waited_s:g} s later no webhook had come."
        )
        probe.find("webhook-missing", message, life.submit)
        return
    if len(events) > 1:
        probe.find(
            "webhook-repeated",
            f"{life.label}: its webhook came {len(events)} times; the first was answered with 200.",
            life.submit,
        )
    for problem_rule, message in _problems(probe, life, events[0]):
        probe.find(problem_rule, f"{life.label}: {message}", life.submit)


def _problems(probe: Probe, life: ObservedJob, event: Event) -> Iterator[tuple[str, str]]:
    names, words = probe.conventions.fields, probe.conventions.words
    try:
        body = read_json(event.body)
    except WireError as error:
        body = str(error)
    if not isinstance(body, dict):
        yield "webhook-body", f"its webhook is no JSON object: {str(body)[:100]}"
        return
    if probe.options.key in event.body.decode("utf-8", "replace"):
        yield "key-echoed", "the key stands in its webhook."
    word = body.get(names.status)
    if word == words.processing:
        yield "webhook-early", "its webhook says that it is processing."
        return
    if "json" not in event.media_type:
        yield (
            "webhook-body",
            f"its webhook is labelled {event.media_type[:60]!a}, not application/json.",
        )
    yield from _schema(probe.document, life.operation, body)
    for rule, _, problem in problem_of_numbers(body, probe.conventions):
        yield rule, f"in its webhook: {problem}"
    for problem in meta_problems(life, body):
        yield "meta-differs", f"in its webhook: {problem}"
    if (word == words.success) != (life.last_word == words.success):
        yield (
            "webhook-body",
            f"its webhook says {json.dumps(word)[:40]}, fetches say {life.last_word}.",
        )
    if not _same(body.get(names.id), life.number):
        ids = [json.dumps(number)[:40] for number in (body.get(names.id), life.number)]
        yield "webhook-body", f"its webhook has the id {ids[0]}, the submit had {ids[1]}."
    output = life.links(names.output)
    if word == words.success and names.output in body and output and body[names.output] != output:
        yield (
            "webhook-body",
            (
                "the output in its webhook is not that of the fetch:"
                f" {json.dumps(body[names.output])[:200]}."
            ),
        )
    sent = life.body.get(names.track_id)
    if not _same(body.get(names.track_id), sent):
        came = json.dumps(body[names.track_id])[:60] if names.track_id in body else "nothing"
        yield (
            "track-id",
            (
                f"{names.track_id} was sent as {'nothing' if sent is None else sent} and came back"
                f" as {came}."
            ),
        )


def _same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and bool(one == other)


def _schema(
    document: Document, operation: Operation, body: Mapping[str, Any]
) -> Iterator[tuple[str, str]]:
    """What the body breaks of the callback that the document declares, if it declares one."""
    variants = _variants(document, operation)
    word = body.get(document.conventions.fields.status)
    if not variants:
        return
    if not isinstance(word, str) or word not in variants:
        yield (
            "webhook-body",
            f"its webhook has the status {json.dumps(word)[:40]}; there are {', '.join(variants)}.",
        )
        return
    for violation in variants[word].check.violations(body):
        yield "webhook-body", f"in its webhook: {violation}"


def _variants(document: Document, operation: Operation) -> Mapping[str, Variant]:
    for _, callback in document.at(operation.pointer).member("callbacks").members():
        for _, item in callback.members():
            body = item.member("post").member("requestBody")
            media = body.member("content").member("application/json")
            schema = Schema.of(media.member("schema"))
            if schema.value is not None:
                return variants_of(schema, document.conventions)
    return {}
