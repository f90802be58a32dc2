"""The mock as pytest fixtures. Nothing heavy is imported before a fixture is used.

def test_my_integration(fauxlab):
    ...  # httpx calls to the document's server are answered in process
    assert fauxlab.requests[-1].code == 200

@pytest.mark.fauxlab(scenario="failed", validation="coerce")  # settings of one test
def test_a_bad_day(fauxlab_server):
    my_code(base_url=fauxlab_server.url)  # the same mock on loopback, for any HTTP library

def test_patience(fauxlab, fauxlab_time):
    ...  # whatever waits moves the mock's clock instead
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Generator, Iterable, Iterator, Mapping
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from fauxlab.pytest_plugin.blocks import in_its_place
from fauxlab.pytest_plugin.choices import (
    allowed_hosts_of,
    check_is_read,
    document_of,
    fail,
    is_clock_chosen,
    is_strict_about_rules,
    pytest_addoption,
    pytest_configure,
    require_parts,
    settings_of,
)
from fauxlab_contract._parts import IN_PROCESS, MOCK, SERVER
from fauxlab_contract.core.text import counted

if TYPE_CHECKING:
    from fauxlab_contract.core.records import Exchange
    from fauxlab_contract.openapi.document import Document
    from fauxlab_contract.verdict.verdict import Verdict
    from fauxlab_mock.clock.clock import Clock
    from fauxlab_mock.runtime.mock import Mock

__all__ = [
    "fauxlab",
    "fauxlab_module",
    "fauxlab_server",
    "fauxlab_session",
    "fauxlab_time",
    "mock_of",
    "pytest_addoption",
    "pytest_configure",
    "pytest_plugins",
    "pytest_runtest_makereport",
    "pytest_runtest_setup",
    "pytest_runtest_teardown",
    "pytest_terminal_summary",
]

__tracebackhide__ = True
# The hooks of `choices` are imported above: pytest warns of a plugin that another module imported.
pytest_plugins = ["fauxlab.pytest_plugin.guard"]
LAST = 5  # exchanges and other lines of a kind that are shown below a failed test
MOST = 20  # lines about rules that never acted
OWN = ("fauxlab", "fauxlab_server")  # fixtures
# Fixtures, and whose mock they are; the closest first.
SHARED: Mapping[str, type[pytest.Collector]] = {
    "fauxlab_module": pytest.Module,
    "fauxlab_session": pytest.Session,
}
_MOCK: pytest.StashKey[Mock] = pytest.StashKey()  # of a test, a module or a run
_HAS_FAILED: pytest.StashKey[bool] = pytest.StashKey()  # of a test
# of a test: a mock that it shares, and the exchanges and generations of that before it
_BEFORE: pytest.StashKey[tuple[Mock, int, int]] = pytest.StashKey()
_JUDGED: pytest.StashKey[Verdict | None] = pytest.StashKey()  # what that said before the test


def mock_of(item: pytest.Item) -> Mock | None:
    """Return the mock of a test, its own or one that it shares; None when it has none."""
    if _MOCK in item.stash:
        return item.stash[_MOCK]
    return _shared_mock(item, getattr(item, "fixturenames", ()))


def _shared_mock(item: pytest.Item, names: Collection[str]) -> Mock | None:
    """Return the closest mock that these fixtures of a test share with other tests, if any."""
    mocks = (node.stash.get(_MOCK, None) for name, node in _sharing(item) if name in names)
    return next(filter(None, mocks), None)


def _sharing(item: pytest.Item) -> Iterator[tuple[str, pytest.Collector]]:
    """Yield each fixture of a shared mock, and the node in whose stash that is."""
    for name, kind in SHARED.items():
        node = item.getparent(kind)
        if node is not None:
            yield name, node


def _mock(request: pytest.FixtureRequest) -> Mock:
    """Return the mock of this test, made on first use."""
    item = request.node
    if _MOCK not in item.stash:
        _make(item)
        item.addfinalizer(lambda: _end(item))
    mock: Mock = item.stash[_MOCK]
    return mock


def _make(node: pytest.Item | pytest.Collector) -> Mock:
    from fauxlab_mock.runtime.mock import Mock

    settings, document = settings_of(node), document_of(node)
    try:
        mock = Mock(settings, document=document, raise_on_invalid_reply=True)
    except ValueError as error:  # of a rule in a file that can never act
        fail(f"fauxlab: {error}")
    node.stash[_MOCK] = mock
    return mock


def _end(item: pytest.Item) -> None:
    mock, has_failed = _forget(item), item.stash.get(_HAS_FAILED, False)
    _tell_of_own_replies(item, mock, mock.own_replies)
    if not has_failed and is_strict_about_rules(item):
        try:
            mock.assert_all_used()
        except AssertionError as error:
            fail(f"fauxlab: {error}")


def _forget(node: pytest.Item | pytest.Collector) -> Mock:
    """Close a mock; a test that is run again gets a new one."""
    mock = node.stash[_MOCK]
    mock.close()
    del node.stash[_MOCK]
    return mock


def _tell_of_own_replies(item: pytest.Item, mock: Mock, replies: Iterable[Exchange]) -> None:
    """Fail a test that passed although its mock was misused, or failed: it has shown nothing."""
    from fauxlab_mock.runtime.journal import line_of

    asked, _ = _before(item, mock)
    names = mock.document.conventions
    has_failed = item.stash.get(_HAS_FAILED, False)
    item.stash[_HAS_FAILED] = False
    lines = [f"  {line_of(each, names)}" for each in replies if each.number > asked]
    if lines and not has_failed:
        fail(
            "fauxlab answered in its own name, not as the API would; a test that means this calls"
            " `own_replies.clear()` of its mock:\n" + "\n".join(dict.fromkeys(lines))
        )


@pytest.fixture(autouse=True)
def _fauxlab_marked(request: pytest.FixtureRequest) -> None:
    """Give the mock in process to a test that has the marker and names none."""
    named = set(request.fixturenames)
    if request.node.get_closest_marker("fauxlab") is None or named & set(OWN):
        return
    if shared := [name for name in SHARED if name in named]:
        check_is_read(request.node, shared[0])
    else:
        request.getfixturevalue("fauxlab")


@pytest.fixture
def fauxlab(request: pytest.FixtureRequest) -> Iterator[Mock]:
    """A mock in process, which answers calls to the document's server.

    It answers httpx, aiohttp, requests, urllib3 and urllib; nothing leaves the machine.
    """
    require_parts(request, *IN_PROCESS)
    from fauxlab_mock.inprocess.interception import intercepted

    mock = _mock(request)
    answering = partial(intercepted, mock, allow_hosts=allowed_hosts_of(request.node))
    with in_its_place(request.scope, answering):
        yield mock


@pytest.fixture
def fauxlab_server(request: pytest.FixtureRequest) -> Iterator[Mock]:
    """The same mock on a free loopback port: configure a client in any language with its `url`."""
    require_parts(request, *SERVER)
    from fauxlab_mock.inprocess.allowed_hosts import AllowedHosts
    from fauxlab_mock.inprocess.no_network import only_loopback
    from fauxlab_mock.server.serving import attach_server

    mock = _mock(request)
    allowed = AllowedHosts(allowed_hosts_of(request.node), urlsplit(mock.public_url).hostname)
    guarding = partial(only_loopback, mock.blocked.append, allowed=allowed)
    with in_its_place(request.scope, guarding), attach_server(mock):
        yield mock


@pytest.fixture(scope="module")
def fauxlab_module(request: pytest.FixtureRequest) -> Iterator[Mock]:
    """One mock for the tests of a module, in process and at its `url`; `reset()` begins anew."""
    yield from _shared(request)


@pytest.fixture(scope="session")
def fauxlab_session(request: pytest.FixtureRequest) -> Iterator[Mock]:
    """One mock for the whole run, in process and at its `url`; `reset()` begins anew."""
    yield from _shared(request)


def _shared(request: pytest.FixtureRequest) -> Iterator[Mock]:
    require_parts(request, *IN_PROCESS)
    from fauxlab_mock.inprocess.interception import intercepted
    from fauxlab_mock.server.serving import attach_server

    node = request.node
    mock = _make(node)
    answering = partial(intercepted, mock, allow_hosts=allowed_hosts_of(node))
    try:
        with in_its_place(request.scope, answering), attach_server(mock):
            yield mock
    finally:
        _forget(node)


@pytest.fixture
def fauxlab_time(request: pytest.FixtureRequest) -> Iterator[Clock]:
    """Free waiting: whatever waits moves the mock's clock, and all readings of time follow."""
    require_parts(request, *MOCK)
    from fauxlab_mock.clock.virtual import virtual_time

    item, names = request.node, set(request.fixturenames)
    if not names & {*OWN, *SHARED}:
        request.getfixturevalue("fauxlab")  # or what waits here would call the API itself
    shared = None if names & set(OWN) else _shared_mock(item, names)
    strangers = {
        name: node.stash[_MOCK]
        for name, node in _sharing(item)
        if name not in names and _MOCK in node.stash
    }
    asked = {name: mock.counts()["requests"] for name, mock in strangers.items()}
    mock = shared or _mock(request)
    mode = mock.clock.mode
    if shared is not None and not is_clock_chosen(item):
        mock.set_clock("manual")  # as a mock of its own has from the start
    with virtual_time(mock.clock) as clock:
        yield clock
    mock.set_clock(mode)
    for name, mock in strangers.items():
        if mock.counts()["requests"] > asked[name] and not item.stash.get(_HAS_FAILED, False):
            fail(
                f"fauxlab: this test called {name}, whose clock fauxlab_time did not move; name"
                f" {name} among the test's arguments, or ask for it before fauxlab_time"
            )


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Remember what a shared mock was asked before this test."""
    shared = mock_of(item)
    if shared is not None:
        item.stash[_BEFORE] = shared, shared.counts()["requests"], shared.generations
        item.stash[_JUDGED] = shared.last_verdict


def _before(item: pytest.Item, mock: Mock) -> tuple[int, int]:
    """Return how many exchanges and generations a mock had before this test."""
    shared, asked, spent = item.stash.get(_BEFORE, (None, 0, 0))
    return (asked, spent) if shared is mock else (0, 0)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, object, object]:
    """Fail a test that has misused a shared mock and shown nothing of it."""
    shared = None if _MOCK in item.stash else mock_of(item)
    replies = () if shared is None else tuple(shared.own_replies)  # before a fixture resets it
    result = yield
    if shared is not None:
        _tell_of_own_replies(item, shared, replies)
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, Any]:
    """Show below a failed test what its mock was asked, and why it refused. Keys are hidden."""
    report = yield
    mock = mock_of(item)
    if mock is None:
        return report
    asked, spent = _before(item, mock)
    if report.when == "call" and mock.generations > spent:
        report.fauxlab_generations = mock.generations - spent  # travels from xdist's workers, too
    if not report.passed:
        item.stash[_HAS_FAILED] = True
    elif report.when == "call":
        verdict = mock.last_verdict
        if verdict is not None and verdict is not item.stash.get(_JUDGED, None):
            report.fauxlab_unjudged = _unjudged(verdict)
        if _MOCK in item.stash:  # the mock is the test's own
            from fauxlab_mock.runtime.mock_rules import idle

            report.fauxlab_idle_rules = [idle(rule) for rule in mock.unused_rules]
    if report.failed and (lines := [*_last_lines(mock, asked)]):
        report.sections.append(("fauxlab: last exchanges", "\n".join(lines)))
    return report


def _unjudged(verdict: Verdict) -> list[str]:
    """Return what a test may not know when its verdict is asked for and says nothing."""
    from fauxlab_contract.verdict.rules import TOO_EARLY

    if not verdict.calls:
        return [verdict.headline()]
    lines = [line.strip() for line in verdict.remarks() if line.startswith("  not judged")]
    return [line for line in lines if TOO_EARLY not in line]


def _last_lines(mock: Mock, asked: int) -> Iterator[str]:
    """Yield the last exchanges since the first `asked`, and what else may explain a failure.

    That is the refused connections, the failed attempts to deliver webhooks, and odd waits.
    """
    from fauxlab_mock.runtime.journal import line_of

    exchanges = [exchange for exchange in mock.requests if exchange.number > asked]
    for exchange in exchanges[-LAST:]:
        yield line_of(exchange, mock.document.conventions)
        for reason in _reasons(exchange, mock.document):
            yield f"    {reason}"
    yield from _ends([f"refused: {connection}" for connection in mock.blocked])
    yield from _ends(
        [
            f"webhook of job {attempt.job_id}, attempt {attempt.attempt}: {attempt.error}"
            for attempt in mock.webhooks
            if attempt.after >= asked and not attempt.delivered
        ]
    )
    yield from mock.clock.warning().splitlines()


def _ends(lines: list[str]) -> list[str]:
    """Return the first line, which often explains the others, and the last ones, of many."""
    if len(lines) <= LAST:
        return lines
    left = len(lines) - LAST
    return [lines[0], f"… {left} more, and then", *lines[1 - LAST :]]


def _reasons(exchange: Exchange, document: Document) -> Iterator[str]:
    """Yield why a request was refused: its violations with their hints, or the reply's message."""
    from fauxlab_contract.core.violation import summary

    names, members = document.conventions.fields, exchange.members
    if exchange.violations:
        yield summary(exchange.violations)
        for violation in exchange.violations:
            if violation.hint:
                yield f"  {violation.field}: {violation.hint}"
    elif names.message in members:
        message = str(members[names.message])
        tip = members.get(names.tip) if exchange.refusal else None
        yield f"{message} ({tip})" if tip else message


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Write what was not shown, and one line about the money that was not spent.

    Not shown is what rules that never acted were for, and what verdicts did not judge.
    """
    reports = list(chain.from_iterable(terminalreporter.stats.values()))
    idle = [
        f"  {report.nodeid}: {line}"
        for report in reports
        for line in getattr(report, "fauxlab_idle_rules", ())
    ]
    if idle:
        said = f"fauxlab: warning: {counted(len(idle), 'rules')} of mocks never acted:"
        for line in (said, *idle[:MOST]):
            terminalreporter.write_line(line)
    unjudged = Counter(line for each in reports for line in getattr(each, "fauxlab_unjudged", ()))
    for line, tests in unjudged.items():
        terminalreporter.write_line(f"fauxlab: the verdict of {counted(tests, 'tests')}: {line}")
    generations = sum(getattr(report, "fauxlab_generations", 0) for report in reports)
    if generations:
        count = "1 generation was" if generations == 1 else f"{generations} generations were"
        terminalreporter.write_line(f"fauxlab: {count} made, at no cost")
