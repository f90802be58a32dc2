"""The traffic guard: judges every call of a client under test to the document's server.

with guarded(load_document()) as guard:
    my_code()  # its calls are judged, whatever the HTTP library
"""

from __future__ import annotations

import contextlib
import os
import sys
import sysconfig
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import PurePath
from types import FrameType
from typing import Any, ClassVar, NamedTuple, Self
from urllib.parse import SplitResult, urlsplit

from fauxlab_contract.core.gate import IN_BASELINE, Baseline, check_waivers
from fauxlab_contract.core.hosts import DEFAULT_PORTS
from fauxlab_contract.core.http import HttpResponse
from fauxlab_contract.core.rules import Finding, Findings, Severity, unused, waiver_for
from fauxlab_contract.core.text import counted, must_be
from fauxlab_contract.guard.hooks.watch import WatchedCall, watching
from fauxlab_contract.guard.rules import (
    RULES,
    GuardObservation,
    name_of,
    path_parts,
    reply_findings,
    request_findings,
)
from fauxlab_contract.openapi.document import Document, check_document

__all__ = ["Guard", "GuardError", "GuardFinding", "guarded", "is_user_code"]

_OURS = ("fauxlab_contract", "fauxlab_mock")
_LIBRARY = (
    os.path.realpath(sysconfig.get_path("stdlib")),
    os.path.realpath(sysconfig.get_path("platstdlib")),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardFinding(Finding):
    """One broken rule, in which call (`POST /api/v6/…`), and who sent it (`client.py:12`).

    `place` is where the document says otherwise.
    """

    call: str
    place: str
    site: str

    def found_at(self) -> tuple[str, ...]:
        return (self.call,)

    def __str__(self) -> str:
        lines = (
            self.line(f"{self.rule}: {self.message}"),
            f"{self.call}, sent at {self.site}",
            f"see {self.place}",
        )
        return "\n    ".join(lines)


class GuardError(AssertionError):
    """The client under test, or its mock, broke the contract. `findings` says how."""

    __module__ = "fauxlab_contract.guard"  # tracebacks name the room

    def __init__(self, findings: Iterable[GuardFinding]) -> None:
        self.findings = tuple(findings)
        super().__init__("\n".join(map(str, self.findings)))

    def __reduce__(self) -> tuple[type[GuardError], tuple[tuple[GuardFinding, ...]]]:
        return GuardError, (self.findings,)


class CallUnderWay(NamedTuple):
    """A call that has no reply yet.

    `path` is as the document writes it, `site` the line of the client's code.
    """

    call: WatchedCall
    path: str
    site: str


class Guard(Findings):
    """Judges the calls to the document's server and to the base URLs that `urls()` returns.

    A call with a finding raises `GuardError` instead of being sent; a reply with a finding raises
    it instead of being returned. `findings` keeps them all, for code that swallows exceptions.
    `waive` maps `rule` or `rule:field` to the reason why it does not count. `calls` lists what was
    judged. With `warn_only` nothing is raised: calls go out, and `findings` says what is wrong with
    them. Safe to use from several threads.
    """

    judge: ClassVar = "guard"
    known_rules: ClassVar = RULES
    fails_at: ClassVar = "warning"

    def __init__(
        self,
        document: Document,
        urls: Callable[[], Iterable[str]] = tuple,
        waive: Mapping[str, str] | None = None,
        *,
        warn_only: bool = False,
    ) -> None:
        check_document(document)
        if not callable(urls):
            raise TypeError(must_be("urls", "a function that returns base URLs", urls))
        self.document = document
        self.calls: list[str] = []
        self.warn_only = warn_only
        self._urls = urls
        self._waived: dict[str, str] = {}
        self._baseline: Baseline | None = None
        self._found: list[GuardFinding] = []
        self._lock = threading.Lock()
        self.with_waivers(waive or {})

    def __repr__(self) -> str:
        calls = counted(len(self.calls), "calls")
        findings = counted(len(self.findings), "findings")
        return f"<Guard {self.document.source}: {calls}, {findings}>"

    def with_waivers(self, waivers: Mapping[str, str]) -> Self:
        """From now on, let the findings of some rules, or of `rule:field`, not count.

        Returns the guard itself. What was found before still counts.
        """
        __tracebackhide__ = True
        check_waivers(waivers, RULES)
        self._waived.update(waivers)
        return self

    def against(self, baseline: Baseline) -> Self:
        """From now on, let what a baseline knows not count. Returns the guard itself."""
        __tracebackhide__ = True
        baseline.check_judge(self.judge)
        self._baseline = baseline
        return self

    @property
    def findings(self) -> tuple[GuardFinding, ...]:
        """What was found and not waived, oldest first."""
        with self._lock:
            return tuple(finding for finding in self._found if not finding.waived)

    @property
    def waived(self) -> tuple[GuardFinding, ...]:
        """What was found after it had been waived."""
        with self._lock:
            return tuple(finding for finding in self._found if finding.waived)

    @property
    def unused_waivers(self) -> tuple[str, ...]:
        """The waivers for which nothing was found so far."""
        with self._lock:
            return unused(self._waived, self._found)

    @property
    def gone(self) -> tuple[str, ...]:
        """What is in the baseline and was not found so far."""
        with self._lock:
            if self._baseline is None:
                return ()
            return self._baseline.gone([known for one in self._found for known in one.entries()])

    def assert_ok(self, level: Severity | None = None) -> None:
        """Raise `GuardError` with all findings if one is as serious as `level` (a warning)."""
        __tracebackhide__ = True  # pytest shows the caller's line
        if self.has(level or self.fails_at):
            raise GuardError(self.findings)

    def as_dict(self) -> dict[str, Any]:
        """Return the findings and the judged calls as values for JSON."""
        return {**super().as_dict(), "calls": list(self.calls)}

    def headline(self) -> str:
        """Return how many calls were judged, and how many findings there are."""
        calls = counted(len(self.calls), "calls")
        return f"{calls} judged: {self.counts() or 'no findings'}"

    def wants(self, url: str) -> bool:
        """Return True if a call to `url` concerns the document."""
        return self._path(url) is not None

    def sent(self, call: WatchedCall) -> CallUnderWay:
        """Judge a call that is about to be sent; raise `GuardError` if it must not be."""
        path = self._path(call.url) or ""
        seen = CallUnderWay(call, path, call_site(sys._getframe(1)))
        host = urlsplit(call.url).hostname
        is_production = any(
            origin.startswith("https:") and urlsplit(origin).hostname == host
            for origin, _ in self.document.servers
        )
        with self._lock:
            self.calls.append(name_of(self.document, call, path))
        self._note(seen, request_findings(self.document, call, path, is_production=is_production))
        return seen

    def answered(self, token: CallUnderWay, came: HttpResponse) -> None:
        """Judge the reply to a call; raise `GuardError` if it breaks the contract."""
        findings = reply_findings(self.document, token.call, token.path, came)
        self._note(token, findings)

    def _note(self, seen: CallUnderWay, observations: Iterable[GuardObservation]) -> None:
        findings = [self._finding(seen, observation) for observation in observations]
        with self._lock:
            self._found += [finding for finding in findings if finding not in self._found]
        counting = [finding for finding in findings if not finding.waived]
        if counting and not self.warn_only:
            raise GuardError(counting)

    def _finding(self, seen: CallUnderWay, observation: GuardObservation) -> GuardFinding:
        rule = RULES[observation.rule]
        finding = GuardFinding(
            rule.id,
            rule.severity,
            observation.message,
            observation.advice or rule.advice,
            observation.field,
            call=name_of(self.document, seen.call, seen.path),
            place=f"{self.document.source} at {observation.place}",
            site=seen.site,
        )
        is_known = self._baseline and self._baseline.known.issuperset(finding.entries())
        reason = waiver_for(finding, self._waived) or (IN_BASELINE if is_known else "")
        return replace(finding, waived=reason)

    def _path(self, url: str) -> str | None:
        """Return where a URL leads, as the document writes paths; None if it leads elsewhere.

        A path outside the base path counts if it ends like a path of the document: then the base is
        wrong.
        """
        try:
            parts = urlsplit(url)
            path = parts.path
            documented = [(origin + base, base) for origin, base in self.document.servers]
            ours = [(base, self.document.base_path) for base in self._urls()]
            for base, base_path in (*documented, *ours):
                here = urlsplit(base)
                if not _is_same_server(here, parts, by_http_too=here.scheme == "https"):
                    continue
                prefix = here.path.rstrip("/") or base_path
                if path.startswith(prefix + "/"):
                    return base_path + path.removeprefix(prefix)
                if self.document.methods(path) or any(
                    self.document.methods(self.document.base_path + tail)
                    for tail in path_parts(path)
                ):
                    return path
        except ValueError:  # not a URL: the HTTP library is about to say so
            pass
        return None


def _is_same_server(base: SplitResult, other: SplitResult, *, by_http_too: bool) -> bool:
    """Return True for the same host and port.

    With `by_http_too`, port 80 of the host counts as well, without TLS.
    """
    if base.hostname != other.hostname:
        return False
    address = other.scheme, other.port or DEFAULT_PORTS.get(other.scheme)
    if by_http_too and address == ("http", 80):
        return True
    return address == (base.scheme, base.port or DEFAULT_PORTS.get(base.scheme))


@contextlib.contextmanager
def guarded(
    document: Document,
    urls: Callable[[], Iterable[str]] = tuple,
    waive: Mapping[str, str] | None = None,
    *,
    warn_only: bool = False,
) -> Iterator[Guard]:
    """Judge the calls of a `with` block by all installed HTTP libraries.

    At the end of the block, raise `GuardError` if anything was found, even if it was swallowed.
    With `warn_only` nothing is raised; look at the guard's `findings`.
    """
    guard = Guard(document, urls, waive, warn_only=warn_only)
    with watching(guard):
        yield guard
    if not warn_only:
        guard.assert_ok()


def call_site(frame: FrameType | None) -> str:
    """Return the innermost frame that is neither a library's nor ours: `client.py:12, in make`."""
    while frame is not None and not is_user_code(frame):
        frame = frame.f_back
    if frame is None:
        return "an unknown place (a thread or a task of a library)"
    path = PurePath(frame.f_code.co_filename)
    with contextlib.suppress(ValueError):
        path = path.relative_to(os.getcwd())
    return f"{path}:{frame.f_lineno}, in {frame.f_code.co_name}"


def is_user_code(frame: FrameType) -> bool:
    """Return False for a frame of the standard library, of an installed package, or of fauxlab."""
    name = frame.f_code.co_filename
    module = frame.f_globals.get("__name__", "")
    if name.startswith("<") or module.partition(".")[0] in _OURS:
        return False
    if {"site-packages", "dist-packages"} & set(PurePath(name).parts):
        return False
    folders = tuple(f"{folder}{os.sep}" for folder in _LIBRARY)
    return not os.path.realpath(name).startswith(folders)
