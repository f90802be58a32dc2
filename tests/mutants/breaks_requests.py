"""Mutants that take a value, a key or a method which the contract refuses, or refuse what it
allows.
"""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Callable
from typing import Any

from mutants.behaviour import Switch, all_of, change
from mutants.mutant import crash_if, each_reply, field, is_text_number, number_in, table, when
from mutants.rules import ABSENT, Refused, key_problem, strict_json

__all__ = ["REQUEST_MUTANTS"]


NUMERIC = {
    "width": 1024,
    "height": 1024,
    "num_inference_steps": 26,
    "guidance_scale": 10,
    "seed": 7,
    "track_id": 42,
}


INTEGERS = [name for name in NUMERIC if name != "guidance_scale"]


def is_fraction(value: Any) -> bool:
    return isinstance(value, float) and math.isfinite(value) and not value.is_integer()


def is_float(value: Any) -> bool:
    return isinstance(value, float) and value.is_integer()


def float32(value: float) -> float:
    return float(struct.unpack("f", struct.pack("f", value))[0])


def finite(do: Callable[[float], float]) -> Callable[[Any], Any]:
    """`do` for the numbers that it can take."""
    return lambda value: do(value) if math.isfinite(value) else value


def accepts_key(
    holds: Callable[[Any, Any], object], *, submit: bool = True, fetch: bool = False
) -> Switch:
    def problem(key: Any, keys: Any) -> str:
        return "" if holds(key, keys) else key_problem(key, keys)

    return change(
        **({"submit_key": problem} if submit else {}), **({"fetch_key": problem} if fetch else {})
    )


def allowing(**routes: str) -> Switch:
    methods = {"submit": ("POST",), "fetch": ("POST",), "link": ("GET", "HEAD")}
    return change(
        methods={
            **methods,
            **{route: (*methods[route], *more.split()) for route, more in routes.items()},
        }
    )


BOUNDS = [
    ("S01.width-1025", "takes width 1025", field("width", maximum=1025)),
    ("S01.height-1025", "takes height 1025", field("height", maximum=1025)),
    ("S01.width-any", "width has no limit", field("width", maximum=math.inf)),
    ("S01.height-any", "height has no limit", field("height", maximum=math.inf)),
    ("S02.width", "the limit of width is rounded up to 1032", field("width", maximum=1032)),
    ("S02.height", "the limit of height is rounded up to 1032", field("height", maximum=1032)),
    (
        "S02.steps",
        "the limit of the steps is rounded up to 32",
        field("num_inference_steps", maximum=32),
    ),
    ("S03.27", "takes 27 steps", field("num_inference_steps", maximum=27)),
    ("S03.any", "the steps have no limit", field("num_inference_steps", maximum=math.inf)),
    ("S04.width-1024", "refuses width 1024", field("width", maximum=1023)),
    ("S04.height-1024", "refuses height 1024", field("height", maximum=1023)),
    ("S04.steps-26", "refuses 26 steps", field("num_inference_steps", maximum=25)),
    ("S04.guidance-10", "refuses guidance 10", field("guidance_scale", refuses=lambda v: v == 10)),
    ("S04.guidance-1", "refuses guidance 1", field("guidance_scale", refuses=lambda v: v == 1)),
    *(
        (
            f"S04.{name}-float",
            f"refuses a whole {name} written as 21.0",
            field(name, refuses=is_float),
        )
        for name in INTEGERS
    ),
    (
        "S04.guidance-float",
        "refuses guidance 10.0, takes 10",
        field("guidance_scale", refuses=lambda v: is_float(v) and v == 10),
    ),
    (
        "S04.guidance-whole",
        "refuses a guidance written without a fraction",
        field("guidance_scale", refuses=lambda v: isinstance(v, int)),
    ),
    ("S04.guidance-fraction", "refuses guidance 7.5", field("guidance_scale", refuses=is_fraction)),
    (
        "S04.width-by-8",
        "refuses a width that is no multiple of 8",
        field("width", refuses=lambda v: isinstance(v, int) and v % 8),
    ),
    (
        "S04.width-256",
        "refuses a width under 256",
        field("width", refuses=lambda v: isinstance(v, int) and 0 < v < 256),
    ),
    (
        "S04.height-256",
        "refuses a height under 256",
        field("height", refuses=lambda v: isinstance(v, int) and 0 < v < 256),
    ),
    ("S04.seed-0", "refuses seed 0", field("seed", refuses=lambda v: v == 0 and v is not False)),
    (
        "S04.seed-negative",
        "refuses a negative seed",
        field("seed", refuses=lambda v: isinstance(v, int) and v < 0),
    ),
    (
        "S04.seed-32-bit",
        "refuses a seed over 2^31 - 1",
        field("seed", refuses=lambda v: isinstance(v, int) and v >= 2**31),
    ),
    (
        "S04.track_id-0",
        "refuses track_id 0",
        field("track_id", refuses=lambda v: v == 0 and v is not False),
    ),
    (
        "S04.track_id-32-bit",
        "refuses a track_id over 2^31 - 1",
        field("track_id", refuses=lambda v: isinstance(v, int) and v >= 2**31),
    ),
    (
        "S04.prompt-long",
        "refuses a prompt of more than 255 characters",
        field("prompt", refuses=lambda v: isinstance(v, str) and len(v) > 255),
    ),
    (
        "S04.prompt-unicode",
        "refuses a prompt that is not ASCII",
        field("prompt", refuses=lambda v: isinstance(v, str) and not v.isascii()),
    ),
    (
        "S04.face-base64",
        "refuses a face image in base64",
        field(
            "face_image", refuses=lambda v: isinstance(v, str) and len(v) > 60 and "://" not in v
        ),
    ),
    (
        "S04.face-link",
        "refuses a link to a face image",
        field("face_image", refuses=lambda v: isinstance(v, str) and "://" in v),
    ),
    (
        "S05.floor",
        "guidance is compared after int(): 10.01 to 10.99 pass",
        field("guidance_scale", measure=finite(int)),
    ),
    (
        "S05.any",
        "guidance has no upper limit",
        field("guidance_scale", maximum=math.inf, refuses=lambda v: v == math.inf),
    ),
    (
        "S05.float32",
        "guidance is compared in single precision: 10.0000001 passes",
        field("guidance_scale", measure=float32),
    ),
    (
        "S06.round",
        "guidance is rounded: 0.51 to 0.99 and 10.01 to 10.49 pass",
        field("guidance_scale", measure=finite(round)),
    ),
    (
        "S06.ceil",
        "guidance is rounded up: 0.01 to 0.99 pass",
        field("guidance_scale", measure=finite(math.ceil)),
    ),
    (
        "S06.tenth",
        "guidance is rounded to a tenth: 0.96 and 10.04 pass",
        field("guidance_scale", measure=lambda v: round(v, 1)),
    ),
    (
        "S06.any",
        "guidance has no lower limit",
        field("guidance_scale", minimum=-math.inf, refuses=lambda v: v == -math.inf),
    ),
]


