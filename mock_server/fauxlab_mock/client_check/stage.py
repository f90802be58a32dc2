"""Where a client under test performs: a served mock that can misbehave and counts, a clock with an
end, and two hosts that get nothing.
"""

from __future__ import annotations

import contextlib
import gc
import json
import math
import socket
import ssl
import threading
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from fauxlab_contract.openapi.document import Document
from fauxlab_mock.behaviour.quirks import ELSEWHERE
from fauxlab_mock.client_check.servers import ChangeReply
from fauxlab_mock.clock.clock import THREAD_PREFIX, Clock
from fauxlab_mock.clock.virtual import virtual_time
from fauxlab_mock.engine.engine import Call, Decision, Reply
from fauxlab_mock.inprocess.no_network import only_loopback
from fauxlab_mock.runtime.mock import Mock
from fauxlab_mock.server.local import run_server
from fauxlab_mock.server.uvicorn_server import bind
from fauxlab_mock.settings import Settings

__all__ = [
    "BoundedClock",
    "OtherHost",
    "OutOfBoundsError",
    "Scene",
    "Stage",
    "TrialLimits",
    "staged",
]

# a certificate of no authority, for localhost, and its key: neither is a secret
UNTRUSTED = Path(__file__).with_name("untrusted.pem")
READ_S = 2.0  # real seconds that another host listens to one connection


class OutOfBoundsError(BaseException):
    """Ends a call that took too much time or too many requests.

    A client meets it where it sleeps or connects. It is no `Exception`, so that a client which
    tries again after every error does not catch it.
    """


class BoundedClock(Clock):
    """A manual clock that gives each call of a client a bounded time: until `last`.

    Once a call `is_over`, every sleep and every connection of the client raises OutOfBoundsError.
    While it `holds`, sleepers stay asleep.
    """

    def __init__(self) -> None:
        super().__init__("manual")
        self.last = math.inf
        self.is_over = self.holds = False

    def begin_call(self, virtual_s: float) -> None:
        self.last, self.is_over = self.now() + virtual_s, False

    def end_call(self) -> None:
        self.is_over = True

    def is_held(self) -> bool:
        return self.holds or super().is_held()

    def advance(self, seconds: float) -> None:
        self._check_bounds(seconds)
        super().advance(seconds)

    def moment_after(self, seconds: float) -> float:
        self._check_bounds(seconds)
        return super().moment_after(seconds)

    def check_connection(self) -> None:
        """Raise OutOfBoundsError in a client's thread after the end of its call."""
        if not threading.current_thread().name.startswith(THREAD_PREFIX):
            self._check_bounds(0.0)

    def _check_bounds(self, seconds: float) -> None:
        if self.is_over or self.now() + seconds > self.last:
            raise OutOfBoundsError("this call of the client has used up its time or its requests")


