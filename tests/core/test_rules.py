"""Rules, findings and the base of all reports: one meaning of ok, worst, assert_ok and waivers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import combinations
from typing import Any, ClassVar

import pytest

from fauxlab_contract.audit.rules import RULES as AUDIT_RULES
from fauxlab_contract.check.rules import RULES as CHECK_RULES
from fauxlab_contract.core.rules import (
    SEVERITIES,
    Finding,
    Findings,
    Rule,
    Severity,
    field_at,
    table_of,
)
from fauxlab_contract.diff.kinds import KINDS
from fauxlab_contract.guard.rules import RULES as GUARD_RULES
from fauxlab_contract.verdict.rules import RULES as VERDICT_RULES
from fauxlab_mock.client_check.report import CLIENT_RULES

TABLES = (AUDIT_RULES, KINDS, CHECK_RULES, GUARD_RULES, VERDICT_RULES, CLIENT_RULES)
ERROR = Finding("broken", "error", "It broke.", "Mend it.", "width")
WARNING = Finding("risky", "warning", "It may break.", "Look at it.")
NOTE = Finding("known", "note", "It is so.")


@dataclass(frozen=True, slots=True)
class Some(Findings):
    """A report of the least size."""

    findings: tuple[Finding, ...] = ()
    waived: tuple[Finding, ...] = ()
    unused_waivers: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    known_rules: ClassVar = table_of(
        Rule("broken", "error", ""), Rule("risky", "warning", ""), Rule("known", "note", "")
    )


def test_an_id_has_one_meaning() -> None:
    """An id may stand in two tables only as the very same rule."""
    shared = [
        (first[id_], second[id_])
        for first, second in combinations(TABLES, 2)
        for id_ in first.keys() & second.keys()
    ]

    assert all(rule is other for rule, other in shared)
    assert len({id(rule) for rule, _ in shared}) >= 5  # what guard, verdict and client check share


@pytest.mark.parametrize("rule", [rule for table in TABLES for rule in table.values()])
def test_every_rule_is_a_rule_and_says_what_to_do(rule: Rule) -> None:
    """Each has a known severity and a whole sentence; all but changes have an advice, too."""
    texts = [rule.summary] if rule.id in KINDS else [rule.summary, rule.advice]

    assert rule.severity in SEVERITIES
    assert [text for text in texts if not re.fullmatch(r"\S.*[.!]", text)] == []


@pytest.mark.parametrize(
    "findings, is_ok, worst, text",
    [
        ((), True, None, "no findings"),
        (
            (NOTE,),
            True,
            "note",
            "1 note\n  note: known: It is so.",
        ),
        (
            (WARNING, NOTE, WARNING),
            True,
            "warning",
            "2 warnings, 1 note\n  warning: risky: It may break. Look at it.\n  note: known: It is"
            " so.\n  warning: risky: It may break. Look at it.",
        ),
        (
            (NOTE, ERROR),
            False,
            "error",
            "1 error, 1 note\n  note: known: It is so.\n  error: broken: It broke. Mend it.",
        ),
    ],
)
def test_only_errors_are_not_ok(
    findings: tuple[Finding, ...], is_ok: bool, worst: Severity | None, text: str
) -> None:
    """A report is ok without an error; it names its most serious severity and all findings."""
    report = Some(findings)

    assert (report.is_ok, report.worst, str(report)) == (is_ok, worst, text)
    assert report.as_dict() == {
        "is_ok": is_ok,
        "worst": worst,
        "findings": [
            {
                "rule": finding.rule,
                "severity": finding.severity,
                "message": finding.message,
                "advice": finding.advice,
                "field": finding.field,
                "waived": "",
            }
            for finding in findings
        ],
        "waived": [],
        "unused_waivers": [],
        "gone": [],
    }


@pytest.mark.parametrize(
    "finding, failing",
    [(ERROR, ["error", "warning", "note"]), (WARNING, ["warning", "note"]), (NOTE, ["note"])],
)
def test_assert_ok_fails_from_a_level_on(finding: Finding, failing: list[str]) -> None:
    """`assert_ok(level)` raises the report as text for a finding at least that serious."""
    report = Some((finding,))

    for level in SEVERITIES:
        if level in failing:
            with pytest.raises(AssertionError, match=re.escape(str(report))):
                report.assert_ok(level)
        else:
            report.assert_ok(level)


@pytest.mark.parametrize("findings", [(), (ERROR,)])
def test_an_unknown_level_is_refused(findings: tuple[Finding, ...]) -> None:
    """A misspelt level is an error at once, whether there are findings or not."""
    level: Any = "erorr"

    with pytest.raises(ValueError, match=r"^level must be error, warning or note, not 'erorr'$"):
        Some(findings).assert_ok(level)


def test_assert_ok_means_errors_without_a_level() -> None:
    """Warnings and notes pass; an error fails."""
    Some((WARNING, NOTE)).assert_ok()
    with pytest.raises(AssertionError, match="1 error"):
        Some((ERROR,)).assert_ok()


def test_what_fails_is_told_where_the_headline_does_not() -> None:
    """A level that is stricter than the report's own says which findings it minds."""
    with pytest.raises(AssertionError) as raised:
        Some((NOTE, NOTE)).assert_ok("note")

    assert str(raised.value).splitlines()[:2] == [
        "2 notes, which assert_ok('note') does not allow",
        "2 notes",
    ]


