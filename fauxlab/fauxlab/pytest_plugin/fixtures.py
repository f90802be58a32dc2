"""The mock as pytest fixtures. Nothing heavy is imported before a fixture is used.

def test_my_integration(fauxlab):        # httpx calls to the document's server are answered in
process
    ...
    assert fauxlab.requests[-1].code == 200

@pytest.mark.fauxlab(scenario="failed", validation="coerce")     # settings of one test
def test_a_bad_day(fauxlab_server):      # the same mock over a real loopback server, for any HTTP
library
    my_code(base_url=fauxlab_server.url)

def test_patience(fauxlab, fauxlab_time):     # time.sleep and asyncio.sleep move the mock's clock,
and wait for nothing
    ...
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import Field
from typing import TYPE_CHECKING, Any

import pytest

from fauxlab_contract.core.text import did_you_mean
from fauxlab_mock.settings import options, read_option

if TYPE_CHECKING:
    from fauxlab_contract.openapi.document import Document
    from fauxlab_mock.clock.clock import Clock
    from fauxlab_mock.runtime.mock import Mock

__all__ = [
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
LAST = 5  # exchanges shown below a failed test
# settings of a server, and a secret
NOT_OFFERED = {"host", "port", "public_url", "keys", "admin_token", "ready_file", "log_format"}
_MOCK: pytest.StashKey[Mock] = pytest.StashKey()
# each is read once in a run
_DOCUMENTS: pytest.StashKey[dict[str | None, Document]] = pytest.StashKey()
_CHOSEN: pytest.StashKey[dict[str, Any]] = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup(
        "fauxlab", "fauxlab: defaults of the mocks; a test's marker goes before them"
    )
    group.addoption(
        "--fauxlab-document",
        metavar="FILE",
        help="OpenAPI document that the mocks serve (default: the bundled one)",
    )
    for option in _offered():
        group.addoption(
            flag_of(option), metavar=option.metadata["metavar"], help=option.metadata["help"]
        )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers",
        "fauxlab(**settings): settings of this test's mock, such as scenario, validation, eta",
    )
    config.stash[_CHOSEN] = _chosen(config)
    config.stash[_DOCUMENTS] = {}


def _offered() -> list[Field[Any]]:
    return [option for option in options() if option.name not in NOT_OFFERED]


def flag_of(option: Field[Any]) -> str:
    return f"--fauxlab-{option.name.replace('_', '-')}"


def _chosen(config: pytest.Config) -> dict[str, Any]:
    """The settings that were given as options of this run."""
    given = [(option, config.getoption(flag_of(option))) for option in _offered()]
    document = config.getoption("--fauxlab-document")
    try:
        return {"document": document} | {
            option.name: read_option(option, text, flag_of(option))
            for option, text in given
            if text is not None
        }
    except ValueError as error:
        raise pytest.UsageError(str(error)) from None


def _mock(request: pytest.FixtureRequest) -> Mock:
    """The one mock of this test, made on first use; on the auto clock unless an option or the
    marker says otherwise.
    """
    from fauxlab_mock.runtime.mock import Mock
    from fauxlab_mock.settings import Settings

    if _MOCK not in request.node.stash:
        settings = Settings(**{"clock": "auto", **_wanted(request.node)})
        made = Mock(settings, document=document_of(request.node), raise_on_invalid_reply=True)
        request.node.stash[_MOCK] = made
        request.node.addfinalizer(lambda: _forget(request.node))
    mock: Mock = request.node.stash[_MOCK]
    return mock


def mock_of(item: pytest.Item) -> Mock | None:
    """The mock of a test, if it has asked for one."""
    return item.stash.get(_MOCK, None)


def document_of(item: pytest.Item, name: str | None = None) -> Document:
    """The document with this name, by default that of a test's mock."""
    from fauxlab_contract.openapi.document import load_document

    name = name or _wanted(item).get("document")
    documents = item.config.stash[_DOCUMENTS]
    if name not in documents:
        documents[name] = load_document(name)
    return documents[name]


