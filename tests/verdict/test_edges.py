"""Every number of the verdict, from both sides: records in, rules out, without a mock."""

from __future__ import annotations

import math
from typing import Any

import pytest

from driving import BUNDLED
from fauxlab_contract.core.records import Exchange, JobFacts, WebhookAttempt
from fauxlab_contract.core.violation import Violation
from fauxlab_contract.verdict.verdict import Verdict, judge

OWNER, OTHER = "owner", "other"
JOB = 7
ETA_S = 10.0
BODY = {"prompt": "p", "seed": 1}


def exchange(number: int, at: float, kind: str = "fetch", **changes: Any) -> Exchange:
    """A request about job 7 that was answered with processing, unless said otherwise."""
    values: dict[str, Any] = {
        "number": number,
        "at": at,
        "took_s": 0.0,
        "method": "POST",
        "path": "/submit" if kind == "submit" else f"/fetch/{JOB}",
        "operation": f"POST /{kind}",
        "request": BODY if kind == "submit" else {},
        "request_bytes": 10,
        "code": 200,
        "reply": {"status": "processing", "id": JOB},
        "job_id": JOB,
        "kind": kind,
        "owner": OWNER,
    }
    return Exchange(**{**values, **changes})


def said(word: str, **more: Any) -> dict[str, Any]:
    return {"reply": {"status": word, "id": JOB, **more}}


REFUSED: dict[str, Any] = {"job_id": None, "refusal": "queue_full"}


def facts(**changes: Any) -> JobFacts:
    values: dict[str, Any] = {
        "id": JOB,
        "owner": OWNER,
        "created_at": 0.0,
        "announced_end": ETA_S,
        "ends_at": ETA_S,
        "state": "success",
        "has_webhook": False,
        "outcome": "success",
    }
    return JobFacts(**{**values, **changes})


def verdict(
    exchanges: list[Exchange],
    *,
    jobs: list[JobFacts] | None = None,
    webhooks: list[WebhookAttempt] | None = None,
    now: float | None = None,
) -> Verdict:
    jobs = [facts()] if jobs is None else jobs
    return judge(exchanges, jobs, webhooks or [], BUNDLED.conventions, now=now, base_path="/api/v6")


def rules(*arguments: Any, **options: Any) -> list[str]:
    return [finding.rule for finding in verdict(*arguments, **options).findings]


def polled(*pauses_s: float, first_s: float = ETA_S, **changes: Any) -> list[Exchange]:
    """A submit at 0, a fetch at its eta, and one after each pause; the last says success."""
    exchanges = [exchange(1, 0.0, "submit"), exchange(2, first_s, **changes)]
    for pause_s in pauses_s:
        last = exchanges[-1]
        exchanges.append(exchange(last.number + 1, last.at + pause_s, **changes))
    last = exchanges[-1]
    return [*exchanges, exchange(last.number + 1, last.at + 30, **said("success"))]


@pytest.mark.parametrize(
    "pauses_s, found",
    [
        ([0.0], []),
        ([0.0] * 7, []),
        ([0.0] * 8, ["polled-too-fast"]),
        ([0.24] * 8, ["polled-too-fast"]),
        ([0.25] * 80, []),
        ([*[0.1] * 7, 0.25, *[0.1] * 7], []),
        ([*[0.1] * 7, 0.25, *[0.1] * 8], ["polled-too-fast"]),
        ([2.0] * 80, []),
    ],
)
def test_pauses_between_fetches(pauses_s: list[float], found: list[str]) -> None:
    """Eight in a row below 0.25 s are too fast; fewer are not, and equal longer ones are fine."""
    assert rules(polled(*pauses_s)) == found


def test_the_fetches_of_a_finding_are_named() -> None:
    """The exchanges of the rule about pauses are those of the longest row, after its first."""
    (fast,) = verdict(polled(2.0, 0.1, 3.0, *[0.2] * 8, 0.03, 5.0)).findings

    assert (fast.exchanges, fast.message) == (
        tuple(range(6, 15)),
        "Job 7 was fetched 10 times in a row with pauses of less than 0.25 s; the shortest was"
        " 0.03 s.",
    )


