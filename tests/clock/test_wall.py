"""The date in virtual time, under whatever name a program reads it."""

from __future__ import annotations

import datetime as dt
import sys
import time
from datetime import date, datetime
from time import gmtime, strftime
from typing import Any

import pytest
import time_machine

from fauxlab_mock.clock.clock import Clock
from fauxlab_mock.clock.virtual import virtual_time
from fauxlab_mock.clock.wall import wall_clock

pytestmark = pytest.mark.alone
DAY_S = 86_400.0
START_S = dt.datetime(2030, 1, 31, 12, tzinfo=dt.UTC).timestamp()
NEXT_DAY = "2030-02-01 12:00:00"


@pytest.fixture
def clock() -> Clock:
    return Clock("manual", start=START_S)


def readings() -> set[str]:
    """The date and time of day in UTC, by all the ways to read them."""
    form = "%Y-%m-%d %H:%M:%S"
    return {
        datetime.now(dt.UTC).strftime(form),
        datetime.fromtimestamp(time.time(), dt.UTC).strftime(form),
        datetime.fromtimestamp(datetime.now().timestamp(), dt.UTC).strftime(form),
        datetime.fromtimestamp(time.time_ns() / 1e9, dt.UTC).strftime(form),
        datetime.fromtimestamp(time.mktime(time.localtime()), dt.UTC).strftime(form),
        strftime(form, gmtime()),
    }


def test_every_reading_of_the_date_is_the_clocks(clock: Clock) -> None:
    """A day's sleep is a day on every calendar inside the block, and on none after it."""
    with virtual_time(clock):
        time.sleep(DAY_S)
        inside, today = readings(), date.today()
    after = readings()

    assert (inside, today) == ({NEXT_DAY}, date(2030, 2, 1))
    assert NEXT_DAY not in after


def test_whoever_moves_the_clock_moves_the_date(clock: Clock) -> None:
    """An advance, a move of the mock's own and a change of mode are seen at once."""
    with virtual_time(clock):
        clock.advance(1)
        advanced = datetime.now(dt.UTC).timestamp()
        clock.move_to(START_S + 5)
        moved = datetime.now(dt.UTC).timestamp()
        clock.set_mode("real")
        runs = [datetime.now(dt.UTC) for _ in range(1_000)]

    assert (advanced - START_S, moved - START_S, runs[-1] > runs[0]) == (1, 5, True)


def test_who_has_set_the_date_keeps_it(clock: Clock) -> None:
    """A test's own time-machine, around virtual time or inside, goes on; sleeping is still free."""
    with time_machine.travel(0.0, tick=False):
        with virtual_time(clock):
            time.sleep(DAY_S)
            around = time.time()
        still = time.time()
    with virtual_time(clock):
        with time_machine.travel(5.0, tick=False):
            time.sleep(DAY_S)
            inside = time.time()
        back = time.time()

    assert (around, still, inside) == (0.0, 0.0, 5.0)
    assert (back, clock.now()) == (START_S + 2 * DAY_S, START_S + 2 * DAY_S)


def test_freezegun_keeps_the_date_too(clock: Clock) -> None:
    """A date that freezegun has frozen, around virtual time or inside, stays frozen."""
    freezegun = pytest.importorskip("freezegun")
    dates = []
    with freezegun.freeze_time("2020-02-02"), virtual_time(clock):
        time.sleep(DAY_S)
        dates.append(dt.date.today())
    with virtual_time(clock), freezegun.freeze_time("2020-02-02"):
        time.sleep(DAY_S)
        dates.append(dt.date.today())

    assert (dates, clock.now()) == ([date(2020, 2, 2)] * 2, START_S + 2 * DAY_S)


def test_without_time_machine_the_date_stays_real(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On an interpreter for which there is no time-machine all else is virtual all the same."""
    missing: Any = None
    monkeypatch.setitem(sys.modules, "time_machine", missing)

    with wall_clock(clock) as is_virtual:
        year = date.today().year
    with virtual_time(clock):
        time.sleep(DAY_S)

    assert (is_virtual, year == 2030, clock.now()) == (False, False, START_S + DAY_S)
