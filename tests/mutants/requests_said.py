"""Statements about single requests that hold for every correct server: this one is accepted, that
one is refused.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

from mutants import pictures
from mutants.server import GOOD_KEY, SUBMIT, Request, Server

__all__ = ["ACCEPTED", "BODY", "FACE", "HOOK", "JSON", "REFUSED", "is_accepted", "submitted"]

JSON = {"content-type": "application/json"}
BODY = {
    "key": GOOD_KEY,
    "prompt": "studio portrait in soft light",
    "face_image": "https://example.com/face.png",
    "seed": 7,
}
FACE = base64.b64encode(pictures.picture(("face",), 40, 30)).decode()
GOOD = json.dumps(BODY).encode()
HOOK = "http://127.0.0.1:8000/hook"
Sent = tuple[bytes, Mapping[str, str]]


def submitted(body: bytes = GOOD, headers: Mapping[str, str] = JSON) -> Request:
    return Request("POST", SUBMIT, headers, body)


def _with(**fields: Any) -> Sent:
    """The smallest body with other fields; ... leaves one out."""
    body = {name: value for name, value in (BODY | fields).items() if value is not ...}
    return json.dumps(body).encode(), JSON


def _token(name: str, text: str) -> Sent:
    """The smallest body with a value that is written as `text`."""
    return json.dumps({**BODY, name: "@"}).replace('"@"', text).encode(), JSON


def _typed(**headers: str) -> Sent:
    return GOOD, {name.replace("_", "-"): value for name, value in headers.items()}


NUMBERS = {
    "width": 1024,
    "height": 1024,
    "num_inference_steps": 26,
    "guidance_scale": 10,
    "seed": 7,
    "track_id": 42,
}
INTEGERS = ["width", "height", "num_inference_steps", "seed", "track_id"]

ACCEPTED: dict[str, Sent] = {
    "takes the smallest body": _with(),
    **{f"takes {name} {value}": _with(**{name: value}) for name, value in NUMBERS.items()},
    **{
        f"takes {name} {float(value)}": _with(**{name: float(value)})
        for name, value in NUMBERS.items()
    },
    "takes guidance 1": _with(guidance_scale=1),
    "takes guidance 7.5": _with(guidance_scale=7.5),
    "takes width 1001": _with(width=1001),
    "takes width 200": _with(width=200),
    "takes height 200": _with(height=200),
    "takes seed 0": _with(seed=0),
    "takes seed -7": _with(seed=-7),
    "takes seed 4280894440": _with(seed=4280894440),
    "takes track_id 0": _with(track_id=0),
    "takes track_id 2^40": _with(track_id=2**40),
    "takes a long prompt": _with(prompt="long " * 200),
    "takes a prompt in Greek": _with(prompt="πορτρέτο"),
    "takes a face in base64": _with(face_image=FACE),
    "takes negative_prompt": _with(negative_prompt="blurred"),
    "takes an undeclared field": _with(samples="1"),
    "takes a body of 100 KB": _with(prompt="x" * 100_000),
    **{
        f"takes the webhook {text}": _with(webhook=text)
        for text in (HOOK, "https://example.com/a/b", f"{HOOK}?job=1&x=%20", "http://[::1]:8000/")
    },
    "takes the charset": _typed(content_type="application/json; charset=utf-8"),
    "takes Application/JSON": _typed(content_type="Application/JSON"),
}
WEBHOOKS = (
    *("", "hook", "/hook", "//example.com/hook", "example.com/hook", "http://127.0.0.1:8000/a b"),
    *(
        "ftp://example.com/x",
        "mailto:a@example.com",
        "file:///etc/passwd",
        "gopher://example.com/",
        "http://",
        "http:///hook",
        "http://:80/",
    ),
    *(
        "http://169.254.169.254/",
        "http://169.254.10.20/",
        "http://[fe80::1]/",
        "http://metadata.google.internal/",
        "http://metadata.google.internal./",
    ),
    *(
        "http://2852039166/",
        "http://0xa9fea9fe/",
        "http://[::ffff:169.254.169.254]/",
        "http://user@169.254.169.254/",
    ),
)
REFUSED: dict[str, Sent] = {
    **{
        f"refuses {name} {value}": _with(**{name: value})
        for name in ("width", "height")
        for value in (1025, 1032, 2000)
    },
    **{f"refuses {value} steps": _with(num_inference_steps=value) for value in (27, 32, 100)},
    **{
        f"refuses guidance {value}": _with(guidance_scale=value)
        for value in (0, 0.5, 0.96, 0.99, 10.0000001, 10.04, 10.4, 10.99, 11, 50)
    },
    **{
        f"refuses {name} {text}": _token(name, text)
        for name, text in (
            ("guidance_scale", "NaN"),
            ("guidance_scale", "Infinity"),
            ("guidance_scale", "-Infinity"),
            ("seed", "NaN"),
            ("seed", "Infinity"),
            ("width", "-Infinity"),
            ("negative_prompt", "NaN"),
            ("guidance_scale", "1e999"),
        )
    },
    **{f"refuses {name} in text": _with(**{name: str(value)}) for name, value in NUMBERS.items()},
    **{f"refuses {name} true": _with(**{name: True}) for name in NUMBERS},
    **{
        f"refuses {name} {value}": _with(**{name: value})
        for name in INTEGERS
        for value in (6.5, 7.6)
    },
    **{
        f"refuses {name} null": _with(**{name: None})
        for name in (*NUMBERS, "prompt", "face_image", "webhook")
    },
    **{f"refuses no {name}": _with(**{name: ...}) for name in BODY},
    "refuses prompt 5": _with(prompt=5),
    "refuses face_image 5": _with(face_image=5),
    "refuses a prompt in a list": _with(prompt=["x"]),
    "refuses webhook 5": _with(webhook=5),
    **{f"refuses the webhook `{text}`": _with(webhook=text) for text in WEBHOOKS},
    "refuses malformed JSON": (b"{'", JSON),
    "refuses an empty body": (b"", JSON),
    "refuses an array": (b"[" + GOOD + b"]", JSON),
    "refuses null": (b"null", JSON),
    "refuses a string": (json.dumps(GOOD.decode()).encode(), JSON),
    "refuses bytes that are not UTF-8": (GOOD.replace(b"soft", b"s\xf6ft"), JSON),
    "refuses UTF-16": (GOOD.decode().encode("utf-16"), JSON),
    "refuses half a surrogate pair": (GOOD.replace(b"soft", b"\\ud800"), JSON),
    "refuses a comma at the end": (GOOD[:-1] + b",}", JSON),
    "refuses text behind the object": (GOOD + b" x", JSON),
    "refuses a truncated object": (GOOD[:-1], JSON),
    "refuses single quotes": (str(BODY).encode(), JSON),
    "refuses a comment": (GOOD[:-1] + b"/* x */}", JSON),
    "refuses a name that stands twice": (GOOD[:-1] + b', "prompt": "y"}', JSON),
    "refuses nesting without end": (b'{"x":' * 5000, JSON),
    "refuses 5,000 digits": (GOOD[:-2] + b"7" * 5_000 + b"!}", JSON),
    "refuses text/plain": _typed(content_type="text/plain"),
    "refuses no media type": _typed(),
    "refuses JSON as a form": _typed(content_type="application/x-www-form-urlencoded"),
    "refuses a form": (
        b"key=" + GOOD_KEY.encode() + b"&prompt=x&face_image=y&seed=7",
        {"content-type": "application/x-www-form-urlencoded"},
    ),
    "refuses application/jsonp": _typed(content_type="application/jsonp"),
    "refuses application/xml": _typed(content_type="application/xml"),
    **{
        f"refuses the key `{key}`": _with(key=key)
        for key in (
            "wrong-key-0123456789",
            "",
            GOOD_KEY.upper(),
            f" {GOOD_KEY}",
            GOOD_KEY[:9],
            f"{GOOD_KEY}0",
            5,
            None,
        )
    },
}


def is_accepted(server: Server, sent: Sent) -> bool:
    """Did the request make a job? (The reply itself is looked at elsewhere.)"""
    server.handle(submitted(*sent))
    return bool(server.jobs)
