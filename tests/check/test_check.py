"""The server checker: what it says of a right server and of wrong ones, within its budget, without
giving the key away.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driving import BUNDLED, KEY
from fauxlab_contract.check.findings import Report
from fauxlab_contract.check.rules import RULES
from fauxlab_contract.check.run import PHASES, Options, check, planned_steps
from fauxlab_contract.check.target import HttpTarget, TargetError, is_loopback_url
from fauxlab_contract.core.http import HttpRequest, HttpResponse
from fauxlab_contract.openapi.document import Document, read_document
from fauxlab_mock.runtime.mock import Mock
from fauxlab_mock.server.serving import serve
from fauxlab_mock.settings import Settings
from targets import RecordedTarget

OTHER_KEY = "other-key-0123456789"


def make_target(document: Document = BUNDLED, **options: Any) -> RecordedTarget:
    """A mock that takes two keys, in process, on a clock that the check moves."""
    chosen = Settings(**{"clock": "manual", "keys": frozenset({KEY, OTHER_KEY}), **options})
    return RecordedTarget(Mock(chosen, document=document))


def checked(target: RecordedTarget, document: Document = BUNDLED, **options: Any) -> Report:
    """The report about a target; its webhooks are stopped afterwards."""
    try:
        return check(target, document, Options(**{"key": KEY, "other_key": OTHER_KEY, **options}))
    finally:
        target.mock.close()


@pytest.mark.parametrize("errors", ["envelope", "status"])
def test_the_mock_passes_its_own_check(errors: str) -> None:
    """In strict validation, in both error profiles, every phase runs and not even a warning is
    left.
    """
    report = checked(make_target(errors=errors), errors=errors)

    assert (report.findings, [phase.name for phase in report.phases]) == ((), list(PHASES))
    assert report.not_covered == (
        "lifecycle: the limit of the queue (--queue-limit) was not checked",
    )


@pytest.mark.parametrize("mode", ["parallel", "sequential"])
def test_a_queue_is_waited_for_and_proved(mode: str) -> None:
    """A full queue is no finding: the check waits. With the limit named, it is filled and found to
    be just that.
    """
    report = checked(make_target(queue_limit=3, queue_mode=mode), queue_limit=3)

    assert (report.findings, report.not_covered) == ((), ())


@pytest.mark.parametrize("limit, rule", [(2, "queue-overrun"), (4, "valid-refused")])
def test_another_limit_of_the_queue_is_a_finding(limit: int, rule: str) -> None:
    """A queue that takes more, or fewer, jobs than was said is named."""
    report = checked(make_target(queue_limit=3), queue_limit=limit, only=("lifecycle",))

    assert [finding.rule for finding in report.findings] == [rule]


def test_with_any_key_a_queue_is_one_key_s_own() -> None:
    """Where every key is taken, an invented one finds out that all keys share one queue."""

    class Shared(RecordedTarget):
        def send(self, sent: HttpRequest, within_s: float) -> HttpResponse:
            one_key = sent.body.replace(f'"{KEY}-other"'.encode(), f'"{KEY}"'.encode())
            return super().send(replace(sent, body=one_key), within_s)

    mock = Mock(Settings(clock="manual", queue_limit=3), document=BUNDLED)

    report = checked(Shared(mock), any_key=True, other_key=None, queue_limit=3, only=("lifecycle",))

    said = [one.message for one in report.findings if one.rule == "valid-refused"]
    assert said == [
        "One key's full queue keeps another key out:"
        " 'Rate limit exceeded. Maximum 3 queued requests allowed.'."
    ]


def test_what_coercion_lets_through_is_named_exactly() -> None:
    """With --validation coerce just the kinds of bodies that it takes are found, each at its place
    in the document.
    """
    report = checked(make_target(validation="coerce"))
    place = "/components/schemas/FluxHeadshotRequest/properties"
    texts = {
        f"{place}/{name}/type"
        for name in (
            "seed",
            "width",
            "height",
            "num_inference_steps",
            "guidance_scale",
            "track_id",
            "webhook",
        )
    }

    assert {(finding.rule, finding.where) for finding in report.findings} == {
        ("invalid-accepted", where)
        for where in texts | {"/components/schemas/FluxHeadshotRequest/required"}
    }


def test_what_no_validation_lets_through_is_named_exactly() -> None:
    """With --validation off every rule of the schema is found broken, and nothing else."""
    report = checked(make_target(validation="off"))
    request = BUNDLED.tree["components"]["schemas"]["FluxHeadshotRequest"]
    rules = {
        (name, keyword)
        for name, schema in request["properties"].items()
        for keyword in schema
        if keyword in RULES_OF_FIELDS
    }
    missing = {(name, "required") for name in request["required"]} - {("key", "required")}

    found = {
        (finding.field, finding.where.rpartition("/")[2])
        for finding in report.findings
        if finding.rule == "invalid-accepted"
    }
    others = {(one.rule, one.field, one.severity) for one in report.findings} - {
        ("invalid-accepted", field, "error") for field, _ in found
    }
    # one finding for each field, with the first rule that was tried, and one where it is missing
    assert found & missing == missing
    assert {field for field, _ in found - missing} == {name for name, _ in rules} - {"key"}
    assert found - missing < rules
    assert others == {("webhook-host", "webhook", "warning")}


def test_what_was_accepted_is_explained_as_validate_does() -> None:
    """The finding has the sentence with which the request should have been refused."""
    report = checked(make_target(validation="off"), only=("boundaries",))
    (finding,) = [one for one in report.findings if one.where.endswith("/webhook") and one.times]

    assert finding.message == (
        "webhook 'ftp://example.com/hook': it was accepted. webhook must be an http or https URL"
        ' with a host that is not link-local, not the text "ftp://example.com/hook".'
    )


RULES_OF_FIELDS = ("type", "maximum", "minimum", "format")


BROKEN = {
    "float_eta": {"reply-schema"},
    "string_id": {"reply-schema"},
    "empty_proxy_links": {"reply-schema"},
    "legacy_messege": set(),
    "output_as_string": {"reply-schema"},
    "success_without_output": {"reply-schema"},
    "foreign_fetch_result": {"fetch-result"},
    "flapping": {"state-order", "link-dead"},
    "stuck": {"never-ends"},
    "late_links": {"link-dead"},
    "expired_links": {"link-dead"},
    "webhook_lost": {"webhook-missing"},
    "webhook_twice": {"webhook-twice"},
    "webhook_early": {"webhook-early"},
    "webhook_before_success": {"webhook-early"},
    "webhook_late": {"webhook-missing"},
    "early_not_found": set(),
    "instant": set(),
    "failed": set(),
}


@pytest.mark.parametrize("scenario", BROKEN)
def test_a_misbehaving_server_is_found_by_its_rule(scenario: str) -> None:
    """Each scenario of the mock that breaks a promise breaks that promise's rule and no other."""
    report = checked(make_target(scenario=scenario), only=("lifecycle", "webhook"))

    assert {finding.rule for finding in report.findings} == BROKEN[scenario], [
        str(finding) for finding in report.findings
    ]


