"""The verdict: one bad client per rule turns exactly that rule red; good ones have no finding at
all.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import httpx
import pytest

from documents import Tree, altered
from driving import KEY, SUBMIT, VALID, fetch, get, make_mock, post, submit
from fauxlab_contract.verdict.history import IN_OWN_NAME
from fauxlab_contract.verdict.rules import RULES
from fauxlab_contract.verdict.verdict import Verdict
from fauxlab_mock.behaviour.refusals import OWN
from fauxlab_mock.engine.messages import Call
from fauxlab_mock.runtime.mock import Mock
from fauxlab_mock.webhooks import delivery
from fauxlab_mock.webhooks.delivery import DeliveryOutcome, WebhookDestinations
from receiving import receiving

ETA_S = 10.0
SLOW_RECEIVER = "http://127.0.0.1:9/"


def finish(mock: Mock, job: int, pause_s: float = ETA_S) -> None:
    """Wait for a job, then fetch it until it has ended, with growing pauses."""
    for _ in range(20):
        mock.clock.advance(pause_s)
        if fetch(mock, job).body["status"] != "processing":
            return
        pause_s = max(1.0, pause_s * 1.5)


def start(mock: Mock, prefer: str = "", **fields: object) -> int:
    return int(submit(mock, prefer, **fields).body["id"])


def breaks_the_contract(mock: Mock) -> None:
    submit(mock, width=5_000)


def misspells_a_field(mock: Mock) -> None:
    finish(mock, start(mock, num_inference_step=5))


def puts_the_key_into_the_url(mock: Mock) -> None:
    job = start(mock)
    mock.clock.advance(ETA_S)
    body = b'{"key": "%s"}' % KEY.encode()
    mock.handle(
        Call(
            "POST",
            f"/api/v6/image_editing/fetch/{job}",
            {"content-type": "application/json"},
            body,
            f"key={KEY}",
        )
    )


def submit_and_reset(mock: Mock) -> None:
    submit(mock)
    mock.reset()


def misspells_a_scenario(mock: Mock) -> None:
    submit(mock, "scenario=fail")


def fetches_by_get(mock: Mock) -> None:
    job = start(mock)
    mock.handle(Call("GET", f"/api/v6/image_editing/fetch/{job}"))
    finish(mock, job)


def takes_a_wrong_path(mock: Mock) -> None:
    job = start(mock)
    post(mock, f"/api/v6/images/fetch/{job}", {"key": KEY})
    finish(mock, job)


def loses_the_id(mock: Mock) -> None:
    job = start(mock)
    fetch(mock, 5)
    finish(mock, job)


def submits_twice(mock: Mock) -> None:
    first = submit(mock, "fault=HANG").body["id"]
    mock.clock.advance(30)
    second = start(mock)
    finish(mock, second)
    finish(mock, first)


def retries_what_cannot_change(mock: Mock) -> None:
    for _ in range(2):
        submit(mock, "scenario=invalid_key")
        mock.clock.advance(5)


def reads_the_link_at_once(mock: Mock) -> None:
    job = submit(mock).body
    get(mock, job["future_links"][0])
    finish(mock, job["id"])


def polls_at_once(mock: Mock) -> None:
    job = start(mock)
    fetch(mock, job)
    finish(mock, job)


def polls_like_mad(mock: Mock) -> None:
    job = start(mock, "eta=10, polls=8")
    mock.clock.advance(ETA_S)
    for _ in range(9):
        fetch(mock, job)
        mock.clock.advance(0.1)


def does_not_wait(mock: Mock) -> None:
    submit(mock, "scenario=rate_limited")
    mock.clock.advance(5)
    finish(mock, start(mock))


def goes_on_polling(mock: Mock) -> None:
    job = start(mock, "scenario=failed")
    finish(mock, job)
    for pause_s in (2, 4):
        mock.clock.advance(pause_s)
        fetch(mock, job)


def polls_after_the_webhook(mock: Mock) -> None:
    with receiving() as receiver:
        job = start(mock, "scenario=webhook_before_success", webhook=receiver.url)
        for pause_s in (6, 1, 1.5, 2.5):
            mock.clock.advance(pause_s)
            fetch(mock, job)


def walks_away(mock: Mock) -> None:
    start(mock)
    mock.clock.advance(1_000)


def refuses_the_webhook(mock: Mock) -> None:
    with receiving() as receiver:
        receiver.codes = [500]
        start(mock, webhook=receiver.url)
        mock.clock.advance(1_000)


def deliver(url: str, body: bytes) -> DeliveryOutcome:
    """One receiver answers after 12 s, without taking them; the others are real."""
    if url == SLOW_RECEIVER:
        return DeliveryOutcome(code=200, took_s=12.0)
    return delivery.post(url, body, WebhookDestinations(), within_s=10)


def answers_the_webhook_late(mock: Mock) -> None:
    start(mock, webhook=SLOW_RECEIVER)
    mock.clock.advance(1_000)


BAD: dict[Callable[[Mock], None], str] = {
    breaks_the_contract: "request-violation",
    misspells_a_field: "misspelt-field",
    puts_the_key_into_the_url: "key-in-url",
    misspells_a_scenario: "misused-mock",
    fetches_by_get: "wrong-path-or-method",
    takes_a_wrong_path: "wrong-path-or-method",
    loses_the_id: "unknown-id",
    submits_twice: "duplicate-submit",
    retries_what_cannot_change: "retried-permanent-error",
    reads_the_link_at_once: "link-before-success",
    polls_at_once: "polled-before-eta",
    polls_like_mad: "polled-too-fast",
    does_not_wait: "ignored-retry-after",
    goes_on_polling: "polled-after-end",
    polls_after_the_webhook: "polled-after-webhook",
    walks_away: "abandoned-job",
    refuses_the_webhook: "webhook-refused",
    answers_the_webhook_late: "webhook-answered-late",
}


def test_every_rule_has_its_bad_client() -> None:
    """The table above misses no rule."""
    assert set(BAD.values()) == set(RULES)


@pytest.mark.parametrize("client", BAD, ids=lambda client: client.__name__)
def test_a_bad_client_turns_its_rule_red_and_no_other(client: Callable[[Mock], None]) -> None:
    """Each misbehaviour is found by its own rule alone, with the exchanges it stands in."""
    mock = make_mock(eta=ETA_S, send=deliver)
    client(mock)
    findings = mock.verdict().findings

    assert {finding.rule for finding in findings} == {BAD[client]}
    assert all(KEY not in str(finding) for finding in findings)
    with pytest.raises(AssertionError, match=BAD[client]):
        mock.verdict().assert_ok("note")


def test_another_letter_in_the_name_of_a_required_field_is_told() -> None:
    """As the guard and `validate` tell it; in the name of an optional field it is another word."""
    mock = make_mock(validation="off")
    submit(mock, seed=..., sead=7)

    misspelt = [one.field for one in mock.verdict().findings if one.rule == "misspelt-field"]
    assert misspelt == ["sead"]


@pytest.mark.parametrize(
    "content, label, said",
    [
        (b'{"key": "k", "seed": NaN}', "application/json", "NaN is not JSON."),
        (b'{"seed": 1, "seed": 2}', "application/json", "The key 'seed' appears twice"),
        (b"key=k&seed=1", "application/x-www-form-urlencoded", "Content-Type must be"),
        (b"{}", "text/plain", "Content-Type must be application/json, not 'text/plain'."),
        (b"[]", "application/json", "The body must be a JSON object, not an empty array."),
    ],
)
def test_a_body_that_is_no_json_object_breaks_the_contract(
    content: bytes, label: str, said: str
) -> None:
    """What the API refuses before it looks at any field is a request-violation, with the reason,
    and with one sentence of advice.
    """
    mock = make_mock()
    mock.handle(Call("POST", SUBMIT, {"content-type": label}, content))

    (finding,) = mock.verdict().findings
    assert (finding.rule, finding.exchanges) == ("request-violation", (1,))
    assert f"Request 1 (POST {SUBMIT}): {said}" in finding.message
    assert str(finding).count("Send ") == 1


def test_pacing_is_not_judged_on_the_auto_clock() -> None:
    """Where time jumps nobody can be too early; the verdict says what it did not judge."""
    mock = make_mock(clock="auto", eta=ETA_S)
    job = start(mock)
    for _ in range(2):
        fetch(mock, job)

    assert mock.verdict().is_ok
    assert mock.verdict().not_judged == tuple(
        rule.id for rule in RULES.values() if "pauses" in rule.needs
    )


def test_what_was_not_judged_is_read_with_its_reason() -> None:
    """The headline does not say more than is known, each reason has a line, and `assert_ok` can
    insist on whole judgements.
    """
    mock = make_mock(clock="auto", eta=ETA_S, validation="off")
    start(mock)
    verdict = mock.verdict()

    assert str(verdict).splitlines() == [
        "the client behaved well as far as it was judged; 5 of 17 rules were not",
        "  not judged: request-violation (requests are not checked with --validation off)",
        "  not judged: polled-before-eta, polled-too-fast, ignored-retry-after (pauses do not count"
        " on this clock; use the fixture fauxlab_time, or the real or manual clock)",
        "  not judged: abandoned-job (it is too early to say)",
        "  judged: 1 call, 1 job",
    ]
    assert list(verdict.as_dict()["why_not_judged"].values()) == [
        ["request-violation"],
        [rule.id for rule in RULES.values() if "pauses" in rule.needs],
        ["abandoned-job"],
    ]
    verdict.assert_ok()
    with pytest.raises(AssertionError, match="not judged: abandoned-job"):
        verdict.assert_ok(allow_unjudged=False)


def test_a_whole_judgement_may_be_insisted_on() -> None:
    """A client that was judged by all rules passes."""
    mock = make_mock(eta=ETA_S)
    finish(mock, start(mock))

    mock.verdict().assert_ok(allow_unjudged=False)
    assert mock.last_verdict == mock.verdict()


def test_a_cut_journal_is_not_judged_as_a_whole() -> None:
    """Jobs whose beginning is missing are not judged over their lives, which is said; those that
    are whole are.
    """
    from fauxlab_mock.settings import Limits

    mock = make_mock(limits=Limits(journal_entries=2))
    jobs = [start(mock, seed=seed) for seed in range(3)]
    mock.clock.advance(1_000)
    verdict = mock.verdict()

    assert [(finding.rule, finding.job_id) for finding in verdict.findings] == [
        ("abandoned-job", job) for job in jobs[1:]
    ]
    assert verdict.not_judged == tuple(
        rule.id for rule in RULES.values() if "whole lives" in rule.needs
    )


def test_findings_are_waived_with_a_reason() -> None:
    """A waived rule is told apart, with the reason; a rule that is not there, or no reason, is
    refused.
    """
    mock = make_mock(eta=ETA_S)
    walks_away(mock)
    verdict = mock.verdict(waive={"abandoned-job": "this test is about the submit alone"})

    assert (verdict.findings, [finding.waived for finding in verdict.waived]) == (
        (),
        ["this test is about the submit alone"],
    )
    verdict.assert_ok()
    for waive, message in (
        ({"abandoned": "x"}, "no rule is called 'abandoned'; did you mean abandoned-job?"),
        ({"nonsense": "x"}, "no rule is called 'nonsense'; there are request-violation, "),
        ({"abandoned-job": " "}, "waive 'abandoned-job' with a reason; this one is blank"),
    ):
        with pytest.raises(ValueError, match=re.escape(message)):
            mock.verdict(waive=waive)


def test_a_waiver_may_name_one_field() -> None:
    """`rule:field` waives the requests that are wrong in just that field."""
    mock = make_mock()
    submit(mock, width=5_000)
    submit(mock, height=5_000)
    submit(mock, width=5_000, height=5_000)

    verdict = mock.verdict(waive={"request-violation:width": "the refusal is tested"})

    assert [finding.field for finding in verdict.findings] == ["height", "height, width"]
    assert [finding.waived for finding in verdict.waived] == ["the refusal is tested"]


def test_a_request_is_waived_when_each_of_its_fields_is() -> None:
    """Two waivers of one field each cover a request that is wrong in both, with both reasons; one
    that lacks a third field's is none.
    """
    mock = make_mock()
    submit(mock, width=5_000, height=5_000)
    submit(mock, width=5_000, height=5_000, seed="x")

    verdict = mock.verdict(
        waive={"request-violation:width": "wide", "request-violation:height": "high"}
    )

    assert [finding.field for finding in verdict.findings] == ["height, seed, width"]
    assert [finding.waived for finding in verdict.waived] == ["high; wide"]
    assert verdict.unused_waivers == ()


def test_a_client_that_was_never_let_in_is_not_judged_as_a_whole() -> None:
    """An empty key may be what a test is about, or a variable that is not set: no finding, no
    praise.
    """
    mock = make_mock()
    for seed in range(3):
        submit(mock, key="", seed=seed)
    verdict = mock.verdict()

    assert str(verdict).splitlines()[:2] == [
        "the client behaved well as far as it was judged; no submit was accepted; 3 of 17 rules"
        " were not",
        "  not judged: what follows a submit (missing_key: API key required, 3 times; the key was"
        " empty or missing: is the variable set that it comes from?)",
    ]
    assert (verdict.calls, verdict.jobs, verdict.findings) == (3, 0, ())
    assert Verdict.from_dict(verdict.as_dict()).refused == verdict.refused
    verdict.assert_ok()
    with pytest.raises(AssertionError, match="no submit was accepted"):
        verdict.assert_ok(allow_unjudged=False)


def test_it_is_not_judged_at_which_of_several_fetches_a_client_asks() -> None:
    """Whether they share their ids, no document says; the mock answers for a job at each."""

    def add_clips(tree: Tree) -> None:
        paths = tree["paths"]
        for path in [*paths]:
            paths[path.replace("/image_editing/", "/clips/")] = paths[path]

    mock = make_mock(altered(add_clips))
    submit(mock)
    mock.clock.advance(60)

    answer = post(mock, f"/api/v6/clips/fetch/{next(iter(mock.jobs)).id}", {"key": KEY})

    assert (json.loads(answer.content)["status"], mock.verdict().findings) == ("success", ())


def test_a_mistake_in_using_the_mock_is_told_once() -> None:
    """However many calls made it."""
    mock = make_mock()
    for seed in range(3):
        submit(mock, key="mock_no_credit", seed=seed)

    (finding,) = mock.verdict().findings
    assert (finding.rule, finding.exchanges) == ("misused-mock", (1, 2, 3))


def test_a_client_that_was_let_in_once_was_let_in() -> None:
    """A refused submit beside an accepted one is an ordinary day."""
    mock = make_mock()
    submit(mock, key="")
    submit(mock)

    assert mock.verdict().refused == ""


@pytest.mark.parametrize(
    "calls", [lambda _: None, lambda mock: mock.handle(Call("GET", "/")), submit_and_reset]
)
def test_nothing_is_judged_where_no_call_was_seen(calls: Callable[[Mock], None]) -> None:
    """The verdict says so, whole judgements cannot be had, and it is no finding: the client may
    rightly have refused to call. Scripts that wait for the server, and what a reset forgot, are no
    calls.
    """
    mock = make_mock()
    calls(mock)
    verdict = mock.verdict()

    assert (str(verdict), verdict.calls, verdict.jobs) == (
        "no call was seen, so nothing was judged",
        0,
        0,
    )
    verdict.assert_ok()
    with pytest.raises(AssertionError, match="no call was seen"):
        verdict.assert_ok(allow_unjudged=False)


def test_calls_answered_in_the_mocks_own_name_count_in_no_other_rule() -> None:
    """Neither the call nor its job is held against the client: it has heard nothing of the API."""
    mock = make_mock(eta=ETA_S)
    submit(mock, "scenario=rate_limited")
    submit(mock, "scenario=fail")
    job = start(mock, seed=8)
    fetch(mock, job, prefer="scenario=fail")
    mock.clock.advance(10 * 60)

    assert {finding.rule for finding in mock.verdict().findings} == {"misused-mock"}


def test_the_verdict_knows_what_is_answered_in_the_mocks_own_name() -> None:
    """Its names of refusals are the mock's."""
    assert IN_OWN_NAME == OWN


