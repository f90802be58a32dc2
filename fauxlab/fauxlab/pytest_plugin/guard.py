"""The traffic guard in pytest: a test whose code breaks the contract fails, where it did.

    def test_my_integration(fauxlab_guard):  # or `pytest --fauxlab-guard`, for every test
        ...  # answered by fauxlab, respx, responses, a cassette, or a server

Nothing heavy is imported before a test is guarded.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from itertools import chain
from typing import TYPE_CHECKING, Any

import pytest

from fauxlab.pytest_plugin.choices import (
    OPTION_GROUP,
    document_of,
    fail,
    ini_value,
    require_parts,
)
from fauxlab.pytest_plugin.fixtures import mock_of
from fauxlab_contract._parts import CONTRACT
from fauxlab_contract.core.hosts import is_base_url
from fauxlab_contract.core.text import counted, did_you_mean

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

__tracebackhide__ = True
SETTINGS = ("waive", "document", "url")  # of the marker
_GUARD: pytest.StashKey[Guard] = pytest.StashKey()  # of a test
_REPORTED: pytest.StashKey[int] = pytest.StashKey()  # findings that the call phase has reported
_URLS: pytest.StashKey[list[str]] = pytest.StashKey()  # of a run
_WAIVED: pytest.StashKey[dict[str, str]] = pytest.StashKey()  # of a run: rule -> reason


def pytest_addoption(parser: pytest.Parser) -> None:
    """Offer the options and the same settings for the ini file."""
    group = parser.getgroup(*OPTION_GROUP)
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
        help="a rule of the guard whose findings are accepted, and why",
    )
    parser.addini("fauxlab_guard", "guard every test", type="bool", default=False)
    parser.addini(
        "fauxlab_guard_url",
        "base URLs to guard beside the document's own, one on each line",
        type="linelist",
        default=[],
    )
    parser.addini(
        "fauxlab_guard_waive",
        "rules of the guard whose findings are accepted, RULE=REASON, one on each line",
        type="linelist",
        default=[],
    )


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker, and read the waivers once."""
    config.addinivalue_line(
        "markers",
        "fauxlab_guard(waive={rule: reason}, document=None, url=None): guard this test's calls",
    )
    ini_value(config, "fauxlab_guard")
    try:
        config.stash[_URLS] = [_base_url(text, source) for source, text in _given(config, "url")]
        config.stash[_WAIVED] = dict(
            _waiver(text, source) for source, text in _given(config, "waive")
        )
    except ValueError as error:
        raise pytest.UsageError(str(error)) from None


def _given(config: pytest.Config, name: str) -> Iterator[tuple[str, str]]:
    """Yield (where it is given, text), of the ini file and then of the command line."""
    key, flag = f"fauxlab_guard_{name}", f"--fauxlab-guard-{name}"
    yield from ((key, text) for text in ini_value(config, key))
    yield from ((flag, text) for text in config.getoption(flag))


def _waiver(text: str, source: str) -> tuple[str, str]:
    """`RULE=REASON` -> (rule, reason); ValueError for another text, and for an unknown rule."""
    rule, equals, reason = (part.strip() for part in text.partition("="))
    if not equals:
        raise ValueError(f"{source} takes RULE=REASON, not {text[:40]!a}")
    try:
        _check_waivers({rule: reason})
    except ValueError as error:
        raise ValueError(f"{source}: {error}") from None
    return rule, reason


def _base_url(url: object, source: str) -> str:
    """Return a base URL; ValueError for what is none, with the URL that was probably meant."""
    if isinstance(url, str) and is_base_url(url):
        return url
    hint = f"; write http://{url[:80]}" if isinstance(url, str) and "://" not in url else ""
    raise ValueError(
        f"{source} takes base URLs such as http://127.0.0.1:9000/api/v6, not {url!r:.80}{hint}"
    )


def _check_waivers(waived: Any) -> None:
    """Raise ValueError for a rule that does not exist, or without a reason; TypeError otherwise."""
    if waived is None or waived == {}:
        return
    from fauxlab_contract.core.gate import check_waivers
    from fauxlab_contract.guard.rules import RULES

    check_waivers(waived, RULES)


@pytest.fixture(autouse=True)
def _fauxlab_guarded(request: pytest.FixtureRequest) -> None:
    """Guard the tests that an option, the ini file or a marker names."""
    config = request.config
    is_everywhere = config.getoption("--fauxlab-guard") or config.getini("fauxlab_guard")
    if is_everywhere or request.node.get_closest_marker("fauxlab_guard"):
        request.getfixturevalue("fauxlab_guard")


