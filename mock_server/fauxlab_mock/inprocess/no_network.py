"""No connection to anywhere but this machine, whatever the library: refused by name where names are
resolved and sockets connect.
"""

from __future__ import annotations

import contextlib
import inspect
import os
import socket
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from typing import Any
from unittest.mock import patch

from fauxlab_contract.core.hosts import is_loopback

__all__ = ["BlockedError", "only_loopback"]

Tell = Callable[[str], object]


class BlockedError(ConnectionRefusedError):
    """The mock refused a connection that would leave this machine; the message names its goal."""

    __module__ = "fauxlab_mock.inprocess"  # tracebacks name the room


@contextlib.contextmanager
def only_loopback(tell: Tell) -> Iterator[None]:
    """While the block lasts, raise `BlockedError` for every look-up of a name and every connection
    that leaves this machine.

    `tell` gets a line for each. Sockets of other families than IP (Unix sockets) are left alone,
    and proxies of the environment are forgotten. Code that does not use Python's sockets (a C
    library with sockets of its own, a subprocess) is out of reach.
    """
    with contextlib.ExitStack() as stack:
        stack.enter_context(patch.dict(os.environ))
        for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
            del os.environ[name]  # a proxy on this machine would be a way out
        for name in (
            "getaddrinfo",
            "gethostbyname",
            "gethostbyname_ex",
            "gethostbyaddr",
            "getnameinfo",
        ):
            stack.enter_context(patch.object(socket, name, _resolving(getattr(socket, name), tell)))
        for name in ("connect", "connect_ex", "sendto", "sendmsg"):
            stack.enter_context(
                patch.object(socket.socket, name, _connecting(getattr(socket.socket, name), tell))
            )
        if find_spec("uvloop") is not None:  # it resolves and connects in C
            from uvloop import Loop

            for name in (
                "getaddrinfo",
                "create_connection",
                "create_datagram_endpoint",
                "sock_connect",
            ):
                stack.enter_context(patch.object(Loop, name, _looping(getattr(Loop, name), tell)))
        yield


def _check(host: Any, port: Any, tell: Tell) -> None:
    name = host.decode("ascii", "replace") if isinstance(host, (bytes, bytearray)) else host
    if isinstance(name, str) and not is_loopback(name):
        where = name[:200] if port is None else f"{name[:200]}:{port}"
        tell(f"connection to {where}")
        raise BlockedError(
            f"fauxlab: a connection to {where} is not mocked, and nothing leaves this machine while"
            " the mock is active"
        )


def _resolving(really: Callable[..., Any], tell: Tell) -> Callable[..., Any]:
    def resolve(host: Any, *args: Any, **options: Any) -> Any:
        if isinstance(host, tuple):  # getnameinfo takes an address
            _check(host[0], host[1], tell)
            return really(host, *args, **options)
        _check(host, args[0] if args else options.get("port"), tell)
        return really(host, *args, **options)

    return resolve


def _connecting(really: Callable[..., Any], tell: Tell) -> Callable[..., Any]:
    def connect(self: socket.socket, *args: Any) -> Any:
        address = args[-1] if args else None
        if self.family in (socket.AF_INET, socket.AF_INET6) and isinstance(address, tuple):
            _check(address[0], address[1], tell)
        return really(self, *args)

    return connect


def _looping(really: Callable[..., Any], tell: Tell) -> Callable[..., Any]:
    """The same for a method of an event loop that takes host and port, or an address."""
    signature = inspect.signature(really)

    async def connect(*args: Any, **options: Any) -> Any:
        given = signature.bind(*args, **options).arguments
        address = given.get("address") or given.get("remote_addr")
        host, port = (
            address[:2] if isinstance(address, tuple) else (given.get("host"), given.get("port"))
        )
        _check(host, port, tell)
        return await really(*args, **options)

    return connect
