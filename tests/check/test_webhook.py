"""What a webhook must be: each rule broken by one webhook, and a right one that breaks none."""

from __future__ import annotations

import json
from typing import Any

import pytest

from driving import BUNDLED, KEY
from fauxlab_contract.check.jobs.observed_job import ObservedJob
from fauxlab_contract.check.oracle import ObservedReply, meta_problems, read_reply
from fauxlab_contract.check.phases.webhook import webhook_problems
from fauxlab_contract.check.receiver import Event
from fauxlab_contract.core.http import JSON_TYPE, HttpRequest, HttpResponse
from fauxlab_contract.openapi.document import Document, read_document
from fauxlab_contract.openapi.operation import Operation

OUTPUT = ["https://example.com/1.png"]
SENT = {"key": KEY, "prompt": "a wish", "width": 256, "track_id": 5, "webhook": "http://x.test/"}
SUCCESS: dict[str, Any] = {
    "status": "success",
    "generationTime": 1.5,
    "id": 7,
    "output": OUTPUT,
    "proxy_links": OUTPUT,
    "track_id": 5,
    "meta": {"width": 256, "prompt": "a wish"},
}
FAILED: dict[str, Any] = {"status": "failed", "id": 7, "message": "No.", "track_id": 5}
WITHOUT_CALLBACK = read_document(
    b"""
openapi: 3.1.0
info: {title: t, version: '1'}
paths:
  /a:
    post:
      requestBody: {content: {application/json: {schema: {type: object}}}}
      responses: {'200': {description: d, content: {application/json: {schema: {type: object}}}}}
"""
)


def reply_of(operation: Operation, body: Any) -> ObservedReply:
    response = HttpResponse(200, JSON_TYPE, json.dumps(body).encode())
    return read_reply(operation, HttpRequest("POST", "http://127.0.0.1:9/"), response)


def job_of(last: dict[str, Any], document: Document = BUNDLED) -> ObservedJob:
    """A job whose last fetch was answered with `last`."""
    submit = document.operations[0]
    processing = reply_of(submit, {"status": "processing", "id": 7, "eta": 5})
    job = ObservedJob(submit, submit, SENT, "the job", processing, 0.0)
    job.replies.append(reply_of(submit, last))
    return job


def problems(
    body: Any,
    last: dict[str, Any] = SUCCESS,
    media_type: str = "application/json",
    document: Document = BUNDLED,
) -> list[tuple[str, str]]:
    """Everything that is wrong with a webhook of a job that ended as `last`."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return list(
        webhook_problems(document, KEY, job_of(last, document), Event(1.0, media_type, data))
    )


def without(body: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name not in names}


@pytest.mark.parametrize("body", [SUCCESS, FAILED])
def test_a_right_webhook_breaks_nothing(body: dict[str, Any]) -> None:
    """A success and a failure that say what the fetch said."""
    assert problems(body, last=body) == []


@pytest.mark.parametrize(
    "body, found",
    [
        (
            b"nonsense",
            [("webhook-body", "its webhook is not a JSON object: The body is not JSON:")],
        ),
        (b"[1]", [("webhook-body", "its webhook is not a JSON object: [1]")]),
        (
            {**SUCCESS, "note": KEY},
            [("key-echoed", "the key is in its webhook.")],
        ),
        (
            {"status": "processing", "id": 1},
            [("webhook-early", "its webhook says that it is processing.")],
        ),
        (
            {**SUCCESS, "status": "done"},
            [
                ("webhook-body", 'its webhook has the status "done"; there are success, '),
                ("webhook-body", 'its webhook says "done", fetches say success.'),
            ],
        ),
        (
            without(SUCCESS, "status"),
            [
                ("webhook-body", "its webhook has the status null; there are success, "),
                ("webhook-body", "its webhook says null, fetches say success."),
            ],
        ),
        (
            FAILED,
            [("webhook-body", 'its webhook says "failed", fetches say success.')],
        ),
        (
            {**SUCCESS, "output": "x"},
            [
                ("webhook-body", "in its webhook: output must be an array"),
                ("webhook-body", 'the output in its webhook differs from the fetch: "x".'),
            ],
        ),
        (
            {**SUCCESS, "output": ["https://example.com/2.png"]},
            [
                (
                    "webhook-body",
                    "the output in its webhook differs from the fetch:"
                    ' ["https://example.com/2.png"].',
                )
            ],
        ),
        (
            {**SUCCESS, "generationTime": -1},
            [("generation-time", "in its webhook: generationTime is -1, below 0.")],
        ),
        ({**SUCCESS, "eta": -2}, [("eta", "in its webhook: eta is -2, below 0.")]),
        (
            {**SUCCESS, "meta": {"width": 512}},
            [("meta-differs", "in its webhook: meta shows width as 512, sent was 256.")],
        ),
        (
            {**SUCCESS, "id": 8},
            [("webhook-body", "its webhook has the id 8, the submit had 7.")],
        ),
        (
            {**SUCCESS, "track_id": 6},
            [("track-id", "track_id was sent as 5 and came back as 6.")],
        ),
        (
            without(SUCCESS, "track_id"),
            [("track-id", "track_id was sent as 5 and came back as nothing.")],
        ),
    ],
)
def test_a_wrong_webhook_is_told_by_its_rule(body: Any, found: list[tuple[str, str]]) -> None:
    """One thing wrong at a time: its rule and its sentence, and nothing else."""
    told = problems(body)

    assert [rule for rule, _ in told] == [rule for rule, _ in found]
    for (_, message), (_, start) in zip(told, found, strict=True):
        assert message.startswith(start)


def test_the_type_of_an_id_counts() -> None:
    """The text "7" is another id than the number 7."""
    (*_, last) = problems({**SUCCESS, "id": "7"})

    assert last == ("webhook-body", 'its webhook has the id "7", the submit had 7.')


def test_a_wrong_label_is_told() -> None:
    """A webhook is labelled as JSON."""
    assert problems(SUCCESS, media_type="text/plain") == [
        ("webhook-body", "its webhook is labelled 'text/plain', not application/json.")
    ]
    assert problems(SUCCESS, media_type="application/json; charset=utf-8") == []


def test_without_a_declared_callback_no_schema_is_asked_for() -> None:
    """Where the document describes no callback, any status and any member will do."""
    body = {**SUCCESS, "output": 5, "status": "success"}

    assert problems(body, last=without(SUCCESS, "output"), document=WITHOUT_CALLBACK) == []


@pytest.mark.parametrize(
    "meta, found",
    [
        ({"width": "256"}, []),
        ({"width": 256.0}, []),
        ({"width": "wide"}, ['meta shows width as the text "wide", sent was 256.']),
        ({"width": None}, []),
        ({"track_id": 9}, []),
        ({"prompt": "a wish, and more"}, []),
        ({"prompt": "a"}, ['meta shows prompt as the text "a", sent was the text "a wish".']),
        ({"unknown": 5}, []),
        ("no object", []),
    ],
)
def test_meta_repeats_the_request(meta: Any, found: list[str]) -> None:
    """Numbers have the value that was sent, as text or not, and the prompt is whole."""
    job = job_of(SUCCESS)

    assert list(meta_problems(job.operation, job.body, {"meta": meta})) == found