@pytest.mark.parametrize(
    "eta_s, first_s, found",
    [
        (10.0, 9.5, []),
        (10.0, 9.4, ["polled-before-eta"]),
        (1_000.0, 59.5, []),
        (1_000.0, 59.4, ["polled-before-eta"]),
    ],
)
def test_the_first_fetch(eta_s: float, first_s: float, found: list[str]) -> None:
    """It may come half a second early, and after a minute however long the eta is."""
    jobs = [facts(announced_end=eta_s, ends_at=eta_s)]

    assert rules(polled(first_s=first_s), jobs=jobs) == found


@pytest.mark.parametrize(
    "retries, found", [(8, []), (9, ["polled-too-fast"]), (10, ["polled-too-fast"])]
)
def test_refused_fetches_may_be_repeated_some_times(retries: int, found: list[str]) -> None:
    """A library repeats a refused fetch at once; the ninth time it is the client."""
    refused: dict[str, Any] = {"refusal": "server_error", "reply": {"status": "error"}}

    assert rules(polled(*[0.1] * (retries - 1), **refused)) == found


def test_retries_are_counted_anew() -> None:
    """After a pause, and after a reply that was not heard, some more are fine."""
    refused: dict[str, Any] = {"refusal": "server_error", "reply": {"status": "error"}}
    paused = polled(*[0.1] * 6, 1.0, *[0.1] * 6, **refused)
    lost = polled(*[0.1] * 10, **refused)
    lost[4] = exchange(5, lost[4].at, fault="HANG", **refused)

    assert (rules(paused), rules(lost)) == ([], [])


@pytest.mark.parametrize(
    "ends, found", [(1, []), (2, []), (3, ["polled-after-end"]), (4, ["polled-after-end"])]
)
def test_an_end_may_be_confirmed_once(ends: int, found: list[str]) -> None:
    """The first end and one more fetch are fine."""
    exchanges = [exchange(1, 0.0, "submit")]
    exchanges += [exchange(2 + i, 10.0 + 10 * i, **said("success")) for i in range(ends)]

    report = verdict(exchanges)

    assert [finding.rule for finding in report.findings] == found
    for finding in report.findings:
        assert finding.exchanges == tuple(range(3, 2 + ends))
        assert f"fetched {ends - 1} more times" in finding.message


@pytest.mark.parametrize(
    "now, has_webhook, ends_at, found, is_decided",
    [
        (129.9, False, 10.0, [], False),
        (130.0, False, 10.0, ["abandoned-job"], True),
        # without a fetch or a webhook, only the announced end counts
        (130.0, False, 500.0, ["abandoned-job"], True),
        # a webhook may still come until the real end
        (619.9, True, 500.0, [], False),
        (620.0, True, 500.0, ["abandoned-job"], True),
    ],
)
def test_a_job_is_abandoned_after_two_minutes(
    now: float, has_webhook: bool, ends_at: float, found: list[str], is_decided: bool
) -> None:
    """120 s after the end that the client could count on; before that it is not judged."""
    jobs = [facts(has_webhook=has_webhook, ends_at=ends_at)]
    report = verdict([exchange(1, 0.0, "submit")], jobs=jobs, now=now)

    assert [finding.rule for finding in report.findings] == found
    assert ("abandoned-job" not in report.not_judged) is is_decided


@pytest.mark.parametrize(
    "state, changes, found",
    [
        ("success", {}, ["abandoned-job"]),
        ("processing", {}, []),  # the client polled, and the job has not ended
        ("success", {"fault": "HANG"}, []),  # it may have heard anything
        ("success", {"refusal": "unknown_id", "reply": {}}, ["abandoned-job"]),
        ("success", {"refusal": "invalid_key", "reply": {}}, []),
    ],
)
def test_a_job_that_was_fetched_is_left_alone(
    state: str, changes: dict[str, Any], found: list[str]
) -> None:
    """The last reply must have been heard, and must not have sent the client away."""
    exchanges = [exchange(1, 0.0, "submit"), exchange(2, 10.0, **changes)]

    assert rules(exchanges, jobs=[facts(state=state)], now=10_000.0) == found


