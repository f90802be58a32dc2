"""A check's report in its four forms: whole texts for a small one, and nothing that a hostile server says gets out of its place."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fauxlab_contract.checks.finding import RULES, Finding, JobLife, Moment, PhaseResult, Point, Report
from fauxlab_contract.report import as_json, junit, shown, summary, text

SUBMIT = "POST /pictures"
CURL = """curl -sS -X POST http://127.0.0.1:4010/pictures --data-binary '{"key":"'"$KEY"'","width":1025}'"""
WARNING = Finding(
    "media-type", "warning", "examples", SUBMIT, "It is text/plain.", "/paths/~1pictures/post", "POST /pictures {}", "HTTP 200", ""
)
ERROR = Finding(
    "invalid-accepted", "error", "boundaries", SUBMIT, "width 1025 was accepted.", "/schemas/A/width", "POST … 1025", "HTTP 200 {}", CURL, 2
)
POINTS = (
    Point(SUBMIT, "width", "width at maximum", "1024", True, "accepted", 1024.0),
    Point(SUBMIT, "width", "width past maximum by 1", "1025", False, "accepted", 1025.0),
    Point(SUBMIT, "width", "width null", "null", False, "refused"),
)
LIFE = JobLife("7", "the first job", 2, (Moment(0.01, "submit", "processing"), Moment(2.0, "webhook", ""), Moment(2.1, "fetch", "success")))
REPORT = Report(
    url="http://127.0.0.1:4010",
    document="openapi.yaml",
    profile="strict",
    errors="any",
    seed=0,
    phases=(PhaseResult("examples", 3, 3, 3, 0.024, 1), PhaseResult("boundaries", 118, 118, 48, 10.25, 1)),
    findings=(WARNING, ERROR),
    not_covered=("boundaries: 2 left out by the budget: seed 0, seed 1", "not asked for: lifecycle"),
    points=POINTS,
    lives=(LIFE,),
    calls=121,
    submits=51,
    seconds=10.274,
)
QUIET = replace(REPORT, findings=(), not_covered=())


def test_the_text_says_everything_in_order() -> None:
    """A head, the phases, errors before warnings, what was not covered, and the summary as the last line."""
    assert text(REPORT) == (
        "fauxlab check of http://127.0.0.1:4010\n"
        "document openapi.yaml, profile strict, errors any, seed 0\n"
        "\n"
        "phase       steps  calls  submits  seconds  findings\n"
        "examples        3      3        3      0.0         1\n"
        "boundaries    118    118       48     10.2         1\n"
        "\n"
        "1 error:\n"
        "\n"
        "1. invalid-accepted (boundaries, 2 times)\n"
        "   width 1025 was accepted.\n"
        "   where  openapi.yaml#/schemas/A/width\n"
        "   sent   POST … 1025\n"
        "   came   HTTP 200 {}\n"
        "   advice Check it before a job is made of it.\n"
        f"   {CURL}\n"
        "\n"
        "1 warning:\n"
        "\n"
        "1. media-type (examples)\n"
        "   It is text/plain.\n"
        "   where  openapi.yaml#/paths/~1pictures/post\n"
        "   sent   POST /pictures {}\n"
        "   came   HTTP 200\n"
        "   advice Send Content-Type: application/json.\n"
        "\n"
        "not covered:\n"
        "  - boundaries: 2 left out by the budget: seed 0, seed 1\n"
        "  - not asked for: lifecycle\n"
        "\n"
        "fauxlab check: 2 findings (1 error, 1 warning); 121 calls, 51 submits, 10.3 s\n"
    )


@pytest.mark.parametrize(
    "report, expected",
    [
        (QUIET, "fauxlab check: 0 findings; 121 calls, 51 submits, 10.3 s"),
        (replace(QUIET, findings=(ERROR,), calls=1, submits=1), "fauxlab check: 1 finding (1 error); 1 call, 1 submit, 10.3 s"),
        (replace(QUIET, findings=(WARNING, WARNING)), "fauxlab check: 2 findings (2 warnings); 121 calls, 51 submits, 10.3 s"),
    ],
)
def test_the_summary_counts(report: Report, expected: str) -> None:
    """One line: findings by kind, calls, submits, seconds."""
    assert summary(report) == expected


