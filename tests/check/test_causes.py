"""One finding for one cause, the heaviest first, and hygiene apart from broken promises."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from fauxlab_contract.check.causes import by_weight
from fauxlab_contract.check.findings import Report
from fauxlab_contract.check.options import PHASES, Options
from fauxlab_contract.check.probe import Probe
from fauxlab_contract.check.rules import HYGIENE, RULES
from fauxlab_contract.check.run import check
from fauxlab_contract.core.http import HttpRequest, HttpResponse, json_call
from fauxlab_contract.core.rules import SEVERITIES
from fauxlab_contract.openapi.document import load_document
from mutants.score import ServerTarget
from mutants.server import GOOD_KEY, Server

BUNDLED = load_document()


def checked(mutant: str, *only: str, **options: Any) -> Report:
    server = Server(mutant, None, seed=0)
    chosen = Options(GOOD_KEY, only=only or PHASES, **options)
    return check(ServerTarget(server), BUNDLED, chosen)


@pytest.mark.parametrize(
    "mutant, phase, rule",
    [
        ("S17.any", "robustness", "media-type-ignored"),
        ("S16.duplicates-last", "robustness", "lenient-json"),
        ("S04.width-float", "boundaries", "whole-float-refused"),
        ("S15.any-scheme", "boundaries", "webhook-host"),
        ("E07.length", "lifecycle", "head-differs"),
    ],
)
def test_hygiene_is_a_warning_and_silent_as_written(mutant: str, phase: str, rule: str) -> None:
    """A habit that most servers have is a warning of its own group, and breaks no schema."""
    strict = checked(mutant, phase)
    as_written = checked(mutant, phase, profile="as-written")

    assert [(one.rule, one.severity, one.group) for one in strict.findings] == [
        (rule, "warning", HYGIENE)
    ]
    assert strict.is_ok
    assert as_written.findings == ()


def test_a_limit_that_is_not_enforced_is_one_finding() -> None:
    """All values of one field that were taken by mistake are one cause, with the steps."""
    (finding,) = checked("S06.round", "boundaries").findings

    assert (finding.rule, finding.field) == ("invalid-accepted", "guidance_scale")
    assert finding.times == len(finding.steps) > 1


def test_a_member_that_is_wrong_in_every_reply_is_one_finding() -> None:
    """The replies to submits and fetches share a fault: one finding, at a place of the document."""
    findings = [
        one for one in checked("S23.id-text", "lifecycle").findings if one.rule == "reply-schema"
    ]

    assert [one.field for one in findings] == ["id"]
    assert findings[0].times > 1
    assert BUNDLED.at(findings[0].where).value is not None


def test_a_reply_with_the_same_fault_twice_counts_once() -> None:
    """How often a finding was made is how many replies have the fault, not how many items."""

    class WrongItems(ServerTarget):
        def send(self, sent: HttpRequest, within_s: float) -> HttpResponse:  # noqa: ARG002
            return HttpResponse(200, {"content-type": "application/json"}, body)

    body = b'{"status": "success", "id": 7, "output": [3, 4]}'
    target = WrongItems(Server(None, None, seed=0))
    probe = Probe(target, BUNDLED, Options(GOOD_KEY))
    submit = next(one for one in BUNDLED.operations if one.kind == "submit")
    for _ in range(3):
        probe.ask(submit, json_call(f"{target.url}{submit.path}", {}, {}), waits=False)

    (finding,) = [one for one in probe.findings.values() if one.rule == "reply-schema"]
    assert finding.times == 3


def test_the_heaviest_comes_first() -> None:
    """Errors before warnings, then in the order of the table, whatever the order of the phases;
    a crash by nonsense alone comes later than one by a plain request.
    """
    (one,) = checked("S06.round", "boundaries").findings
    mixed = [
        replace(one, rule=rule, severity=RULES[rule].severity, phase=phase)
        for rule, phase in (
            ("lenient-json", "boundaries"),
            ("invalid-accepted", "boundaries"),
            ("never-ends", "lifecycle"),
            ("never-ends", "examples"),
            ("crash", "robustness"),
            ("crash", "boundaries"),
        )
    ]

    assert [(each.rule, each.phase) for each in by_weight(mixed)] == [
        ("never-ends", "examples"),
        ("never-ends", "lifecycle"),
        ("crash", "boundaries"),
        ("invalid-accepted", "boundaries"),
        ("crash", "robustness"),
        ("lenient-json", "boundaries"),
    ]


def test_the_table_of_rules_is_in_the_order_of_severity() -> None:
    """The order of the table is the weight; hygiene comes last, and is never an error."""
    severities = [SEVERITIES.index(rule.severity) for rule in RULES.values()]
    groups = [rule.group for rule in RULES.values()]

    assert severities == sorted(severities)
    assert groups == sorted(groups)
    assert "error" not in {rule.severity for rule in RULES.values() if rule.group}


@pytest.mark.parametrize(
    "mutant, rules",
    [
        ("S23.id-text", ["reply-schema"]),
        ("S21.submit-array", ["reply-not-json"]),
        ("S28.missing", ["reply-schema"]),
        ("S31.all", ["id-shared"]),
        ("S30.fetch", ["id-changed"]),
        ("E13.forgotten", ["job-lost"]),
        ("S18.error-500", ["crash"]),
    ],
)
def test_what_comes_of_a_fault_is_not_told_beside_it(mutant: str, rules: list[str]) -> None:
    """An id of another type is no change of it, and of a lost or shared job nothing is known."""
    assert [one.rule for one in checked(mutant).findings] == rules


@pytest.mark.parametrize(
    "body, member, shown",
    [
        ('{"a": 1}', "output", '{"a": 1}'),
        (
            '{"pad": "' + "x" * 600 + '", "output": 7}',
            "meta.output",
            '{"pad": "' + "x" * 91 + "... " + "x" * 97 + '", "output": 7}... (624 bytes)',
        ),
        (
            "x" * 700 + f"{GOOD_KEY}!",
            "$KEY",
            "x" * 100 + "... " + "x" * 100 + "$KEY!... (720 bytes)",
        ),
        ("x" * 700, "output", "x" * 500 + "... (700 bytes)"),
    ],
)
def test_what_came_shows_the_place_that_it_is_about(body: str, member: str, shown: str) -> None:
    """A long reply is cut around the member that is wrong, or around the key, which is hidden."""
    target = ServerTarget(Server(None, None, seed=0))

    assert Probe(target, BUNDLED, Options(GOOD_KEY)).cut(body.encode(), member) == shown


def test_a_finding_names_line_and_column_of_the_document() -> None:
    """The place is where the member or the field stands in the file."""
    (finding,) = checked("S06.round", "boundaries").findings

    file, line, _ = finding.place.split(":")
    assert file == "openapi.yaml"
    assert BUNDLED.data.decode().splitlines()[int(line) - 1].strip() == "minimum: 1"


def test_a_crash_says_what_was_sent() -> None:
    """The case stands before the sentence, since no place in the document tells it."""
    (finding,) = [one for one in checked("S16.array-crash").findings if one.rule == "crash"]

    assert finding.message.startswith("an array around the body: POST /")