@pytest.mark.parametrize(
    "changes, found",
    [
        ({"refusal": "no_route"}, ["wrong-path-or-method"]),
        ({"refusal": "wrong_method"}, ["wrong-path-or-method"]),
        ({"refusal": "no_link", "is_link": True}, ["wrong-path-or-method"]),
        ({"refusal": "no_link"}, []),
        ({"refusal": "expired", "is_link": True}, []),
        ({"refusal": "no_link", "is_link": True, "job_id": JOB}, []),
        ({"refusal": "no_route", "method": "OPTIONS"}, []),
        ({"refusal": "no_route", "method": "GET", "path": "/"}, []),
        ({"refusal": "no_route", "method": "HEAD", "path": "/favicon.ico"}, []),
        ({"refusal": "no_route", "method": "HEAD", "path": "/api/v6"}, []),
        ({"refusal": "wrong_method", "method": "HEAD", "path": "/api/v6/x"}, []),
        (
            {"refusal": "no_link", "method": "HEAD", "path": "/x.png", "is_link": True},
            ["wrong-path-or-method"],
        ),
        ({"refusal": "no_route", "method": "GET", "path": "/api/v6"}, []),
        ({"refusal": "no_route", "method": "GET", "path": "/api/v6/"}, []),
        ({"refusal": "no_route", "method": "GET", "path": "/api"}, []),
        ({"refusal": "no_route", "method": "GET", "path": "/api/v6/healthz"}, []),
        ({"refusal": "no_route", "method": "GET", "path": "/ap"}, ["wrong-path-or-method"]),
        ({"refusal": "no_route", "path": "/api/v6"}, ["wrong-path-or-method"]),
        ({"refusal": "no_route", "method": "GET", "path": "/jobs"}, ["wrong-path-or-method"]),
        ({"refusal": "no_route", "path": "/"}, ["wrong-path-or-method"]),
    ],
)
def test_requests_that_no_operation_has(changes: dict[str, Any], found: list[str]) -> None:
    """Unknown paths, methods and links count; those of browsers, of scripts that look whether the
    server is there, and of known jobs do not.
    """
    values = {"job_id": None, "owner": None, "reply": {"message": "No."}, **changes}

    assert rules([exchange(1, 0.0, "plain", **values)], jobs=[]) == found


def test_an_unknown_id_is_told() -> None:
    """A fetch of an id that the key does not have; one of a job that is known by now is none."""
    unknown = exchange(1, 0.0, refusal="unknown_id", job_id=None, reply={}, path="/fetch/5")

    (finding,) = verdict([unknown], jobs=[]).findings

    assert (finding.rule, finding.message) == (
        "unknown-id",
        "POST /fetch/5: the key has no such job.",
    )


@pytest.mark.parametrize("took_s, found", [(10.0, []), (10.1, ["webhook-answered-late"])])
def test_a_receiver_has_ten_seconds(took_s: float, found: list[str]) -> None:
    """Real seconds, until it has answered."""
    attempt = WebhookAttempt(1, 10.0, took_s, JOB, 1, 200, "", False, after=1, until=1)

    assert rules([exchange(1, 0.0, "submit")], webhooks=[attempt]) == found


@pytest.mark.parametrize(
    "code, suppressed, found",
    [
        (500, False, ["webhook-refused"]),
        (300, False, ["webhook-refused"]),
        (299, False, []),
        (199, False, ["webhook-refused"]),
        (None, False, ["webhook-refused"]),
        (None, True, []),
    ],
)
def test_a_webhook_is_answered_with_2xx(
    code: int | None, suppressed: bool, found: list[str]
) -> None:
    """All other answers, and none, are refusals; what was never sent is none."""
    attempt = WebhookAttempt(1, 10.0, 0.1, JOB, 1, code, "e", suppressed, after=1, until=1)

    assert rules([exchange(1, 0.0, "submit")], webhooks=[attempt]) == found


@pytest.mark.parametrize(
    "at, code, found",
    [(60.0, None, ["webhook-refused"]), (60.1, None, []), (60.1, 404, ["webhook-refused"])],
)
def test_a_receiver_may_be_closed_when_its_caller_has_given_up(
    at: float, code: int | None, found: list[str]
) -> None:
    """A minute after the last call about a job, a receiver that is not there is no refusal."""
    attempt = WebhookAttempt(1, at, 0.1, JOB, 1, code, "e", suppressed=False, after=1, until=1)

    assert rules([exchange(1, 0.0, "submit")], webhooks=[attempt]) == found


