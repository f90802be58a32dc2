"""Drives one server by its replies alone, on its virtual clock, and remembers the webhooks."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from PIL import Image

from mutants.requests_said import BODY, HOOK, JSON, submitted
from mutants.server import FETCH, GOOD_KEY, Request, Response, Server

__all__ = ["FAILED", "FIELDS", "Driver", "Hook", "body_of", "is_link", "named", "size_of"]

FIELDS: dict[str, Any] = {
    "width": 40,
    "height": 24,
    "guidance_scale": 7.5,
    "prompt": "ein Porträt mit weichem Licht von links",
}
FAILED = "scenario=failed"  # the preference that makes a job fail


@dataclass(frozen=True)
class Hook:
    """One webhook that came, and when."""

    at: float
    method: str
    url: str
    headers: Mapping[str, str]
    body: Any


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) < len(pairs):
        raise ValueError
    return dict(pairs)


def _constant(name: str) -> float:
    raise ValueError(name)


def body_of(data: bytes) -> Any:
    """The JSON value, read strictly; raises ValueError."""
    return json.loads(data.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_constant)


class Driver:
    """A client, and a webhook receiver, of one server."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.hooks: list[Hook] = []
        server.post = self._hook

    def _hook(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> None:
        try:
            value = body_of(body)
        except ValueError:
            value = None
        self.hooks.append(Hook(self.server.now, method, url, headers, value))

    def submit(self, prefer: str = "", **fields: Any) -> Response:
        """A submit with a webhook; ... leaves a field out."""
        body = {
            name: value
            for name, value in (BODY | {"webhook": HOOK} | fields).items()
            if value is not ...
        }
        return self.server.handle(
            submitted(json.dumps(body).encode(), JSON | ({"prefer": prefer} if prefer else {}))
        )

    def made(self, prefer: str = "", **fields: Any) -> int:
        """Submit, and the id of the job."""
        return int(body_of(self.submit(prefer, **fields).body)["id"])

    def fetch(self, job_id: object, key: Any = GOOD_KEY) -> Response:
        return self.server.handle(
            Request(
                "POST",
                f"{FETCH}{job_id}",
                JSON,
                json.dumps({"key": key} if key is not ... else {}).encode(),
            )
        )

    def state(self, job_id: object) -> dict[str, Any]:
        """What a fetch says."""
        value = body_of(self.fetch(job_id).body)
        assert isinstance(value, dict)
        return value

    def ended(self, job_id: object, within_s: int = 60) -> dict[str, Any]:
        """Poll once a second until the job has ended; the first live answers may say that it is
        unknown.
        """
        for second in range(within_s):
            value = self.state(job_id)
            if value["status"] != "processing" and not (
                second < 2 and value.get("message") == "Request not found"
            ):
                return value
            self.server.advance(1)
        raise AssertionError("the job did not end")

    def get(self, link: str, method: str = "GET") -> Response:
        path, _, query = link.removeprefix(self.server.origin).partition("?")
        return self.server.handle(Request(method, path, {}, b"", query))

    def picture(self, **fields: Any) -> bytes:
        """The picture of a new job."""
        response = self.get(self.ended(self.made(**fields))["output"][0])
        assert response.code == 200
        return response.body


def is_link(text: str) -> bool:
    """An absolute http or https address, with something behind the host?"""
    return bool(re.fullmatch(r"https?://[^/\s]+/\S+", text))


def size_of(response: Response) -> tuple[int, int]:
    """Width and height of a picture that was downloaded whole."""
    assert response.code == 200
    with Image.open(io.BytesIO(response.body)) as image:
        image.load()
        return image.size


def named(*functions: Callable[[Driver], None]) -> dict[str, Callable[[Driver], None]]:
    """The statements by their names, in words."""
    return {function.__name__.replace("_", " "): function for function in functions}
