"""Every setting of the mock: one field, one flag, one environment variable.

Flags win over the environment, the environment wins over defaults.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import Field, dataclass, field, fields, replace
from typing import Any, Literal, TypedDict

from fauxlab_contract.core.hosts import is_base_url
from fauxlab_contract.core.strict_json import JsonLimits
from fauxlab_contract.core.text import did_you_mean, nearest, no_such, not_one_of
from fauxlab_mock.behaviour.rules import Rule, read_rules
from fauxlab_mock.behaviour.scenarios import DEFAULT_SCENARIO, MAX_ETA_S, MAX_POLLS, SCENARIOS
from fauxlab_mock.clock.clock import ClockMode

__all__ = [
    "ENVIRONMENT_PREFIX",
    "Limits",
    "Settings",
    "SettingsFields",
    "check_names",
    "from_environment",
    "read_option",
]

ENVIRONMENT_PREFIX = "FAUXLAB_"
MAX_KEYS_BYTES = 1_000_000
TOKEN_CHARS = (8, 200)  # least and most
_SWITCHES = {"on", "yes", "true", "1", "no", "none", "false", "0", "all", "any"}  # are no hosts


def _whole(low: int, high: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not re.fullmatch("-?[0-9]{1,19}", text) or not low <= int(text) <= high:
            raise ValueError(f"must be a whole number from {low} to {high}")
        return int(text)

    return read


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value <= MAX_ETA_S:
        raise ValueError(f"must be a number of seconds from 0 to {MAX_ETA_S}")
    return value


def _one_of(*names: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in names:
            raise ValueError(not_one_of(text, names))
        return text

    return read


def _host(text: str) -> str:
    """Return a host name or address without the brackets that an IPv6 address has in URLs."""
    host = text[1:-1] if text[:1] == "[" and text[-1:] == "]" else text
    if not host or re.search(r"[\s/\[\]]", host):
        raise ValueError("must be a host name or an address such as 127.0.0.1 or ::1")
    return host


def _url(text: str) -> str:
    if not text.isascii() or not is_base_url(text):
        raise ValueError("must be an http or https URL such as http://mock.test:4010")
    return text.rstrip("/")


def _webhooks(text: str) -> str:
    """ "loopback", "off", or host names with commas between them."""
    for name in text.split(","):
        if name.strip().lower() in _SWITCHES:
            raise ValueError("must be off, loopback (the default), or hosts that may get webhooks")
        near = nearest(name.strip(), ["loopback"], 0.8)
        if near and near != [name.strip()]:
            raise ValueError(not_one_of(name, near))
        if not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,250}[A-Za-z0-9])?", name.strip()):
            raise ValueError("must be off, loopback, or host names separated by commas")
    return text


def _rules_file(text: str) -> str:
    """Return the name of a file, if its rules make sense."""
    load_rules(text)
    return text


def load_rules(path: str) -> tuple[Rule, ...]:
    """Return the rules in a YAML or JSON file; ValueError says what is wrong with it, and where."""
    from fauxlab_contract.core.yaml12 import MAX_DOCUMENT_BYTES, ParseError, parse

    try:
        with open(path, "rb") as stream:
            return read_rules(parse(stream.read(MAX_DOCUMENT_BYTES + 1)))
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ValueError(f"must name a file that can be read ({reason})") from None
    except ParseError as error:
        place = f"{path}:{error.line}:{error.column}" if error.line else path
        raise ValueError(f"must name a file with rules: {place}: {error.problem}") from None
    except ValueError as error:
        raise ValueError(f"must name a file with rules: {path}: {error}") from None


def _token(text: str) -> str:
    least, most = TOKEN_CHARS
    if not re.fullmatch("[!-~]+", text) or not least <= len(text) <= most:
        raise ValueError(f"must be {least} to {most} printable ASCII characters without spaces")
    return text


def _keys(text: str) -> frozenset[str]:
    """Comma-separated keys, or @FILE with one key a line."""
    if text.startswith("@"):
        try:
            with open(text.removeprefix("@"), "rb") as stream:
                data = stream.read(MAX_KEYS_BYTES + 1)
            if len(data) > MAX_KEYS_BYTES:
                raise ValueError(f"must name a file of at most {MAX_KEYS_BYTES} bytes")
            text = ",".join(data.decode().splitlines())
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is not UTF-8"
            raise ValueError(f"must name a file that can be read ({reason})") from None
    names = [key.strip() for key in text.split(",")]
    keys = frozenset(names) - {""}
    if not keys:
        raise ValueError("must name at least one key")
    return keys


@dataclass(frozen=True, slots=True)
class Limits(JsonLimits):
    """The limits of one mock; every field is a count in the unit of its name."""

    face_pixels: int = 2**24
    picture_pixels: int = 2**24
    header_bytes: int = 64 * 2**10
    idle_connections: int = 2_000
    journal_entries: int = 1_000
    journal_entry_bytes: int = 64 * 2**10
    jobs: int = 10_000
    unfinished_jobs: int = 50_000
    job_keep_s: int = 24 * 3600
    webhook_s: int = 30


def read_limits(text: str, limits: Limits = Limits()) -> Limits:  # frozen
    """`body_bytes=1000,jobs=10` over the defaults."""
    changes = {}
    known = [limit.name for limit in fields(Limits)]
    for part in text.split(","):
        name, equals, value = part.strip().partition("=")
        if not equals:
            raise ValueError("must be NAME=NUMBER, such as jobs=500")
        if name not in known:
            raise ValueError(f"cannot be {text[:80]!a}; {did_you_mean(name, known)}")
        if not value.isdecimal() or not 0 < int(value[:20]) < 2**63:
            raise ValueError(f"must give {name} a whole number from 1")
        changes[name] = int(value)
    return replace(limits, **changes)


def _option(
    default: Any, read: Callable[[str], Any], metavar: str, text: str, *, secret: bool = False
) -> Any:
    """Return a field that is also a flag.

    `read` turns its text into a value, or raises ValueError with "must be …".
    """
    return field(
        default=default,
        repr=not secret,
        metadata={"read": read, "metavar": metavar, "help": text, "secret": secret},
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How one mock behaves. Times in seconds.

    `document` is a path; None means the bundled openapi.yaml.
    """

    document: str | None = None
    host: str = _option("127.0.0.1", _host, "HOST", "address to listen on")
    port: int = _option(4010, _whole(0, 65535), "PORT", "port to listen on; 0 takes any free port")
    public_url: str | None = _option(
        None,
        _url,
        "URL",
        "origin of links; set it when clients reach the mock at another address",
    )
    validation: Literal["strict", "coerce", "off"] = _option(
        "strict",
        _one_of("strict", "coerce", "off"),
        "MODE",
        "strict: follow the document to the letter; coerce: be as lenient as the live API; off:"
        " accept any object",
    )
    errors: Literal["envelope", "status"] = _option(
        "envelope",
        _one_of("envelope", "status"),
        "PROFILE",
        "envelope: errors come as HTTP 200; status: as HTTP 4xx and 5xx",
    )
    clock: ClockMode = _option(
        "real",
        _one_of("real", "auto", "manual"),
        "MODE",
        "real: real time; auto: a second fetch ends its job; manual: time stands still",
    )
    eta: float = _option(
        5.0,
        _seconds,
        "SECONDS",
        "how long a job takes; with 0, the submit is answered with success",
    )
    polls: int = _option(
        0, _whole(0, MAX_POLLS), "N", "at least N fetches of a job are answered processing"
    )
    scenario: str = _option(
        DEFAULT_SCENARIO,
        _one_of(*SCENARIOS),
        "NAME",
        "what happens when a request does not choose; see fauxlab scenarios",
    )
    seed: int = _option(
        0,
        _whole(-(2**63), 2**63 - 1),
        "N",
        "seed of everything random, such as link names and the seeds of requests without one",
    )
    keys: frozenset[str] = _option(
        frozenset(),
        _keys,
        "KEY,…|@FILE",
        "the only API keys that are accepted (default: any key)",
        secret=True,
    )
    queue_limit: int = _option(
        0, _whole(0, 10_000), "N", "how many unfinished jobs a key may have; 0 means no limit"
    )
    queue_mode: Literal["parallel", "sequential"] = _option(
        "parallel",
        _one_of("parallel", "sequential"),
        "MODE",
        "parallel: jobs run side by side; sequential: the jobs of a key run one after the other",
    )
    credits: int | None = _option(
        None,
        _whole(0, 10**9),
        "N",
        "how many generations each key can pay for (default: any number)",
    )
    refunds: Literal["off", "on"] = _option(
        "off",
        _one_of("off", "on"),
        "on|off",
        "on: a failed job is refunded once, when its failure is reported",
    )
    webhooks: str = _option(
        "loopback",
        _webhooks,
        "off|HOST,…",
        "hosts that webhooks may go to besides this machine; off sends none",
    )
    rules: str | None = _option(
        None, _rules_file, "FILE", "YAML or JSON file that says what happens to which calls"
    )
    admin_token: str | None = _option(
        None,
        _token,
        "TOKEN",
        "token that the control API asks for: {} to {} characters".format(*TOKEN_CHARS),
        secret=True,
    )
    ready_file: str | None = _option(
        None, str, "FILE", "file that receives the base URL once the mock listens"
    )
    log_format: Literal["text", "json", "off"] = _option(
        "text",
        _one_of("text", "json", "off"),
        "FORMAT",
        "how to log each request on stderr: text, json or off",
    )
    limits: Limits = _option(
        Limits(), read_limits, "NAME=N,…", "change limits, such as body_bytes=1048576"
    )

    def __post_init__(self) -> None:
        """Hold values from Python to the rules of the flags; ValueError names the field."""
        if isinstance(self.keys, str):
            raise ValueError("keys must be a set of keys, not one string")
        keys = frozenset(self.keys) if isinstance(self.keys, Iterable) else frozenset({None})
        if not all(isinstance(key, str) for key in keys):
            raise ValueError("keys must be a set of keys, which are texts")
        object.__setattr__(self, "keys", keys)
        if isinstance(self.limits, str):
            (option,) = (each for each in options() if each.name == "limits")
            object.__setattr__(self, "limits", read_option(option, self.limits, "limits"))
        if not isinstance(self.limits, Limits):
            raise ValueError(
                f"limits must be a Limits, or text such as 'jobs=5', not {str(self.limits)[:80]!a}"
            )
        for option in options():
            value = getattr(self, option.name)
            if option.name not in ("keys", "limits") and value is not None:
                checked = read_option(option, str(value), option.name)
                object.__setattr__(self, option.name, checked)