def test_a_webhook_that_came_to_no_receiver_is_nobodys_fault() -> None:
    """A name that is unknown, a network that is not there: nothing is held against the client, and
    the rules about receivers are not judged.
    """
    attempt = WebhookAttempt(
        1, 10.0, 0.1, JOB, 1, None, "e", suppressed=False, after=1, until=1, reached=False
    )

    report = verdict([exchange(1, 0.0, "submit")], webhooks=[attempt])

    of_receivers = "webhook-refused, webhook-answered-late"
    assert str(report).splitlines() == [
        "the client behaved well as far as it was judged; 2 of 17 rules were not",
        f"  not judged: {of_receivers} (webhooks that came to no receiver say nothing of it)",
        f"    webhook of job {JOB}, attempt 1: e",
        "  judged: 1 call, 1 job",
    ]


@pytest.mark.parametrize(
    "after, code, earlier, found",
    [
        (1, None, [], ["webhook-refused"]),
        (2, None, [], []),
        (2, 500, [], ["webhook-refused"]),
        (2, 404, [], []),
        (2, 410, [], []),
        (1, 404, [], ["webhook-refused"]),
        (1, None, [200], []),
        (1, 404, [200], []),
        (1, None, [None], ["webhook-refused", "webhook-refused"]),
    ],
)
def test_a_receiver_may_be_closed_once_the_end_is_known(
    after: int, code: int | None, earlier: list[int | None], found: list[str]
) -> None:
    """Nobody answers, or nobody knows of the job, after a fetch or an earlier webhook told the end:
    that is no refusal. What is answered, and wrongly, is one.
    """
    codes = [*earlier, code]
    attempts = [
        WebhookAttempt(number, 10.0, 0.1, JOB, number, each, "e", False, after=after, until=after)
        for number, each in enumerate(codes, 1)
    ]
    exchanges = [exchange(1, 0.0, "submit"), exchange(2, 15.0, **said("success"))]

    assert rules(exchanges, webhooks=attempts) == found


@pytest.mark.parametrize(
    "pause_s, retry_after, found",
    [
        (4.5, 5, []),
        (4.4, 5, ["ignored-retry-after"]),
        (0.6, 5, ["ignored-retry-after"]),
        (0.5, 5, []),  # side by side
        (0.1, "soon", []),
    ],
)
def test_retry_after_is_waited_for(pause_s: float, retry_after: Any, found: list[str]) -> None:
    """Half a second less is fine, and so is one request at the same moment."""
    first = exchange(1, 0.0, "submit", **{**REFUSED, **said("error", retry_after=retry_after)})
    second = exchange(2, pause_s, "submit", **said("success"))

    assert rules([first, second]) == found


def test_a_retry_after_that_was_not_heard_binds_nobody() -> None:
    """The reply was lost, so the client cannot know how long to wait."""
    refused = {**REFUSED, **said("error", retry_after=5)}
    exchanges = [
        exchange(1, 0.0, "submit", **refused, fault="HANG"),
        exchange(2, 2.0, "submit", **said("success")),
    ]

    assert rules(exchanges) == []


@pytest.mark.parametrize(
    "request_body, kind, found",
    [
        (BODY, "submit", ["ignored-retry-after"]),
        ({"prompt": "p"}, "submit", []),  # many wishes at the same moment
        ({}, "fetch", ["ignored-retry-after"]),
    ],
)
def test_more_than_two_at_once_are_no_coincidence(
    request_body: dict[str, Any], kind: str, found: list[str]
) -> None:
    """A third equal request within half a second, unless it asks for another picture."""
    refused = {**REFUSED, **said("error", retry_after=5), "request": request_body}
    exchanges = [exchange(i, 0.1 * i, kind, **refused) for i in range(1, 4)]

    assert [rule for rule in rules(exchanges, jobs=[]) if rule == "ignored-retry-after"] == found


@pytest.mark.parametrize(
    "changes, found",
    [
        ({}, ["duplicate-submit"]),
        ({"owner": OTHER}, []),
        ({"request": {**BODY, "seed": 2}}, []),
        ({"request_bytes": 11}, []),
        ({"job_id": None, "refusal": "queue_full"}, []),
    ],
)
def test_the_same_body_is_charged_twice(changes: dict[str, Any], found: list[str]) -> None:
    """Key, body and size must be equal, and both must have been accepted."""
    second = {"job_id": 8, **said("processing"), **changes}
    exchanges = [exchange(1, 0.0, "submit"), exchange(2, 2.0, "submit", **second)]
    jobs = [facts(state="processing", ends_at=math.inf), facts(id=8, ends_at=math.inf)]

    report = verdict(exchanges, jobs=jobs)

    assert [finding.rule for finding in report.findings] == found
    for finding in report.findings:
        assert (finding.job_id, finding.exchanges) == (8, (1, 2))


