"""The mock as pytest fixtures. Nothing heavy is imported before a fixture is used.

def test_my_integration(fauxlab):        # httpx calls to the document's server are answered in process
    ...
    assert fauxlab.requests[-1].code == 200

@pytest.mark.fauxlab(scenario="failed", validation="coerce")     # settings of one test
def test_a_bad_day(fauxlab_server):      # the same mock over a real loopback server, for any HTTP library
    my_code(base_url=fauxlab_server.base_url)
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from fauxlab_mock.mock import Mock

__all__ = ["fauxlab", "fauxlab_server", "pytest_configure", "pytest_runtest_makereport"]

LAST = 5  # exchanges shown below a failed test
_MOCK: pytest.StashKey[Mock] = pytest.StashKey()


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "fauxlab(**settings): settings of this test's mock, such as scenario, validation, eta")


def _mock(request: pytest.FixtureRequest, public_url: str | None) -> Mock:
    """The mock of this test, made on first use; on the auto clock unless the marker says otherwise."""
    from fauxlab_mock.mock import Mock
    from fauxlab_mock.settings import Settings

    marker = request.node.get_closest_marker("fauxlab")
    settings = Settings(**{"clock": "auto", **(marker.kwargs if marker else {})})
    mock = Mock(settings, public_url=public_url, raise_on_invalid_reply=True)
    request.node.stash[_MOCK] = mock
    return mock


@pytest.fixture
def fauxlab(request: pytest.FixtureRequest) -> Iterator[Mock]:
    """A mock in process: httpx calls to the document's server are answered by it, without a socket."""
    from fauxlab_mock.intercept import intercepted

    mock = _mock(request, None)
    with intercepted(mock):
        yield mock


@pytest.fixture
def fauxlab_server(request: pytest.FixtureRequest) -> Iterator[Mock]:
    """A mock on a free loopback port: configure any client, in any language, with its `base_url`."""
    from fauxlab_mock.local import serving
    from fauxlab_mock.server import bind

    listener = bind("127.0.0.1", 0)
    mock = _mock(request, f"http://127.0.0.1:{listener.getsockname()[1]}")
    with serving(mock, listener):
        yield mock


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Show below a failed test what its mock was asked, and why it refused. Keys are hidden there like everywhere."""
    report = yield
    mock = item.stash.get(_MOCK, None)
    if mock is not None and report.failed and mock.requests:  # type: ignore[attr-defined] # the wrapped hook's result
        report.sections.append(("fauxlab: last exchanges", _told(mock)))  # type: ignore[attr-defined]
    return report


def _told(mock: Mock) -> str:
    from fauxlab_contract.violation import summary
    from fauxlab_mock.log import line_of

    lines = []
    for exchange in mock.requests[-LAST:]:
        lines.append(line_of(exchange))
        if exchange.violations:
            lines.append(f"    {summary(exchange.violations)}")
        elif isinstance(exchange.reply, dict) and "message" in exchange.reply:
            lines.append(f"    {exchange.reply['message']}")
    return "\n".join(lines)
