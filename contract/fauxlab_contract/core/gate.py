"""What lets findings pass: waivers, each with a reason, and a baseline of what is known already.

Both name a finding by its rule, its field and where it was found, never by its message, whose
figures change from run to run.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from fauxlab_contract.core.strict_json import JsonLimits, WireError, read_json
from fauxlab_contract.core.text import did_you_mean, must_be

__all__ = [
    "IN_BASELINE",
    "Baseline",
    "Identity",
    "Known",
    "check_waivers",
    "read_baseline",
    "read_waiver",
]

IN_BASELINE = "in the baseline"  # the reason why a known finding does not count
_LIMITS = JsonLimits(body_bytes=50 * 2**20)
_VERSION = 1
_MEMBERS = ("rule", "severity", "field", "place")  # of a finding in a baseline
_ALIKE = 0.5  # of difflib: a wrong id and the ids that may have been meant
_SHAPE = "RULE[:FIELD][@PLACE]=REASON"


class Identity(NamedTuple):
    """What tells one finding from another, from run to run.

    `place` is where it was found: a trial, an operation, or a place in a document.
    """

    rule: str
    field: str = ""
    place: str = ""

    def __str__(self) -> str:
        field = f":{self.field}" if self.field else ""
        place = f"@{self.place}" if self.place else ""
        return f"{self.rule}{field}{place}"

    def names(self) -> list[str]:
        """Return the waivers that are about it, the closest first: `["a:b@c", "a:b", …]`."""
        rule, field, place = self
        wider = [self, Identity(rule, field), Identity(rule, "", place), Identity(rule)]
        return list(dict.fromkeys(map(str, wider)))


def read_waiver(text: str, rules: Collection[str]) -> tuple[str, str]:
    """Return the name and the reason of a waiver.

    `steady-polling@stuck = we are few` -> `("steady-polling@stuck", "we are few")`. Raise
    ValueError for another text and for an unknown rule.
    """
    name, equals, reason = (part.strip() for part in text.partition("="))
    if not equals:
        raise ValueError(f"a waiver is {_SHAPE}, and {text[:80]!a} has no reason")
    if not name:
        raise ValueError(f"a waiver is {_SHAPE}, and {text[:80]!a} names no rule")
    check_waivers({name: reason}, rules)
    return name, reason


def check_waivers(waivers: Mapping[str, str], rules: Collection[str]) -> None:
    """Raise ValueError for a waiver of an unknown rule, and for one without a reason.

    Raise TypeError for what maps no texts to texts.
    """
    __tracebackhide__ = True
    if not isinstance(waivers, Mapping):
        raise TypeError(f"waive takes {{rule: reason}}, not {str(waivers)[:80]!a}")
    for name, reason in waivers.items():
        if not isinstance(name, str) or not isinstance(reason, str):
            raise TypeError(
                "waive takes {rule: reason}, both of them texts, not"
                f" {{{str(name)[:80]!a}: {str(reason)[:80]!a}}}"
            )
        rule, *others = re.split("([:@])", name)
        if rule not in rules:
            hint = did_you_mean(rule, rules, _ALIKE, most=3)
            raise ValueError(f"no rule is called {rule[:40]!a}; {hint}")
        if others and not others[-1]:
            what = "field" if others[-2] == ":" else "place"
            raise ValueError(f"the waiver {name[:80]!a} names no {what} behind its {others[-2]}")
        if not reason.strip():
            raise ValueError(f"waive {name[:80]!a} with a reason; this one is blank")


Known = tuple[str, str, str, str]  # rule, severity, field, place


@dataclass(frozen=True, slots=True)
class Baseline:
    """Findings that are known already: `report.against(baseline)` counts only the others.

    `report.as_baseline()` makes one of what was found.

    `judge` is whose findings they are, `source` the name of the file; `known` holds rule, severity,
    field and place of each, so that one that has become more serious is new.
    """

    judge: str
    known: frozenset[Known]
    source: str = "baseline"

    @classmethod
    def read(cls, data: bytes, source: str = "baseline") -> Baseline:
        """Read what `as_bytes` wrote. Raise ValueError, with its source, for anything else."""
        if not isinstance(data, bytes):
            raise TypeError(must_be("data", "the bytes of a baseline file", data))
        try:
            tree = read_json(data, _LIMITS)
        except WireError:
            raise ValueError(f"{source} is no baseline: it is not JSON") from None
        members = tree if isinstance(tree, dict) else {}
        version, judge = members.get("fauxlab_baseline"), members.get("judge")
        if version != _VERSION or not isinstance(judge, str):
            raise ValueError(
                f'{source} is no baseline that this fauxlab reads: "fauxlab_baseline" must be'
                f' {_VERSION} and "judge" a name; write the file anew with --write-baseline'
            )
        entries = members.get("findings")
        if not isinstance(entries, list):
            raise ValueError(f'{source} is no baseline: "findings" must be a list')
        known = [_entry(entry, f"{source}: /findings/{i}") for i, entry in enumerate(entries)]
        return cls(judge, frozenset(known), source)

    def as_bytes(self) -> bytes:
        """Return the baseline as JSON, each finding on a line of its own, in order."""
        entries = [
            json.dumps(dict(zip(_MEMBERS, known, strict=True))) for known in sorted(self.known)
        ]
        listed = ",\n".join(f"  {entry}" for entry in entries)
        head = f'"fauxlab_baseline": {_VERSION}, "judge": {json.dumps(self.judge)}'
        return f'{{{head}, "findings": [\n{listed}\n]}}\n'.encode()

    def gone(self, found: Collection[Known]) -> tuple[str, ...]:
        """Return the names of what is known and was not found, in order."""
        left = self.known.difference(found)
        return tuple(sorted({str(Identity(rule, *where)) for rule, _, *where in left}))

    def check_judge(self, judge: str) -> None:
        """Raise ValueError if the findings are those of another judge."""
        if judge != self.judge:
            raise ValueError(f"{self.source} is a baseline of {self.judge[:40]!a}, not of {judge}")


def read_baseline(option: str, file: str) -> Baseline:
    """Read the baseline in a file that an option names.

    Raise ValueError, which begins with the option, if it cannot be read or is none.
    """
    try:
        with open(file, "rb") as stream:
            data = stream.read(_LIMITS.body_bytes + 1)
    except OSError as error:
        raise ValueError(f"{option} {file} cannot be read: {error.strerror or error}") from None
    try:
        return Baseline.read(data, file)
    except ValueError as error:
        raise ValueError(f"{option}: {error}") from None


def _entry(value: Any, place: str) -> Known:
    match value:
        case {"rule": str(rule), "severity": str(severity), "field": str(field), "place": str(at)}:
            return rule, severity, field, at
    raise ValueError(f"{place}: a finding has {', '.join(_MEMBERS)}, all of them texts")