def test_the_same_seed_gives_the_same_check() -> None:
    """Two checks with one seed send the same bytes and report the same."""
    targets = [make_target(), make_target()]
    first, second = (
        checked(target, seed=5, only=("properties", "robustness", "boundaries"))
        for target in targets
    )

    assert targets[0].sent == targets[1].sent
    assert first == second


@settings(max_examples=25)
@given(calls=st.integers(1, 120), submits=st.integers(1, 40), seconds=st.floats(0.5, 30))
def test_no_limit_of_the_budget_is_ever_exceeded(calls: int, submits: int, seconds: float) -> None:
    """Whatever the limits, no more is sent, started or waited; what was left out is said."""
    target = make_target(validation="off")
    report = checked(target, max_calls=calls, max_submits=submits, max_seconds=seconds, examples=10)

    assert report.calls == len(target.sent) <= calls
    assert report.submits == target.mock.generations <= submits
    assert report.seconds <= seconds
    assert any("budget" in sentence or "cut short" in sentence for sentence in report.not_covered)


def test_a_small_budget_is_spent_on_what_matters_most() -> None:
    """25 calls cover a valid body, one job to its end, unknown and foreign ids, invented keys and a
    step past bounds.
    """
    steps, left = planned_steps(BUNDLED, Options(KEY, max_calls=25))
    labels = {step.label.partition(": ")[2] for step in steps}

    assert sum(step.calls for step in steps) <= 25
    assert {
        "one job, to its end",
        "an id that was never given out, near",
        "a job of another key",
        "an invented key",
    } <= labels
    assert {"width past maximum by 1", "guidance_scale past minimum by 0.01"} <= labels
    assert left