class OtherHost:
    """Listens on a loopback port under another name, answers whoever comes with a success, and
    keeps what it heard.
    """

    def __init__(self, reply: Any, *, tls: bool = False) -> None:
        self.heard: list[bytes] = []
        self._reply = json.dumps(reply).encode()
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER) if tls else None
        if self._tls is not None:
            self._tls.load_cert_chain(UNTRUSTED)
        self._listener = bind("127.0.0.1", 0)
        self.url = f"http{'s' if tls else ''}://localhost:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(
            target=self._listen, name=f"{THREAD_PREFIX}elsewhere", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(READ_S * 2)

    def _listen(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            # a client that does not trust us ends in an SSLError, which is one
            with contextlib.suppress(OSError), connection:
                connection.settimeout(READ_S)
                self._answer(
                    self._tls.wrap_socket(connection, server_side=True) if self._tls else connection
                )

    def _answer(self, connection: socket.socket) -> None:
        with connection:
            request = b""
            while not _is_whole(request) and (chunk := connection.recv(65536)):
                request += chunk
            if request:
                self.heard.append(request)
                head = (
                    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection:"
                    b" close\r\ncontent-length: %d\r\n\r\n"
                )
                connection.sendall(head % len(self._reply) + self._reply)


def _is_whole(request: bytes) -> bool:
    head, end, body = request.partition(b"\r\n\r\n")
    sizes = [
        line.partition(b":")[2]
        for line in head.split(b"\r\n")
        if line.lower().startswith(b"content-length:")
    ]
    return bool(end) and len(body) >= int(sizes[0] if sizes else 0)


@dataclass(slots=True)
class TrialLimits:
    """Of one call of a client: requests, seconds of virtual time, and real seconds."""

    calls: int = 1_000
    virtual_s: float = 3_600.0
    real_s: float = 20.0


@dataclass(slots=True)
class Scene:
    """What came in one trial. `change` is made to each reply."""

    change: ChangeReply | None = None
    calls: list[Call] = field(default_factory=list)


class _Script:
    """What the mock does in a scene: it changes replies, and answers no more after too many calls.

    Addresses elsewhere, which replies of some scenarios name, become those of `elsewhere`.
    """

    def __init__(
        self, document: Document, clock: BoundedClock, most_calls: int, elsewhere: str
    ) -> None:
        self.scene = Scene()
        self._conventions, self._clock = document.conventions, clock
        self._most_calls, self._elsewhere = most_calls, elsewhere

    def __call__(self, call: Call, decision: Decision) -> Decision:
        self.scene.calls.append(call)
        if len(self.scene.calls) > self._most_calls:
            self._clock.end_call()
        if self._clock.is_over:
            decision = replace(decision, fault="EMPTY_RESPONSE")
        return replace(decision, reply=self._changed(decision))

    def _changed(self, decision: Decision) -> Reply:
        reply, operation = decision.reply, decision.facts.operation
        if "location" in reply.headers:
            location = reply.headers["location"].replace(ELSEWHERE, self._elsewhere)
            reply = replace(reply, headers={**reply.headers, "location": location})
        if not isinstance(reply.body, dict):
            return reply
        body: Mapping[str, Any] = reply.body
        if self.scene.change:
            kind = operation.kind if operation else ""
            body = self.scene.change(body, self._conventions, kind)
        texts = {
            name: text.replace(ELSEWHERE, self._elsewhere)
            for name, text in body.items()
            if isinstance(text, str)
        }
        return replace(reply, body={**body, **texts})


@dataclass(slots=True)
class Stage:
    """All there is around a client under test."""

    mock: Mock
    script: _Script
    clock: BoundedClock
    limits: TrialLimits
    elsewhere: OtherHost
    untrusted: OtherHost
    connections: Any  # () -> how many are open

    @property
    def scene(self) -> Scene:
        return self.script.scene

    def is_quiet(self) -> bool:
        """True while no call is on its way or just answered."""
        return not self.mock.traffic.is_busy()

    def set_scene(self, change: ChangeReply | None = None) -> Scene:
        """Forget all jobs, calls and rules, and begin anew."""
        self.mock.reset()
        for host in (self.elsewhere, self.untrusted):
            host.heard.clear()
        self.script.scene = Scene(change)
        self.clock.begin_call(self.limits.virtual_s)
        return self.scene


@contextlib.contextmanager
def staged(document: Document, limits: TrialLimits) -> Iterator[Stage]:
    """While the block lasts, sleeping is free and nothing leaves this machine."""
    names, words = document.conventions.fields, document.conventions.words
    stolen = {
        names.status: words.success,
        names.id: 1,
        names.output: ["http://localhost/stolen.png"],
    }
    elsewhere, untrusted = OtherHost(stolen), OtherHost(stolen, tls=True)
    listener = bind("127.0.0.1", 0)
    clock = BoundedClock()
    origin = f"http://127.0.0.1:{listener.getsockname()[1]}"
    script = _Script(document, clock, limits.calls, elsewhere.url)
    mock = Mock(
        Settings(validation="coerce", clock="manual"),
        document=document,
        public_url=origin,
        clock=clock,
        transform_reply=script,
    )
    try:
        with (
            run_server(mock, listener) as server,
            only_loopback(mock.blocked.append, clock.check_connection),
            virtual_time(clock, bystanders=threading.enumerate()),
        ):
            yield Stage(
                mock, script, clock, limits, elsewhere, untrusted, lambda: server.connections
            )
    finally:
        mock.close()
        for host in (elsewhere, untrusted):
            host.close()
        # what a client left open is told in findings, and must not fail whoever comes next
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)
            gc.collect()