def test_bodies_that_were_cut_are_not_compared() -> None:
    """Nobody knows whether two large bodies were equal."""
    cut = {"request": {"(cut)": True}}
    exchanges = [exchange(1, 0.0, "submit", **cut), exchange(2, 2.0, "submit", **cut, job_id=8)]

    assert rules(exchanges, jobs=[facts(), facts(id=8)]) == []


def test_a_submit_whose_job_is_not_known_repeats_nothing() -> None:
    """The job of the first request was reset; its end may have been known."""
    exchanges = [exchange(1, 0.0, "submit"), exchange(2, 2.0, "submit", job_id=8)]

    assert rules(exchanges, jobs=[facts(id=8)]) == []


@pytest.mark.parametrize(
    "count, message",
    [(1, "The key was in the URL of request 1."), (2, "The key was in the URL of 2 requests.")],
)
def test_a_key_in_urls_is_one_finding(count: int, message: str) -> None:
    """All requests with the key in their URL are named together."""
    exchanges = [exchange(1 + i, 20.0 * i, "plain", key_in_url=True) for i in range(count)]

    (finding,) = verdict(exchanges, jobs=[]).findings

    assert (finding.rule, finding.message) == ("key-in-url", message)
    assert finding.exchanges == tuple(range(1, 1 + count))


@pytest.mark.parametrize(
    "pointers, field",
    [
        (["/width"], "width"),
        (["/width", "/width"], "width"),
        (["/b", "/a"], "a, b"),
        (["/a", ""], ""),
    ],
)
def test_a_broken_request_names_its_field(pointers: list[str], field: str) -> None:
    """The fields that the violations are about; none if one is about the whole body."""
    violations = tuple(Violation(pointer, "type", "integer", "5") for pointer in pointers)

    (finding,) = verdict([exchange(1, 0.0, "plain", violations=violations)], jobs=[]).findings

    assert (finding.rule, finding.field) == ("request-violation", field)


@pytest.mark.parametrize(
    "changes",
    [
        {"fault": "HANG"},
        {"delay_s": 1.0},
        {
            "reply": {
                "status": "processing",
                "id": JOB,
                "fetch_result": "http://a.test/7",
                "future_links": ["http://b.test/7.png"],
            }
        },
    ],
)
def test_a_job_that_the_client_could_not_follow_is_not_abandoned(changes: dict[str, Any]) -> None:
    """Its submit was not certainly heard, or sent the client to another host."""
    assert rules([exchange(1, 0.0, "submit", **changes)], now=10_000.0) == []


@pytest.mark.parametrize(
    "changes, found",
    [
        ({"fault": "HANG"}, []),
        ({"delay_s": 1.0}, []),
        ({"refusal": "rate_limited", **said("error", retry_after=0.05)}, []),
    ],
)
def test_fast_fetches_without_news_are_forgiven(changes: dict[str, Any], found: list[str]) -> None:
    """Lost replies do not count, and neither do short waits that the server asked for."""
    assert rules(polled(*[0.1] * 7, **changes)) == found


def test_a_pause_of_exactly_the_least_is_fine() -> None:
    """0.8 s between two fetches."""
    jobs = [facts(announced_end=0.0, ends_at=0.0)]

    assert rules(polled(0.8, first_s=0.0), jobs=jobs) == []


@pytest.mark.parametrize(
    "fault, pause_s, found",
    [
        (None, 5.0, []),
        ("HANG", 0.5, []),
        ("HANG", 0.6, ["duplicate-submit"]),
        ("DRIBBLE", 5.0, []),
    ],
)
def test_without_a_seed_a_repetition_follows_a_lost_reply(
    fault: str | None, pause_s: float, found: list[str]
) -> None:
    """The reply to the first was lost, and the second came more than half a second later."""
    body = {"prompt": "p"}
    first = exchange(1, 0.0, "submit", request=body, fault=fault)
    second = exchange(2, pause_s, "submit", request=body, job_id=8)
    jobs = [facts(), facts(id=8)]

    assert rules([first, second], jobs=jobs) == found


