"""Each rule of the verdict at its edge: what a well-behaved client may do, and what a bad one
cannot hide.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from driving import KEY, SUBMIT, fetch, get, make_mock, submit
from fauxlab_contract.verdict.rules import RULES
from fauxlab_contract.verdict.verdict import judge
from fauxlab_mock.clock.virtual import virtual_time
from fauxlab_mock.engine.messages import Call
from fauxlab_mock.runtime.mock import Mock
from fauxlab_mock.settings import Limits
from receiving import receiving

ETA_S = 10.0
OTHER_KEY = "another-key-0123456789"
Client = Callable[[Mock], object]


def client_clock_mock(**settings: Any) -> Mock:
    """A mock whose clock is known to be the client's."""
    mock = make_mock(**{"eta": ETA_S, **settings})
    mock.clock.mark_slept_on()
    return mock


def rules(mock: Mock) -> set[str]:
    return {finding.rule for finding in mock.verdict().findings}


def finished_job(mock: Mock, prefer: str = "", **fields: Any) -> dict[str, Any]:
    """One job, well treated to its end; the submit's answer."""
    job: dict[str, Any] = submit(mock, prefer, **fields).body
    mock.clock.advance(ETA_S)
    fetch(mock, job["id"], key=fields.get("key", KEY))
    return job


# What a well-behaved client may do


def wants_a_second_picture_after_the_webhook(mock: Mock) -> None:
    """The webhook told of the end, so the same request is another wish."""
    with receiving() as receiver:
        for _ in range(2):
            submit(mock, webhook=receiver.url)
            mock.clock.advance(ETA_S)


def wants_a_second_picture_in_the_webhooks_handler(mock: Mock) -> None:
    """The receiver has not answered yet, but knows."""
    with receiving() as receiver:
        more = [1]
        receiver.meanwhile = lambda _: (
            more and submit(mock, webhook=receiver.url, seed=more.pop() * 7)
        )
        submit(mock, webhook=receiver.url)
        mock.clock.advance(ETA_S)
        mock.clock.advance(ETA_S)


def wants_two_pictures_without_a_seed(mock: Mock) -> None:
    """Each gets a seed of its own."""
    jobs = [submit(mock, seed=None).body["id"] for _ in range(2)]
    mock.clock.advance(ETA_S)
    for job in jobs:
        fetch(mock, job)


def wants_two_without_a_seed_and_one_answer_is_lost(mock: Mock) -> None:
    """Sent side by side, before the loss can have been noticed."""
    submit(mock, "fault=CONNECTION_RESET_BY_PEER", seed=None)
    finished_job(mock, seed=None)


def wants_two_large_requests(mock: Mock) -> None:
    """The journal keeps only the size of them, so nobody can say that they are the same, even when
    an answer was lost.
    """
    submit(mock, "fault=HANG", prompt="a" * 900, negative_prompt="x" * 900)
    mock.clock.advance(30)
    finished_job(mock, prompt="b" * 900, negative_prompt="x" * 900)


def wants_two_without_a_seed_and_the_first_is_slow(mock: Mock) -> None:
    """The first answer may have come, so this is another wish."""
    first = submit(mock, "delay=3", seed=None).body["id"]
    mock.clock.advance(5)
    finished_job(mock, seed=None)
    fetch(mock, first)


def leaves_little_in_the_journal(mock: Mock) -> None:
    """What the answers told was not kept, so it may have been anything."""
    get(mock, finished_job(mock)["future_links"][0])
    finished_job(mock)
    mock.clock.advance(1_000)


def believes_a_dribbled_answer(mock: Mock) -> None:
    """It came slowly, but it came: the link may be read, the job need not be fetched again."""
    job = submit(mock).body
    mock.clock.advance(ETA_S)
    fetch(mock, job["id"], prefer="fault=DRIBBLE")
    mock.clock.advance(1_000)
    get(mock, job["future_links"][0])


def resubmits_after_a_dribbled_answer(mock: Mock) -> None:
    """The end may have been known."""
    job = submit(mock).body["id"]
    mock.clock.advance(ETA_S)
    fetch(mock, job, prefer="fault=DRIBBLE")
    mock.clock.advance(5)
    finished_job(mock)


def gives_up_on_slow_answers(mock: Mock) -> None:
    """A client that has gone before a delayed answer asks again, and again."""
    job = submit(mock).body["id"]
    mock.clock.advance(ETA_S)
    for pause_s in (5, 7, 10, 14):
        fetch(mock, job, prefer="delay=4")
        mock.clock.advance(pause_s)
    fetch(mock, job)


