"""Valid requests that look unusual: each must be accepted."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from fauxlab_contract.check.jobs.refusals import find_refused
from fauxlab_contract.check.phases.jobs import small_body
from fauxlab_contract.check.phases.single_bodies import PICTURE
from fauxlab_contract.check.picture import FACE
from fauxlab_contract.check.probe import Probe
from fauxlab_contract.core.http import JSON_TYPE
from fauxlab_contract.generation.smallest import has_valid_body
from fauxlab_contract.openapi.operation import Operation

__all__ = ["UNUSUAL", "declared_type", "try_unusual"]

JSON = JSON_TYPE["content-type"]
# Makes the bytes to send from a valid body.
MakeBytes = Callable[[dict[str, Any]], bytes]


def _text(body: dict[str, Any]) -> bytes:
    return json.dumps(body).encode()


# (label, body, media type)
UNUSUAL: tuple[tuple[str, MakeBytes, str], ...] = (
    ("a charset", _text, "application/json; charset=utf-8"),
    ("a media type in capitals", _text, "Application/JSON"),
    (
        "spaces and line ends",
        lambda body: b" " + json.dumps(body, indent=1).encode() + b"\n",
        JSON,
    ),
    ("escapes", lambda body: json.dumps(body).replace("p", "\\u0070").encode(), JSON),
    (
        "members in another order",
        lambda body: json.dumps(dict(reversed(body.items()))).encode(),
        JSON,
    ),
    (
        "a picture in base64",
        lambda body: json.dumps(
            {name: FACE if value == PICTURE else value for name, value in body.items()}
        ).encode(),
        JSON,
    ),
    ("100 KiB", lambda body: json.dumps({**body, "padding": "x" * 100 * 2**10}).encode(), JSON),
)


def declared_type(operation: Operation, media: str) -> str:
    """Return the type of JSON that the document declares in the place of application/json.

    In capitals where `media` has some, and with what stands behind it, such as a charset.
    """
    kind, separator, rest = media.partition(";")
    own = operation.request.media_type if operation.request else JSON
    if own == JSON or kind.lower() != JSON:
        return media
    return (own if kind == JSON else own.upper()) + separator + rest


def try_unusual(
    operation: Operation, label: str, make: MakeBytes, media: str, probe: Probe
) -> None:
    """Send a valid request that looks unusual; it must not be refused."""
    small = small_body(probe, operation)
    data = make(small)
    body = json.loads(data)
    if not has_valid_body(operation, body):
        return  # the document forbids it: no picture in base64, or no further fields
    sent = probe.request(operation, data, headers={"content-type": declared_type(operation, media)})
    reply = probe.ask(operation, sent)
    if reply.outcome == "refused":
        changed = [name for name in small if body.get(name) != small[name]]
        find_refused(probe, reply, small, label, next(iter(changed), ""))
    elif reply.outcome == "accepted":
        probe.plain_replies.setdefault(operation.name, reply)