@pytest.mark.parametrize(
    "refusal, body, pause_s, found",
    [
        ("no_credits", BODY, 5.0, ["retried-permanent-error"]),
        ("no_credits", {"prompt": "p"}, 0.5, []),
        ("no_credits", {"prompt": "p"}, 0.6, ["retried-permanent-error"]),
        ("no_credits", BODY, 0.1, ["retried-permanent-error"]),
        ("invalid", {"prompt": "p"}, 0.1, ["retried-permanent-error"]),
        ("try_again", BODY, 5.0, []),
    ],
)
def test_a_permanent_refusal_is_not_repeated(
    refusal: str, body: dict[str, Any], pause_s: float, found: list[str]
) -> None:
    """Two wishes at the same moment may both meet the refusal of an account."""
    refused = {"job_id": None, "refusal": refusal, "request": body, **said("error")}
    exchanges = [exchange(i, i * pause_s, "submit", **refused) for i in (1, 2)]

    assert rules(exchanges, jobs=[]) == found


@pytest.mark.parametrize(
    "owner, refusal, found",
    [
        (OWNER, "no_credits", []),
        (OTHER, "no_credits", ["retried-permanent-error"]),
        (OWNER, "invalid", ["retried-permanent-error"]),
    ],
)
def test_an_accepted_request_forgives_the_account(
    owner: str, refusal: str, found: list[str]
) -> None:
    """Only for its own key, and only what the account was refused for."""
    refused = {"job_id": None, "refusal": refusal, **said("error")}
    between = exchange(
        2, 5.0, "submit", owner=owner, request={"seed": 9}, job_id=8, **said("success")
    )
    exchanges = [
        exchange(1, 0.0, "submit", **refused),
        between,
        exchange(3, 9.0, "submit", **refused),
    ]

    assert rules(exchanges, jobs=[facts(id=8)]) == found


@pytest.mark.parametrize(
    "fetches_s, found",
    [
        ([12.0], []),
        ([12.0, 14.0], ["polled-after-webhook"]),
    ],
)
def test_one_fetch_may_confirm_a_webhook(fetches_s: list[float], found: list[str]) -> None:
    """A webhook that says success, and fetches that still say processing."""
    attempt = WebhookAttempt(1, 11.0, 0.1, JOB, 1, 200, "", False, after=1, until=1)
    exchanges = [exchange(1, 0.0, "submit")]
    exchanges += [exchange(2 + i, at) for i, at in enumerate(fetches_s)]
    exchanges.append(exchange(9, 30.0, **said("success")))

    report = verdict(exchanges[: 1 + len(fetches_s)], webhooks=[attempt])

    assert [finding.rule for finding in report.findings] == found
    for finding in report.findings:
        assert finding.exchanges == (3,)


def test_a_fetch_before_the_webhook_arrived_does_not_count() -> None:
    """Only fetches after the receiver had answered are late, up to the first end."""
    attempt = WebhookAttempt(1, 11.0, 0.1, JOB, 1, 200, "", False, after=1, until=3)
    exchanges = [
        exchange(1, 0.0, "submit"),
        exchange(2, 12.0),
        exchange(3, 14.0),
        exchange(4, 16.5, **said("success")),
        exchange(5, 20.0, **said("success")),
    ]

    assert rules(exchanges, webhooks=[attempt]) == []


def test_a_link_may_be_read_after_a_success() -> None:
    """A GET before any success is early; HEAD and a GET after it are not."""
    link = {"is_link": True, "path": "/images/7.png", "reply": None}
    exchanges = [
        exchange(1, 0.0, "submit"),
        exchange(2, 1.0, "plain", **link, method="HEAD", refusal="not_ready"),
        exchange(3, 2.0, "plain", **link, method="GET", refusal="not_ready"),
        exchange(4, 10.0, **said("success")),
        exchange(5, 11.0, "plain", **link, method="GET"),
    ]

    (finding,) = verdict(exchanges).findings

    assert (finding.rule, finding.exchanges) == ("link-before-success", (3,))


def test_bodies_that_are_no_json_are_not_taken_for_the_same() -> None:
    """Of two such bodies of one length nobody can say that the second repeats the first."""
    refused = {"job_id": None, "refusal": "malformed", "reply": {"status": "error"}}
    exchanges = [
        exchange(number, float(number), "submit", request=None, **refused) for number in (1, 2)
    ]

    assert "retried-permanent-error" not in rules(exchanges, jobs=[])