def gives_up_on_a_slow_refusal(mock: Mock) -> None:
    """What was refused too late to be heard may be asked again, however permanent."""
    for prefer in (
        "scenario=invalid_key, delay=9",
        "scenario=invalid_key, delay=9",
        "scenario=rate_limited, delay=9",
        "",
    ):
        mock.clock.advance(2)
        job = submit(mock, prefer).body.get("id")
    mock.clock.advance(ETA_S)
    fetch(mock, job)


def is_older_than_the_journal(mock: Mock) -> None:
    """Success was told before the journal was emptied."""
    job = finished_job(mock)
    mock.reset(journal_only=True)
    get(mock, job["future_links"][0])
    fetch(mock, job["id"])


def never_heard_of_its_job(mock: Mock) -> None:
    """The submit's answer was lost, so there is no id to ask for; likewise when it was so late that
    the client had gone.
    """
    submit(mock, "fault=EMPTY_RESPONSE")
    submit(mock, "delay=20", seed=8)
    mock.clock.advance(1_000)


def is_stopped_before_the_eta(mock: Mock) -> None:
    """The test is over, the job is not."""
    submit(mock)
    mock.clock.advance(1)


def has_to_give_up(mock: Mock) -> None:
    """The last fetches were refused, or their answers lost; or the address for them is a
    stranger's, and was not used.
    """
    submit(mock, "scenario=foreign_fetch_result")
    for prefer in ("scenario=server_error", "fault=HANG"):
        job = submit(mock, seed=len(prefer)).body["id"]
        mock.clock.advance(ETA_S)
        for pause_s in (2, 3, 5):
            fetch(mock, job, prefer=prefer)
            mock.clock.advance(pause_s)
    mock.clock.advance(1_000)


def has_the_picture_already(mock: Mock) -> None:
    """Told by webhook, never fetched, read by link: also by HEAD, and again after late links."""
    with receiving() as receiver:
        job = submit(mock, "scenario=late_links", webhook=receiver.url).body
        mock.clock.advance(ETA_S)
    mock.handle(Call("HEAD", job["future_links"][0].removeprefix(mock.public_url)))
    for _ in range(3):
        get(mock, job["future_links"][0])
    mock.clock.advance(1_000)


def reads_the_link_in_the_webhooks_handler(mock: Mock) -> None:
    """The receiver answers when it has the picture."""
    with receiving() as receiver:
        receiver.meanwhile = lambda event: get(mock, event["output"][0])
        submit(mock, webhook=receiver.url)
        mock.clock.advance(ETA_S)


def asks_whether_the_picture_is_there(mock: Mock) -> None:
    """A HEAD reads nothing; and once it is answered with 200, the picture may be read."""
    job = submit(mock).body
    for pause_s in (5, 5):
        mock.clock.advance(pause_s)
        mock.handle(Call("HEAD", job["future_links"][0].removeprefix(mock.public_url)))
    get(mock, job["future_links"][0])
    mock.clock.advance(1_000)


def has_no_more_time(mock: Mock) -> None:
    """The job needs more polls than the client has patience."""
    job = submit(mock, "polls=1000").body["id"]
    for pause_s in (ETA_S, 20, 40):
        mock.clock.advance(pause_s)
        fetch(mock, job)
    mock.clock.advance(1_000)


def confirms_a_webhook_that_comes_too_soon(mock: Mock) -> None:
    """One fetch in the receiver, before it has answered; and one after that, asked for again when
    it was refused.
    """
    with receiving() as receiver:
        receiver.meanwhile = lambda event: fetch(mock, event["id"])
        job = submit(mock, "scenario=webhook_before_success", webhook=receiver.url).body["id"]
        mock.clock.advance(6)
    fetch(mock, job, prefer="scenario=server_error")
    mock.clock.advance(4)
    fetch(mock, job)


def confirms_a_webhook_by_one_fetch(mock: Mock) -> None:
    """Right after a poll, for the webhook came right after it."""
    with receiving() as receiver:
        job = submit(mock, "scenario=slow", webhook=receiver.url).body["id"]
        mock.clock.advance(4 * ETA_S - 0.1)
        fetch(mock, job)
        mock.clock.advance(0.1)
        fetch(mock, job)


def confirms_a_success_by_one_fetch(mock: Mock) -> None:
    """At once, and after a failure and an instant success as well."""
    for prefer in ("", "scenario=failed"):
        fetch(mock, finished_job(mock, prefer, seed=len(prefer))["id"])
    fetch(mock, submit(mock, "scenario=instant", seed=99).body["id"])


