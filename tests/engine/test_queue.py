"""Queue and credits: who may submit, when jobs are made, and what it would have cost."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driving import fetch, make_mock, submit
from fauxlab_mock.admin.api import AdminCall, administer
from fauxlab_mock.engine.job import owner_of
from fauxlab_mock.runtime.mock import Mock
from fauxlab_mock.webhooks.delivery import DeliveryOutcome
from receiving import receiving


def statuses(mock: Mock, count: int, **fields: Any) -> list[str]:
    return [submit(mock, **fields).body["status"] for _ in range(count)]


def admin_call(path: str, body: Any = None) -> AdminCall:
    headers = {"host": "localhost", "content-type": "application/json"}
    return AdminCall("POST", f"/__admin{path}", "", headers, json.dumps(body or {}).encode())


def control(mock: Mock, path: str, body: Any = None) -> Any:
    """A POST to the control API that is answered with 200."""
    answer = administer(mock, admin_call(path, body))
    assert answer.code == 200, answer.body
    return answer.body


def test_a_full_queue_refuses_until_a_job_ends() -> None:
    """The limit counts a key's unfinished jobs; the refusal says it, and when to come again."""
    mock = make_mock(queue_limit=2, eta=10.0)

    assert statuses(mock, 2) == ["processing", "processing"]
    assert submit(mock).body == {
        "status": "error",
        "message": "Rate limit exceeded. Maximum 2 queued requests allowed.",
        "retry_after": 30,
    }
    assert statuses(mock, 1, key="another-key") == ["processing"]
    mock.clock.advance(10)
    assert statuses(mock, 3) == ["processing", "processing", "error"]


def test_the_limit_itself_is_allowed_and_one_more_is_not() -> None:
    """At the vendor's plans, 5, 10 and 15."""
    for limit in (5, 10, 15):
        assert statuses(make_mock(queue_limit=limit), limit + 1) == ["processing"] * limit + [
            "error"
        ]


def test_sequential_jobs_wait_for_each_other() -> None:
    """Each job of a key begins when the one before ends: eta and ends add up. Another key's does
    not wait.
    """
    mock = make_mock(queue_mode="sequential", eta=10.0)
    jobs = [submit(mock).body for _ in range(3)]
    other = submit(mock, key="another-key").body
    began = mock.clock.now()

    assert [job["eta"] for job in (*jobs, other)] == [10, 20, 30, 10]
    ended = []
    for moment in (10, 20, 30):
        mock.clock.advance_to(began + moment)
        ended.append([fetch(mock, job["id"]).body["status"] for job in jobs].count("success"))
    assert ended == [1, 2, 3]


@pytest.mark.parametrize("how", ["complete", "fail", "advance"])
def test_jobs_move_up_when_one_ahead_ends_sooner(how: str) -> None:
    """Ended by hand or brought nearer, a job lets those behind it begin, none before now; another
    key's jobs stay as they are.
    """
    mock = make_mock(queue_mode="sequential", eta=10.0)
    jobs = [submit(mock).body["id"] for _ in range(3)]
    other = submit(mock, key="another-key").body["id"]
    began = mock.clock.now()
    mock.clock.advance(4)
    control(mock, f"/jobs/{jobs[0]}/{how}", {"seconds": 60} if how == "advance" else {})

    assert [job.ends_at - began for job in mock.jobs] == [4, 14, 24, 10]
    assert [fetch(mock, job).body["status"] for job in jobs] == [
        "failed" if how == "fail" else "success",
        "processing",
        "processing",
    ]
    mock.clock.advance_to(began + 14)
    assert [fetch(mock, job).body["status"] for job in jobs[1:]] == ["success", "processing"]
    assert mock.job(other) is not None


def test_a_job_that_waits_can_be_ended_now() -> None:
    """It ends at once, not when its turn would have come; the one behind it waits for the first job
    alone.
    """
    mock = make_mock(queue_mode="sequential", eta=10.0)
    jobs = [submit(mock).body["id"] for _ in range(4)]
    began = mock.clock.now()
    mock.clock.advance(2)
    states = [
        control(mock, f"/jobs/{jobs[1]}/complete")["state"],
        control(mock, f"/jobs/{jobs[2]}/advance", {"seconds": 15})["state"],
    ]

    assert (states, [job.ends_at - began for job in mock.jobs]) == (
        ["success", "processing"],
        [10, 2, 5, 20],
    )