@pytest.fixture
def fauxlab_guard(request: pytest.FixtureRequest) -> Iterator[Guard]:
    """The traffic guard: the test fails where its code, or a mocked reply, breaks the contract.

    `.waive(rule, reason)` accepts the findings of a rule.
    """
    require_parts(request, *CONTRACT)
    from fauxlab_contract.guard.guard import Guard, GuardError
    from fauxlab_contract.guard.hooks.watch import watching

    item = request.node
    marked = _marked(item)
    urls = [*item.config.stash[_URLS], *marked["url"]]

    def urls_now() -> list[str]:
        mock = mock_of(item)  # the test may ask for one later
        return urls if mock is None else [*urls, mock.url]

    waived = item.config.stash[_WAIVED] | marked["waive"]
    guard = Guard(document_of(item, marked.get("document")), urls_now, waived)
    item.stash[_GUARD] = guard
    item.stash[_REPORTED] = 0
    with watching(guard):
        yield guard
    if late := guard.findings[item.stash[_REPORTED] :]:
        fail(f"fauxlab guard: {GuardError(late)}")


def _marked(item: pytest.Item) -> dict[str, Any]:
    """Return the arguments of the markers; the closest wins, waivers add up."""
    marked: dict[str, Any] = {"waive": {}, "url": []}
    for marker in reversed([*item.iter_markers("fauxlab_guard")]):  # the closest comes last
        unknown = [name for name in marker.kwargs if name not in SETTINGS]
        if marker.args or unknown:
            hint = did_you_mean(unknown[0], SETTINGS) if unknown else "give them by name"
            fail(
                f"the marker fauxlab_guard takes {', '.join(SETTINGS)} by name, not"
                f" {', '.join(map(str, [*marker.args, *unknown]))}; {hint}"
            )
        waived = marker.kwargs.get("waive")
        urls = marker.kwargs.get("url")
        urls = urls if isinstance(urls, (list, tuple)) else [urls]
        try:
            _check_waivers(waived)
            read = {"url": [_base_url(url, "url") for url in urls]} if urls != [None] else {}
        except (TypeError, ValueError) as error:
            fail(f"the marker fauxlab_guard: {error}")
        marked |= {**marker.kwargs, **read, "waive": {**marked["waive"], **(waived or {})}}
    return marked


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Fail a test that swallowed what the guard raised."""
    guard = item.stash.get(_GUARD, None)
    if guard is None:
        return (yield)
    try:
        result = yield
    except pytest.skip.Exception:  # says nothing of the findings: they are left to the teardown
        raise
    except BaseException:
        item.stash[_REPORTED] = len(guard.findings)
        raise
    item.stash[_REPORTED] = len(guard.findings)
    if guard.findings:
        from fauxlab_contract.guard.guard import GuardError

        fail(f"fauxlab guard: {GuardError(guard.findings)}")
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, Any, Any]:
    """End the traceback at the call that was judged, and add what else was found."""
    guard = item.stash.get(_GUARD, None)
    if guard is None:
        return (yield)
    if call.excinfo is not None:
        _point_at_the_caller(call.excinfo)
    report = yield
    if report.when == "call":
        report.fauxlab_guarded = len(guard.calls)  # travels from xdist's workers, too
        shown = str(report.longrepr)
        others = [str(finding) for finding in guard.findings if finding.message not in shown]
        if report.failed and others:
            report.sections.append(("fauxlab guard: also found", "\n".join(others)))
        if report.failed and (remarks := guard.remarks()):
            report.sections.append(("fauxlab guard: waivers", "\n".join(remarks)))
    return report


def _point_at_the_caller(excinfo: pytest.ExceptionInfo[BaseException]) -> None:
    """Cut the traceback of a GuardError below the last line of the user's own code."""
    from fauxlab_contract.guard.guard import GuardError, is_user_code

    if not isinstance(excinfo.value, GuardError):
        return
    last, entry = None, excinfo.tb
    while entry is not None:
        if is_user_code(entry.tb_frame):
            last = entry
        entry = entry.tb_next  # type: ignore[assignment] # None at the end
    if last is not None:
        last.tb_next = None


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Write one line that says whether the guard had anything to judge."""
    reports = list(chain.from_iterable(terminalreporter.stats.values()))
    counts = [report.fauxlab_guarded for report in reports if hasattr(report, "fauxlab_guarded")]
    if counts:
        calls = counted(sum(counts), "calls")
        tests = counted(len(counts), "tests")
        terminalreporter.write_line(f"fauxlab: the guard judged {calls} of {tests}")
