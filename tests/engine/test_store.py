"""Where jobs live, and which are let go."""

from __future__ import annotations

from dataclasses import replace

from fauxlab_mock.behaviour.scenarios import Plan
from fauxlab_mock.engine.job import Job
from fauxlab_mock.engine.pictures import Picture
from fauxlab_mock.engine.store import FIRST_ID, MemoryStore
from fauxlab_mock.settings import Limits

NOW = 1000.0


def job(number: int, *, duration_s: float = 0.0) -> Job:
    return Job(
        id=number,
        owner="owner",
        operation="POST /x",
        created_at=NOW,
        plan=Plan(duration_s, duration_s),
        files=(f"{number}.png",),
        meta={},
        scenario="success",
        origin="http://mock.test",
        picture=Picture("", 0, "", 1, 1),
    )


def ids(store: MemoryStore) -> list[int]:
    return [job.id for job in store.jobs()]


def test_a_job_is_found_by_id_and_by_file() -> None:
    """What was put is found again, by its id and by its file's name; other names find nothing."""
    store = MemoryStore(Limits())
    store.put(job(FIRST_ID), NOW)

    assert store.job(FIRST_ID) == store.job_of_file(f"{FIRST_ID}.png") == job(FIRST_ID)
    assert (store.job(1), store.job_of_file("1.png")) == (None, None)


def test_putting_a_job_again_replaces_it() -> None:
    """The same id is one job: the newer value counts, and no id is used up."""
    store = MemoryStore(Limits())
    store.put(job(FIRST_ID), NOW)
    store.put(replace(job(FIRST_ID), fetches=3), NOW)

    assert (list(store.jobs()), store.next_id()) == (
        [replace(job(FIRST_ID), fetches=3)],
        FIRST_ID + 1,
    )


def test_at_the_limit_all_jobs_are_kept_and_past_it_the_oldest_ended_goes() -> None:
    """Exactly `jobs` ended jobs are kept, files included; one more drops the oldest."""
    store = MemoryStore(Limits(jobs=3))
    for number in (1, 2, 3):
        store.put(job(number), NOW)
    at_limit = ids(store)
    store.put(job(4), NOW)

    assert (at_limit, ids(store), store.job_of_file("1.png")) == ([1, 2, 3], [2, 3, 4], None)


def test_running_jobs_are_never_dropped() -> None:
    """Over the limit, jobs that still run stay and ended ones go."""
    store = MemoryStore(Limits(jobs=2))
    store.put(job(1, duration_s=60), NOW)
    for number in (2, 3, 4):
        store.put(job(number), NOW)

    assert ids(store) == [1, 4]


def test_a_store_of_running_jobs_says_when_it_is_full() -> None:
    """With as many unfinished jobs as allowed the store is full; before, it is not."""
    store = MemoryStore(Limits(jobs=1, unfinished_jobs=2))
    store.put(job(1, duration_s=60), NOW)
    before = store.is_full(NOW)
    store.put(job(2, duration_s=60), NOW)

    assert (before, store.is_full(NOW)) == (False, True)


def test_ids_go_on_after_clear() -> None:
    """Clearing forgets the jobs, but an id is never given twice."""
    store = MemoryStore(Limits())
    store.put(job(store.next_id()), NOW)
    store.clear()

    assert (ids(store), store.next_id()) == ([], FIRST_ID + 1)


def test_ended_jobs_do_not_fill_the_store() -> None:
    """A store whose jobs have ended has room, whatever the two limits are."""
    store = MemoryStore(Limits(jobs=100, unfinished_jobs=2))
    for number in range(1, 6):
        store.put(job(number), NOW)

    assert not store.is_full(NOW)