def test_the_webhook_of_a_job_that_moves_up_comes_at_its_new_end() -> None:
    """Also of one that was brought nearer, and is still processing."""
    mock = make_mock(queue_mode="sequential", eta=10.0)
    with receiving() as receiver:
        first, second = (submit(mock, webhook=receiver.url).body["id"] for _ in range(2))
        began = mock.clock.now()
        control(mock, f"/jobs/{first}/advance", {"seconds": 7})
        mock.clock.advance(100)
        mock.close()

    assert [(one.job_id, round(one.at - began, 3)) for one in mock.webhooks] == [
        (first, 3.0),
        (second, 13.0),
    ]


STARTS = st.lists(
    st.tuples(
        st.sampled_from(["submit", "complete", "fail", "advance", "wait"]), st.integers(0, 7)
    ),
    max_size=25,
)


@given(STARTS)
def test_a_key_makes_one_job_at_a_time_and_none_later_than_it_could(
    steps: list[tuple[str, int]],
) -> None:
    """In a sequential queue a job that was not ended by hand takes its whole time, and begins when
    the last one before it has ended.
    """
    mock = make_mock(queue_mode="sequential")
    touched: set[int] = set()
    for what, number in steps:
        jobs = [job for job in mock.jobs if job.state(mock.clock.now()) == "processing"]
        if what == "submit":
            submit(mock, f"eta={number}")
        elif what == "wait":
            mock.clock.advance(number)
        elif jobs:
            job = jobs[number % len(jobs)].id
            control(mock, f"/jobs/{job}/{what}", {"seconds": number} if what == "advance" else {})
            touched.add(job)
        free_at = 0.0
        for one in mock.jobs:
            began = one.created_at + one.waits_s
            if one.id not in touched:
                assert (round(began - max(one.created_at, free_at), 3), one.plan.duration_s) == (
                    0,
                    one.plan.announced_eta_s,
                )
            free_at = max(free_at, one.ends_at)


def test_a_stuck_job_does_not_hold_up_the_queue() -> None:
    """A job without an end is not waited for, but counts as unfinished."""
    mock = make_mock(queue_mode="sequential", queue_limit=2)
    submit(mock, "scenario=stuck")

    assert (submit(mock).body["eta"], submit(mock).body["status"]) == (5, "error")


def test_credits_are_used_up_by_accepted_submits_alone() -> None:
    """A refused request costs nothing; the last credit buys a job, the next submit is refused; keys
    have their own.
    """
    mock = make_mock(credits=2)
    refused = submit(mock, width=5_000).body["status"]

    assert (refused, statuses(mock, 3), statuses(mock, 1, key="another-key")) == (
        "error",
        ["processing", "processing", "error"],
        ["processing"],
    )
    assert (
        submit(mock).body["message"] == "Insufficient credits. Please add more credits to continue."
    )
    assert mock.generations == 3


def test_a_failure_is_paid_back_once() -> None:
    """With refunds on, the first fetch that says failed gives the credit back, later ones do not;
    off, none does.
    """
    for refunds, cost in (("on", 1), ("off", 2)):
        mock = make_mock(refunds=refunds, eta=0.0, polls=1)
        failed = submit(mock, "scenario=failed, eta=1").body["id"]
        submit(mock)
        mock.clock.advance(1)
        for _ in range(4):
            fetch(mock, failed)

        assert mock.generations == cost


