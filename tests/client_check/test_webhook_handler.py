"""`check_webhook_handler`: row C27 of the broken clients, and handlers that are right."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any

import pytest

from fauxlab_mock.client_check.webhook_handler import check_webhook_handler

Act = Callable[[int], object]


def careful(ids: frozenset[int], act: Act) -> Callable[[bytes], int]:
    """Acts once, in the background, on a success with an output of a job that it knows."""
    done: set[int] = set()

    def handler(body: bytes) -> int:
        event = json.loads(body)
        number = event.get("id")
        if number not in ids:
            return 404
        if number not in done and event["status"] == "success" and event.get("output"):
            done.add(number)
            threading.Thread(target=act, args=(number,), daemon=True).start()
        return 200

    return handler


def twice(ids: frozenset[int], act: Act) -> Callable[[bytes], int]:
    """Forgets what it has done."""

    def handler(body: bytes) -> int:
        return careful(ids, act)(body)

    return handler


def anybody(ids: frozenset[int], act: Act) -> Callable[[bytes], int]:
    """Does not look whether the job is its own."""
    return lambda body: careful(frozenset({json.loads(body)["id"]}), act)(body)


def late(ids: frozenset[int], act: Act) -> Callable[[bytes], int]:
    """Acts first, and answers afterwards."""
    done: set[int] = set()

    def handler(body: bytes) -> int:
        number = json.loads(body)["id"]
        if number in ids - done:
            done.add(number)
            act(number)
        return 200

    return handler


def bare(ids: frozenset[int], act: Act) -> Callable[[bytes], int]:
    """Reads the output of whatever comes."""

    def handler(body: bytes) -> int:
        assert json.loads(body)["output"][0]
        return 200

    return handler


def refusing(ids: frozenset[int], act: Act) -> Callable[[bytes], int]:
    """Answers the second delivery with a conflict."""
    seen: list[bytes] = []

    def handler(body: bytes) -> int:
        seen.append(body)
        return 409 if len(seen) > 1 else 200

    return handler


@pytest.mark.parametrize(
    "make, rules",
    [
        (careful, set()),
        (twice, {"webhook-acted-twice"}),
        (anybody, {"webhook-acted-twice", "webhook-unknown-accepted"}),
        (late, {"webhook-answered-late"}),
        (bare, {"crashed"}),
        (refusing, {"webhook-refused"}),
    ],
    ids=lambda one: getattr(one, "__name__", ""),
)
def test_handlers_are_told_apart(make: Any, rules: set[str]) -> None:
    """Each is found by the rules that it breaks, and the careful one by none."""
    report = check_webhook_handler(make)

    assert {finding.rule for finding in report.findings} == rules


def test_a_waived_rule_of_a_handler() -> None:
    """Reasons count here as well."""
    assert check_webhook_handler(late, waive={"webhook-answered-late": "a batch job"}).is_ok


def one_argument(ids: frozenset[int]) -> Callable[[bytes], int]:
    """A `make` that does not take `act`."""
    return careful(ids, print)


def answering_later(ids: frozenset[int], act: Act) -> Any:
    """Makes a handler that is async."""

    async def handler(body: bytes) -> int:
        return careful(ids, act)(body)

    return handler


@pytest.mark.parametrize(
    "make, message",
    [
        (
            one_argument,
            "the first argument must be make(ids, act), which returns a handler of webhooks; it is"
            " one_argument, which takes (ids: 'frozenset[int]')",
        ),
        (
            lambda *_: None,
            "the first argument must be make(ids, act), which returns a handler of webhooks; it"
            " returned a value of type NoneType",
        ),
        (
            answering_later,
            "the handler must not be async; wrap it: lambda body: asyncio.run(handler(body))",
        ),
    ],
)
def test_a_make_that_makes_no_handler_is_one_clear_error(make: Any, message: str) -> None:
    """What is called, how, and what came instead."""
    with pytest.raises(TypeError) as caught:
        check_webhook_handler(make)

    assert str(caught.value) == message
