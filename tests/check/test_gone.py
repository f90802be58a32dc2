"""A server that ends during a check: it is told once, and what was found until then is kept."""

from __future__ import annotations

from driving import BUNDLED, KEY
from fauxlab_contract.check.options import Options
from fauxlab_contract.check.run import check
from fauxlab_contract.core.http import HttpRequest, HttpResponse
from fauxlab_mock.runtime.mock import Mock
from fauxlab_mock.settings import Settings
from targets import RecordedTarget

REFUSED = "ConnectError: [Errno 111] Connection refused"


def dying(after: int, *, back_after: int = 10**6) -> RecordedTarget:
    """A mock that takes no connection after some requests; later it does again."""
    target = RecordedTarget(Mock(Settings(clock="manual", keys=frozenset({KEY})), document=BUNDLED))
    honest = target.send

    def send(sent: HttpRequest, within_s: float) -> HttpResponse:
        came = honest(sent, within_s)
        is_dead = after < len(target.sent) <= back_after
        return HttpResponse(0, error=REFUSED, at=came.at) if is_dead else came

    target.send = send  # type: ignore[method-assign] # a server that ends
    return target


def test_a_server_that_ends_stops_the_check() -> None:
    """After four refused connections: one crash that says since when, and no submit more."""
    target = dying(20)
    report = check(target, BUNDLED, Options(KEY))
    target.mock.close()

    [finding] = report.findings
    since = next(step.label for step in report.steps if step.skipped)
    said = f"the server no longer listens since {since}"
    assert (finding.rule, finding.message) == ("crash", f"The{said[3:]}.")
    assert f"{said}: nothing after that was tried" in report.not_covered
    assert (report.calls, report.submits <= 20, report.is_whole) == (24, True, True)
    assert report.verdict == "the contract is broken: 1 error"


def test_a_server_that_is_back_in_a_moment_is_checked_on() -> None:
    """Two refused connections are tried again, and are no finding."""
    target = dying(20, back_after=22)
    report = check(target, BUNDLED, Options(KEY, only=("examples", "boundaries")))
    target.mock.close()

    assert report.findings == ()
    assert not any(step.skipped for step in report.steps)


def test_drawn_bodies_stop_with_the_server_as_well() -> None:
    """A search for the smallest body does not go on with a server that has ended."""
    target = dying(5)
    report = check(target, BUNDLED, Options(KEY, only=("properties",)))
    target.mock.close()

    assert (report.calls, [finding.rule for finding in report.findings]) == (9, ["crash"])
