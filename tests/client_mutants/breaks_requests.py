"""Clients whose requests are wrong: rows C1 to C14 and C24."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from typing import Any

from client_mutants.plain import FAMILY, SUBMIT, Flow, Plain, Send
from fauxlab_contract.core.violation import Violation

__all__ = ["BREAKS"]

Rows = list[tuple[str, str, type[Plain]]]


def overlooking(matches: Callable[[str, str, Any], bool]) -> type[Plain]:
    """A client that does not see some violations: (field, keyword, value)."""

    class Overlooking(Plain):
        def overlooks(self, violation: Violation, body: Mapping[str, Any]) -> bool:
            name = violation.pointer[1:]
            return matches(name, violation.keyword, body.get(name))

    return Overlooking


def with_body(change: Callable[[dict[str, Any]], dict[str, Any]]) -> type[Plain]:
    """A client that changes a body after it was checked."""

    class Sending(Plain):
        def submit_call(self, body: Mapping[str, Any]) -> Send:
            return Send(self.base_url + SUBMIT.path, change(dict(body)))

    return Sending


def fetching(send: Callable[[Plain, Any], Send]) -> type[Plain]:
    """A client that fetches in another way."""

    class Fetching(Plain):
        def fetch_call(self, job: Mapping[str, Any]) -> Send:
            return send(self, job["id"])

    return Fetching


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _texts(body: dict[str, Any]) -> dict[str, Any]:
    return {name: str(value) if _is_number(value) else value for name, value in body.items()}


def _renamed(**names: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda body: {names.get(name, name): value for name, value in body.items()}


class NotANumber(Plain):
    """Compares, and every comparison with NaN is false; writes JSON that is none."""

    def check(self, body: Mapping[str, Any]) -> None:
        bounded = {
            name: 5 if isinstance(value, float) and math.isnan(value) else value
            for name, value in body.items()
        }
        super().check(bounded)

    def submit_call(self, body: Mapping[str, Any]) -> Send:
        if not any(isinstance(value, float) and math.isnan(value) for value in body.values()):
            return super().submit_call(body)
        return Send(
            self.base_url + SUBMIT.path, text=json.dumps(dict(body)), media="application/json"
        )


class NoneAsNull(Plain):
    def body(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        return {"key": self.key, **fields}

    def overlooks(self, violation: Violation, body: Mapping[str, Any]) -> bool:
        return body.get(violation.pointer[1:], "") is None


class NoSeed(Plain):
    """Has nothing to do with seeds."""

    def body(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in super().body(fields).items() if name != "seed"}

    def overlooks(self, violation: Violation, body: Mapping[str, Any]) -> bool:
        return violation.pointer == "/seed"


class NullSeed(NoSeed):
    def body(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        return {**super().body(fields), "seed": None}


class SeedOnlyIfTrue(Plain):
    """`if seed:` loses the seed 0, `seed or None` sends null for it."""

    def submit_call(self, body: Mapping[str, Any]) -> Send:
        return Send(
            self.base_url + SUBMIT.path,
            {name: value for name, value in body.items() if name != "seed" or value},
        )


class AsForm(Plain):
    def submit_call(self, body: Mapping[str, Any]) -> Send:
        return Send(
            self.base_url + SUBMIT.path, form={name: str(value) for name, value in body.items()}
        )


class AsText(Plain):
    def submit_call(self, body: Mapping[str, Any]) -> Send:
        return Send(self.base_url + SUBMIT.path, text=json.dumps(dict(body)))


class KeyInQuery(Plain):
    def submit_call(self, body: Mapping[str, Any]) -> Send:
        return Send(f"{self.base_url}{SUBMIT.path}?key={self.key}", dict(body))


class KeyInLink(Plain):
    """Downloads, with the key behind the link."""

    def wait(self, job: Mapping[str, Any]) -> Flow:
        links = yield from super().wait(job)
        yield Send(f"{links[0]}?key={self.key}", method="GET")
        return links


class KeyInFetchPath(Plain):
    def fetch_call(self, job: Mapping[str, Any]) -> Send:
        return Send(
            f"{self.base_url}{FAMILY}/fetch/{job['id']}?api_key={self.key}", {"key": self.key}
        )


def _fetch_url(client: Plain, number: Any) -> str:
    return f"{client.base_url}{FAMILY}/fetch/{number}"


BREAKS: Rows = [
    (
        "C1.width",
        "width is not bounded",
        overlooking(lambda name, rule, _: name == "width" and rule == "maximum"),
    ),
    (
        "C1.height",
        "height is not bounded",
        overlooking(lambda name, rule, _: name == "height" and rule == "maximum"),
    ),
    (
        "C1.off",
        "a limit is one too high",
        overlooking(lambda name, rule, value: rule == "maximum" and value in (1025, 27)),
    ),
    (
        "C1.steps",
        "steps are not bounded",
        overlooking(lambda name, rule, _: "steps" in name and rule == "maximum"),
    ),
    (
        "C2.none",
        "guidance is not bounded",
        overlooking(lambda name, rule, _: name == "guidance_scale" and "imum" in rule),
    ),
    (
        "C2.int",
        "guidance is compared after int()",
        overlooking(lambda name, rule, value: rule == "maximum" and 10 < value < 11),
    ),
    (
        "C2.round",
        "guidance is rounded first",
        overlooking(lambda name, rule, value: rule == "minimum" and 0.5 < value < 1),
    ),
    ("C3.all", "every number is sent as text", with_body(_texts)),
    (
        "C3.width",
        "width is sent as text",
        with_body(lambda body: body | ({"width": str(body["width"])} if "width" in body else {})),
    ),
    (
        "C3.passed",
        "text is passed on for a number",
        overlooking(lambda name, rule, value: rule == "type" and str(value).isdigit()),
    ),
    (
        "C4.passed",
        "a bool passes for an integer",
        overlooking(lambda name, rule, value: rule == "type" and isinstance(value, bool)),
    ),
    (
        "C5.passed",
        "a float passes for an integer",
        overlooking(lambda name, rule, value: rule == "type" and isinstance(value, float)),
    ),
    ("C6.nan", "NaN passes every comparison", NotANumber),
    ("C7.none", "no seed is sent", NoSeed),
    ("C7.null", "the seed is null", NullSeed),
    ("C7.zero", "the seed 0 is left out", SeedOnlyIfTrue),
    (
        "C8.text",
        "track_id is sent as text",
        with_body(
            lambda body: body | ({"track_id": str(body["track_id"])} if "track_id" in body else {})
        ),
    ),
    (
        "C9.any",
        "a webhook is not looked at",
        overlooking(lambda name, rule, value: name == "webhook" and isinstance(value, str)),
    ),
    (
        "C9.relative",
        "a relative webhook passes",
        overlooking(lambda name, rule, value: name == "webhook" and value in ("hook", "/hook")),
    ),
    (
        "C9.empty",
        "an empty webhook passes",
        overlooking(lambda name, rule, value: name == "webhook" and value == ""),
    ),
    ("C9.null", "None is sent as null", NoneAsNull),
    (
        "C10.fixed",
        "a fixed field is misspelt",
        with_body(lambda body: body | {"negativeprompt": "blurry"}),
    ),
    (
        "C10.guidance",
        "guidance_scale is called guidance",
        with_body(_renamed(guidance_scale="guidance")),
    ),
    (
        "C10.camel",
        "steps are called numInferenceSteps",
        with_body(_renamed(num_inference_steps="numInferenceSteps")),
    ),
    ("C11.form", "the body is a form", AsForm),
    ("C11.text", "the body is text/plain", AsText),
    (
        "C12.get",
        "it polls with GET",
        fetching(lambda client, number: Send(_fetch_url(client, number), method="GET")),
    ),
    (
        "C13.next",
        "it fetches another id",
        fetching(lambda client, number: Send(_fetch_url(client, number + 1), {"key": client.key})),
    ),
    (
        "C13.float",
        "its id is a float",
        fetching(
            lambda client, number: Send(_fetch_url(client, float(number)), {"key": client.key})
        ),
    ),
    (
        "C13.path",
        "it fetches at a path that is not",
        fetching(lambda c, number: Send(f"{c.base_url}/fetch/{number}", {"key": c.key})),
    ),
    (
        "C14.none",
        "it polls without the key",
        fetching(lambda client, number: Send(_fetch_url(client, number), {})),
    ),
    (
        "C14.other",
        "it polls with an empty key",
        fetching(lambda client, number: Send(_fetch_url(client, number), {"key": ""})),
    ),
    ("C24.query", "the key stands in the query of the submit", KeyInQuery),
    ("C24.fetch", "the key stands in the query of the fetch", KeyInFetchPath),
    ("C24.link", "the key stands behind the link", KeyInLink),
]
