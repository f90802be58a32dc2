"""The mock as pytest fixtures. Nothing heavy is imported before a fixture is used.

def test_my_integration(fauxlab):
    ...  # httpx calls to the document's server are answered in process
    assert fauxlab.requests[-1].code == 200

@pytest.mark.fauxlab(scenario="failed", validation="coerce")  # settings of one test
def test_a_bad_day(fauxlab_server):
    my_code(base_url=fauxlab_server.url)  # the same mock on loopback, for any HTTP library

def test_patience(fauxlab, fauxlab_time):
    ...  # time.sleep and asyncio.sleep move the mock's clock instead of waiting
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import Field
from itertools import chain
from typing import TYPE_CHECKING, Any

import pytest

from fauxlab_contract.core.text import did_you_mean
from fauxlab_mock.settings import options, read_option

if TYPE_CHECKING:
    from fauxlab_contract.core.records import Exchange
    from fauxlab_contract.openapi.document import Document
    from fauxlab_mock.clock.clock import Clock
    from fauxlab_mock.runtime.mock import Mock

__all__ = [
    "OPTION_GROUP",
    "document_of",
    "fauxlab",
    "fauxlab_server",
    "fauxlab_time",
    "mock_of",
    "pytest_addoption",
    "pytest_configure",
    "pytest_plugins",
    "pytest_runtest_makereport",
    "pytest_terminal_summary",
]

pytest_plugins = ["fauxlab.pytest_plugin.guard"]
OPTION_GROUP = "fauxlab", "fauxlab: defaults of the mocks; a test's marker wins over them"
LAST = 5  # exchanges shown below a failed test
# settings of a server, and secrets
NOT_OFFERED = {"host", "port", "public_url", "keys", "admin_token", "ready_file", "log_format"}
_MOCK: pytest.StashKey[Mock] = pytest.StashKey()  # of a test
_DOCUMENTS: pytest.StashKey[dict[str | None, Document]] = pytest.StashKey()  # of a run, read once
_HAS_FAILED: pytest.StashKey[bool] = pytest.StashKey()  # of a test
_CHOSEN: pytest.StashKey[dict[str, Any]] = pytest.StashKey()  # settings given as options of a run


def pytest_addoption(parser: pytest.Parser) -> None:
    """Offer an option for each setting that makes sense in a test."""
    group = parser.getgroup(*OPTION_GROUP)
    group.addoption(
        "--fauxlab-document",
        metavar="FILE",
        help="OpenAPI document that the mocks serve (default: the bundled one)",
    )
    for option in _offered():
        group.addoption(
            _flag(option), metavar=option.metadata["metavar"], help=option.metadata["help"]
        )


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker, and read the options once."""
    config.addinivalue_line(
        "markers",
        "fauxlab(**settings): settings of this test's mock, such as scenario, validation, eta",
    )
    config.stash[_CHOSEN] = _chosen(config)
    config.stash[_DOCUMENTS] = {}


def _offered() -> list[Field[Any]]:
    return [option for option in options() if option.name not in NOT_OFFERED]


def _flag(option: Field[Any]) -> str:
    return f"--fauxlab-{option.name.replace('_', '-')}"


def _chosen(config: pytest.Config) -> dict[str, Any]:
    """Return the settings that were given as options of this run."""
    chosen: dict[str, Any] = {"document": config.getoption("--fauxlab-document")}
    for option in _offered():
        flag = _flag(option)
        text = config.getoption(flag)
        if text is None:
            continue
        try:
            chosen[option.name] = read_option(option, text, flag)
        except ValueError as error:
            raise pytest.UsageError(str(error)) from None
    return chosen


def mock_of(item: pytest.Item) -> Mock | None:
    """Return the mock of a test; None when the test has not asked for it."""
    return item.stash.get(_MOCK, None)


def document_of(item: pytest.Item, path: str | None = None) -> Document:
    """Return the document at `path`, by default that of the test's mock."""
    from fauxlab_contract.openapi.document import load_document

    path = path or _wanted(item).get("document")
    documents = item.config.stash[_DOCUMENTS]
    if path not in documents:
        documents[path] = load_document(path)
    return documents[path]


def _mock(request: pytest.FixtureRequest) -> Mock:
    """Return the mock of this test, made on first use.

    Its clock is `auto`, unless an option or the marker says otherwise.
    """
    from fauxlab_mock.runtime.mock import Mock
    from fauxlab_mock.settings import Settings

    item = request.node
    if _MOCK not in item.stash:
        settings = Settings(**{"clock": "auto", **_wanted(item)})
        item.stash[_MOCK] = Mock(settings, document=document_of(item), raise_on_invalid_reply=True)
        item.addfinalizer(lambda: _forget(item))
    mock: Mock = item.stash[_MOCK]
    return mock