def test_the_key_stands_in_no_report() -> None:
    """Keys are hidden in findings even when the server echoes them; the reproducer leaves them to
    the shell.
    """
    target = make_target(validation="off")
    report = checked(target, only=("boundaries", "lifecycle"))

    assert KEY not in repr(report)
    assert OTHER_KEY not in repr(report)
    assert all(
        '"$KEY"' in finding.curl
        for finding in report.findings
        if KEY.encode() in target.sent[0].body
    )


def test_a_reproducer_sends_the_same_again() -> None:
    """The command of a finding, run by a shell with the key in its environment, gets the answer
    that the finding shows.
    """
    key = 'it\'s a "key" $HOME'
    with (
        serve(scenario="maintenance_html") as mock,
        contextlib.closing(HttpTarget(mock.url)) as target,
    ):
        report = check(target, BUNDLED, Options(key, any_key=True, only=("examples",), max_calls=1))
        finding = next(finding for finding in report.findings if finding.rule == "crash")
        result = subprocess.run(
            ["bash", "-c", finding.curl],
            capture_output=True,
            text=True,
            check=True,
            timeout=30,
            env={"KEY": key, "PATH": os.environ["PATH"]},
        )

        assert result.stdout[:40] in finding.came
        assert mock.requests[-1].request_bytes == mock.requests[-2].request_bytes


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b'{"a": "\xff"}',
        b"\x00\x01%d\\n$HOME'",
        b'{"key": "k-0123456789", "x": "\'"}',
        b"\xff\xfek-0123456789\x00",
    ],
)
def test_every_body_survives_the_shell(body: bytes) -> None:
    """What the reproducer pipes into curl are the bytes that were sent, whatever they are."""
    command = HttpRequest("POST", "http://127.0.0.1:9/", {}, body).curl({"k-0123456789": "KEY"})
    body_made = (
        command.partition("| curl")[0]
        if "| curl" in command
        else f"printf %s {command.partition('--data-binary ')[2]}"
    )

    result = subprocess.run(
        ["bash", "-c", body_made if body else "true"],
        capture_output=True,
        check=True,
        timeout=10,
        env={"KEY": "k-0123456789"},
    )

    assert result.stdout == body


def test_as_written_judges_by_the_schema_alone() -> None:
    """A reply without status slips through the oneOf as the document writes it, and is a finding in
    the strict profile.
    """
    target = make_target()
    honest = target.send

    def without_status(sent: HttpRequest, within_s: float) -> Any:
        came = honest(sent, within_s)
        return type(came)(came.code, came.headers, b'{"message": 5}', at=came.at)

    target.send = without_status  # type: ignore[method-assign] # a server that is broken in one place
    strict = checked(target, only=("examples",), max_calls=1)
    lax = checked(target, only=("examples",), max_calls=1, profile="as-written")

    assert ([finding.rule for finding in strict.findings], lax.findings) == (["reply-schema"], ())


def test_a_crash_does_not_end_the_check() -> None:
    """When no answer comes, that is a finding, and the check goes on to its end."""
    target = make_target()
    honest = target.send

    def crashing(sent: HttpRequest, within_s: float) -> Any:
        came = honest(sent, within_s)
        return type(came)(0, error="closed", at=came.at) if b"NaN" in sent.body else came

    target.send = crashing  # type: ignore[method-assign] # likewise
    report = checked(target, only=("robustness",))

    assert [(finding.rule, finding.came) for finding in report.findings] == [("crash", "closed")]


