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
from fauxlab.pytest_plugin.guard_baseline import (
    BASELINE,
    TARGET,
    add_options,
    baseline_lines,
    note_known,
    read_options,
)
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
SETTINGS = ("waive", "document", "url", "warn_only", "needs_calls")  # of the marker
FLAGS = {  # setting of the marker -> what it does, as an option and in the ini file
    "warn_only": "tell what the guard finds at the end of the run, and fail no test for it",
    "needs_calls": "fail a test that asks for the guard, by fixture or marker, and makes no call",
}
OPTIONS = ("url", "waive", *FLAGS, "baseline", "write_baseline")  # --fauxlab-guard-…
MOST = 20  # findings that fail no test, at the end of a run
_GUARD: pytest.StashKey[Guard] = pytest.StashKey()  # of a test
_REPORTED: pytest.StashKey[int] = pytest.StashKey()  # findings that the call phase has reported
_NEEDS_CALLS: pytest.StashKey[bool] = pytest.StashKey()  # of a test
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
        metavar="RULE[:FIELD][@CALL]=REASON",
        help="a rule of the guard whose findings are accepted, and why",
    )
    for name, explained in FLAGS.items():
        flag = f"--fauxlab-guard-{name.replace('_', '-')}"
        group.addoption(flag, action="store_true", help=explained)
        parser.addini(f"fauxlab_guard_{name}", explained, type="bool", default=False)
    add_options(parser)
    parser.addini("fauxlab_guard", "guard every test", type="bool", default=False)
    parser.addini(
        "fauxlab_guard_url",
        "base URLs to guard beside the document's own, one on each line",
        type="linelist",
        default=[],
    )
    parser.addini(
        "fauxlab_guard_waive",
        "rules of the guard whose findings are accepted, RULE[:FIELD][@CALL]=REASON, one on each"
        " line",
        type="linelist",
        default=[],
    )


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker, and read the waivers and the baseline once."""
    config.addinivalue_line(
        "markers",
        "fauxlab_guard(waive={rule: reason}, document=None, url=None, warn_only=False,"
        " needs_calls=False): guard this test's calls",
    )
    for key in ("fauxlab_guard", *(f"fauxlab_guard_{name}" for name in FLAGS)):
        ini_value(config, key)
    try:
        config.stash[_URLS] = [_base_url(text, source) for source, text in _given(config, "url")]
        config.stash[_WAIVED] = dict(
            _waiver(text, source) for source, text in _given(config, "waive")
        )
    except ValueError as error:
        raise pytest.UsageError(str(error)) from None
    read_options(config)


def _given(config: pytest.Config, name: str) -> Iterator[tuple[str, str]]:
    """Yield (where it is given, text), of the ini file and then of the command line."""
    key, flag = f"fauxlab_guard_{name}", f"--fauxlab-guard-{name}"
    yield from ((key, text) for text in ini_value(config, key))
    yield from ((flag, text) for text in config.getoption(flag))


def _waiver(text: str, source: str) -> tuple[str, str]:
    """Return (name, reason) of a waiver; ValueError for another text, and for an unknown rule."""
    from fauxlab_contract.core.gate import read_waiver
    from fauxlab_contract.guard.rules import RULES

    try:
        return read_waiver(text, RULES)
    except ValueError as error:
        raise ValueError(f"{source}: {error}") from None


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

    guard = Guard(
        document_of(item, marked.get("document")),
        urls_now,
        item.config.stash[_WAIVED] | marked["waive"],
        warn_only=_is_set(item, marked, "warn_only") or bool(item.config.stash[TARGET]),
    )
    if baseline := item.config.stash[BASELINE]:
        guard.against(baseline)
    item.stash[_GUARD] = guard
    is_wanted = "fauxlab_guard" in item.fixturenames or item.get_closest_marker("fauxlab_guard")
    item.stash[_NEEDS_CALLS] = bool(is_wanted) and _is_set(item, marked, "needs_calls")
    item.stash[_REPORTED] = 0
    with watching(guard):
        yield guard
    late = guard.findings[item.stash[_REPORTED] :]
    if late and not guard.warn_only:
        fail(f"fauxlab guard: {GuardError(late)}")


def _is_set(item: pytest.Item, marked: dict[str, Any], name: str) -> bool:
    """Return a flag: of the closest marker, else the option's or the ini file's."""
    config = item.config
    chosen = config.getoption(f"fauxlab_guard_{name}") or config.getini(f"fauxlab_guard_{name}")
    return bool(marked.get(name, chosen))


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
    if guard.findings and not guard.warn_only:
        from fauxlab_contract.guard.guard import GuardError

        fail(f"fauxlab guard: {GuardError(guard.findings)}")
    if item.stash[_NEEDS_CALLS] and not guard.calls:
        fail(
            f"fauxlab guard: no call to {guard.document.origin} was judged; docs/guard.md says"
            " which libraries the guard sees, and url= names another address"
        )
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
    if report.when == "teardown":
        note_known(report, guard)
    if report.when == "call":
        _note(report, guard, item.config.stash[_WAIVED])
        shown = str(report.longrepr)
        others = [str(finding) for finding in guard.findings if finding.message not in shown]
        if report.failed and others:
            report.sections.append(("fauxlab guard: also found", "\n".join(others)))
        if report.failed and report.fauxlab_guard_stale:
            stale = "\n".join(report.fauxlab_guard_stale)
            report.sections.append(("fauxlab guard: waivers", stale))
    return report


def _note(report: Any, guard: Guard, waived: dict[str, str]) -> None:
    """Write into a report what the end of the run tells; it travels from xdist's workers, too.

    `waived` are the waivers of the whole run: whether one is needed shows at its end alone.
    """
    unused = guard.unused_waivers
    report.fauxlab_guarded = len(guard.calls)
    report.fauxlab_guard_used = [name for name in waived if name not in unused]
    report.fauxlab_guard_stale = [
        line.strip()
        for name, line in zip(unused, guard.remarks()[-len(unused) :], strict=False)
        if name not in waived
    ]
    report.fauxlab_guard_told = [*map(str, guard.findings)] if guard.warn_only else []


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


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Write whether the guard had anything to judge, what it lets pass, and waivers without use."""
    everything = [*chain.from_iterable(terminalreporter.stats.values())]
    reports = [report for report in everything if hasattr(report, "fauxlab_guarded")]
    if not reports:
        if flags := _without_effect(config):
            terminalreporter.write_line(
                f"fauxlab: no test was guarded, so {', '.join(flags)} had no effect;"
                " --fauxlab-guard guards every test"
            )
        return
    calls = counted(sum(report.fauxlab_guarded for report in reports), "calls")
    tests = counted(len(reports), "tests")
    lines = [f"fauxlab: the guard judged {calls} of {tests}"]
    told = [f"  {each.nodeid}: {line}" for each in reports for line in each.fauxlab_guard_told]
    if told:
        lines.append(f"fauxlab: the guard only warns of {counted(len(told), 'findings')}:")
        lines += [*told[:MOST], *([f"  … {len(told) - MOST} more"] if told[MOST:] else [])]
    used = {name for report in reports for name in report.fauxlab_guard_used}
    if stale := [name for name in config.stash[_WAIVED] if name not in used]:
        lines.append(f"fauxlab: waivers of the guard that nothing needed: {', '.join(stale)}")
    lines += [
        f"fauxlab: {report.nodeid}: {line}"
        for report in reports
        if report.passed
        for line in report.fauxlab_guard_stale
    ]
    for line in [*lines, *baseline_lines(config, everything)]:
        terminalreporter.write_line(line)


def _without_effect(config: pytest.Config) -> list[str]:
    """Return the options of the guard on the command line."""
    if config.getoption("--fauxlab-guard") or config.getoption("collectonly"):
        return []  # nothing ran
    flags = [f"--fauxlab-guard-{name.replace('_', '-')}" for name in OPTIONS]
    return [flag for flag in flags if config.getoption(flag)]
