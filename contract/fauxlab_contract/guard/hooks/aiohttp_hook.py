"""aiohttp: calls are seen in `ClientSession._request`.

While a mock such as vcrpy replaces that method, they are seen in the public methods.
"""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any
from unittest.mock import patch

from fauxlab_contract.core.http import HttpResponse
from fauxlab_contract.guard.hooks.watch import Watch, WatchedCall

__all__ = ["watched"]

__tracebackhide__ = True

_METHODS = ("get", "options", "head", "post", "put", "patch", "delete")
_KINDS: tuple[tuple[type, str], ...] = (
    (str, "text/plain; charset=utf-8"),
    (bytes, "application/octet-stream"),
    (object, "application/x-www-form-urlencoded"),
)


@contextlib.contextmanager
def watched(library: Any, watch: Watch) -> Iterator[None]:
    """During a `with` block, show the calls and responses of every session to `watch`.

    A response is shown when the client reads it.
    """
    session_type = library.ClientSession
    request_really = session_type._request

    async def request(session: Any, method: str, url: Any, **options: Any) -> Any:
        call = _call(session, method, url, options)
        token = watch.sent(call) if watch.wants(call.url) else None
        response = await request_really(session, method, url, **options)
        return _show(watch, token, call, response)

    def above(really: Callable[..., Any], method: str | None) -> Callable[..., Any]:
        def send(session: Any, *args: Any, **options: Any) -> Any:
            sending = really(session, *args, **options)
            if session_type._request is request:
                return sending
            positional = ("url",) if method else ("method", "url")
            named = dict(zip(positional, args, strict=False))
            given = {"method": method, **named, **options}
            return type(sending)(answered(sending, session, given))

        return send

    async def answered(sending: Any, session: Any, given: dict[str, Any]) -> Any:
        method, url = given.pop("method"), given.pop("url")
        call = _call(session, method, url, given)
        try:
            token = watch.sent(call) if watch.wants(call.url) else None
        except BaseException:
            sending.close()
            raise
        return _show(watch, token, call, await sending)

    with contextlib.ExitStack() as stack:
        # The one method through which a session sends. It is private, but tracing hooks of aiohttp
        # are a session's own, and see no body. `patch.object` puts it back, and the others below.
        stack.enter_context(patch.object(session_type, "_request", request))
        # The public methods, for a mock that replaces `_request` inside the block: then they show
        # the call instead, and find out by looking what `_request` is.
        for name in ("request", *_METHODS):
            method = None if name == "request" else name.upper()
            send = above(getattr(session_type, name), method)
            stack.enter_context(patch.object(session_type, name, send))
        yield


def _show(watch: Watch, token: Any, call: WatchedCall, response: Any) -> Any:
    """Show the calls that followed redirects, which are already over, and the last response."""
    hops = (*response.history, response)[1:]
    for info in (hop.request_info for hop in hops):
        followed = replace(
            call,
            method=info.method,
            url=str(info.real_url),
            headers=_lower(info.headers),
            body=call.body if info.method == call.method else b"",
        )
        token = watch.sent(followed) if watch.wants(followed.url) else None
    if token is not None and response._body is not None:
        _answer(watch, token, response, response._body)
    elif token is not None:
        read_really = response.read

        async def read() -> bytes:
            body: bytes = await read_really()
            if response.__dict__.pop("read", None) is not None:  # only once
                _answer(watch, token, response, body)
            return body

        response.read = read
    return response


def _answer(watch: Watch, token: Any, response: Any, body: bytes) -> None:
    headers = _lower(response.headers)
    watch.answered(token, HttpResponse(response.status, headers, body))


def _call(session: Any, method: str, url: Any, options: dict[str, Any]) -> WatchedCall:
    """Return the call that aiohttp will make of its arguments."""
    of_call = dict(options.get("headers") or {})
    headers = {**_lower(session.headers), **_lower(of_call)}
    kind, body = _body(session, options)
    if kind:
        headers.setdefault("content-type", kind)
    return WatchedCall(
        method.upper(),
        _url(session, url, options.get("params")),
        headers,
        body,
        _is_verified(session, options),
    )


def _url(session: Any, url: Any, params: Any) -> str:
    """Return the whole address. What aiohttp is about to refuse stays as it is."""
    try:
        built = session._build_url(url)
        return str(built.extend_query(params) if params else built)
    except (TypeError, ValueError, AttributeError):
        return str(url)


def _body(session: Any, options: dict[str, Any]) -> tuple[str, bytes | None]:
    """Return (media type, bytes) of a body; the bytes of a form, file or stream are None."""
    data, value = options.get("data"), options.get("json")
    if value is not None:
        return "application/json", _encoded(session, value)
    if data is None:
        return "", b""
    if hasattr(data, "content_type"):  # a payload of aiohttp's own
        held = getattr(data, "_value", None)
        return str(data.content_type), held if isinstance(held, bytes) else None
    kind = next(kind for known, kind in _KINDS if isinstance(data, known))
    if isinstance(data, str):
        return kind, data.encode()
    return kind, data if isinstance(data, bytes) else None


def _encoded(session: Any, value: Any) -> bytes | None:
    """Return JSON as the session writes it; None for a value that aiohttp is about to refuse."""
    as_bytes: Callable[[Any], Any] | None = getattr(session, "_json_serialize_bytes", None)
    try:
        text = (as_bytes or session.json_serialize)(value)
    except (TypeError, ValueError):
        return None
    return text if isinstance(text, bytes) else str(text).encode()


def _lower(headers: Any) -> dict[str, str]:
    return {str(name).lower(): str(value) for name, value in headers.items()}


def _is_verified(session: Any, options: dict[str, Any]) -> bool:
    """Return False if the certificate is not verified. An argument overrides the connector."""
    chosen = options.get("ssl", True)
    if options.get("verify_ssl") is False or chosen is False:
        return False
    if chosen is True:
        chosen = getattr(session.connector, "_ssl", True)
    mode = getattr(chosen, "verify_mode", ssl.CERT_REQUIRED)
    return chosen is not False and mode != ssl.CERT_NONE