PLAIN = b"""
openapi: 3.1.0
info: {title: t, version: '1'}
paths:
  /shrink:
    post:
      requestBody:
        content:
          application/json:
            schema: {type: object, required: [n], properties: {n: {type: integer, maximum: 3}}}
      responses: {'200': {description: d, content: {application/json: {schema: {type: object}}}}}
"""


def test_an_operation_without_a_lifecycle_is_checked_as_well() -> None:
    """Bodies are tried on any operation that takes one; what only jobs have is left out."""
    document = read_document(PLAIN)
    report = checked(make_target(document, errors="status"), document, errors="status")

    assert ([phase.name for phase in report.phases], report.findings) == (
        ["examples", "boundaries", "properties", "robustness"],
        (),
    )


@pytest.mark.parametrize(
    "url",
    [
        "127.0.0.1:4010",
        "ftp://127.0.0.1/",
        "http://",
        "http://[",
        "http://a b/",
        "http://u:p@127.0.0.1/",
    ],
)
def test_an_address_that_is_none_is_refused(url: str) -> None:
    """What is no http address of a server is refused with a sentence."""
    with pytest.raises(TargetError, match="is not the address of a server"):
        HttpTarget(url)


@pytest.mark.parametrize(
    "url, is_here",
    [
        ("http://127.0.0.1:4010/x", True),
        ("http://localhost/", True),
        ("http://[::1]:80/", True),
        ("http://[::ffff:127.0.0.1]/", True),
        ("http://0.0.0.0:4010/", True),
        ("http://127.evil.example/", False),
        ("http://localhost.evil.example/", False),
        ("https://modelslab.com/api/v6", False),
        ("http://10.0.0.1/", False),
    ],
)
def test_only_this_machine_counts_as_here(url: str, is_here: bool) -> None:
    """Whatever else an address looks like, only loopback is checked without being asked twice."""
    assert is_loopback_url(url) is is_here


def test_every_rule_can_be_broken() -> None:
    """No rule is dead: each is named by some phase of the checker."""
    from pathlib import Path

    from fauxlab_contract.check import rules

    sources = [
        path.read_text(encoding="utf-8")
        for path in Path(rules.__file__).parent.rglob("*.py")
        if path.name != "rules.py"
    ]

    assert [rule for rule in RULES if not any(f'"{rule}"' in source for source in sources)] == []


def test_an_output_that_is_no_address_does_not_stop_the_check() -> None:
    """A link that cannot even be parsed is a missing output."""
    target = make_target()
    honest = target.send

    def with_bad_links(sent: HttpRequest, within_s: float) -> Any:
        came = honest(sent, within_s)
        body = came.body.replace(b'"output":["http://127.0.0.1:4010', b'"output":["http://[')
        return type(came)(came.code, came.headers, body, at=came.at)

    target.send = with_bad_links  # type: ignore[method-assign] # likewise
    report = checked(target, only=("lifecycle",), max_calls=30)

    assert "output-missing" in {finding.rule for finding in report.findings}


def test_findings_about_webhooks_belong_to_their_phase() -> None:
    """The first job is followed in the phase lifecycle, and its webhook judged in its own."""
    report = checked(make_target(scenario="webhook_twice"), only=("lifecycle", "webhook"))

    assert [(finding.rule, finding.phase) for finding in report.findings] == [
        ("webhook-twice", "webhook")
    ]


def test_a_report_says_whether_it_is_ok() -> None:
    """`assert_ok()` raises the whole report; what is waived does not count."""
    report = checked(make_target(scenario="string_id"), only=("examples",))

    assert (report.is_ok, report.worst) == (False, "error")
    with pytest.raises(AssertionError, match="error: reply-schema: ") as error:
        report.assert_ok()
    assert str(error.value).splitlines()[0] == report.headline()
    waived = report.waive("reply-schema", "ids are texts here")
    assert (waived.is_ok, len(waived.waived)) == (True, len(report.findings))
    assert waived.findings == ()