def confirms_a_success_in_spite_of_trouble(mock: Mock) -> None:
    """A confirmation that was not heard is asked for again."""
    job = finished_job(mock)["id"]
    for prefer in ("scenario=unavailable", "fault=HANG", ""):
        mock.clock.advance(2)
        fetch(mock, job, prefer=prefer)


def confirms_a_success_that_flaps(mock: Mock) -> None:
    """Success, then processing, then success: whoever asks again must go on."""
    job = finished_job(mock, "scenario=flapping")["id"]
    for pause_s in (1, 2, 3):
        mock.clock.advance(pause_s)
        fetch(mock, job)


def asks_side_by_side(mock: Mock) -> None:
    """Refused at the same moment, two clients cannot know of each other's answers; nor can those of
    other keys.
    """
    for key in (KEY, OTHER_KEY):
        for seed in (1, 2):
            submit(mock, "scenario=rate_limited", key=key, seed=seed)
    mock.clock.advance(5)
    finished_job(mock, seed=3)
    mock.clock.advance(30)
    finished_job(mock, seed=1)


def asks_twice_side_by_side(mock: Mock) -> None:
    """The same wish, from two clients."""
    for _ in range(2):
        submit(mock, "scenario=rate_limited")
    mock.clock.advance(30)
    finished_job(mock)


def asks_without_a_seed_side_by_side(mock: Mock) -> None:
    """Any number of wishes, refused at the same moment."""
    for scenario in ("rate_limited", "no_credits"):
        for _ in range(4):
            submit(mock, f"scenario={scenario}", seed=None)
    mock.clock.advance(30)
    finished_job(mock, seed=None)


def waits_as_long_as_it_is_told(mock: Mock) -> None:
    """A refused fetch comes again after retry_after; or before, when a webhook has come."""
    job = submit(mock).body["id"]
    mock.clock.advance(ETA_S)
    fetch(mock, job, prefer="scenario=rate_limited")
    mock.clock.advance(30)
    fetch(mock, job)
    with receiving() as receiver:
        job = submit(mock, "scenario=slow", seed=8, webhook=receiver.url).body["id"]
        mock.clock.advance(4 * ETA_S - 1)
        fetch(mock, job, prefer="scenario=rate_limited")
        mock.clock.advance(2)
        fetch(mock, job)


def tops_up_the_account(mock: Mock) -> None:
    """An accepted call says that the account is in order; what comes after is a new case."""
    submit(mock, "scenario=no_credits")
    finished_job(mock, seed=8)
    submit(mock, "scenario=no_credits")


def waits_a_minute_for_a_long_eta(mock: Mock) -> None:
    """Whoever waits a minute before the first fetch is patient."""
    job = submit(mock, "eta=300").body["id"]
    for pause_s in (60, 61, 62, 63, 64):
        mock.clock.advance(pause_s)
        fetch(mock, job)


def polls_every_two_seconds(mock: Mock) -> None:
    """No source asks for pauses that grow."""
    job = submit(mock, f"eta={ETA_S:g}, polls=12").body["id"]
    mock.clock.advance(ETA_S)
    for _ in range(13):
        fetch(mock, job)
        mock.clock.advance(2)


def retries_what_may_pass(mock: Mock) -> None:
    """Submits after try_again and server errors, fetches at once after a server error, after a
    fault, and after not found.
    """
    for scenario in ("try_again", "server_error", "unavailable", "try_again"):
        submit(mock, f"scenario={scenario}")
        mock.clock.advance(2)
    job = submit(mock).body["id"]
    mock.clock.advance(ETA_S)
    unheard = ["scenario=server_error, delay=9"] * 6
    for prefer in (
        "scenario=server_error",
        "fault=EMPTY_RESPONSE",
        "fault=CONNECTION_RESET_BY_PEER",
        "scenario=early_not_found",
        *unheard,
        "",
    ):
        fetch(mock, job, prefer=prefer)


def has_several_jobs_and_keys(mock: Mock) -> None:
    """Jobs in parallel, of two keys, in turn: the etas count the queue."""
    jobs = [
        (submit(mock, key=key, seed=seed).body, key) for key in (KEY, OTHER_KEY) for seed in (1, 2)
    ]
    for pause_s in (ETA_S, ETA_S + 1):
        mock.clock.advance(pause_s)
        for job, key in jobs:
            if job["eta"] <= pause_s:
                fetch(mock, job["id"], key=key)
        jobs = [(job, key) for job, key in jobs if job["eta"] > pause_s]


