"""A check's report in its four forms: whole texts for a small one, and nothing that a hostile
server says gets out of its place.
"""

from __future__ import annotations

import base64
import hashlib
import json
import math
import re
from collections.abc import Iterable
from dataclasses import replace
from html import escape
from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fauxlab_contract.check.findings import (
    JobLife,
    Moment,
    PhaseResult,
    Point,
    Report,
    ServerFinding,
    StepResult,
)
from fauxlab_contract.check.report.bounds import short
from fauxlab_contract.check.report.formats import as_json, junit, text
from fauxlab_contract.check.report.html import html
from fauxlab_contract.check.rules import RULES

SUBMIT = "POST /pictures"
CURL = (
    "curl -sS -X POST http://127.0.0.1:4010/pictures"
    """ --data-binary '{"key":"'"$KEY"'","width":1025}'"""
)
WARNING = ServerFinding(
    "reply-media-type",
    "warning",
    "It is text/plain.",
    RULES["reply-media-type"].advice,
    phase="examples",
    operation=SUBMIT,
    where="/paths/~1pictures/post",
    sent="POST /pictures {}",
    came="HTTP 200",
    curl="",
    steps=("POST /pictures: smallest",),
)
ERROR = ServerFinding(
    "invalid-accepted",
    "error",
    "width 1025 was accepted.",
    RULES["invalid-accepted"].advice,
    "width",
    phase="boundaries",
    operation=SUBMIT,
    where="/schemas/A/width",
    sent="POST … 1025",
    came="HTTP 200 {}",
    curl=CURL,
    times=2,
    place="openapi.yaml:7:3",
    steps=("POST /pictures: width past maximum by 1", "POST /pictures: width as text"),
)
POINTS = (
    Point(SUBMIT, "width", "width at maximum", "1024", True, "accepted", 1024.0),
    Point(SUBMIT, "width", "width past maximum by 1", "1025", False, "accepted", 1025.0),
    Point(SUBMIT, "width", "width null", "null", False, "refused"),
)
LIFE = JobLife(
    "7",
    "the first job",
    2,
    (
        Moment(0.01, "submit", "processing"),
        Moment(2.0, "webhook", ""),
        Moment(2.1, "fetch", "success"),
    ),
)
REPORT = Report(
    url="http://127.0.0.1:4010",
    document="openapi.yaml",
    profile="strict",
    errors="any",
    seed=0,
    phases=(
        PhaseResult("examples", 3, 3, 3, 0.024, 1),
        PhaseResult("boundaries", 118, 118, 48, 10.25, 1),
    ),
    findings=(WARNING, ERROR),
    not_covered=(
        "boundaries: 2 left out by the budget: seed 0, seed 1",
        "not asked for: lifecycle",
    ),
    points=POINTS,
    lives=(LIFE,),
    calls=121,
    submits=51,
    seconds=10.274,
    steps=(
        StepResult("examples", "POST /pictures: smallest", 0.024),
        StepResult("boundaries", "POST /pictures: width past maximum by 1", 0.25),
        StepResult("boundaries", "POST /pictures: width as text", 0.125),
        StepResult("boundaries", "POST /pictures: seed 0", skipped="left out by the budget"),
    ),
)
QUIET = replace(REPORT, findings=(), not_covered=(), steps=())


SCREEN = """\
fauxlab check: the contract is broken: 1 error, 1 warning; 121 calls, 51 submits, 10.3 s
server http://127.0.0.1:4010, document openapi.yaml (profile strict, errors any, seed 0)

1 error:
  1. invalid-accepted  width 1025 was accepted. (2 times)

1 warning:
  2. reply-media-type  It is text/plain.

not covered:
  - boundaries: 2 left out by the budget: seed 0, seed 1
  - not asked for: lifecycle
"""
DETAILS = """
phase       steps  calls  submits  seconds  findings
examples        3      3        3      0.0         1
boundaries    118    118       48     10.2         1

1. invalid-accepted (boundaries, 2 times)
   width 1025 was accepted.
   where   openapi.yaml:7:3, /schemas/A/width
   sent    POST … 1025
   came    HTTP 200 {}
   also    width as text
   advice  Validate each request before you act on it.
   curl -sS -X POST http://127.0.0.1:4010/pictures \\
--data-binary '{"key":"'"$KEY"'","width":1025}'

2. reply-media-type (examples)
   It is text/plain.
   where   POST /pictures
   sent    POST /pictures {}
   came    HTTP 200
   advice  Send Content-Type: application/json.
"""