def _forget(item: pytest.Item) -> None:
    """Close the mock of a test; a test that is run again gets a new one.

    A test that passed although its mock was misused, or failed, has shown nothing: it fails here.
    """
    mock = item.stash[_MOCK]
    mock.close()
    del item.stash[_MOCK]
    has_failed = item.stash.get(_HAS_FAILED, False)
    item.stash[_HAS_FAILED] = False
    if mock.own_replies and not has_failed:
        pytest.fail(_own_replies(mock), pytrace=False)


def _own_replies(mock: Mock) -> str:
    from fauxlab_mock.runtime.journal import line_of

    lines = [f"  {line_of(each, mock.document.conventions)}" for each in mock.own_replies]
    return "\n".join(
        [
            "fauxlab answered in its own name, not as the API would; a test that means this calls"
            " `own_replies.clear()` of its mock:",
            *dict.fromkeys(lines),
        ]
    )


def _wanted(item: pytest.Item) -> dict[str, Any]:
    """Return the settings of options and markers; the closest marker wins."""
    marked: dict[str, Any] = {}
    for marker in reversed([*item.iter_markers("fauxlab")]):  # the closest comes last
        if marker.args:
            raise pytest.UsageError(
                "the marker fauxlab takes settings by name, such as fauxlab(scenario='failed')"
            )
        marked |= marker.kwargs
    _check_names(marked)
    chosen: dict[str, Any] = item.config.stash[_CHOSEN]
    return {**chosen, **marked}


def _check_names(marked: dict[str, Any]) -> None:
    """Raise UsageError for a marker with a name that is no setting."""
    known = ["document", *(option.name for option in options())]
    for name in marked:
        if name not in known:
            hint = did_you_mean(name, known)
            raise pytest.UsageError(f"the marker fauxlab has no setting {name}; {hint}")


@pytest.fixture
def fauxlab(request: pytest.FixtureRequest) -> Iterator[Mock]:
    """A mock in process, which answers calls to the document's server.

    It answers httpx, aiohttp, requests, urllib3 and urllib; nothing leaves the machine.
    """
    from fauxlab_mock.inprocess.interception import intercepted

    mock = _mock(request)
    with intercepted(mock):
        yield mock


@pytest.fixture
def fauxlab_server(request: pytest.FixtureRequest) -> Iterator[Mock]:
    """The same mock on a free loopback port: configure a client in any language with its `url`."""
    from fauxlab_mock.inprocess.no_network import only_loopback
    from fauxlab_mock.server.serving import attach_server

    mock = _mock(request)
    with only_loopback(mock.blocked.append), attach_server(mock):
        yield mock


@pytest.fixture
def fauxlab_time(request: pytest.FixtureRequest) -> Iterator[Clock]:
    """Free sleeping: time.sleep and asyncio.sleep move the mock's clock, and time.time follows."""
    from fauxlab_mock.clock.virtual import virtual_time

    with virtual_time(_mock(request).clock) as clock:
        yield clock


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, Any]:
    """Show below a failed test what its mock was asked, and why it refused. Keys are hidden."""
    report = yield
    mock = mock_of(item)
    if mock is None:
        return report
    if report.when == "call" and mock.generations:
        report.fauxlab_generations = mock.generations  # travels from xdist's workers, too
    if not report.passed:
        item.stash[_HAS_FAILED] = True
    if report.failed and (mock.requests or mock.blocked):
        report.sections.append(("fauxlab: last exchanges", "\n".join(_last_lines(mock))))
    return report


def _last_lines(mock: Mock) -> Iterator[str]:
    from fauxlab_mock.runtime.journal import line_of

    for exchange in mock.requests[-LAST:]:
        yield line_of(exchange, mock.document.conventions)
        for reason in _reasons(exchange, mock.document):
            yield f"    {reason}"
    for connection in list(mock.blocked)[-LAST:]:
        yield f"refused: {connection}"


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
    """Write one line about the money that was not spent."""
    reports = list(chain.from_iterable(terminalreporter.stats.values()))
    generations = sum(getattr(report, "fauxlab_generations", 0) for report in reports)
    if generations:
        count = "1 generation was" if generations == 1 else f"{generations} generations were"
        terminalreporter.write_line(f"fauxlab: {count} made, at no cost")
