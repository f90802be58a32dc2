"""A mock on a real loopback server, for the length of a `with` block: for any HTTP library, and for other processes.

with serve(scenario="failed") as mock:
    call_my_code(base_url=mock.base_url)
    assert mock.requests[-1].reply["status"] == "failed"
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import Any

from fauxlab_mock.mock import Mock
from fauxlab_mock.server import Server, bind
from fauxlab_mock.settings import Settings

__all__ = ["serve", "serving"]

START_S = STOP_S = 10  # real seconds


@contextlib.contextmanager
def serve(**settings: Any) -> Iterator[Mock]:
    """Serve a mock on a free port of 127.0.0.1; its `base_url` is what a client is configured with.

    Takes the fields of `Settings`; the clock is `auto` unless another is named. The server is stopped and joined at the end.
    A reply that breaks the contract is answered as an error and named in the journal.
    """
    chosen = Settings(**{"clock": "auto", "port": 0, **settings})
    listener = bind(chosen.host, chosen.port)
    host, port = listener.getsockname()[:2]
    mock = Mock(chosen, public_url=chosen.public_url or f"http://{host}:{port}")
    with serving(mock, listener):
        yield mock


@contextlib.contextmanager
def serving(mock: Mock, listener: Any) -> Iterator[None]:
    """Serve `mock` on a listening socket in a thread of its own; RuntimeError when it does not start or stop in time."""
    ready = threading.Event()
    server = Server(mock, listener, on_ready=ready.set)
    thread = threading.Thread(target=server.run, name="fauxlab-server", daemon=True)
    thread.start()
    try:
        if not ready.wait(START_S):
            raise RuntimeError(f"the mock's server did not start within {START_S} s")
        yield
    finally:
        server.stop()
        thread.join(STOP_S)
        listener.close()
        if thread.is_alive():
            raise RuntimeError(f"the mock's server did not stop within {STOP_S} s")
