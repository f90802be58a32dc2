"""The traffic guard in pytest: a test whose code breaks the contract fails, at the line that did
it. Nothing heavy is imported before.

def test_my_integration(fauxlab_guard):      # or `pytest --fauxlab-guard`, for every test
    ...                                      # answered by fauxlab, respx, responses, a cassette, or
    a server
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from fauxlab.pytest_plugin.fixtures import document_of, mock_of
from fauxlab_contract.core.text import counted

if TYPE_CHECKING:
    from fauxlab_contract.guard.guard import Guard

__all__ = [
    "fauxlab_guard",
    "pytest_addoption",
    "pytest_configure",
    "pytest_runtest_call",
    "pytest_runtest_makereport",
    "pytest_terminal_summary",
]

SETTINGS = ("waive", "document", "url")  # of the marker
_GUARD: pytest.StashKey[Guard] = pytest.StashKey()
# so many findings were reported before the teardown
_TOLD: pytest.StashKey[int] = pytest.StashKey()
_WAIVED: pytest.StashKey[dict[str, str]] = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup(
        "fauxlab", "fauxlab: defaults of the mocks; a test's marker goes before them"
    )
    group.addoption(
        "--fauxlab-guard",
        action="store_true",
        help="guard every test: a call that breaks the contract fails it",
    )
    group.addoption(
        "--fauxlab-guard-url",
        action="append",
        default=[],
        metavar="URL",
        help="a base URL to guard beside the document's own",
    )
    group.addoption(
        "--fauxlab-guard-waive",
        action="append",
        default=[],
        metavar="RULE=REASON",
        help="a rule of the guard not to mind, and why",
    )
    parser.addini("fauxlab_guard", "guard every test", type="bool", default=False)
    parser.addini(
        "fauxlab_guard_url",
        "base URLs to guard beside the document's own, one a line",
        type="linelist",
        default=[],
    )
    parser.addini(
        "fauxlab_guard_waive",
        "rules of the guard not to mind, RULE=REASON, one a line",
        type="linelist",
        default=[],
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers",
        "fauxlab_guard(waive={rule: reason}, document=None, url=None): guard this test's calls",
    )
    config.stash[_WAIVED] = {}
    for text in _both(config, "waive"):
        rule, equals, reason = text.partition("=")
        if not equals:
            raise pytest.UsageError(f"--fauxlab-guard-waive takes RULE=REASON, not {text[:40]!a}")
        config.stash[_WAIVED][rule.strip()] = reason.strip()
    if config.stash[_WAIVED]:
        _check(config.stash[_WAIVED])


def _check(waived: dict[str, str]) -> None:
    from fauxlab_contract.core.rules import check_waivers
    from fauxlab_contract.guard.rules import RULES

    try:
        check_waivers(waived, RULES)
    except ValueError as error:
        raise pytest.UsageError(str(error)) from None


def _both(config: pytest.Config, name: str) -> list[str]:
    """What the ini file says, and then the command line."""
    return [*config.getini(f"fauxlab_guard_{name}"), *config.getoption(f"--fauxlab-guard-{name}")]


@pytest.fixture
def fauxlab_guard(request: pytest.FixtureRequest) -> Iterator[Guard]:
    """The traffic guard: this test fails where its code, or a mocked reply, breaks the contract.
    `.waive(rule, reason)` forgives.
    """
    from fauxlab_contract.guard.guard import Guard, GuardError
    from fauxlab_contract.guard.hooks.watch import watching

    item = request.node
    marked = _marked(item)
    waive, url = marked.get("waive", {}), marked.get("url") or []
    fixed = [*_both(item.config, "url"), *([url] if isinstance(url, str) else url)]

    def urls() -> list[str]:
        mock = mock_of(item)
        return fixed if mock is None else [*fixed, mock.url]

    guard = Guard(
        document_of(item, marked.get("document")), urls, {**item.config.stash[_WAIVED], **waive}
    )
    item.stash[_GUARD] = guard
    item.stash[_TOLD] = 0
    with watching(guard):
        yield guard
    if late := guard.findings[item.stash[_TOLD] :]:
        pytest.fail(f"fauxlab guard: {GuardError(late)}", pytrace=False)


def _marked(item: pytest.Item) -> dict[str, Any]:
    marked: dict[str, Any] = {}
    for marker in reversed([*item.iter_markers("fauxlab_guard")]):  # the closest last
        unknown = [name for name in marker.kwargs if name not in SETTINGS]
        if marker.args or unknown:
            raise pytest.UsageError(
                f"the marker fauxlab_guard takes {', '.join(SETTINGS)} by name, not"
                f" {[*marker.args, *unknown]}"
            )
        waive = {**marked.get("waive", {}), **marker.kwargs.get("waive", {})}
        marked |= {**marker.kwargs, "waive": waive}
    _check(marked.get("waive", {}))
    return marked


@pytest.fixture(autouse=True)
def _fauxlab_guarded(request: pytest.FixtureRequest) -> None:
    """Guard the tests that an option, the ini file or a marker names."""
    config = request.config
    everywhere = config.getoption("--fauxlab-guard") or config.getini("fauxlab_guard")
    if everywhere or request.node.get_closest_marker("fauxlab_guard"):
        request.getfixturevalue("fauxlab_guard")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """A test that swallowed what the guard raised fails all the same."""
    guard = item.stash.get(_GUARD, None)
    if guard is None:
        return (yield)
    try:
        result = yield
    except pytest.skip.Exception:  # says nothing of the findings: they are left to the teardown
        raise
    except BaseException:
        item.stash[_TOLD] = len(guard.findings)
        raise
    item.stash[_TOLD] = len(guard.findings)
    if guard.findings:
        from fauxlab_contract.guard.guard import GuardError

        pytest.fail(f"fauxlab guard: {GuardError(guard.findings)}", pytrace=False)
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, Any, Any]:
    """Show the code under test up to the call that was judged, without the library below it; and
    what else was found.
    """
    guard = item.stash.get(_GUARD, None)
    if guard is not None and call.excinfo is not None:
        _point_at_the_caller(call.excinfo)
    report = yield
    if guard is not None and report.when == "call":
        report.fauxlab_guarded = len(guard.calls)  # travels from xdist's workers, too
        untold = [str(one) for one in guard.findings if one.message not in str(report.longrepr)]
        if report.failed and untold:
            report.sections.append(("fauxlab guard: also found", "\n".join(untold)))
    return report


def _point_at_the_caller(excinfo: pytest.ExceptionInfo[BaseException]) -> None:
    from fauxlab_contract.guard.guard import GuardError, is_user_code

    if not isinstance(excinfo.value, GuardError):
        return
    theirs, here = None, excinfo.tb
    while here is not None:
        theirs = here if is_user_code(here.tb_frame) else theirs
        here = here.tb_next  # type: ignore[assignment] # None at the end
    if theirs is not None:
        theirs.tb_next = None


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """One line that says whether the guard had anything to judge."""
    reports = [report for reports in terminalreporter.stats.values() for report in reports]
    counts = [report.fauxlab_guarded for report in reports if hasattr(report, "fauxlab_guarded")]
    if counts:
        calls, tests = counted(sum(counts), "calls"), counted(len(counts), "tests")
        terminalreporter.write_line(f"fauxlab: the guard judged {calls} of {tests}")