def _wanted(item: pytest.Item) -> dict[str, Any]:
    """The settings that options and markers ask for."""
    marked: dict[str, Any] = {}
    for marker in reversed([*item.iter_markers("fauxlab")]):  # the closest last
        if marker.args:
            raise pytest.UsageError(
                "the marker fauxlab takes settings by name, such as fauxlab(scenario='failed')"
            )
        marked |= marker.kwargs
    _check_names(marked)
    chosen: dict[str, Any] = item.config.stash[_CHOSEN]
    return {**chosen, **marked}


def _check_names(marked: dict[str, Any]) -> None:
    known = ["document", *(option.name for option in options())]
    for name in marked:
        if name not in known:
            hint = did_you_mean(name, known)
            raise pytest.UsageError(f"the marker fauxlab has no setting {name}; {hint}")


def _forget(node: Any) -> None:
    """A test that is run again gets a new mock."""
    mock = node.stash[_MOCK]
    mock.close()
    del node.stash[_MOCK]


@pytest.fixture
def fauxlab(request: pytest.FixtureRequest) -> Iterator[Mock]:
    """A mock in process: httpx, requests and aiohttp calls to the document's server are answered by
    it; nothing leaves the machine.
    """
    from fauxlab_mock.inprocess.interception import intercepted

    mock = _mock(request)
    with intercepted(mock):
        yield mock


@pytest.fixture
def fauxlab_server(request: pytest.FixtureRequest) -> Iterator[Mock]:
    """The same mock on a free loopback port: configure any client, in any language, with its `url`."""
    from fauxlab_mock.inprocess.no_network import only_loopback
    from fauxlab_mock.server.local import served

    mock = _mock(request)
    with only_loopback(mock.blocked.append), served(mock):
        yield mock


@pytest.fixture
def fauxlab_time(request: pytest.FixtureRequest) -> Iterator[Clock]:
    """Sleeping for free: time.sleep and asyncio.sleep move the mock's clock instead of waiting, and
    time.time follows it.
    """
    from fauxlab_mock.clock.virtual import virtual_time

    with virtual_time(_mock(request).clock) as clock:
        yield clock


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Show below a failed test what its mock was asked, and why it refused. Keys are hidden there
    like everywhere.
    """
    report = yield
    mock = item.stash.get(_MOCK, None)
    if mock is not None and report.when == "call" and mock.generations:  # type: ignore[attr-defined] # the wrapped hook's result
        report.fauxlab_generations = mock.generations  # type: ignore[attr-defined] # travels from xdist's workers, too
    if mock is not None and report.failed and (mock.requests or mock.blocked):  # type: ignore[attr-defined] # the wrapped hook's result
        report.sections.append(("fauxlab: last exchanges", _told(mock)))  # type: ignore[attr-defined]
    return report


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """One line about the money that was not spent."""
    reports = [report for reports in terminalreporter.stats.values() for report in reports]
    generations = sum(getattr(report, "fauxlab_generations", 0) for report in reports)
    if generations:
        some = "1 generation was" if generations == 1 else f"{generations} generations were"
        terminalreporter.write_line(f"fauxlab: {some} made, and nothing was paid for it")


def _told(mock: Mock) -> str:
    from fauxlab_contract.core.violation import summary
    from fauxlab_mock.runtime.journal import line_of

    conventions = mock.document.conventions
    lines = []
    for exchange in mock.requests[-LAST:]:
        lines.append(line_of(exchange, conventions))
        if exchange.violations:
            lines.append(f"    {summary(exchange.violations)}")
            lines += [
                f"      {violation.field}: {violation.hint}"
                for violation in exchange.violations
                if violation.hint
            ]
        elif "message" in exchange.members:
            tip = (
                exchange.members.get(mock.document.conventions.fields.tip)
                if exchange.refusal
                else None
            )
            lines.append(f"    {exchange.members['message']}" + (f" ({tip})" if tip else ""))
    lines += [f"refused: {line}" for line in list(mock.blocked)[-LAST:]]
    return "\n".join(lines)
