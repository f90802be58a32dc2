"""What the journal keeps of a call, and the line that the log writes of it."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from typing import Any

import pytest

from documents import altered
from driving import JSON_TYPE, KEY, SUBMIT, VALID, make_mock, submit
from fauxlab_mock.engine.messages import Call, Decision
from fauxlab_mock.runtime.journal import Log
from fauxlab_mock.runtime.mock import Mock
from fauxlab_mock.settings import Settings


def echoing(text: str) -> Mock:
    """A mock whose replies have `text` as their message."""

    def echo(_: Call, decision: Decision) -> Decision:
        body = {**decision.reply.body, "message": text}
        return replace(decision, reply=replace(decision.reply, body=body))

    return make_mock(transform_reply=echo)


@pytest.mark.parametrize(
    "text, kept",
    [(f"your key {KEY} is fine", "your key *** is fine"), ("your key is fine",) * 2],
)
def test_a_reply_that_holds_the_key_is_journaled_without_it(text: str, kept: str) -> None:
    """The client gets the reply as it is; the journal keeps the rest of it."""
    mock = echoing(text)

    answer = submit(mock)

    (exchange,) = mock.requests
    assert answer.body["message"] == text
    assert exchange.reply == answer.body | {"message": kept}


def rename_status(tree: Any) -> None:
    """Let the bundled document call its status `state`."""
    tree["x-fauxlab"] = {"fields": {"status": "state"}}
    text = json.dumps(tree).replace('"status"', '"state"')
    text = text.replace('{"fields": {"state": "state"}}', '{"fields": {"status": "state"}}')
    tree.clear()
    tree.update(json.loads(text))


@pytest.mark.parametrize("form", ["text", "json"])
def test_the_log_says_the_status_by_the_documents_own_name(form: str) -> None:
    """A document that calls it otherwise has its states in the log all the same."""
    log, document = io.StringIO(), altered(rename_status)
    mock = Mock(
        Settings(clock="manual"),
        document=document,
        on_exchange=Log(form, log, document.conventions),
    )

    body = json.dumps(VALID).encode()
    answer = mock.handle(Call("POST", SUBMIT, JSON_TYPE, body))

    line = log.getvalue()
    outcome = json.loads(line)["outcome"] if form == "json" else line.split()[5]
    assert (answer.body["state"], outcome) == ("processing", "processing")