def test_warnings_fail_unless_only_errors_count() -> None:
    """A verdict with warnings alone is ok, and still fails `assert_ok()` in its default level."""
    mock = make_mock(eta=ETA_S)
    walks_away(mock)
    verdict = mock.verdict()

    assert (verdict.is_ok, verdict.worst) == (True, "warning")
    verdict.assert_ok("error")
    with pytest.raises(AssertionError, match="abandoned-job"):
        verdict.assert_ok()


def test_a_good_client_of_other_habits_has_none() -> None:
    """One job by webhook alone, one confirmed by one fetch, one resubmitted because the API said
    so, one never downloaded.
    """
    mock = make_mock(eta=ETA_S)
    with receiving() as receiver:
        start(mock, webhook=receiver.url)
        confirmed = start(mock, webhook=receiver.url, seed=2)
        mock.clock.advance(ETA_S)
        fetch(mock, confirmed)
    submit(mock, "scenario=try_again", seed=3)
    mock.clock.advance(2)
    job = submit(mock, seed=3).body
    finish(mock, job["id"])
    get(mock, job["future_links"][0])
    again = start(mock, seed=3)
    finish(mock, again)

    assert str(mock.verdict()) == "the client behaved well\n  judged: 9 calls, 4 jobs"


@pytest.mark.fauxlab(clock="manual")
def test_a_key_in_the_url_is_seen_in_process_and_over_a_socket(
    fauxlab: Mock, fauxlab_server: Mock
) -> None:
    """The query is judged wherever the call comes from; the key itself stands nowhere."""
    httpx.post(f"https://modelslab.com{SUBMIT}", json=VALID, params={"api_key": KEY})
    httpx.post(
        f"{fauxlab_server.url}/image_editing/flux_headshot",
        json={**VALID, "seed": 8},
        params={"x": KEY},
    )

    assert [exchange.key_in_url for exchange in fauxlab.requests] == [True, True]
    assert KEY not in repr(fauxlab.requests) + str(fauxlab.verdict())