def test_a_quiet_report_is_short() -> None:
    """Without findings there is the head, the phases and the summary."""
    assert text(QUIET).splitlines()[-3:] == ["boundaries    118    118       48     10.2         1", "", summary(QUIET)]


def test_the_json_has_every_member() -> None:
    """The members of Report, findings in the order of the text with their advice, and what a program asks first."""
    error = {
        "rule": "invalid-accepted",
        "severity": "error",
        "phase": "boundaries",
        "operation": SUBMIT,
        "message": "width 1025 was accepted.",
        "where": "/schemas/A/width",
        "sent": "POST … 1025",
        "came": "HTTP 200 {}",
        "curl": CURL,
        "times": 2,
        "advice": RULES["invalid-accepted"].advice,
    }
    point = {
        "operation": SUBMIT,
        "field": "width",
        "label": "width at maximum",
        "value": "1024",
        "is_valid": True,
        "came": "accepted",
        "number": 1024.0,
        "is_right": True,
    }
    told = json.loads(as_json(replace(REPORT, findings=(ERROR,), points=POINTS[:1])))

    assert told == {
        "format": "fauxlab-check/1",
        "is_ok": False,
        "summary": "fauxlab check: 1 finding (1 error); 121 calls, 51 submits, 10.3 s",
        "url": "http://127.0.0.1:4010",
        "document": "openapi.yaml",
        "profile": "strict",
        "errors": "any",
        "seed": 0,
        "phases": [
            {"name": "examples", "steps": 3, "calls": 3, "submits": 3, "seconds": 0.024, "findings": 1},
            {"name": "boundaries", "steps": 118, "calls": 118, "submits": 48, "seconds": 10.25, "findings": 1},
        ],
        "findings": [error],
        "not_covered": ["boundaries: 2 left out by the budget: seed 0, seed 1", "not asked for: lifecycle"],
        "points": [point],
        "lives": [
            {
                "job_id": "7",
                "label": "the first job",
                "eta_s": 2,
                "moments": [
                    {"at_s": 0.01, "what": "submit", "came": "processing"},
                    {"at_s": 2.0, "what": "webhook", "came": ""},
                    {"at_s": 2.1, "what": "fetch", "came": "success"},
                ],
            }
        ],
        "calls": 121,
        "submits": 51,
        "seconds": 10.274,
    }


def test_the_json_is_json_for_every_parser() -> None:
    """Numbers that are none become null, halves of surrogate pairs the replacement character."""
    point = replace(POINTS[0], value="\ud800", number=float("inf"))

    told = json.loads(as_json(replace(QUIET, points=(point,))), parse_constant=pytest.fail)

    assert (told["points"][0]["value"], told["points"][0]["number"]) == ("\ufffd", None)


def test_junit_has_a_suite_for_each_phase() -> None:
    """An error is a failed test with a name that stays, a warning is output of the test that the phase was done."""
    assert junit(REPORT) == (
        "<?xml version='1.0' encoding='utf-8'?>\n"
        '<testsuites name="fauxlab check" time="10.274" tests="3" failures="1" errors="0">\n'
        '  <testsuite name="examples" tests="1" failures="0" errors="0" skipped="0" time="0.024">\n'
        '    <testcase classname="fauxlab.check.examples" name="the phase was done" time="0.024">\n'
        "      <system-out>warning: media-type\n"
        "It is text/plain.\n"
        "where: openapi.yaml#/paths/~1pictures/post\n"
        "sent: POST /pictures {}\n"
        "came: HTTP 200\n"
        "advice: Send Content-Type: application/json.\n"
        "\n"
        "not covered: not asked for: lifecycle</system-out>\n"
        "    </testcase>\n"
        "  </testsuite>\n"
        '  <testsuite name="boundaries" tests="2" failures="1" errors="0" skipped="0" time="10.250">\n'
        '    <testcase classname="fauxlab.check.boundaries" name="the phase was done" time="10.250">\n'
        "      <system-out>not covered: boundaries: 2 left out by the budget: seed 0, seed 1</system-out>\n"
        "    </testcase>\n"
        '    <testcase classname="fauxlab.check.boundaries" name="invalid-accepted: POST /pictures: /schemas/A/width"'
        ' file="openapi.yaml">\n'
        '      <failure type="invalid-accepted" message="width 1025 was accepted.">width 1025 was accepted.\n'
        "where: openapi.yaml#/schemas/A/width\n"
        "sent: POST … 1025\n"
        "came: HTTP 200 {}\n"
        "advice: Check it before a job is made of it.\n"
        f"again: {CURL}\n"
        "seen 2 times</failure>\n"
        "    </testcase>\n"
        "  </testsuite>\n"
        "</testsuites>\n"
    )