LEFT = tuple(
    StepResult("boundaries", name, skipped=why)
    for name, why in (
        ("a", ""),
        ("b", "left out by the budget"),
        ("c", "cut short by --max-calls 5"),
        ("d", "needs a job that could be followed"),
    )
)


def test_the_first_screen_has_a_line_for_each_finding() -> None:
    """The verdict, each finding with its rule and count, errors first, and what was not covered."""
    assert text(REPORT, verbose=False) == SCREEN


def test_what_is_behind_the_findings_follows_the_first_screen() -> None:
    """The phases, then for each finding its place, what was sent and came, advice and command."""
    assert text(REPORT) == SCREEN + DETAILS


@pytest.mark.parametrize(
    "report, expected",
    [
        (QUIET, "the contract is kept; 121 calls, 51 submits, 10.3 s"),
        (
            replace(QUIET, findings=(ERROR,), calls=1, submits=1),
            "the contract is broken: 1 error; 1 call, 1 submit, 10.3 s",
        ),
        (
            replace(QUIET, findings=(WARNING, WARNING)),
            "the contract is kept, with 2 warnings; 121 calls, 51 submits, 10.3 s",
        ),
        (replace(QUIET, calls=0, submits=0), "nothing was checked; 0 calls, 0 submits, 10.3 s"),
        (
            replace(QUIET, calls=5, steps=LEFT),
            "nothing found in 5 calls; 2 steps left out; 5 calls, 51 submits, 10.3 s",
        ),
        (
            replace(QUIET, calls=5, steps=LEFT, findings=(WARNING,)),
            "no error in 5 calls, with 1 warning; 2 steps left out; 5 calls, 51 submits, 10.3 s",
        ),
        (
            replace(QUIET, waived=(ERROR,)),
            "nothing new; 1 known finding; 121 calls, 51 submits, 10.3 s",
        ),
        (
            replace(QUIET, waived=(ERROR,), findings=(WARNING,)),
            "no new error, with 1 warning; 1 known finding; 121 calls, 51 submits, 10.3 s",
        ),
    ],
)
def test_the_verdict_counts(report: Report, expected: str) -> None:
    """One line: the verdict, findings by severity, calls, submits, seconds."""
    assert report.headline() == f"fauxlab check: {expected}"


def test_a_quiet_report_is_short() -> None:
    """Without findings there is the verdict, and what was checked."""
    assert text(QUIET, verbose=False).splitlines() == [
        "fauxlab check: the contract is kept; 121 calls, 51 submits, 10.3 s",
        "server http://127.0.0.1:4010, document openapi.yaml (profile strict, errors any, seed 0)",
    ]


def test_no_line_of_the_text_is_long() -> None:
    """Texts of thousands of characters are cut and broken, and a command stays one that runs."""
    long = replace(
        ERROR, message="m " * 900, sent="s" * 3_000, came="c " * 3_000, curl="c" * 16_000
    )
    many = tuple(replace(long, curl=f"curl 'a{'b' * 1_000}'", where=f"/{n}") for n in range(7))

    lines = text(replace(REPORT, findings=(long, *many), not_covered=("n " * 900,))).splitlines()

    assert max(map(len, lines)) < 200
    assert "   too long for a line; the JSON report has the command" in lines
    assert sum("b'\\" in line for line in lines) == 6 * len(many)


