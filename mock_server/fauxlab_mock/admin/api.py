"""The control API under `/__admin/`: a plain function from call to answer, JSON in, JSON out.

It is safe to leave open on a laptop: pages of other origins cannot use it (no CORS, `Host` and
`Origin` are checked, bodies must be JSON or empty), and off loopback it asks for a token.
"""

from __future__ import annotations

import dataclasses
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from fauxlab_contract.core.hosts import is_address, is_local, is_loopback
from fauxlab_contract.core.strict_json import WireError, check_media_type, read_json
from fauxlab_contract.core.text import did_you_mean, nearest, no_such
from fauxlab_mock.admin.routes import ROUTES, AdminError, Route
from fauxlab_mock.engine.messages import CONTROL_PATH
from fauxlab_mock.runtime.answer import Answer
from fauxlab_mock.runtime.mock import Mock

__all__ = ["PREFIX", "AdminCall", "administer"]

PREFIX = CONTROL_PATH
MAX_ARGUMENTS = 50  # of a query
# What programs say of a body that is empty. Not the media types of HTML forms, for which browsers
# have not always told the origin.
_OF_NO_BODY = ("", "text/plain")


@dataclass(frozen=True, slots=True)
class AdminCall:
    """One request to the control API; header names in lower case."""

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)


def administer(mock: Mock, call: AdminCall) -> Answer:
    """Answer one call; a call that is refused changes nothing.

    Never raises for anything that a client can send.
    """
    try:
        _check_caller(mock, call)
        route, parts = _route(call)
        arguments = _taken(_arguments(call, route.kinds), route.kinds)
        return _json(200, route.handler(mock, *parts, *arguments))
    except AdminError as error:
        return _json(error.code, {"error": str(error)}, error.headers)


def _json(code: int, body: Any, headers: Mapping[str, str] | None = None) -> Answer:
    text = json.dumps(body, default=_plain, ensure_ascii=False)
    content = text.encode("utf-8", "backslashreplace")
    return Answer(code, content, {"cache-control": "no-store", **(headers or {})})


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    return dict(value) if isinstance(value, Mapping) else list(value)


def _check_caller(mock: Mock, call: AdminCall) -> None:
    """Raise AdminError unless a program of this machine, or the holder of the token, is calling.

    A page of another origin is neither.
    """
    host = call.headers.get("host", "").lower()
    if not _is_own_host(mock, host):
        raise AdminError(
            421,
            f"The control API is not served as {host[:100]!a}; use the address that the mock"
            " listens on.",
        )
    origin = call.headers.get("origin", f"http://{host}").lower()
    site = call.headers.get("sec-fetch-site", "none")
    is_own_page = origin in (f"http://{host}", f"https://{host}")
    if not is_own_page or site not in ("none", "same-origin"):
        raise AdminError(403, "The control API does not answer to pages of another origin.")
    token = mock.settings.admin_token
    given = call.headers.get("authorization", "").removeprefix("Bearer ")
    sent = given.encode("utf-8", "replace")
    if token is not None and not hmac.compare_digest(sent, token.encode()):
        raise AdminError(
            401,
            "Send the token of --admin-token as Authorization: Bearer TOKEN.",
            **{"www-authenticate": "Bearer"},
        )


def _is_own_host(mock: Mock, host: str) -> bool:
    """Return True if a Host header, in lower case, names this mock.

    Any other name may be one that a page had pointed at this machine; an address cannot be.
    """
    found = re.fullmatch(r"(\[[0-9a-f:.]+\]|[^][:/?#@\s]*)(:[0-9]{0,5})?", host)
    if found is None:
        return False
    name = found[1].strip("[]")
    public = urlsplit(mock.settings.public_url or "").hostname
    own = public or mock.settings.host.lower()
    if name == own or is_loopback(name):
        return True
    return is_address(name) and not is_local(mock.settings.host)


def _arguments(call: AdminCall, kinds: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the members of the body, or of the query of a GET or DELETE."""
    if call.method in ("GET", "DELETE"):
        return _query(call.query, kinds or {})
    if call.query:
        raise AdminError(400, "Arguments belong in the body, as JSON.")
    media_type = call.headers.get("content-type", "").partition(";")[0].strip().lower()
    if not call.body and media_type in _OF_NO_BODY:
        return {}
    try:
        check_media_type(call.headers.get("content-type"))
        body = read_json(call.body or b"{}")
    except WireError as error:
        code = 415 if error.rule in ("media-type", "charset") else 400
        raise AdminError(code, str(error)) from None
    if not isinstance(body, dict):
        raise AdminError(400, "The body must be a JSON object.")
    return body


def _query(query: str, kinds: Mapping[str, Any]) -> dict[str, Any]:
    try:
        pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=MAX_ARGUMENTS)
    except ValueError:
        raise AdminError(400, f"A query may have at most {MAX_ARGUMENTS} arguments.") from None
    if len(dict(pairs)) != len(pairs):
        raise AdminError(400, "An argument appears twice in the query.")
    return {name: _typed(value, kinds.get(name)) for name, value in pairs}


def _typed(text: str, kind: Any) -> Any:
    if kind is bool and text in ("true", "false"):
        return text == "true"
    if kind is int and re.fullmatch("-?[0-9]{1,18}", text):
        return int(text)
    return text


def _taken(arguments: dict[str, Any], kinds: Mapping[str, Any] | None) -> list[Any]:
    """Return the named arguments in the order of `kinds`, each of its kind or None if absent.

    Without kinds, return all arguments as they are.
    """
    if kinds is None:
        return [arguments]
    unknown = [name for name in arguments if name not in kinds]
    if unknown:
        quoted = [ascii(name[:40]) for name in unknown[:5]]
        named = ", ".join(name[1:-1] for name in quoted)
        hint = did_you_mean(unknown[0], kinds) if kinds else "there are no arguments"
        raise AdminError(400, f"There is no {named} here; {hint}")
    for name, kind in kinds.items():
        value = arguments.get(name)
        if value is None:
            continue
        if isinstance(kind, tuple):
            if value not in kind:
                message = no_such(name, str(value), kind)
                raise AdminError(400, f"{message[0].upper()}{message[1:]}")
        elif not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise AdminError(400, f"{name} has the wrong type: {str(value)[:40]!a}.")
    return [arguments.get(name) for name in kinds]


def _route(call: AdminCall) -> tuple[Route, tuple[str, ...]]:
    path = call.path.removeprefix(PREFIX).rstrip("/") or "/"
    allowed = []
    for route in ROUTES:
        if found := re.fullmatch(route.pattern, path):
            if route.method == call.method:
                return route, found.groups()
            allowed.append(route.method)
    if allowed:
        methods = " and ".join(allowed)
        raise AdminError(405, f"{PREFIX}{path} takes {methods}.", allow=", ".join(allowed))
    known = sorted({re.sub(r"\(.*\)", "{id}", route.pattern) for route in ROUTES})
    hint = f"There are {', '.join(known)}."
    if near := nearest(path[:100], known):
        hint = f"Did you mean {PREFIX}{near[0]}?"
    raise AdminError(404, f"There is no {PREFIX}{path[:100]}. {hint}")
