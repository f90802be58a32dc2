"""Rules: what is to happen to calls that choose nothing themselves.

The first rule that matches, and that its gates let act, wins.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, TypedDict, get_args

from fauxlab_contract.core.secrets import hidden, is_secret_name, scrub, secret_in
from fauxlab_contract.core.text import did_you_mean, either, no_such
from fauxlab_mock.behaviour.faults import FAULTS, read_delay
from fauxlab_mock.behaviour.scenarios import MAX_ETA_S, SCENARIOS, CallKind

__all__ = ["Rule", "RuleGates", "read_rules", "rule_of"]

__tracebackhide__ = True  # pytest shows the line that gave a wrong rule

NEEDS_REFUSAL = "retry_after needs a scenario that refuses calls, such as rate_limited"
KINDS = get_args(CallKind)


@dataclass(frozen=True, slots=True)
class Rule:
    """What is to happen to which calls that choose nothing themselves.

    What happens, at least one of these:
    `scenario`: the name of a scenario; one that plans a job acts on submits alone.
    `fault`: the name of a fault.
    `delay`: "0.2" or "0.1-0.5", real seconds that the answer is held back.
    `retry_after`: whole seconds that the scenario's refusal tells the client to wait.

    Which calls it matches (default: all):
    `kind`: submit, fetch or plain. `key`: their API key. `body`: members of their JSON body.
    `from_s`, `to_s`: seconds of the mock's clock after its start.

    On which of those it acts (default: all):
    `after`: not on the first so many. `times`: on so many and no more. `probability`: on each with
    this chance, from 0 (not at all) to 1; the mock's seed alone decides.

    `seen` and `used` count the calls that it matched, and those that it acted on. ValueError for
    values that make no sense, and for a rule that can never act.
    """

    scenario: str | None = None
    fault: str | None = None
    delay: str | None = None
    kind: CallKind | None = None
    key: str | None = field(default=None, repr=False, metadata={"secret": True})
    body: Mapping[str, Any] = field(default_factory=dict, repr=False)  # may hold a key as well
    times: int | None = None
    after: int = 0
    probability: float = 1.0
    from_s: float = 0.0
    to_s: float | None = None
    retry_after: int | None = None
    seen: int = 0
    used: int = 0

    def __post_init__(self) -> None:
        _one_of("scenario", self.scenario, SCENARIOS)
        _one_of("fault", self.fault, FAULTS)
        _one_of("kind", self.kind, KINDS)
        delay: Any = self.delay
        if type(delay) in (int, float):
            object.__setattr__(self, "delay", f"{delay:f}")
        if self.delay is not None:
            try:
                read_delay(str(self.delay))
            except ValueError as error:
                raise ValueError(f"delay {error}") from None
        if self.scenario is None and self.fault is None and self.delay is None:
            raise ValueError("a rule needs a scenario, a fault or a delay")
        if self.key is not None and not isinstance(self.key, str):
            raise ValueError("key must be a string")
        if not isinstance(self.body, Mapping):
            raise ValueError("body must be an object of fields and values")
        _number("times", self.times, 1, whole=True, optional=True)
        for name in ("after", "seen", "used"):
            _number(name, getattr(self, name), 0, whole=True)
        _number("probability", self.probability, 0, 1)
        _number("from_s", self.from_s, 0)
        _number("to_s", self.to_s, 0, optional=True)
        _number("retry_after", self.retry_after, 0, MAX_ETA_S, whole=True, optional=True)
        refuses = self.scenario is not None and SCENARIOS[self.scenario].refusal is not None
        if self.retry_after is not None and not refuses:
            raise ValueError(NEEDS_REFUSAL)
        if reason := self._why_never():
            raise ValueError(f"this rule can never act: {reason}")

    def _why_never(self) -> str:
        """Return why no call can be one that the rule acts on; empty if there may be one."""
        scenario = None if self.scenario is None else SCENARIOS[self.scenario]
        if scenario and self.kind and not scenario.acts_on(self.kind):
            return (
                f"the scenario {scenario.name} acts on calls of the kind"
                f" {either([kind for kind in KINDS if scenario.acts_on(kind)])}, not {self.kind}"
            )
        if self.probability == 0:
            return "its probability is 0"
        if self.to_s is not None and self.to_s <= self.from_s:
            return f"to_s ({self.to_s:g}) is not after from_s ({self.from_s:g})"
        return ""

    def __str__(self) -> str:
        """`scenario 'failed', times 2`: what was asked for, without the counts."""
        plain = {member.name: member.default for member in fields(self)}
        asked = self.as_dict().items()
        return ", ".join(
            f"{name} {value!r}"
            for name, value in asked
            if name not in ("seen", "used") and value != plain[name]
        )

    def matches(
        self,
        kind: str,
        key: str | None,
        body: Mapping[str, Any],
        since_start_s: float,
        *,
        is_wrong: bool,
    ) -> bool:
        """Return True if the rule speaks about a call of this kind, key, body and time.

        A call that breaks the contract `is_wrong`.
        """
        is_before_end = self.to_s is None or since_start_s < self.to_s
        in_time = self.from_s <= since_start_s and is_before_end
        fits = (
            self.kind in (None, kind)
            and self.key in (None, key)
            and all(body.get(name, _NOTHING) == self.body[name] for name in self.body)
        )
        acts = self.scenario is None or SCENARIOS[self.scenario].acts_on(kind)
        return in_time and fits and acts and not (is_wrong and self.needs_valid)

    @property
    def needs_valid(self) -> bool:
        """True if nothing of the rule acts on calls that break the contract.

        They plan no job; but faults, delays and refusals come before the contract.
        """
        if self.scenario is None or self.fault or self.delay:
            return False
        scenario = SCENARIOS[self.scenario]
        return scenario.refusal is None or scenario.reads_body

    def acts(self, seed: int, place: int) -> bool:
        """Return True if the gates let the rule act on the call that it matches now.

        Chance depends on the seed, the place in the list and the count alone.
        """
        is_used_up = self.times is not None and self.used >= self.times
        if is_used_up or self.seen < self.after:
            return False
        if self.probability >= 1:
            return True
        chance = random.Random(f"rule:{seed}:{place}:{self.seen}").random()
        return chance < self.probability

    @property
    def is_plain(self) -> bool:
        """True for a scenario and nothing else, which would never end."""
        if self.scenario is None:
            return False
        return replace(self, seen=0, used=0) == Rule(self.scenario)

    def counted(self, *, acted: bool) -> Rule:
        """Return the rule after one more call that it matched."""
        return replace(self, seen=self.seen + 1, used=self.used + acted)

    def as_dict(self) -> dict[str, Any]:
        """Return the members that say something, and the counts.

        Keys are hidden, also in the body.
        """
        row = {member.name: getattr(self, member.name) for member in fields(self)}
        row["body"] = dict(self.body)
        for secret in (self.key, *_secrets_in(self.body)):
            secret_text = secret_in(secret)
            row = {name: scrub(value, secret_text) for name, value in row.items()}
        for member in fields(self):
            if member.metadata and row[member.name] is not None:
                row[member.name] = hidden(getattr(self, member.name))
        return {name: value for name, value in row.items() if value is not None and value != {}}


_NOTHING = object()


class RuleGates(TypedDict, total=False):
    """Which calls a rule acts on, and when: the fields of `Rule` beside what it does.

    `times` stands apart, because `Mock.scenario` and `Mock.fault` name it themselves.
    """

    delay: str | None
    kind: CallKind | None
    key: str | None
    body: Mapping[str, Any]
    after: int
    probability: float
    from_s: float
    to_s: float | None
    retry_after: int | None


def _secrets_in(value: Any, name: str = "") -> Iterator[str]:
    """Every text that stands where a key does."""
    if isinstance(value, str) and is_secret_name(name):
        yield value
    elif isinstance(value, Mapping):
        for inner, item in value.items():
            yield from _secrets_in(item, str(inner))
    elif isinstance(value, list):
        for item in value:
            yield from _secrets_in(item, name)


def _one_of(name: str, value: Any, known: Any) -> None:
    if value is not None and (not isinstance(value, str) or value not in known):
        raise ValueError(no_such(name, str(value), known))


def _number(
    name: str,
    value: Any,
    least: float,
    most: float = 1e12,
    *,
    whole: bool = False,
    optional: bool = False,
) -> None:
    kinds = (int,) if whole else (int, float)
    if optional and value is None:
        return
    if type(value) in kinds and least <= value <= most:
        return
    wanted = "a whole number" if whole else "a number"
    wanted += f" from {least:g}"
    if most < 1e12:
        wanted += f" to {most:g}"
    if optional:
        wanted += ", or nothing"
    raise ValueError(f"{name} must be {wanted}, not {str(value)[:40]!a}")


def rule_of(row: Any) -> Rule:
    """Return the rule that an object of JSON or YAML describes; ValueError says what is wrong."""
    known = [member.name for member in fields(Rule) if member.name not in ("seen", "used")]
    if not isinstance(row, Mapping):
        raise ValueError("a rule must be an object")
    unknown = [str(name)[:40] for name in row if name not in known]
    if unknown:
        raise ValueError(
            f"a rule has no member {', '.join(unknown)}; {did_you_mean(unknown[0], known)}"
        )
    return Rule(**row)


def read_rules(rows: Any) -> tuple[Rule, ...]:
    """Return the rules in a list of JSON or YAML; ValueError names the place of a bad one."""
    if not isinstance(rows, list):
        raise ValueError("rules must be a list")
    rules = []
    for place, row in enumerate(rows, 1):
        try:
            rules.append(rule_of(row))
        except ValueError as error:
            raise ValueError(f"rule {place}: {error}") from None
    return tuple(rules)