@pytest.mark.parametrize(
    "value, expected",
    [
        ("\x1b[2Jgone", "\\x1b[2Jgone"),
        ("a\r\nb\x00", "a\\r\\nb\\x00"),
        ("\u202efdp.exe", "\\u202efdp.exe"),
        ("\ud800\ufffe", "\\ud800\\ufffe"),
        ("größe 😀 שלום", "größe 😀 שלום"),
        ("x" * 1_000, "x" * 1_000),
        ("x" * 1_002, "x" * 1_000 + "… (2 more characters)"),
    ],
)
def test_a_text_from_a_server_is_shown_as_one_harmless_line(value: str, expected: str) -> None:
    """Control characters and marks of direction become escapes, long texts are cut, all other scripts stay."""
    assert shown(value) == expected


ANYTHING = st.text(st.characters(exclude_categories=()), max_size=30) | st.sampled_from(
    ["<script>alert(1)</script>", "</title><b>", "]]>", "\"'><img src=x onerror=y>", "&lt;", "\x00", "\x1b[2J", "-->", "\u202e", "\ud800"]
)


@st.composite
def hostile_reports(draw: st.DrawFn) -> Report:
    """Reports with any text wherever text may stand."""
    some = [draw(ANYTHING) for _ in range(18)]
    number = draw(st.none() | st.floats() | st.integers().map(float))
    finding = replace(ERROR, severity=draw(st.sampled_from(["error", "warning"])), phase=some[0], operation=some[1], message=some[2])
    finding = replace(finding, where=some[3], sent=some[4], came=some[5], curl=some[6], rule=draw(st.just("crash") | ANYTHING))
    point = Point(some[7], some[8], some[9], some[10], draw(st.booleans()), some[11], number)
    moments = tuple(Moment(draw(st.floats(-1, 1e9)), what, came) for what, came in (some[12:14], some[14:16]))
    life = JobLife(some[16], some[17], draw(st.none() | st.floats()), moments)
    phase = PhaseResult(draw(ANYTHING), 1, 1, 1, 0.5, 1)
    values: dict[str, Any] = {
        "phases": (phase,),
        "findings": (finding, WARNING),
        "not_covered": (draw(ANYTHING),),
        "points": (point,),
        "lives": (life,),
    }
    return replace(REPORT, **values, url=draw(ANYTHING), document=draw(ANYTHING), profile=draw(ANYTHING), errors=draw(ANYTHING))


@given(hostile_reports())
def test_no_text_breaks_a_form(report: Report) -> None:
    """Whatever a server says: the text is printable lines, the JSON and the XML are well-formed, and each comes out the same again."""
    root = ET.fromstring(junit(report).encode())  # noqa: S314 # our own XML

    assert all(line.isprintable() for line in text(report).split("\n"))
    assert json.loads(as_json(report))["format"] == "fauxlab-check/1"
    assert {element.tag for element in root.iter()} <= {"testsuites", "testsuite", "testcase", "failure", "system-out"}
    assert (text(report), as_json(report), junit(report)) == (text(report), as_json(report), junit(report))