def is_looked_at_by_a_browser(mock: Mock) -> None:
    """What browsers and start-up scripts ask by themselves is no call of the client."""
    for _ in range(2):
        for method, path in (
            ("GET", "/"),
            ("GET", "/favicon.ico"),
            ("HEAD", "/robots.txt"),
            ("OPTIONS", SUBMIT),
        ):
            mock.handle(Call(method, path))


GOOD: dict[Client, dict[str, Any]] = {
    wants_a_second_picture_after_the_webhook: {},
    wants_a_second_picture_in_the_webhooks_handler: {},
    wants_two_pictures_without_a_seed: {"validation": "coerce"},
    wants_two_without_a_seed_and_one_answer_is_lost: {"validation": "coerce"},
    wants_two_large_requests: {"limits": Limits(journal_entry_bytes=600), "validation": "coerce"},
    wants_two_without_a_seed_and_the_first_is_slow: {"validation": "coerce"},
    leaves_little_in_the_journal: {"limits": Limits(journal_entry_bytes=50)},
    has_no_more_time: {},
    confirms_a_webhook_that_comes_too_soon: {},
    believes_a_dribbled_answer: {},
    resubmits_after_a_dribbled_answer: {},
    gives_up_on_slow_answers: {},
    gives_up_on_a_slow_refusal: {},
    is_older_than_the_journal: {},
    never_heard_of_its_job: {},
    is_stopped_before_the_eta: {},
    has_to_give_up: {},
    has_the_picture_already: {},
    reads_the_link_in_the_webhooks_handler: {},
    asks_whether_the_picture_is_there: {},
    confirms_a_webhook_by_one_fetch: {},
    confirms_a_success_by_one_fetch: {},
    confirms_a_success_in_spite_of_trouble: {},
    confirms_a_success_that_flaps: {},
    asks_side_by_side: {},
    asks_twice_side_by_side: {},
    asks_without_a_seed_side_by_side: {"validation": "coerce"},
    waits_as_long_as_it_is_told: {},
    tops_up_the_account: {},
    waits_a_minute_for_a_long_eta: {},
    polls_every_two_seconds: {},
    retries_what_may_pass: {},
    has_several_jobs_and_keys: {"queue_mode": "sequential"},
    is_looked_at_by_a_browser: {},
}


@pytest.mark.parametrize("client", GOOD, ids=lambda client: client.__name__)
def test_a_good_client_raises_no_false_alarm(client: Client) -> None:
    """What a client had to do, or could not know better, is no finding."""
    mock = client_clock_mock(**GOOD[client])
    client(mock)

    assert mock.verdict().findings == ()


# What a bad one cannot hide


def submits_again_without_a_seed(mock: Mock) -> None:
    """A submit after one whose answer was lost is paid for twice, seed or no seed."""
    submit(mock, "fault=HANG", seed=None)
    mock.clock.advance(30)
    finished_job(mock, seed=None)


def submits_twice_at_once(mock: Mock) -> None:
    """With a seed, both get the same picture."""
    jobs = [submit(mock).body["id"] for _ in range(2)]
    mock.clock.advance(ETA_S)
    for job in jobs:
        fetch(mock, job)


def retries_at_once_without_credits(mock: Mock) -> None:
    for _ in range(2):
        submit(mock, "scenario=no_credits")


def retries_later_without_credits_or_seed(mock: Mock) -> None:
    for _ in range(2):
        submit(mock, "scenario=no_credits", seed=None)
        mock.clock.advance(5)


def retries_a_refused_picture_without_a_seed(mock: Mock) -> None:
    for _ in range(2):
        submit(mock, "scenario=rejected_image", seed=None)


def retries_a_refused_picture_after_another_job(mock: Mock) -> None:
    """That another request was accepted makes this one no better."""
    submit(mock, "scenario=rejected_image")
    finished_job(mock, seed=8)
    submit(mock, "scenario=rejected_image")


def hammers_at_refused_fetches(mock: Mock) -> None:
    job = submit(mock).body["id"]
    mock.clock.advance(ETA_S)
    for _ in range(6):
        fetch(mock, job, prefer="scenario=rate_limited")
    mock.clock.advance(31)
    fetch(mock, job)


def reads_a_link_though_the_answer_was_lost(mock: Mock) -> None:
    job = submit(mock).body
    mock.clock.advance(ETA_S)
    fetch(mock, job["id"], prefer="fault=HANG")
    get(mock, job["future_links"][0])


