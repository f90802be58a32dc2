"""Waivers by rule, field and place, and baselines of what is known: the same for all reports."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from typing import ClassVar

import pytest

from fauxlab_contract.core.gate import Baseline, Identity, read_waiver
from fauxlab_contract.core.rules import Finding, Findings, Rule, table_of

RULES = table_of(Rule("broken", "error", ""), Rule("risky", "warning", ""))


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedFinding(Finding):
    """A finding with places."""

    places: tuple[str, ...] = ()

    def found_at(self) -> tuple[str, ...]:
        return self.places


@dataclass(frozen=True, slots=True)
class PlacedFindings(Findings):
    """A report of such findings."""

    findings: tuple[Finding, ...] = ()
    waived: tuple[Finding, ...] = ()
    unused_waivers: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    judge: ClassVar = "placed"
    known_rules: ClassVar = RULES


def found(field: str = "", *places: str, message: str = "It broke.") -> PlacedFinding:
    return PlacedFinding("broken", "error", message, field=field, places=places)


@pytest.mark.parametrize(
    "text, waiver",
    [
        ("broken=we know", ("broken", "we know")),
        (" broken:width = a=b ", ("broken:width", "a=b")),
        ("broken@stuck=x", ("broken@stuck", "x")),
        ("broken:a@POST /x=y", ("broken:a@POST /x", "y")),
    ],
)
def test_a_waiver_is_read(text: str, waiver: tuple[str, str]) -> None:
    """The name ends at the first equals sign; blanks around both do not count."""
    assert read_waiver(text, RULES) == waiver


@pytest.mark.parametrize(
    "text, message",
    [
        ("broken", "a waiver is RULE[:FIELD][@PLACE]=REASON, and 'broken' has no reason"),
        ("=x", "a waiver is RULE[:FIELD][@PLACE]=REASON, and '=x' names no rule"),
        ("broken=", "waive 'broken' with a reason; this one is blank"),
        ("brokn@a=x", "no rule is called 'brokn'; did you mean broken?"),
        ("broken:=x", "the waiver 'broken:' names no field behind its :"),
        ("broken:a@=x", "the waiver 'broken:a@' names no place behind its @"),
    ],
)
def test_what_is_no_waiver_is_refused(text: str, message: str) -> None:
    """The sentence says what is wrong, and what was probably meant."""
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        read_waiver(text, RULES)


def test_an_identity_is_named_from_the_closest_to_the_widest() -> None:
    """By field and place, by one of them, by the rule."""
    assert Identity("a", "b", "c").names() == ["a:b@c", "a:b", "a@c", "a"]
    assert Identity("a").names() == ["a"]


def test_a_finding_has_one_identity_for_each_field_at_each_place() -> None:
    """Several fields stand in one text, places in a tuple; none is empty."""
    names = [str(one) for one in found("a, b", "x", "y").identities()]

    assert names == ["broken:a@x", "broken:a@y", "broken:b@x", "broken:b@y"]
    assert found().identities() == [Identity("broken")]


@pytest.mark.parametrize(
    "waivers, reason",
    [
        ({"broken@x": "1"}, ""),
        ({"broken@x": "1", "broken@y": "2"}, "1; 2"),
        ({"broken:a@x": "1", "broken": "2"}, "1; 2"),
        ({"broken:a": "1", "broken": "2"}, "1"),
        ({"broken:a@z": "1"}, ""),
    ],
)
def test_a_finding_at_several_places_is_waived_when_each_is(
    waivers: dict[str, str], reason: str
) -> None:
    """The closest waiver gives the reason of each place."""
    report = PlacedFindings((found("a", "x", "y"),)).with_waivers(waivers)

    assert [one.waived for one in report.waived] == ([reason] if reason else [])
    assert len(report.findings) == (0 if reason else 1)


def test_a_waiver_of_a_wrong_place_is_told_with_the_right_one() -> None:
    """It was perhaps meant for a finding that is there."""
    report = PlacedFindings((found("", "out_of_order"),)).waive("broken@out_of_ordr", "x")

    assert report.remarks() == [
        "  waived but never found: broken@out_of_ordr; did you mean broken@out_of_order?"
    ]


def test_only_what_a_baseline_does_not_know_counts() -> None:
    """Known is the same rule, severity, field and place, whatever the message says."""
    then = PlacedFindings((found("a", "x"), found("b", "x")))
    baseline = Baseline.read(then.as_baseline().as_bytes())
    new = (found("a", "y"), found("c", "x"), replace(found("b", "x"), severity="warning"))

    report = PlacedFindings((found("a", "x", message="7 times."), *new)).against(baseline)

    assert report.findings == new
    assert [one.message for one in report.waived] == ["7 times."]
    assert (report.gone, report.as_dict()["gone"]) == (("broken:b@x",), ["broken:b@x"])
    assert str(report).splitlines()[-2:] == [
        "  in the baseline: 1 finding",
        "  in the baseline, and not found this time: broken:b@x",
    ]


def test_a_finding_with_a_new_place_is_new() -> None:
    """All its places must be in the baseline."""
    baseline = PlacedFindings((found("", "x", "y"),)).as_baseline()

    assert PlacedFindings((found("", "y"),)).against(baseline).is_ok
    assert not PlacedFindings((found("", "y", "z"),)).against(baseline).is_ok


def test_a_baseline_leaves_waived_findings_out_and_keeps_known_ones() -> None:
    """Those have reasons already; written anew, what is still there stays."""
    report = PlacedFindings((found("a"), found("b"))).waive("broken:a", "we know")
    first = report.as_baseline()
    second = report.against(first).as_baseline()

    assert first.known == {("broken", "error", "b", "")} == second.known
    assert report.against(first).gone == ()


def test_many_gone_findings_are_told_in_one_line() -> None:
    """Five by name; JSON has them all."""
    baseline = PlacedFindings(tuple(found(name) for name in "abcdefg")).as_baseline()
    report = PlacedFindings().against(baseline)

    assert report.remarks() == [
        "  in the baseline, and not found this time: broken:a, broken:b, broken:c, broken:d,"
        " broken:e and 2 more"
    ]
    assert len(report.gone) == 7


def test_the_file_has_one_finding_on_each_line() -> None:
    """In order, whatever the order of the report; empty is JSON, too."""
    report = PlacedFindings((found("b"), found("a", "é")))

    assert report.as_baseline().as_bytes().decode() == (
        '{"fauxlab_baseline": 1, "judge": "placed", "findings": [\n'
        '  {"rule": "broken", "severity": "error", "field": "a", "place": "\\u00e9"},\n'
        '  {"rule": "broken", "severity": "error", "field": "b", "place": ""}\n'
        "]}\n"
    )
    assert json.loads(PlacedFindings().as_baseline().as_bytes())["findings"] == []


@pytest.mark.parametrize(
    "text, message",
    [
        ("openapi: 3.1.0", "b.json is no baseline: it is not JSON"),
        ("[]", "b.json is no baseline that this fauxlab reads: "),
        ('{"fauxlab_baseline": 2, "judge": "x"}', '"fauxlab_baseline" must be 1'),
        ('{"fauxlab_baseline": 1, "judge": "x"}', '"findings" must be a list'),
        (
            '{"fauxlab_baseline": 1, "judge": "x", "findings": [{"rule": "a", "severity": 1}]}',
            "b.json: /findings/0: a finding has rule, severity, field, place, all of them texts",
        ),
    ],
)
def test_what_is_no_baseline_is_refused(text: str, message: str) -> None:
    """With the name of the file, what is wrong, and where."""
    with pytest.raises(ValueError, match=re.escape(message)):
        Baseline.read(text.encode(), "b.json")


def test_the_baseline_of_another_judge_is_refused() -> None:
    """The same id may mean something else there."""
    with pytest.raises(ValueError, match=r"^b is a baseline of 'audit', not of placed$"):
        PlacedFindings().against(Baseline("audit", frozenset(), "b"))