@pytest.mark.parametrize("first", ["webhook", "control API", "fetch"])
def test_a_failure_is_paid_back_however_it_is_told(first: str) -> None:
    """By the webhook alone, by the control API alone, by a fetch alone; and once, when the others
    say it as well.
    """
    # every attempt is made three times
    mock = make_mock(refunds="on", eta=5.0, credits=1, send=lambda *_: DeliveryOutcome(500))
    job = submit(
        mock,
        "scenario=failed",
        **({"webhook": "http://127.0.0.1:1/"} if first == "webhook" else {}),
    ).body["id"]
    assert (mock.generations, submit(mock).body["status"]) == (1, "error")
    if first == "control API":
        control(mock, f"/jobs/{job}/fail")
    mock.clock.advance(100)
    if first == "fetch":
        fetch(mock, job)
    cost = mock.generations
    for _ in range(2):
        fetch(mock, job)

    assert (cost, mock.generations, submit(mock).body["status"]) == (0, 0, "processing")


def test_what_a_fetch_merely_pretends_is_not_paid_back() -> None:
    """A preferred failure of a job that is well, or a preferred success or ignorance of one that
    failed, moves no credit.
    """
    mock = make_mock(refunds="on", eta=0.0, polls=1)
    well, failed = submit(mock).body["id"], submit(mock, "scenario=failed").body["id"]
    for job in (well, failed):
        fetch(mock, job)
    for job, prefer in ((well, "failed"), (failed, "instant"), (failed, "early_not_found")):
        fetch(mock, job, prefer=f"scenario={prefer}")

    assert mock.generations == 2


WHAT = [
    "success",
    "failed",
    "no_credits",
    "instant",
    "fetch",
    "advance",
    "fail",
    "complete",
    "redeliver",
]
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["a-key", "b-key"]),
        st.sampled_from(WHAT),
        st.booleans(),
        st.sampled_from([200, 500, None]),
    ),
    max_size=40,
)


@given(
    STEPS,
    st.integers(0, 6),
    st.sampled_from(["on", "off"]),
    st.sampled_from(["parallel", "sequential"]),
)
def test_no_credit_is_made_or_lost(
    steps: list[tuple[str, str, bool, int | None]], balance: int, refunds: str, queue_mode: str
) -> None:
    """Whatever happens in whatever order, and however it is told: spent is accepted less told to
    have failed, from 0 to the balance.
    """
    accepted: dict[str, list[int]] = {"a-key": [], "b-key": []}
    told_failed: set[int] = set()
    codes: list[int | None] = [200]

    def send(_: str, body: bytes) -> DeliveryOutcome:
        event = json.loads(body)
        told_failed.update([event["id"]] if event["status"] == "failed" else [])
        return DeliveryOutcome(codes[0])

    def spent(key: str) -> int:
        return len(accepted[key]) - (
            len(told_failed & set(accepted[key])) if refunds == "on" else 0
        )

    mock = make_mock(credits=balance, refunds=refunds, queue_mode=queue_mode, eta=5.0, send=send)
    for key, step, has_webhook, code in steps:
        codes[0] = code  # what receivers answer from now on
        if step == "advance":
            mock.clock.advance(3)
        elif step == "fetch":
            told_failed |= {
                job for job in accepted[key] if fetch(mock, job, key).body["status"] == "failed"
            }
        elif step in ("fail", "complete", "redeliver"):
            for job in accepted[key][-2:]:
                answer = administer(
                    mock,
                    admin_call(
                        f"/jobs/{job}/{step}"
                        if step != "redeliver"
                        else f"/webhooks/{job}/redeliver"
                    ),
                )
                told_failed |= {job} if step == "fail" and answer.code == 200 else set()
        else:
            affordable = spent(key) < balance
            body = submit(
                mock,
                f"scenario={step}",
                key=key,
                webhook="http://127.0.0.1:1/" if has_webhook else ...,
            ).body
            assert (body["status"] != "error") == (step != "no_credits" and affordable)
            accepted[key] += [body["id"]] if body["status"] != "error" else []
        mock.clock.advance(0)  # what is due by now is delivered when this returns
        assert [mock.store.spent(owner_of(name)) for name in accepted] == [
            spent(name) for name in accepted
        ]
        assert all(0 <= mock.store.spent(owner_of(name)) <= balance for name in accepted)

    assert mock.generations == spent("a-key") + spent("b-key")