class SettingsFields(TypedDict, total=False):
    """The fields of `Settings` as keyword arguments, such as those of `serve`."""

    document: str | None
    host: str
    port: int
    public_url: str | None
    validation: Literal["strict", "coerce", "off"]
    errors: Literal["envelope", "status"]
    clock: ClockMode
    eta: float  # seconds
    polls: int
    scenario: str
    seed: int
    keys: frozenset[str]
    queue_limit: int
    queue_mode: Literal["parallel", "sequential"]
    credits: int | None
    refunds: Literal["off", "on"]
    webhooks: str
    rules: str | None
    admin_token: str | None
    ready_file: str | None
    log_format: Literal["text", "json", "off"]
    limits: Limits


def check_names(names: Iterable[str]) -> None:
    """Raise TypeError for the first name that is no setting, with what was perhaps meant."""
    known = [setting.name for setting in fields(Settings)]
    for name in names:
        if name not in known:
            raise TypeError(no_such("setting", name, known))


def options() -> list[Field[Any]]:
    """Return the fields that are flags, in order."""
    return [option for option in fields(Settings) if "read" in option.metadata]


def read_option(option: Field[Any], text: str, source: str) -> Any:
    """Return the value of one flag or variable.

    Raise ValueError "`source` must be …, not …"; the text of a secret is not repeated.
    """
    try:
        return option.metadata["read"](text)
    except ValueError as error:
        came = f", not {text[:80]!a}"
        is_named = f"{text[:80]!a}" in str(error) or (text and f" {text}:" in str(error))
        if option.metadata["secret"] or is_named:
            came = ""
        raise ValueError(f"{source} {error}{came}") from None


def from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    """Return the settings in `FAUXLAB_*` variables; an empty one is like one that is not set.

    Raise ValueError for a bad value; unknown names are reported by `unknown_names`.
    """
    found = {}
    for option in options():
        name = ENVIRONMENT_PREFIX + option.name.upper()
        if environment.get(name):
            found[option.name] = read_option(option, environment[name], name)
    return found


def unknown_names(environment: Mapping[str, str]) -> list[str]:
    """Return the variables that look like settings but are not."""
    known = {ENVIRONMENT_PREFIX + option.name.upper() for option in options()}
    known |= {ENVIRONMENT_PREFIX + name for name in ("BASE_URL", "KEY", "OTHER_KEY")}  # clients'
    ours = [name for name in environment if name.startswith(ENVIRONMENT_PREFIX)]
    return sorted(name for name in ours if name not in known)