def test_the_json_has_every_member() -> None:
    """The members of Report, findings in the order of the text with their advice, and what a
    program asks first.
    """
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
        "steps": ["POST /pictures: width past maximum by 1", "POST /pictures: width as text"],
        "group": "",
        "place": "openapi.yaml:7:3",
        "advice": RULES["invalid-accepted"].advice,
        "field": "width",
        "waived": "",
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
    some = replace(REPORT, findings=(ERROR,), points=POINTS[:1], steps=REPORT.steps[-1:])

    told = json.loads(as_json(some))

    assert told == {
        "format": "fauxlab-check/1",
        "is_ok": False,
        "worst": "error",
        "waived": [],
        "unused_waivers": [],
        "untried": [],
        "unfollowed": [],
        "gone": [],
        "summary": (
            "fauxlab check: the contract is broken: 1 error; 121 calls, 51 submits, 10.3 s"
        ),
        "url": "http://127.0.0.1:4010",
        "document": "openapi.yaml",
        "profile": "strict",
        "errors": "any",
        "seed": 0,
        "phases": [
            {
                "name": "examples",
                "steps": 3,
                "calls": 3,
                "submits": 3,
                "seconds": 0.024,
                "findings": 1,
            },
            {
                "name": "boundaries",
                "steps": 118,
                "calls": 118,
                "submits": 48,
                "seconds": 10.25,
                "findings": 1,
            },
        ],
        "findings": [error],
        "not_covered": [
            "boundaries: 2 left out by the budget: seed 0, seed 1",
            "not asked for: lifecycle",
        ],
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
        "steps": [
            {
                "phase": "boundaries",
                "label": "POST /pictures: seed 0",
                "seconds": 0.0,
                "skipped": "left out by the budget",
            }
        ],
        "is_whole": True,
    }


def test_the_json_is_json_for_every_parser() -> None:
    """Numbers that are none become null, halves of surrogate pairs the replacement character."""
    point = replace(POINTS[0], value="\ud800", number=float("inf"))

    told = json.loads(as_json(replace(QUIET, points=(point,))), parse_constant=pytest.fail)

    assert (told["points"][0]["value"], told["points"][0]["number"]) == ("\ufffd", None)


def test_junit_has_a_test_for_each_step() -> None:
    """A step that showed an error failed, with everything at the first such step; a warning is
    output; a step that was left out was skipped, with the reason.
    """
    root = ET.fromstring(junit(REPORT).encode())  # noqa: S314 # our own XML
    found = [
        (suite.get("name"), suite.get("tests"), suite.get("failures"), suite.get("skipped"))
        for suite in root
    ]
    tests = {
        test.get("name"): [(it.tag, it.get("message"), it.text) for it in test]
        for test in root.iter("testcase")
    }

    assert found == [
        ("examples", "1", "0", "0"),
        ("boundaries", "3", "2", "1"),
        ("not covered", "1", "0", "1"),
    ]
    assert tests == {
        "POST /pictures: smallest": [
            (
                "system-out",
                None,
                "warning: reply-media-type: It is text/plain.\nwhere:"
                " POST /pictures\nsent: POST /pictures {}\ncame: HTTP 200\n"
                "advice: Send Content-Type: application/json.",
            )
        ],
        "POST /pictures: width past maximum by 1": [
            (
                "failure",
                "width 1025 was accepted.",
                "error: invalid-accepted: width 1025 was accepted.\nwhere:"
                " openapi.yaml:7:3, /schemas/A/width\nsent: POST … 1025\ncame: HTTP 200 {}\n"
                "also: width as text\nadvice: Validate each request before you act on it.\n"
                f"again: {CURL}\nseen 2 times",
            )
        ],
        "POST /pictures: width as text": [
            (
                "failure",
                "width 1025 was accepted.",
                "error: invalid-accepted: width 1025 was accepted.\nas in POST /pictures: width"
                " past maximum by 1",
            )
        ],
        "POST /pictures: seed 0": [("skipped", "left out by the budget", None)],
        "not covered: not asked for: lifecycle": [("skipped", "not asked for: lifecycle", None)],
    }


ANYTHING = st.text(st.characters(exclude_categories=()), max_size=30) | st.sampled_from(
    [
        "<script>alert(1)</script>",
        "</title><b>",
        "]]>",
        "\"'><img src=x onerror=y>",
        "&lt;",
        "\x00",
        "\x1b[2J",
        "-->",
        "\u202e",
        "\ud800",
    ]
)


