"""From a call's headers and body to a checked request."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fauxlab_contract.core.pointers import pointer_to
from fauxlab_contract.core.secrets import is_secret_name, scrub, secret_in
from fauxlab_contract.core.strict_json import (
    WireError,
    check_encoding,
    check_media_type,
    read_json,
)
from fauxlab_contract.core.violation import Violation, kind_of, summary
from fauxlab_contract.openapi.document import Document, Match
from fauxlab_contract.openapi.operation import Operation, RequestBody
from fauxlab_contract.validation.bodies import coerce_request, request_violations
from fauxlab_contract.validation.parameters import parameter_violations
from fauxlab_mock.behaviour.preferences import Preferences, read_preferences
from fauxlab_mock.behaviour.refusals import REFUSALS, Refused, unknown_name
from fauxlab_mock.behaviour.rules import Rule
from fauxlab_mock.behaviour.scenarios import KEY_PREFIX, SCENARIOS
from fauxlab_mock.engine.job import owner_of
from fauxlab_mock.settings import Settings

__all__ = ["Reader", "RequestFacts", "random_seed"]

_MALFORMED_TIP = "Send a POST with Content-Type: {} and one valid JSON object."


@dataclass(slots=True)
class RequestFacts:
    """What is known of one call.

    The engine fills it step by step, so that a refusal on the way still leaves the facts for the
    journal. `origin` is what links in the reply begin with. `sent` is the body as it came, `body`
    as it takes effect. `key` is None for an operation that takes none; `owner` stands for it where
    the key itself must not. `wrong` refuses what breaks the contract, unless something else comes
    before. `rules`, `fault`, `delay` and `retry_after` are what a rule made of the call. `hint` is
    what there is to say about the call beside the reply.
    """

    origin: str = ""
    operation: Operation | None = None
    sent: dict[str, Any] | None = field(default=None, repr=False)
    body: dict[str, Any] = field(default_factory=dict, repr=False)
    key: str | None = field(default=None, repr=False)
    owner: str | None = None
    preferences: Preferences = field(default_factory=Preferences)
    wrong: Refused | None = None
    scenario: str | None = None
    rules: tuple[Rule, ...] | None = None
    fault: str | None = None
    delay: tuple[float, float] | None = None
    retry_after: int | None = None
    job_id: int | None = None
    refusal: str | None = None
    violations: tuple[Violation, ...] = ()
    hint: str = ""

    @property
    def key_scenario(self) -> str | None:
        if self.key is None or not self.key.startswith(KEY_PREFIX):
            return None
        return self.key.removeprefix(KEY_PREFIX)


def random_seed(seed: int, job_id: int) -> int:
    """Return the seed of a request that brings none.

    It is below 2^32, and the same for the same mock and job.
    """
    digest = hashlib.sha256(f"seed:{seed}:{job_id}".encode()).digest()
    return int.from_bytes(digest[:4], "big")


class Reader:
    """Reads calls by one document and one set of settings."""

    def __init__(self, document: Document, settings: Settings) -> None:
        self.settings = settings
        self.names = document.conventions.fields

    def read(
        self,
        facts: RequestFacts,
        match: Match,
        headers: Mapping[str, str],
        body: bytes,
        query: str,
        next_id: int,
    ) -> None:
        """Fill in the facts of a call.

        What breaks the contract is refused by `facts.wrong`, for much may come before that. Raise
        `Refused` for a misuse of the mock.
        """
        facts.operation = operation = match.operation
        value, is_read = None, False
        if operation.request is not None and not _is_other(operation.request, headers):
            is_read = True
            try:
                value = self._value(facts, operation.request, headers, body)
                self._take(facts, operation, value)
            except Refused as refused:
                if refused.refusal.is_own:
                    raise
                facts.wrong = refused
        facts.preferences = read_preferences(headers.get("prefer"))
        facts.hint = facts.hint or facts.preferences.hint
        if self.settings.validation == "coerce":
            facts.body = coerce_request(
                operation, facts.body, random_seed(self.settings.seed, next_id)
            )
        if self.settings.validation == "off" or facts.wrong is not None:
            return
        if operation.parameters:
            facts.violations = parameter_violations(
                operation, match.parameters, query, headers, secret_in(facts.key)
            )
        if is_read:
            self._judge_body(facts, operation, facts.body if isinstance(value, dict) else value)
        if facts.violations:
            facts.wrong = self._refusal(facts.violations)

    def _take(self, facts: RequestFacts, operation: Operation, value: Any) -> None:
        """Fill in the body and the key. Raise `Refused` for a key that is not accepted."""
        if isinstance(value, dict):
            facts.sent = facts.body = value
        facts.key = self._text_key(operation, facts.body)
        facts.owner = None if facts.key is None else owner_of(facts.key)
        self._check_key(facts)

    def _judge_body(self, facts: RequestFacts, operation: Operation, body: Any) -> None:
        found = request_violations(operation, body)
        is_all = not facts.violations and self.settings.validation == "strict"
        if found and is_all and isinstance(body, dict):
            facts.hint = _coercion(operation, body, facts.key) or facts.hint
        facts.violations += found

    def _value(
        self, facts: RequestFacts, request: RequestBody, headers: Mapping[str, str], body: bytes
    ) -> Any:
        """Return the JSON value of a body; `{}` for none where none is needed."""
        if not body and not request.obliged:
            return {}
        try:
            check_media_type(headers.get("content-type"), request.media_types)
            check_encoding(headers.get("content-encoding"))
            value = read_json(body, self.settings.limits)
        except WireError as error:
            facts.hint = str(error)
            case = "encoding" if error.rule == "encoding" else "malformed"
            tip = _MALFORMED_TIP.format(request.media_type)
            raise Refused(case, extra={"tip": f"{error} {tip}"}) from None
        if request.wants_object_not(value):
            facts.hint = f"The body must be a JSON object, not {kind_of(value)}."
            tip = f"{facts.hint} {_MALFORMED_TIP.format(request.media_type)}"
            raise Refused("malformed", extra={"tip": tip})
        return value

    def _text_key(self, operation: Operation, body: Mapping[str, Any]) -> str | None:
        """Return the key, "" if there is no text, None if the operation has no such field."""
        if operation.request is None or self.names.key not in operation.request.properties:
            return None
        key = body.get(self.names.key)
        return key if isinstance(key, str) else ""

    def _check_key(self, facts: RequestFacts) -> None:
        """Refuse an empty key, one that is not listed, and one that names no scenario.

        A key that is missing, or not text, is left to the schema.
        """
        key, listed = facts.key, self.settings.keys
        if key is None:
            return
        if key == "":
            is_text = facts.body.get(self.names.key) == ""
            if is_text or self.settings.validation == "off":
                raise Refused("missing_key")
        elif key in listed:
            return
        elif facts.key_scenario is not None:
            _check_scenario(facts.key_scenario)
        elif listed:
            raise Refused("invalid_key")

    def _refusal(self, violations: tuple[Violation, ...]) -> Refused:
        pointer = pointer_to([self.names.key])
        others = [
            violation
            for violation in violations
            if violation.pointer != pointer or violation.keyword != "required"
        ]
        if len(others) == len(violations):
            return Refused("invalid", summary(violations))
        message = REFUSALS["missing_key"].message
        if others:
            message += f". {summary(others)}"
        return Refused("missing_key", message)


def _is_other(request: RequestBody, headers: Mapping[str, str]) -> bool:
    """Return True for a body of a type that the document allows beside JSON: it is not read."""
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    return kind in request.other_types


def _check_scenario(name: str) -> None:
    """Refuse a key that begins like those that choose a scenario, and chooses none."""
    if name not in SCENARIOS:
        before = f"A key that begins with {KEY_PREFIX} chooses a scenario. "
        raise unknown_name("scenario", name, SCENARIOS, before)


def _coercion(operation: Operation, body: Mapping[str, Any], key: str | None) -> str:
    """Return what `--validation coerce` would make of a body; empty if it would refuse it too."""
    coerced = coerce_request(operation, body, 0)
    if request_violations(operation, coerced):
        return ""
    secret, declared = secret_in(key), operation.request.properties if operation.request else {}
    changes = []
    for name, value in body.items():
        if value is None and name in declared:
            changes.append(f"{name} null as absent")
        elif type(coerced[name]) is not type(value):
            change = f"{name} {value[:40]!a} as {coerced[name]}"
            changes.append(name if is_secret_name(name) else str(scrub(change, secret)))
    changes += [f"no {name} as any" for name in coerced if name not in body]
    return f"--validation coerce would take it: {', '.join(changes)}"
