"""All broken clients and the correct ones, each as what `check_client` takes."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.util.retry import Retry

import fauxlab_client as fc
from client_mutants import breaks_lives, breaks_requests, breaks_world
from client_mutants.breaks_world import Listening, PollsOn
from client_mutants.drivers import DRIVERS, make_of
from client_mutants.plain import Flow, Plain, PlainError, Send, Sleep
from receiving import receiving

__all__ = ["CORRECT", "MUTANTS", "Candidate"]

Make = Callable[[str, str], Callable[..., Any]]
SYNC, ASYNC = ("httpx", "requests"), ("httpx async", "aiohttp")


@dataclass(frozen=True)
class Candidate:
    """A client on a library. `opened` gives its `make` for the length of a block; `row` is empty
    for a correct one.
    """

    name: str
    summary: str
    library: str
    opened: Callable[[], contextlib.AbstractContextManager[Make]] = field(repr=False)

    @property
    def row(self) -> str:
        return self.name.partition(".")[0]

    @property
    def id(self) -> str:
        return f"{self.name} {self.library}"


def _opened(make: Make) -> Callable[[], contextlib.AbstractContextManager[Make]]:
    return lambda: contextlib.nullcontext(make)


def _plain(
    name: str, summary: str, kind: type[Plain], options: Mapping[str, Any], library: str
) -> Candidate:
    return Candidate(name, summary, library, _opened(make_of(kind, library, options)))


def _listener(name: str, summary: str, kind: type[Listening], library: str) -> Candidate:
    @contextlib.contextmanager
    def opened() -> Iterator[Make]:
        with receiving() as receiver:
            hearing = type(kind.__name__, (kind,), {"receiver": receiver})
            yield make_of(hearing, library)

    return Candidate(name, summary, library, opened)


class _Session:
    """C25: an object that shows its key, whose method is the callable."""

    def __init__(self, base_url: str, key: str) -> None:
        self.key, self._call = key, make_of(Plain, "httpx")(base_url, key)

    def __repr__(self) -> str:
        return f"Session(key={self.key!r})"

    def generate(self, **fields: Any) -> Any:
        return self._call(**fields)


class _NoSeedSignature:
    """C7: a callable whose signature has no seed."""

    def __init__(self, library: str) -> None:
        self.library = library

    def __call__(self, base_url: str, key: str) -> Callable[..., Any]:
        call = make_of(breaks_requests.NoSeed, self.library)(base_url, key)

        def generate(prompt: str, face_image: str, width: int = 512) -> Any:
            return call(prompt=prompt, face_image=face_image, width=width)

        return generate


def _adapters() -> dict[str, Any]:
    """C21: the library itself sends POSTs again."""
    retry = Retry(total=3, allowed_methods=None, backoff_factor=0)
    return {
        "adapters": {
            "http://": HTTPAdapter(max_retries=retry),
            "https://": HTTPAdapter(max_retries=retry),
        }
    }


def _mutants() -> Iterator[Candidate]:
    for name, summary, kind in (*breaks_requests.BREAKS, *breaks_lives.BREAKS):
        libraries: tuple[str, ...] = (
            (*SYNC, "httpx async") if name in BOTH_WAYS or name.startswith("C29") else SYNC
        )
        yield from (_plain(name, summary, kind, {}, library) for library in libraries)
    for name, summary, kind, options, some in breaks_world.BREAKS:
        yield from (_plain(name, summary, kind, options, library) for library in some or DRIVERS)
    yield from (
        _listener("C28.after", "it fetches on after the webhook and the end", PollsOn, library)
        for library in SYNC
    )
    yield Candidate(
        "C25.repr",
        "the client's repr shows the key",
        "httpx",
        _opened(lambda url, key: _Session(url, key).generate),
    )
    yield from (
        Candidate(
            "C7.signature", "there is no argument for the seed", one, _opened(_NoSeedSignature(one))
        )
        for one in SYNC
    )
    yield _plain(
        "C21.library", "the library sends the submit again", Plain, _adapters(), "requests"
    )
    yield from (
        _plain(
            "C32.disagree",
            "the async twin does not see failed",
            breaks_lives.FailedIsProcessing,
            {},
            library,
        )
        for library in ASYNC
    )


BOTH_WAYS = ("C15.tight", "C16.often", "C17.none", "C20.once", "C21.lost", "C23.submit")


class PollsAtOnce(Plain):
    def first_pause_s(self, job: Mapping[str, Any]) -> float:
        return 0.0


class PollsEvenly(Plain):
    def next_pause_s(self, pause_s: float) -> float:
        return pause_s


class Downloads(Plain):
    """Gives the picture's bytes back."""

    def wait(self, job: Mapping[str, Any]) -> Flow:
        links = yield from super().wait(job)
        for attempt in range(5):
            reply = yield Send(links[0], method="GET")
            if reply.code == 200:
                return reply.content
            yield Sleep(2.0**attempt)
        raise PlainError("the picture could not be had")


class NeverSubmitsAgain(Plain):
    def submit(self, body: Mapping[str, Any]) -> Flow:
        return self.submitted((yield self.submit_call(body)))


@contextlib.contextmanager
def _one_session() -> Iterator[Make]:
    """A session that outlives every call."""
    with requests.Session() as session:
        yield make_of(Plain, "requests", {"session": session})


def _our_own(base_url: str, key: str) -> Callable[..., Any]:
    def generate(**fields: Any) -> Any:
        with fc.Client(key, base_url=base_url) as client:  # it is for one thread at a time
            return client.generate(**fields)

    return generate


def _our_async(base_url: str, key: str) -> Callable[..., Any]:
    async def generate(**fields: Any) -> Any:
        async with fc.AsyncClient(key, base_url=base_url) as client:
            return await client.generate(**fields)

    return generate


def _correct() -> Iterator[Candidate]:
    for library in DRIVERS:
        yield _plain("plain", "never downloads, submits again when told to", Plain, {}, library)
        yield _plain("early", "polls at once", PollsAtOnce, {}, library)
        yield _plain("even", "its pauses do not grow", PollsEvenly, {}, library)
    yield from (
        _plain("downloads", "gives the picture's bytes back", Downloads, {}, library)
        for library in SYNC
    )
    yield from (
        _plain("once", "never submits again", NeverSubmitsAgain, {}, library) for library in SYNC
    )
    yield from (
        _listener("listens", "waits for its webhook", Listening, library) for library in SYNC
    )
    yield Candidate("session", "one session for all calls", "requests", _one_session)
    yield Candidate("fauxlab_client", "ours", "httpx", _opened(_our_own))
    yield Candidate("fauxlab_client", "ours, async", "httpx async", _opened(_our_async))


MUTANTS: tuple[Candidate, ...] = tuple(_mutants())
CORRECT: tuple[Candidate, ...] = tuple(_correct())