def waits_for_a_webhook_that_is_lost(mock: Mock) -> None:
    submit(mock, "scenario=webhook_lost", webhook="http://127.0.0.1:9/")
    mock.clock.advance(1_000)


def polls_fast_long_before_its_webhook(mock: Mock) -> None:
    with receiving() as receiver:
        job = submit(mock, "scenario=slow", webhook=receiver.url).body["id"]
        mock.clock.advance(ETA_S)
        for _ in range(9):
            fetch(mock, job)
        mock.clock.advance(3 * ETA_S)


def hammers_at_refused_submits(mock: Mock) -> None:
    for _ in range(6):
        submit(mock, "scenario=rate_limited")


def fetches_before_it_should(mock: Mock) -> None:
    job = submit(mock).body["id"]
    mock.clock.advance(ETA_S)
    fetch(mock, job, prefer="scenario=rate_limited")
    mock.clock.advance(5)
    fetch(mock, job)


def hammers_at_failing_fetches(mock: Mock) -> None:
    job = submit(mock).body["id"]
    mock.clock.advance(ETA_S)
    for _ in range(20):
        fetch(mock, job, prefer="scenario=server_error")
    mock.clock.advance(1)
    fetch(mock, job)


def reads_the_link_of_a_failed_job(mock: Mock) -> None:
    job = finished_job(mock, "scenario=failed")
    get(mock, job["future_links"][0])


def reads_the_link_after_a_failure_webhook(mock: Mock) -> None:
    with receiving() as receiver:
        job = submit(mock, "scenario=failed", webhook=receiver.url).body
        mock.clock.advance(ETA_S)
    get(mock, job["future_links"][0])


def walks_away_after_a_reset(mock: Mock) -> None:
    finished_job(mock)
    mock.reset()
    submit(mock)
    mock.clock.advance(1_000)


def walks_away_after_the_journal_was_emptied(mock: Mock) -> None:
    """The job from before is not judged, the one from after is."""
    submit(mock)
    mock.reset(journal_only=True)
    submit(mock)
    mock.clock.advance(1_000)


def takes_not_found_for_the_end(mock: Mock) -> None:
    job = submit(mock, "scenario=early_not_found").body["id"]
    mock.clock.advance(ETA_S)
    fetch(mock, job)
    mock.clock.advance(1_000)


def stops_while_the_job_is_processed(mock: Mock) -> None:
    job = submit(mock, "scenario=slow").body["id"]
    mock.clock.advance(ETA_S)
    fetch(mock, job)
    mock.clock.advance(1_000)


def asks_three_times_for_the_end(mock: Mock) -> None:
    job = submit(mock, "scenario=instant").body["id"]
    for _ in range(2):
        mock.clock.advance(3)
        fetch(mock, job)


def submits_for_nothing_after_a_fetch_of_another_key(mock: Mock) -> None:
    """What another key's call shows says nothing of this account."""
    submit(mock, "scenario=no_credits")
    finished_job(mock, key=OTHER_KEY)
    submit(mock, "scenario=no_credits")


BAD: dict[Client, tuple[str, dict[str, Any]]] = {
    submits_again_without_a_seed: ("duplicate-submit", {"validation": "coerce"}),
    submits_twice_at_once: ("duplicate-submit", {}),
    retries_at_once_without_credits: ("retried-permanent-error", {}),
    retries_later_without_credits_or_seed: ("retried-permanent-error", {"validation": "coerce"}),
    retries_a_refused_picture_without_a_seed: ("retried-permanent-error", {"validation": "coerce"}),
    retries_a_refused_picture_after_another_job: ("retried-permanent-error", {}),
    hammers_at_refused_fetches: ("ignored-retry-after", {}),
    reads_a_link_though_the_answer_was_lost: ("link-before-success", {}),
    waits_for_a_webhook_that_is_lost: ("abandoned-job", {}),
    polls_fast_long_before_its_webhook: ("polled-too-fast", {}),
    hammers_at_refused_submits: ("ignored-retry-after", {}),
    fetches_before_it_should: ("ignored-retry-after", {}),
    takes_not_found_for_the_end: ("abandoned-job", {}),
    stops_while_the_job_is_processed: ("abandoned-job", {}),
    hammers_at_failing_fetches: ("polled-too-fast", {}),
    reads_the_link_of_a_failed_job: ("link-before-success", {}),
    reads_the_link_after_a_failure_webhook: ("link-before-success", {}),
    walks_away_after_a_reset: ("abandoned-job", {}),
    walks_away_after_the_journal_was_emptied: ("abandoned-job", {}),
    asks_three_times_for_the_end: ("polled-after-end", {}),
    submits_for_nothing_after_a_fetch_of_another_key: ("retried-permanent-error", {}),
}


