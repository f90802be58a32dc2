"""A mock on a real loopback server for the length of a block, for any library or process.

with serve(scenario="failed") as mock:
    call_my_code(base_url=mock.url)
    assert mock.requests[-1].reply["status"] == "failed"
"""

from __future__ import annotations

import contextlib
import dataclasses
import inspect
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any, Unpack

from fauxlab_contract.core.hosts import is_local
from fauxlab_mock.clock.clock import THREAD_PREFIX
from fauxlab_mock.runtime.mock import Mock
from fauxlab_mock.server.uvicorn_server import Server, bind, origin_of
from fauxlab_mock.settings import Settings, SettingsFields, check_names

__all__ = ["attach_server", "run_server", "serve"]

START_S = STOP_S = 10  # real seconds


@contextlib.contextmanager
def serve(**settings: Unpack[SettingsFields]) -> Iterator[Mock]:
    """Serve a mock on a free port of 127.0.0.1; its `url` is what a client is configured with.

    Takes the fields of `Settings`; the clock is `auto` unless another is named. The server is
    stopped and joined at the end. Where no reply that fits the document can be made, the mock
    answers 500 in its own name.
    """
    check_names(settings)
    fields: SettingsFields = {"clock": "auto", "port": 0, **settings}
    chosen = Settings(**fields)
    if chosen.admin_token is None and not is_local(chosen.host):
        raise ValueError(
            f"{chosen.host} can be reached from other machines, so the control API needs an"
            " admin_token"
        )
    listener = bind(chosen.host, chosen.port)
    try:
        mock = Mock(chosen, public_url=chosen.public_url or origin_of(listener))
    except BaseException:  # a document or a file of rules that cannot be used
        listener.close()
        raise
    try:
        with run_server(mock, listener):
            yield mock
    finally:
        mock.close()


def _tell_the_settings(function: Callable[..., Any], **defaults: Any) -> None:
    """Let `help` and editors show each setting of a function that takes them all.

    `defaults` are those that differ from the defaults of `Settings`.
    """
    parameters, lines = [], [inspect.cleandoc(function.__doc__ or ""), ""]
    for one in dataclasses.fields(Settings):
        default = defaults.get(one.name, one.default)
        parameters.append(
            inspect.Parameter(
                one.name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=one.type
            )
        )
        about = one.metadata.get("help", "path of an OpenAPI document; None is the bundled one")
        lines.append(f"{one.name}: {about}")
    vars(function)["__signature__"] = inspect.Signature(
        parameters, return_annotation="AbstractContextManager[Mock]"
    )
    function.__doc__ = "\n".join(lines)


_tell_the_settings(serve, clock="auto", port=0)


@contextlib.contextmanager
def attach_server(mock: Mock) -> Iterator[None]:
    """Serve an existing mock on a free port of 127.0.0.1, and let its `url` be that address.

    Links in replies to calls that come this way lead there.
    """
    listener = bind("127.0.0.1", 0)
    origin = mock.settings.public_url or origin_of(listener)
    before = mock.url
    mock.url = origin + mock.document.base_path
    try:
        with run_server(mock, listener, origin):
            yield
    finally:
        mock.url = before


@contextlib.contextmanager
def run_server(mock: Mock, listener: socket.socket, origin: str | None = None) -> Iterator[Server]:
    """Run a server on a listening socket in a thread of its own, and close both at the end.

    Links in replies begin with `origin`, by default the mock's own. RuntimeError when the server
    does not start or stop in time.
    """
    ready = threading.Event()
    server = Server(mock, listener, origin=origin, on_ready=ready.set)
    thread = threading.Thread(target=server.run, name=f"{THREAD_PREFIX}server", daemon=True)
    thread.start()
    try:
        if not ready.wait(START_S):
            raise RuntimeError(f"the mock's server did not start within {START_S} s")
        yield server
    finally:
        server.stop()
        thread.join(STOP_S)
        listener.close()
        if thread.is_alive():
            raise RuntimeError(f"the mock's server did not stop within {STOP_S} s")
