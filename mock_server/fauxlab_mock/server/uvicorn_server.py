"""A real socket around the application: uvicorn with a clean stop."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import uvicorn

from fauxlab_mock.runtime.mock import Mock
from fauxlab_mock.server.app import Connection, create_app
from fauxlab_mock.server.protocol import http_protocol

if TYPE_CHECKING:
    from types import FrameType

__all__ = ["Server", "bind", "origin_of"]

# Far longer than clients pause between polls: one that closes in that moment fails its client.
KEEP_ALIVE_S = 75
GRACEFUL_STOP_S = 5
HELD_BACK_S = 4  # answers that are held back for longer are not waited for
OUT_OF_FILES = (errno.EMFILE, errno.ENFILE)
REACHED_AT = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 # bound to all, reached here


def bind(host: str, port: int) -> socket.socket:
    """Return a listening TCP socket; OSError when the address cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(512)
    except BaseException:
        listener.close()
        raise
    return listener


def origin_of(listener: socket.socket) -> str:
    """Return the address of a listening socket: `http://127.0.0.1:4010` or `http://[::1]:4010`."""
    host, port = listener.getsockname()[:2]
    host = REACHED_AT.get(host, host)
    if ":" in host:
        host = f"[{host}]"
    return f"http://{host}:{port}"


class Server(uvicorn.Server):
    """Serves one mock on a socket that is bound already.

    `run()` returns after SIGINT, SIGTERM or `stop()`. Answers in progress are finished first,
    within `GRACEFUL_STOP_S` seconds. Nobody waits for answers that never come, or that are held
    back for more than `HELD_BACK_S`: their connections are closed.
    """

    def __init__(
        self,
        mock: Mock,
        listener: socket.socket,
        *,
        origin: str | None = None,
        on_ready: Callable[[], None] = lambda: None,
    ) -> None:
        app = create_app(mock=mock, origin=origin)
        self._connections: dict[object, Connection] = app.state.connections
        protocol = http_protocol(mock, self._connections)
        self._idle, self._stop = protocol.idle, protocol.stop
        config = uvicorn.Config(
            app,
            http=protocol,
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="critical",
            access_log=False,
            server_header=False,
            h11_max_incomplete_event_size=mock.settings.limits.header_bytes,
            proxy_headers=False,
            timeout_keep_alive=KEEP_ALIVE_S,
            timeout_graceful_shutdown=GRACEFUL_STOP_S,
        )
        super().__init__(config)
        self._mock, self._listener, self._on_ready = mock, listener, on_ready
        self._is_hasty = False

    @property
    def connections(self) -> int:
        """How many connections are open now."""
        return len(self._connections)

    def run(self, sockets: list[socket.socket] | None = None) -> None:
        port = self._listener.getsockname()[1]
        # not by uvicorn: before 0.36 it makes uvloop the loop of the whole process
        with (
            self._mock.traffic.served_at(port),
            asyncio.Runner(loop_factory=_loop_factory()) as runner,
        ):
            runner.run(self.serve(sockets or [self._listener]))

    def stop(self) -> None:
        """Stop at once: answers that are held back on purpose are not waited for either."""
        self._is_hasty = True
        self.should_exit = True

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        asyncio.get_running_loop().set_exception_handler(self._on_loop_error)
        await super().startup(sockets)
        self._on_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        now = asyncio.get_running_loop().time()
        self._stop.at = now if self._is_hasty else now + HELD_BACK_S
        for connection in [*self._connections.values()]:
            if connection.silent_until > self._stop.at:
                connection.transport.close()
        await super().shutdown(sockets)

    def _on_loop_error(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Say once that no file is left for a connection; the loop says it thousands of times."""
        if getattr(context.get("exception"), "errno", None) in OUT_OF_FILES:
            self._idle.warn()
        else:
            loop.default_exception_handler(context)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Obey signals like uvicorn, but do not raise them again: a clean stop exits with 0."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        numbers = (signal.SIGINT, signal.SIGTERM)
        before = {number: signal.signal(number, self._on_signal) for number in numbers}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _on_signal(self, _: int, __: FrameType | None) -> None:
        self.force_exit = self.should_exit  # the second signal does not wait
        self.should_exit = True


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    """Return what makes the loop of a server: uvloop's where it is installed, else asyncio's."""
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop
    return uvloop.new_event_loop