@pytest.mark.parametrize("client", BAD, ids=lambda client: client.__name__)
def test_a_bad_client_is_found(client: Client) -> None:
    """By its rule, and by no other."""
    rule, settings = BAD[client]
    mock = client_clock_mock(**settings)
    client(mock)

    assert rules(mock) == {rule}


def test_a_webhook_at_the_moment_of_the_last_fetch_is_no_polling_on() -> None:
    """On the auto clock, fetch and webhook have the same time; which came first is told by their
    order.
    """
    with receiving() as receiver:
        mock = make_mock(clock="auto", eta=ETA_S)
        job = submit(mock, "polls=2", webhook=receiver.url).body["id"]
        for _ in range(3):
            fetch(mock, job)
        receiver.next()
        mock.close()

    assert [attempt.delivered for attempt in mock.webhooks] == [True]
    assert mock.verdict().findings == ()


def test_a_webhook_knows_its_place_among_the_exchanges() -> None:
    """What comes while the receiver is at work stands between `after` and `until`."""
    mock = client_clock_mock()
    with receiving() as receiver:
        receiver.meanwhile = lambda event: fetch(mock, event["id"])
        submit(mock, webhook=receiver.url)
        mock.clock.advance(ETA_S)

    assert [(attempt.after, attempt.until) for attempt in mock.webhooks] == [(1, 2)]


def test_a_pause_in_real_time_is_a_pause() -> None:
    """A client may sleep while the mock's clock stands still, for a pause or a part of it."""
    mock = client_clock_mock(polls=1)
    job = submit(mock).body["id"]
    for _ in range(9):
        fetch(mock, job)
    facts = [one.facts(mock.clock.now()) for one in mock.jobs]
    slept = [replace(one, real_s=one.number * 10.0) for one in mock.requests]

    assert rules(mock) == {"polled-before-eta", "polled-too-fast"}
    assert judge(slept, facts, (), mock.document.conventions).findings == ()
    partly = [replace(one, at=one.at + one.number * 9, real_s=one.number * 1.0) for one in slept]
    assert judge(partly, facts, (), mock.document.conventions).findings == ()


def test_a_clock_that_nobody_moves_says_nothing_about_pauses() -> None:
    """On the manual clock pauses are judged once it has moved, or once sleeps move it; before that
    it is said that they are not.
    """
    pauses = {rule.id for rule in RULES.values() if "pauses" in rule.needs}
    still, moved, slept_on = (make_mock(eta=ETA_S) for _ in range(3))
    with virtual_time(slept_on.clock):
        for mock in (still, moved, slept_on):
            fetch(mock, submit(mock).body["id"])
    moved.clock.advance(1)

    assert [rules(mock) for mock in (still, moved, slept_on)] == [
        set(),
        {"polled-before-eta"},
        {"polled-before-eta"},
    ]
    assert [pauses <= set(mock.verdict().not_judged) for mock in (still, moved, slept_on)] == [
        True,
        False,
        False,
    ]


def test_what_was_not_validated_is_not_called_valid() -> None:
    """With validation off nothing can be said about the contract, and that is said."""
    judged = {
        validation: make_mock(validation=validation).verdict().not_judged
        for validation in ("strict", "coerce", "off")
    }

    assert {validation: "request-violation" in rules for validation, rules in judged.items()} == {
        "strict": False,
        "coerce": False,
        "off": True,
    }


def test_a_job_that_may_still_be_asked_for_is_not_judged() -> None:
    """Before anybody can say that a job was abandoned, the verdict says that it does not know."""
    mock = client_clock_mock()
    submit(mock)
    early = mock.verdict()
    mock.clock.advance(1_000)

    assert (early.findings, early.not_judged) == ((), ("abandoned-job",))
    assert mock.verdict().not_judged == ()


def test_a_refused_fetch_belongs_to_its_job() -> None:
    """A first fetch that came too early is one, even when it was refused; another key's is none."""
    mock = client_clock_mock()
    job = submit(mock).body["id"]
    fetch(mock, job, key=OTHER_KEY, prefer="scenario=server_error")
    before = rules(mock)
    fetch(mock, job, prefer="scenario=server_error")

    assert (before, rules(mock)) == (set(), {"polled-before-eta"})