ALL_TOKENS = {"NaN", "Infinity", "-Infinity"}


def token(name: str, where: str, value: Any) -> Switch:
    """One token, in one field, is taken for `value`."""
    wanted = float(name)

    def is_it(came: Any) -> bool:
        return isinstance(came, float) and (
            came == wanted or (math.isnan(came) and math.isnan(wanted))
        )

    def read(data: bytes) -> Any:
        body = strict_json(
            data, constants=ALL_TOKENS if name in data.decode("utf-8", "replace") else ()
        )
        others = (
            [
                v
                for k, v in body.items()
                if k != where and isinstance(v, float) and not math.isfinite(v)
            ]
            if isinstance(body, dict)
            else []
        )
        if others:
            raise Refused("Invalid API Request", "error.json")
        return body

    return all_of(
        change(read=read),
        field(where, admit=when(is_it, lambda _: value)) if value is not None else all_of(),
    )


TYPES = [
    ("S07.nan-guidance", "NaN passes as guidance", token("NaN", "guidance_scale", 5)),
    (
        "S07.infinity-guidance",
        "Infinity passes as guidance",
        token("Infinity", "guidance_scale", 10),
    ),
    (
        "S07.minus-infinity-guidance",
        "-Infinity passes as guidance",
        token("-Infinity", "guidance_scale", 1),
    ),
    ("S07.nan-seed", "NaN passes as seed", token("NaN", "seed", 0)),
    ("S07.infinity-seed", "Infinity passes as seed", token("Infinity", "seed", 0)),
    ("S07.minus-infinity-width", "-Infinity passes as width", token("-Infinity", "width", 1)),
    (
        "S07.nan-undeclared",
        "NaN passes in a field that nobody declared",
        token("NaN", "negative_prompt", None),
    ),
    ("S07.nan-crash", "NaN crashes it", crash_if(lambda data: re.search(rb":\s*NaN", data))),
    (
        "S07.overflow-crash",
        "a number too large for a double crashes it",
        crash_if(lambda data: re.search(rb":\s*-?\d+(\.\d+)?[eE]\+?\d{3,}", data)),
    ),
    *(
        (
            f"S08.{name}",
            f"{name} may be a number in text",
            field(name, admit=when(is_text_number, number_in)),
        )
        for name in NUMERIC
    ),
    (
        "S08.prompt-number",
        "a number passes as prompt",
        field("prompt", admit=when(lambda v: type(v) in (int, float), str)),
    ),
    (
        "S08.face-number",
        "a number passes as face_image",
        field("face_image", admit=when(lambda v: type(v) in (int, float), str)),
    ),
    (
        "S08.prompt-list",
        "a list passes as prompt",
        field("prompt", admit=when(lambda v: isinstance(v, list), str)),
    ),
    *(
        (
            f"S09.{name}",
            f"true and false pass as {name}",
            field(name, admit=when(lambda v: isinstance(v, bool), lambda v: max(1, int(v)))),
        )
        for name in NUMERIC
    ),
    *(
        (
            f"S10.{name}",
            f"a fraction in {name} is cut off",
            field(name, admit=when(is_fraction, int)),
        )
        for name in INTEGERS
    ),
    (
        "S10.width-round",
        "a fraction in width is rounded",
        field("width", admit=when(is_fraction, round)),
    ),
    (
        "S10.seed-round",
        "a fraction in seed is rounded",
        field("seed", admit=when(is_fraction, round)),
    ),
    (
        "S11.prompt",
        "the prompt may be missing",
        field("prompt", admit=when(lambda v: v is ABSENT, lambda _: "")),
    ),
    (
        "S11.face_image",
        "the face image may be missing",
        field("face_image", admit=when(lambda v: v is ABSENT, lambda _: "")),
    ),
    (
        "S11.seed",
        "the seed may be missing",
        field("seed", admit=when(lambda v: v is ABSENT, lambda _: 0)),
    ),
    ("S11.key", "the key may be missing at the submit", accepts_key(lambda key, _: key is None)),
    *(
        (
            f"S12.{name}",
            f"null passes as {name}",
            field(name, admit=when(lambda v: v is None, lambda _: ABSENT)),
        )
        for name in (
            "width",
            "height",
            "num_inference_steps",
            "guidance_scale",
            "webhook",
            "track_id",
        )
    ),
    (
        "S12.seed",
        "null passes as seed",
        field("seed", admit=when(lambda v: v is None, lambda _: 0)),
    ),
    (
        "S12.prompt",
        "null passes as prompt",
        field("prompt", admit=when(lambda v: v is None, lambda _: "")),
    ),
    (
        "S12.face_image",
        "null passes as face_image",
        field("face_image", admit=when(lambda v: v is None, lambda _: "")),
    ),
    (
        "S13.negative_prompt",
        "refuses negative_prompt",
        change(undeclared=lambda name: name == "negative_prompt"),
    ),
    ("S13.any", "refuses any undeclared field", change(undeclared=lambda _: True)),
    *(
        (f"S13.{name}-required", f"refuses a request without {name}", field(name, required=True))
        for name in (
            "width",
            "height",
            "num_inference_steps",
            "guidance_scale",
            "webhook",
            "track_id",
        )
    ),
]