@st.composite
def hostile_reports(draw: st.DrawFn) -> Report:
    """Reports with any text wherever text may stand."""
    some = [draw(ANYTHING) for _ in range(18)]
    number = draw(st.none() | st.floats() | st.integers().map(float))
    finding = replace(
        ERROR,
        severity=draw(st.sampled_from(["error", "warning"])),
        phase=some[0],
        operation=some[1],
        message=some[2],
    )
    finding = replace(
        finding,
        where=some[3],
        sent=some[4],
        came=some[5],
        curl=some[6],
        rule=draw(st.just("crash") | ANYTHING),
    )
    point = Point(some[7], some[8], some[9], some[10], draw(st.booleans()), some[11], number)
    moments = tuple(
        Moment(draw(st.floats(-1, 1e9)), what, came) for what, came in (some[12:14], some[14:16])
    )
    life = JobLife(some[16], some[17], draw(st.none() | st.floats()), moments)
    phase = PhaseResult(draw(ANYTHING), 1, 1, 1, 0.5, 1)
    values: dict[str, Any] = {
        "phases": (phase,),
        "findings": (finding, WARNING),
        "not_covered": (draw(ANYTHING),),
        "points": (point,),
        "lives": (life,),
    }
    return replace(
        REPORT,
        **values,
        url=draw(ANYTHING),
        document=draw(ANYTHING),
        profile=draw(ANYTHING),
        errors=draw(ANYTHING),
    )


@given(hostile_reports())
def test_no_text_breaks_a_form(report: Report) -> None:
    """Whatever a server says: the text is printable lines, the JSON and the XML are well-formed,
    and each comes out the same again.
    """
    root = ET.fromstring(junit(report).encode())  # noqa: S314 # our own XML

    assert all(line.isprintable() for line in text(report).split("\n"))
    assert json.loads(as_json(report))["format"] == "fauxlab-check/1"
    assert {element.tag for element in root.iter()} <= {
        "testsuites",
        "testsuite",
        "testcase",
        "failure",
        "skipped",
        "system-out",
    }
    assert (text(report), as_json(report), junit(report)) == (
        text(report),
        as_json(report),
        junit(report),
    )


VOID = {"meta", "circle", "path", "line", "rect", "use", "br"}
LAYOUT = {
    "script",
    "button",
    "html",
    "head",
    "title",
    "style",
    "body",
    "main",
    "header",
    "nav",
    "footer",
    "section",
    "div",
    "details",
    "summary",
}
CONTENT = {
    "h1",
    "h2",
    "h3",
    "h4",
    "p",
    "span",
    "b",
    "code",
    "pre",
    "a",
    "ul",
    "ol",
    "li",
    "dl",
    "dt",
    "dd",
    "svg",
    "defs",
    "g",
    "text",
}
TAGS = VOID | LAYOUT | CONTENT


class Page(HTMLParser):
    """What a browser would see: elements with their texts; fails for one that is not closed."""

    def __init__(self, report: Report) -> None:
        super().__init__()
        self.open: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.texts: list[tuple[str, str]] = []
        self.feed(html(report))
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: Iterable[tuple[str, str | None]]) -> None:
        assert tag in TAGS
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: Iterable[tuple[str, str | None]]) -> None:
        assert tag in VOID
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append((self.open[-1] if self.open else "", data))

    def of(self, tag: str) -> list[str]:
        return [data for name, data in self.texts if name == tag and data.strip()]


def test_the_page_says_everything_in_order() -> None:
    """The verdict, the phases, findings with their commands, the bounds, the jobs, and what was not
    covered.
    """
    page = Page(REPORT)

    assert page.of("h1") == ["The contract is broken: 1 error, 1 warning"]
    assert page.of("h2") == [
        "Phases",
        "Findings",
        "Boundaries as a picture",
        "A timeline per job",
        "Not covered",
    ]
    assert page.of("h3") == [" invalid-accepted", " reply-media-type", SUBMIT]
    assert page.of("summary") == ["width 1025 was accepted. ", "It is text/plain. "]
    assert page.of("pre") == [CURL]
    assert page.of("dd")[:4] == ["2", "121", "51", "10.3"]
    assert page.of("footer") == [REPORT.headline()]