@pytest.mark.parametrize("waiver", ["broken", "broken:width"])
def test_a_waived_error_is_ok(waiver: str) -> None:
    """By rule, or by rule and field: the finding is kept aside with its reason."""
    report = Some((ERROR, WARNING)).waive(waiver, "we know")

    assert (report.findings, report.is_ok) == ((WARNING,), True)
    assert str(report).splitlines() == [
        "1 warning",
        "  warning: risky: It may break. Look at it.",
        "  error: broken: It broke. Mend it. (waived: we know)",
    ]
    assert [finding.waived for finding in report.waived] == ["we know"]
    assert report.waive("risky", "this too").waived == (
        *report.waived,
        Finding("risky", "warning", "It may break.", "Look at it.", waived="this too"),
    )


def test_a_waiver_of_another_field_waives_nothing() -> None:
    """`rule:field` is about that field alone, and wins over `rule`."""
    assert Some((ERROR,)).waive("broken:height", "we know").findings == (ERROR,)
    both = Some((ERROR,)).with_waivers({"broken": "all", "broken:width": "this one"})
    assert both.waived[0].waived == "this one"


@pytest.mark.parametrize(
    "waiver, reason, message",
    [
        ("broke", "x", "no rule is called 'broke'; did you mean broken?"),
        ("brokn:width", "x", "no rule is called 'brokn'; did you mean broken?"),
        ("zzz", "x", "no rule is called 'zzz'; there are broken, risky, known"),
        ("broken", "", "waive 'broken' with a reason; this one is blank"),
        ("broken:width", " \n", "waive 'broken:width' with a reason; this one is blank"),
    ],
)
def test_a_wrong_waiver_is_refused(waiver: str, reason: str, message: str) -> None:
    """An unknown id is refused with the nearest ones, a blank reason as such."""
    with pytest.raises(ValueError, match=re.escape(message)):
        Some().waive(waiver, reason)


@pytest.mark.parametrize(
    "waive, message",
    [
        (["broken"], "waive takes {rule: reason}, not \"['broken']\""),
        ("broken", "waive takes {rule: reason}, not 'broken'"),
        (
            {"broken": 3},
            "waive takes {rule: reason}, both of them texts, not {'broken': '3'}",
        ),
        (
            {7: "x"},
            "waive takes {rule: reason}, both of them texts, not {'7': 'x'}",
        ),
    ],
)
def test_what_maps_no_rules_to_reasons_is_refused(waive: Any, message: str) -> None:
    """A list of rules, or a reason that is no text, is told in one sentence."""
    with pytest.raises(TypeError, match=f"^{re.escape(message)}$"):
        Some().with_waivers(waive)


def test_a_waiver_that_nothing_needed_is_told() -> None:
    """Below the findings, with the finding that it was perhaps meant for; a used one is not."""
    waivers = {"broken:widht": "x", "risky": "y", "known": "z"}
    report = Some((ERROR, NOTE)).with_waivers(waivers).waive("known", "again")

    assert report.unused_waivers == ("broken:widht", "risky")
    assert str(report).splitlines()[-2:] == [
        "  waived but never found: broken:widht; did you mean broken:width?",
        "  waived but never found: risky",
    ]
    assert report.as_dict()["unused_waivers"] == ["broken:widht", "risky"]


@pytest.mark.parametrize(
    "pointer, field",
    [
        ("", ""),
        ("/paths/~1a/post", ""),
        ("/components/schemas/A/properties/width/maximum", "width"),
        ("/s/properties/scenes/items/properties/prompt", "scenes.prompt"),
        ("/s/properties/properties/type", "properties"),
        ("/s/properties/a~1b~0c", "a/b~c"),
        ("/s/properties", ""),
    ],
)
def test_the_field_of_a_pointer(pointer: str, field: str) -> None:
    """The names behind each `properties` of a place in the document."""
    assert field_at(pointer) == field