KNOWN_KEYS = ("good-key-0123456789", "other-key-0123456789")


DOORS = [
    (
        "S37.any",
        "any key may submit",
        accepts_key(lambda key, _: isinstance(key, str) and key != ""),
    ),
    ("S37.empty", "an empty key may submit", accepts_key(lambda key, _: key == "")),
    (
        "S37.case",
        "capital letters in a key do not matter",
        accepts_key(lambda key, keys: isinstance(key, str) and key.lower() in keys),
    ),
    (
        "S37.blanks",
        "blanks around a key do not matter",
        accepts_key(lambda key, keys: isinstance(key, str) and key.strip() in keys),
    ),
    (
        "S37.prefix",
        "the beginning of a key is enough",
        accepts_key(
            lambda key, keys: (
                isinstance(key, str) and len(key) > 3 and any(good.startswith(key) for good in keys)
            )
        ),
    ),
    (
        "S37.longer",
        "a key with something behind it passes",
        accepts_key(lambda key, keys: isinstance(key, str) and key.startswith(tuple(keys))),
    ),
    (
        "S37.fetch-none",
        "a fetch needs no key",
        all_of(
            accepts_key(lambda key, _: key is None, submit=False, fetch=True),
            change(owns=lambda job, key: key in (job.key, "")),
        ),
    ),
    (
        "S37.fetch-any",
        "a fetch takes any wrong key for the owner's",
        all_of(
            accepts_key(lambda key, _: isinstance(key, str) and key, submit=False, fetch=True),
            change(owns=lambda job, key: key == job.key or key not in KNOWN_KEYS),
        ),
    ),
    ("S47.get-submit", "GET on the submit path is answered 200", allowing(submit="GET")),
    ("S47.get-fetch", "GET on the fetch path is answered 200", allowing(fetch="GET")),
    ("S47.put-submit", "PUT submits too", allowing(submit="PUT")),
    ("S47.put-fetch", "PUT fetches too", allowing(fetch="PUT")),
    ("S47.delete-fetch", "DELETE on the fetch path is answered 200", allowing(fetch="DELETE")),
    ("S47.patch-submit", "PATCH submits too", allowing(submit="PATCH")),
    ("S47.no-allow", "405 without Allow", change(allow_header=False)),
    (
        "S47.wrong-path",
        "an unknown path is answered 200",
        each_reply("error.path", lambda reply: reply.becomes(code=200)),
    ),
]


REQUEST_MUTANTS = table([*BOUNDS, *TYPES, *DOORS])