def test_each_mark_of_the_pictures_has_its_words() -> None:
    """What a picture shows stands in titles too: values, bounds, what was wrong, and each moment of
    a job.
    """
    assert Page(REPORT).of("title")[1:] == [
        "width: 2 values; wrong: 1025 was accepted",
        "width at maximum, 1024: accepted",
        "width past maximum by 1, 1025: accepted, and should have been refused",
        "the first job: submit processing, webhook, fetch success",
        "0.01 s: submit processing",
        "2.00 s: webhook",
        "2.10 s: fetch success",
    ]


@pytest.mark.parametrize(
    "report, verdict",
    [
        (QUIET, "The contract is kept"),
        (replace(QUIET, findings=(WARNING,)), "The contract is kept, with 1 warning"),
        (
            replace(QUIET, findings=(ERROR, ERROR, WARNING)),
            "The contract is broken: 2 errors, 1 warning",
        ),
        (replace(QUIET, phases=(), points=(), lives=(), calls=0), "Nothing was checked"),
    ],
)
def test_the_page_begins_with_the_verdict(report: Report, verdict: str) -> None:
    """One sentence, also as the page's title."""
    page = Page(report)

    assert (page.of("h1"), page.of("title")[0]) == ([verdict], f"{verdict}: http://127.0.0.1:4010")


def test_the_page_needs_nothing_from_elsewhere() -> None:
    """No address but places in the page itself, and a policy that allows its own script and style
    sheet alone, by their digests.
    """
    page = Page(REPORT)
    links = {value for _, name, value in page.attributes if name in ("href", "src")}
    (script,), (style,) = page.of("script"), page.of("style")

    assert {link[:1] for link in links} == {"#"}
    assert (
        "meta",
        "content",
        f"default-src 'none'; style-src {digest(style)}; script-src {digest(script)};"
        " base-uri 'none'; form-action 'none'",
    ) in page.attributes
    assert "url(" not in html(REPORT)


def digest(part: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(part.encode()).digest()).decode()}'"


def test_what_a_reader_copies_has_a_button() -> None:
    """The command, and the body of the request: each stands before its button, as it is copied."""
    body = '{"key":"$KEY","width":1025}'
    error = replace(ERROR, sent=f"POST http://127.0.0.1:4010/pictures {body}")
    page = html(replace(QUIET, findings=(error,)))

    assert buttons(page) == ["Copy body", "Copy command"]
    assert f'<span class="copies">{escape(body)}</span></code><button' in page
    assert f"<pre>{escape(CURL)}</pre><button" in page


@pytest.mark.parametrize(
    "sent, curl",
    [
        ("GET http://127.0.0.1:4010/pictures", ""),
        ('POST http://127.0.0.1:4010/pictures {"key": "$K... (9000 bytes)', "x" * 30_000),
        ('POST http://127.0.0.1:4010/pictures {"key": "\u202e"}', "curl \u202e"),
    ],
    ids=["nothing", "cut", "shown in another way"],
)
def test_what_is_not_shown_as_it_is_has_no_button(sent: str, curl: str) -> None:
    """Half a body, or a command with an escape in it, would not be the same again."""
    assert buttons(html(replace(QUIET, findings=(replace(ERROR, sent=sent, curl=curl),)))) == []


def buttons(page: str) -> list[str]:
    return re.findall(r'<button type="button" hidden>(.*?)</button>', page)


@given(hostile_reports())
def test_no_text_breaks_the_page(report: Report) -> None:
    """Whatever a server says, the page has only our elements, each closed, no attribute that acts,
    and no control character.
    """
    page = Page(report)

    assert {
        name
        for _, name, _ in page.attributes
        if name.startswith("on") or name in ("style", "src", "xlink:href")
    } == set()
    assert all(
        data.replace("\n", "").isprintable()
        for tag, data in page.texts
        if tag not in ("style", "script")
    )
    assert html(report) == html(report)


@given(hostile_reports())
def test_a_hostile_text_adds_no_element(report: Report) -> None:
    """The page of a report has as many elements of each kind as that of the same report with tame
    texts of the same shape.
    """
    tame = replace(
        report,
        url="u",
        document="d",
        not_covered=("n",),
        findings=tuple(replace(one, message="m") for one in report.findings),
    )

    assert [name for name, *_ in Page(report).attributes] == [
        name for name, *_ in Page(tame).attributes
    ]


