"""No connection to anywhere but this machine: refused by name, whatever library asks for it."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import os
import socket
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from typing import Any
from unittest.mock import patch

from fauxlab_mock.inprocess.allowed_hosts import AllowedHosts
from fauxlab_mock.webhooks.delivery import is_delivering

__all__ = ["BlockedError", "only_loopback"]

__tracebackhide__ = True
Check = Callable[[Any, Any], None]  # of a host and a port, before a look-up or a connection
LOOK_UPS = ("getaddrinfo", "gethostbyname", "gethostbyname_ex", "gethostbyaddr", "getnameinfo")
SOCKET_CALLS = ("connect", "connect_ex", "sendto", "sendmsg")
LOOP_CALLS = ("getaddrinfo", "create_connection", "create_datagram_endpoint", "sock_connect")


class BlockedError(ConnectionRefusedError):
    """A connection to anywhere but loopback was refused; the message names its destination."""

    __module__ = "fauxlab_mock.inprocess"  # tracebacks name the room


@contextlib.contextmanager
def only_loopback(
    tell: Callable[[str], object],
    before_each: Callable[[], object] = lambda: None,
    allowed: AllowedHosts | None = None,
) -> Iterator[None]:
    """While the block lasts, raise `BlockedError` for look-ups and connections to other machines.

    `tell` gets a line for each that was refused; `before_each` is called before every look-up and
    connection, and what it raises takes their place. Hosts that are `allowed` pass, and so do this
    machine's own name and addresses, and the mock's own webhooks, whose hosts its setting
    `webhooks` has allowed. Sockets of other families than IP (Unix sockets) are left
    alone, and proxies of the environment are forgotten. Code that does not use Python's sockets (a
    C library with sockets of its own, a subprocess) is out of reach.
    """
    hints, allowed = allowed is not None, allowed or AllowedHosts()

    def check(host: Any, port: Any) -> None:
        before_each()
        if isinstance(host, (bytes, bytearray)):
            host = host.decode("ascii", "replace")
        if not isinstance(host, str) or _passes(host, port, allowed):
            return
        where = host[:200]
        if port is not None:
            where += f":{port}"
        tell(f"a connection to {where}")
        hint = f"; {allowed.hint(where)}" if hints else ""
        raise BlockedError(
            f"fauxlab: a connection to {where} is not mocked, and nothing leaves this machine while"
            f" the mock is active{hint}"
        )

    with contextlib.ExitStack() as stack:
        # The environment's proxies: one on this machine would be a way out.
        stack.enter_context(_without_proxies())
        # Look-ups by name, so that no question leaves the machine and the refusal can name the
        # host; but for those that pytest-socket guards, and takes its guard from before we end.
        for name in LOOK_UPS:
            if getattr(socket, name).__module__ != "pytest_socket":
                look_up = _looking_up(name, check, allowed)
                stack.enter_context(_replaced(socket, name, look_up))
        # The methods through which all of Python connects or sends to an address, in the standard
        # library's own class, also where pytest-socket has put a subclass in its place.
        kind = next(kind for kind in socket.socket.__mro__ if kind.__module__ == "socket")
        for name in SOCKET_CALLS:
            stack.enter_context(_replaced(kind, name, _connecting(getattr(kind, name), check)))
        # uvloop resolves and connects in C, past all of the above. Imported while pytest-socket has
        # disabled sockets, it would keep the disabled class; then it cannot connect anyway.
        if find_spec("uvloop") is not None and socket.socket is kind:
            from uvloop import Loop

            for name in LOOP_CALLS:
                really = getattr(Loop, name)
                stack.enter_context(patch.object(Loop, name, _looping(name, really, check)))
        yield


def _passes(host: str, port: Any, allowed: AllowedHosts) -> bool:
    """Return True for what is allowed to all, or to the mock that delivers a webhook."""
    return allowed.allows(host, port) or (is_delivering() and not allowed.is_mocked(host))


@contextlib.contextmanager
def _without_proxies() -> Iterator[None]:
    """Take the proxies out of the environment, and put them back; all else in it is left alone."""
    names = [name for name in os.environ if name.lower().endswith("_proxy")]
    taken = {name: os.environ.pop(name) for name in names}
    try:
        yield
    finally:
        for name, value in taken.items():
            os.environ.setdefault(name, value)


@contextlib.contextmanager
def _replaced(owner: Any, name: str, stand_in: Any) -> Iterator[None]:
    """Put `stand_in` in a function's place, and the function back, if nobody else did already."""
    attributes = vars(owner)
    is_own, before = name in attributes, getattr(owner, name)
    setattr(owner, name, stand_in)
    try:
        yield
    finally:
        if attributes.get(name) is stand_in:
            if is_own:
                setattr(owner, name, before)
            else:
                delattr(owner, name)


def _looking_up(name: str, check: Check, allowed: AllowedHosts) -> Callable[..., Any]:
    really = getattr(socket, name)

    def look_up(host: Any, *args: Any, **options: Any) -> Any:
        if isinstance(host, tuple):  # `getnameinfo` takes an address
            check(host[0], host[1])
        else:
            check(host, args[0] if args else options.get("port"))
        found = really(host, *args, **options)
        if isinstance(host, str):
            allowed.remember(host, _addresses(found))
        return found

    return look_up


def _addresses(found: Any) -> list[str]:
    """Return the addresses in what any of the look-ups has found."""
    if isinstance(found, str):  # gethostbyname
        return [found]
    if isinstance(found, tuple):  # gethostbyname_ex, gethostbyaddr: (name, aliases, addresses)
        return [*found[2]] if len(found) == 3 else []
    return [str(entry[4][0]) for entry in found]  # getaddrinfo


def _connecting(really: Callable[..., Any], check: Check) -> Callable[..., Any]:
    def connect(self: socket.socket, *args: Any) -> Any:
        address = args[-1] if args else None
        if self.family in (socket.AF_INET, socket.AF_INET6) and isinstance(address, tuple):
            check(address[0], address[1])
        return really(self, *args)

    return connect


def _looping(name: str, really: Callable[..., Any], check: Check) -> Callable[..., Any]:
    """Stand in for a method of an event loop that takes a host and a port, or an address."""
    # asyncio's own signature: uvloop before 0.21 tells none
    signature = inspect.signature(getattr(asyncio.AbstractEventLoop, name))

    async def connect(*args: Any, **options: Any) -> Any:
        given = signature.bind(*args, **options).arguments
        host, port = given.get("host"), given.get("port")
        address = given.get("address") or given.get("remote_addr")
        if isinstance(address, tuple):
            host, port = address[:2]
        check(host, port)
        return await really(*args, **options)

    return connect
