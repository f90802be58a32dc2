"""What a correct server accepts: strict JSON, the media type, and one rule per field."""

from __future__ import annotations

import ipaddress
import json
import math
import re
import socket
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

__all__ = [
    "ABSENT",
    "FIELDS",
    "METADATA_HOSTS",
    "Field",
    "Refused",
    "as_given",
    "is_json_type",
    "is_webhook",
    "key_problem",
    "nesting",
    "strict_json",
]

ABSENT = object()  # what a field's `admit` returns to have it treated as not sent
MAX_NESTING = 512
METADATA_HOSTS = {
    "metadata",
    "metadata.google.internal",
    "metadata.goog",
    "instance-data",
    "instance-data.ec2.internal",
}
METADATA_ADDRESSES = {
    ipaddress.ip_address(text) for text in ("100.100.100.200", "fd00:ec2::254", "192.0.0.192")
}


class Refused(Exception):  # noqa: N818 -- not an error of the server
    """A request that is answered with the error envelope; `kind` names the reply's kind."""

    def __init__(self, message: str, kind: str = "error.invalid") -> None:
        super().__init__(message)
        self.kind = kind


def is_json_type(text: str | None) -> bool:
    """application/json, whatever its parameters and letter case."""
    return (text or "").partition(";")[0].strip().lower() == "application/json"


def strict_json(
    data: bytes,
    *,
    constants: Collection[str] = (),
    duplicates: bool = False,
    surrogates: bool = False,
) -> Any:
    """The value of a JSON text in UTF-8; raises Refused. The three arguments allow what RFC 8259
    does not.
    """

    def constant(name: str) -> float:
        if name not in constants:
            raise ValueError(name)
        return float(name)

    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(dict(pairs)) < len(pairs) and not duplicates:
            raise ValueError("a name stands twice")
        return dict(pairs)

    try:
        text = data.decode("utf-8")
        if nesting(text) > MAX_NESTING:
            raise ValueError("nested too deeply")
        value = json.loads(text, parse_constant=constant, object_pairs_hook=members)
        if "\\u" in text and not surrogates:
            json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError):  # UnicodeError and JSONDecodeError are ValueErrors
        raise Refused("Invalid API Request", "error.json") from None
    return value


def nesting(text: str) -> int:
    """How deep arrays and objects stand in each other, at most; brackets inside strings do not
    count.
    """
    if text.count("[") + text.count("{") < MAX_NESTING:
        return 0
    depth = deepest = 0
    for bracket in re.findall(r"[\[\]{}]", re.sub(r'"(?:[^"\\]|\\.)*"', "", text)):
        depth += 1 if bracket in "[{" else -1
        deepest = max(deepest, depth)
    return deepest


def key_problem(key: Any, keys: Collection[str]) -> str:
    """Why a key is refused; "" when it is good. `key` is None when there is none."""
    if key is None or key == "":
        return "API key required"
    return "" if isinstance(key, str) and key in keys else "Invalid API key"


def is_webhook(text: str) -> bool:
    """True for an absolute http(s) URL whose host is not link-local and no metadata service."""
    # printable ASCII without what no URI may hold
    if not re.fullmatch(r"(?:[!#$&-;=?-\[\]_a-z~]|%[0-9A-Fa-f]{2})+", text):
        return False
    try:
        parts = urlsplit(text)
        host, _ = (parts.hostname or "").rstrip("."), parts.port
    except ValueError:
        return False
    return (
        parts.scheme in ("http", "https")
        and bool(host)
        and host not in METADATA_HOSTS
        and not _is_forbidden(host)
    )


def _is_forbidden(host: str) -> bool:
    try:
        address: Any = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        try:
            # the decimal, hexadecimal and short spellings
            address = ipaddress.IPv4Address(socket.inet_aton(host))
        except OSError:
            return False
    address = getattr(address, "ipv4_mapped", None) or address
    return address.is_link_local or address in METADATA_ADDRESSES


def as_given(value: Any) -> Any:
    """Takes a value as it came."""
    return value


@dataclass(frozen=True)
class Field:
    """The rule of one field. `admit` comes first and may convert what came, `measure` is what the
    limits are compared with.
    """

    kind: str
    required: bool = False
    minimum: float = -math.inf
    maximum: float = math.inf
    admit: Callable[[Any], Any] = as_given
    measure: Callable[[Any], Any] = as_given
    refuses: Callable[[Any], bool] = lambda _: False
    webhook: Callable[[str], bool] = lambda _: True

    def effective(self, name: str, value: Any) -> Any:
        """The value as it takes effect; raises Refused. `value` is what came, or ABSENT."""
        value = self.admit(value)
        if value is ABSENT:
            if self.required:
                raise Refused(f"The {name} field is required.")
            return ABSENT
        if self.refuses(value):
            raise Refused(f"The {name} field is invalid.")
        return self._limited(name, self._typed(name, value))

    def _typed(self, name: str, value: Any) -> Any:
        if self.kind == "string" and isinstance(value, str):
            if not self.webhook(value):
                raise Refused(f"The {name} field must be an http or https address.")
            return value
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if self.kind == "integer" and number and (isinstance(value, int) or value.is_integer()):
            return int(value)
        if self.kind == "number" and number:
            return value
        raise Refused(
            f"The {name} field must be {'an' if self.kind == 'integer' else 'a'} {self.kind}."
        )

    def _limited(self, name: str, value: Any) -> Any:
        if self.kind == "string":
            return value
        if self.measure(value) < self.minimum:
            raise Refused(f"The {name} field must be at least {self.minimum}.")
        if self.measure(value) > self.maximum:
            raise Refused(f"The {name} field must not be greater than {self.maximum}.")
        return value


FIELDS: Mapping[str, Field] = {
    "prompt": Field("string", required=True),
    "face_image": Field("string", required=True),
    "width": Field("integer", maximum=1024),
    "height": Field("integer", maximum=1024),
    "num_inference_steps": Field("integer", maximum=26),
    "guidance_scale": Field("number", minimum=1, maximum=10),
    "seed": Field("integer", required=True),
    "webhook": Field("string", webhook=is_webhook),
    "track_id": Field("integer"),
}