def test_the_page_stays_small() -> None:
    """Texts of a million characters and thousands of findings, points and moments make a page of
    less than 3 MB.
    """
    long = "x" * 1_000_000
    findings = tuple(
        replace(ERROR, message=long, sent=long, came=long, where=f"/{n}") for n in range(1_000)
    )
    points = tuple(
        replace(POINTS[0], field=f"f{n % 90}", label=long, number=float(n), value=str(n))
        for n in range(9_000)
    )
    lives = tuple(replace(LIFE, label=long, moments=LIFE.moments * 1_000) for _ in range(100))

    page = html(
        replace(REPORT, findings=findings, points=points, lives=lives, not_covered=(long,) * 500)
    )

    assert len(page) < 3_000_000


def test_values_that_a_float_cannot_tell_apart_keep_their_places() -> None:
    """2^63-1 and 2^63-2 are two places on the line, in their order."""
    points = tuple(
        replace(POINTS[0], label="x", value=str(n), number=float(n))
        for n in (2**63 - 1, 2**63 - 2, -(2**63))
    )

    assert Page(replace(QUIET, points=points, lives=())).of("text") == ["−2⁶³", "2⁶³−2", "2⁶³−1"]


def test_a_refused_1024_0_is_not_drawn_on_1024() -> None:
    """Two spellings of a number that were not judged alike have places of their own, inside the
    bound; alike, they share one.
    """
    whole = Point(SUBMIT, "width", "width whole as float", "1024.0", True, "refused", 1024.0)
    other = replace(whole, came="accepted")

    apart, together = (
        Page(replace(QUIET, points=(POINTS[1], *(POINTS[0], point)), lives=()))
        for point in (whole, other)
    )

    assert apart.of("text") == ["maximum 1024", "1024.0", "1024", "1025"]
    assert together.of("text") == ["maximum 1024", "1024", "1025"]
    assert [title for title in apart.of("title") if title.startswith("width at maximum")] == [
        "width at maximum, 1024: accepted"
    ]
    assert ("line", "x2", "50.00%") in apart.attributes  # allowed up to the bound, in the middle


def test_the_page_names_operations_and_tells_hygiene_apart() -> None:
    """No escaped pointer is shown; a warning that is hygiene says so; what was waived is listed."""
    tidy = replace(WARNING, rule="lenient-json", group="hygiene")
    waived = replace(ERROR, waived="known")

    page = Page(replace(QUIET, findings=(WARNING, tidy), waived=(waived,)))

    assert "~1" not in "".join(text for _, text in page.texts)
    assert page.of("span").count("hygiene warning") == 1
    assert "invalid-accepted: width 1025 was accepted. (known)" in page.of("li")


@pytest.mark.parametrize(
    "value, expected",
    [
        (0, "0"),
        (-1, "−1"),
        (1023.5, "1023.5"),
        (1024.0, "1024"),
        (2**63 - 1, "2⁶³−1"),
        (-(2**63), "−2⁶³"),
        (2**31 + 1, "2³¹+1"),
        (12_345_678_901, "1.23e10"),
        (math.nextafter(10, 11), "10+ε"),
        (math.nextafter(1, 0), "1−ε"),
        (3.14159265358979, "3.142"),
        (1e300, "1e300"),
    ],
)
def test_a_number_is_short(value: float, expected: str) -> None:
    """Bounds and their neighbours can be told apart in a few characters."""
    assert short(value) == expected


def test_odd_seconds_break_no_timeline() -> None:
    """Seconds that are negative, endless or no number at all are drawn at the edge."""
    moments = tuple(Moment(at_s, "fetch", "x") for at_s in (-1.0, math.inf, math.nan))

    page = Page(replace(QUIET, points=(), lives=(replace(LIFE, eta_s=math.nan, moments=moments),)))
    edge = "1.50%"

    assert [value for tag, name, value in page.attributes if (tag, name) == ("use", "x")] == [
        edge
    ] * 3
    assert {value for tag, name, value in page.attributes if (tag, name) == ("rect", "x")} == {edge}
