"""The traffic guard: judges every call of a client under test to the document's server, whoever
answers it.

with guarded(load_document()) as guard:     # httpx, httpx2, requests and aiohttp; nothing is
changed in the code under test
    my_code()
"""

from __future__ import annotations

import contextlib
import os
import sys
import sysconfig
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePath
from types import FrameType
from typing import NamedTuple
from urllib.parse import SplitResult, unquote, urlsplit

from fauxlab_contract.core.http import HttpResponse
from fauxlab_contract.guard.hooks.watch import WatchedCall, watching
from fauxlab_contract.guard.rules import (
    RULES,
    GuardObservation,
    name_of,
    path_parts,
    reply_findings,
    request_findings,
)
from fauxlab_contract.openapi.document import Document

__all__ = ["Finding", "Guard", "GuardError", "check_waiver", "guarded", "is_user_code"]

_PORTS = {"http": 80, "https": 443}
_OURS = ("fauxlab_contract", "fauxlab_mock")
_LIBRARY = (
    os.path.realpath(sysconfig.get_path("stdlib")),
    os.path.realpath(sysconfig.get_path("platstdlib")),
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One broken rule: what is wrong, in which call (`POST /api/v6/…`), where in the document, and
    who sent it (`client.py:12`).

    `field` names the member of the body that it is about, `waived` is the reason for not minding
    it.
    """

    rule: str
    severity: str
    message: str
    advice: str
    call: str
    place: str
    site: str
    field: str = ""
    waived: str = ""

    def __str__(self) -> str:
        reason = f" (waived: {self.waived})" if self.waived else ""
        lines = (
            f"{self.rule}: {self.message} {self.advice}{reason}",
            f"{self.call}, sent at {self.site}",
            f"see {self.place}",
        )
        return "\n    ".join(lines)


class GuardError(AssertionError):
    """The client under test, or who answered it, broke the contract. `findings` says how."""

    __module__ = "fauxlab_contract.guard"  # tracebacks name the room

    def __init__(self, findings: Iterable[Finding]) -> None:
        self.findings = tuple(findings)
        super().__init__("\n".join(map(str, self.findings)))

    def __reduce__(self) -> tuple[type[GuardError], tuple[tuple[Finding, ...]]]:
        return GuardError, (self.findings,)


class CallUnderWay(NamedTuple):
    """A call that is under way: what was sent, its path as the document writes it, and the line of
    the client's code.
    """

    call: WatchedCall
    path: str
    site: str


class Guard:
    """Judges the calls to the document's server and to the base URLs that `urls()` gives. Safe to
    use from several threads.

    A call with a finding raises `GuardError` instead of being sent; a reply with one raises it in
    place of being returned. What is found stays in `findings`, for code that swallows exceptions.
    `waive` maps `rule`, or `rule:field`, to the reason for not minding it. `calls` lists what was
    judged.
    """

    def __init__(
        self,
        document: Document,
        urls: Callable[[], Iterable[str]] = tuple,
        waive: Mapping[str, str] | None = None,
    ) -> None:
        self.document = document
        self.calls: list[str] = []
        self._urls, self._waived = urls, dict[str, str]()
        self._found: list[Finding] = []
        self._lock = threading.Lock()
        for name, reason in (waive or {}).items():
            self.waive(name, reason)

    def __repr__(self) -> str:
        return (
            f"<Guard {self.document.source}: {len(self.calls)} calls, {len(self.findings)}"
            " findings>"
        )

    def waive(self, rule: str, reason: str) -> None:
        """From now on, do not mind a rule, or `rule:field`. ValueError for an unknown rule or an
        empty reason.
        """
        check_waiver(rule, reason)
        self._waived[rule] = reason

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What was found and not waived, oldest first."""
        with self._lock:
            return tuple(finding for finding in self._found if not finding.waived)

    @property
    def waived(self) -> tuple[Finding, ...]:
        """What was found, and waived before that."""
        with self._lock:
            return tuple(finding for finding in self._found if finding.waived)

    def assert_ok(self) -> None:
        """Raise `GuardError` with all findings, if there are any."""
        if self.findings:
            raise GuardError(self.findings)

    def wants(self, url: str) -> bool:
        """Does a call to `url` concern the document?"""
        return self._path(url) is not None

    def sent(self, call: WatchedCall) -> CallUnderWay:
        """Judge a call that is about to be sent."""
        path = self._path(call.url) or ""
        seen = CallUnderWay(call, path, call_site(sys._getframe(1)))
        is_production = urlsplit(call.url).hostname == urlsplit(self.document.origin).hostname
        with self._lock:
            self.calls.append(name_of(self.document, call, path))
        self._note(seen, request_findings(self.document, call, path, is_production=is_production))
        return seen

    def answered(self, token: CallUnderWay, came: HttpResponse) -> None:
        """Judge the answer to a call."""
        self._note(token, reply_findings(self.document, token.call, token.path, came))

    def _note(self, seen: CallUnderWay, found: Iterable[GuardObservation]) -> None:
        made = [self._finding(seen, one) for one in found]
        with self._lock:
            self._found += [finding for finding in made if finding not in self._found]
        if raised := [finding for finding in made if not finding.waived]:
            raise GuardError(raised)

    def _finding(self, seen: CallUnderWay, found: GuardObservation) -> Finding:
        rule = RULES[found.rule]
        return Finding(
            rule=rule.id,
            severity=rule.severity,
            message=found.message,
            advice=rule.advice,
            call=name_of(self.document, seen.call, seen.path),
            place=f"{self.document.source} at {found.place}",
            site=seen.site,
            field=found.field,
            waived=self._waived.get(f"{rule.id}:{found.field}", "")
            or self._waived.get(rule.id, ""),
        )

    def _path(self, url: str) -> str | None:
        """Where a URL leads as the document writes paths; None when it leads elsewhere.

        A path beside the base path counts when it ends like one of the document's: somebody got the
        base wrong.
        """
        try:
            parts = urlsplit(url)
            path = unquote(parts.path)
            for base in (self.document.origin + self.document.base_path, *self._urls()):
                here = urlsplit(base)
                if not _is_same_server(here, parts, by_http_too=here.scheme == "https"):
                    continue
                prefix = here.path.rstrip("/") or self.document.base_path
                if path.startswith(prefix + "/"):
                    return self.document.base_path + path.removeprefix(prefix)
                if any(
                    self.document.methods(self.document.base_path + tail)
                    for tail in path_parts(path)
                ):
                    return path
        except ValueError:  # no URL at all: the library is about to say so
            pass
        return None


def _is_same_server(one: SplitResult, other: SplitResult, *, by_http_too: bool) -> bool:
    """The same host and port; with `by_http_too` also port 80 of that host, without TLS."""
    if one.hostname != other.hostname:
        return False
    ports = [parts.port or _PORTS.get(parts.scheme) for parts in (one, other)]
    return (one.scheme, ports[0]) == (other.scheme, ports[1]) or (
        by_http_too and (other.scheme, ports[1]) == ("http", 80)
    )


def check_waiver(rule: str, reason: str) -> None:
    """ValueError for an unknown rule or an empty reason."""
    if rule.partition(":")[0] not in RULES or not reason.strip():
        raise ValueError(
            f"waive {rule[:40]!a} with a reason; the rules are {', '.join(RULES)}, each also as"
            " rule:field"
        )


@contextlib.contextmanager
def guarded(
    document: Document,
    urls: Callable[[], Iterable[str]] = tuple,
    waive: Mapping[str, str] | None = None,
) -> Iterator[Guard]:
    """Watch the block's calls by all installed libraries; at its end, raise `GuardError` if
    anything was found, swallowed or not.
    """
    guard = Guard(document, urls, waive)
    with watching(guard):
        yield guard
    guard.assert_ok()


def call_site(frame: FrameType | None) -> str:
    """`client.py:12, in generate`: the innermost frame that is neither a library's nor ours."""
    while frame is not None and not is_user_code(frame):
        frame = frame.f_back
    if frame is None:
        return "an unknown place (a thread or a task of a library)"
    path = PurePath(frame.f_code.co_filename)
    with contextlib.suppress(ValueError):
        path = path.relative_to(os.getcwd())
    return f"{path}:{frame.f_lineno}, in {frame.f_code.co_name}"


def is_user_code(frame: FrameType) -> bool:
    """Is a frame neither of the standard library, nor of an installed package, nor of fauxlab?"""
    name = frame.f_code.co_filename
    if name.startswith("<") or frame.f_globals.get("__name__", "").partition(".")[0] in _OURS:
        return False
    parts = PurePath(name).parts
    return not (
        {"site-packages", "dist-packages"} & set(parts)
        or os.path.realpath(name).startswith(tuple(f"{one}{os.sep}" for one in _LIBRARY))
    )
