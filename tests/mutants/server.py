"""A plain server of the contract on its own virtual clock; a mutant breaks it in one place, a
freedom uses what the contract allows.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import random
import threading
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

from mutants import pictures
from mutants.adapter import serve
from mutants.behaviour import CORRECT, Behaviour, Delivery, Job, Reply
from mutants.catalogue import MUTANTS, Mutant
from mutants.freedoms import FREEDOMS, switch_of
from mutants.rules import ABSENT, Refused

__all__ = [
    "FREEDOMS",
    "GOOD_KEY",
    "MUTANTS",
    "OTHER_KEY",
    "Mutant",
    "Request",
    "Response",
    "Server",
    "serve",
]

GOOD_KEY = "good-key-0123456789"
OTHER_KEY = "other-key-0123456789"
BASE = "/api/v6"
SUBMIT = f"{BASE}/image_editing/flux_headshot"
FETCH = f"{BASE}/image_editing/fetch/"
MAX_BODY = 10 * 2**20  # bytes
LOOPBACK = {"127.0.0.1", "localhost", "::1"}
Post = Callable[[str, str, Mapping[str, str], bytes], None]


@dataclass(frozen=True)
class Request:
    """One request; the names of the headers are in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    query: str = ""


@dataclass(frozen=True)
class Response:
    """One answer; the names of the headers are in lower case."""

    code: int
    headers: Mapping[str, str]
    body: bytes


def post(method: str, url: str, headers: Mapping[str, str], body: bytes) -> None:
    """Deliver a webhook to loopback; other addresses are left alone, and a receiver that is not
    there is no fault.
    """
    try:
        parts = urlsplit(url)
        is_here = parts.hostname in LOOPBACK and parts.scheme == "http" and parts.port != 0
    except ValueError:
        return
    if not is_here:
        return
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port or 80, timeout=2)
    with contextlib.suppress(OSError, http.client.HTTPException), contextlib.closing(connection):
        connection.request(
            method,
            (parts.path or "/") + (f"?{parts.query}" if parts.query else ""),
            body,
            dict(headers),
        )
        connection.getresponse().read()


class Server:
    """Answers requests; `mutant` and `freedom` name rows of MUTANTS and FREEDOMS. Safe to use from
    several threads.
    """

    def __init__(
        self,
        mutant: str | None = None,
        freedom: str | None = None,
        *,
        seed: int = 0,
        origin: str = "http://127.0.0.1:4010",
        start: float = 1_700_000_000.0,
        keys: tuple[str, ...] = (GOOD_KEY, OTHER_KEY),
        eta_s: int = 3,
        queue_limit: int | None = None,
    ) -> None:
        behaviour = switch_of(freedom)(CORRECT) if freedom else CORRECT
        self.behaviour: Behaviour = MUTANTS[mutant].switch(behaviour) if mutant else behaviour
        self.origin, self.keys = origin, keys
        self.now: float = start
        self.eta_s = eta_s if self.behaviour.eta_s is None else self.behaviour.eta_s
        self.queue_limit = (
            queue_limit if self.behaviour.queue_limit is None else self.behaviour.queue_limit
        )
        self.jobs: list[Job] = []
        self.post: Post = post
        self.random = random.Random(seed)
        self.first_id: int = 100_000_001 + self.random.randrange(1_000_000)
        self._due: list[Delivery] = []
        self._lock = threading.RLock()

    def handle(self, request: Request) -> Response:
        """The answer to one request; raises only where a mutant's break is a crash."""
        with self._lock:
            reply = self._answer(request)
            reply.method = request.method
            reply.accepts = request.headers.get("accept-encoding", "")
            for do in self.behaviour.edits:
                do(self, reply)
            response = _rendered(reply, head_only=request.method == "HEAD")
        if self.behaviour.tick_s:
            self.advance(self.behaviour.tick_s)
        return response

    def advance(self, seconds: float) -> None:
        """Move the clock on; what is due meanwhile is delivered in order, each webhook at its own
        time.
        """
        until = self.now + seconds
        while delivery := self._next_due(until):
            self._deliver(delivery)
        with self._lock:
            self.now = until

    def _next_due(self, until: float) -> Delivery | None:
        with self._lock:
            due = min(
                (each for each in self._due if each.at <= until),
                key=lambda each: each.at,
                default=None,
            )
            if due is not None:
                self._due.remove(due)
                self.now = max(self.now, due.at)
            return due

    def _deliver(self, delivery: Delivery) -> None:
        with self._lock:
            job = delivery.job
            kind = delivery.kind or ("hook.failed" if job.fails else "hook.success")
            reply = Reply(kind, _HOOK_BODIES[kind](self, job), job, key=job.key)
            for do in self.behaviour.edits:
                do(self, reply)
        response = _rendered(reply)
        self.post(delivery.method, delivery.url, response.headers, response.body)

    def later(self, delivery: Delivery) -> None:
        """Have a webhook delivered when its time comes."""
        self._due.append(delivery)

    def _answer(self, request: Request) -> Reply:
        path = self.behaviour.routes(request.path)
        job = self._linked(path)
        route = "submit" if path == SUBMIT else "fetch" if _fetched(path) else "link" if job else ""
        if not route:
            return Reply("error.path", _error("Nothing is served here"), code=404)
        allowed = self.behaviour.methods[route]
        if request.method not in allowed:
            headers = {"content-type": "application/json"} | (
                {"allow": ", ".join(allowed)} if self.behaviour.allow_header else {}
            )
            return Reply(
                "error.method",
                _error("This method is not supported here"),
                code=405,
                headers=headers,
            )
        if job is not None:
            return self._download(job)
        try:
            return (
                self._submit(request)
                if route == "submit"
                else self._fetch(request, unquote(_fetched(path)))
            )
        except Refused as refused:
            return Reply(
                refused.kind, _error(str(refused)), key=_key_in(request.body), sent=request
            )

    def _body(self, request: Request) -> dict[str, Any]:
        if len(request.body) > MAX_BODY:
            raise Refused("The request is too large", "error.size")
        if not self.behaviour.takes_type(request.headers.get("content-type")):
            raise Refused("Invalid API Request", "error.type")
        body = self.behaviour.read(request.body)
        if not isinstance(body, dict):
            raise Refused("Invalid API Request", "error.json")
        return body

    def _submit(self, request: Request) -> Reply:
        body, steps = self._body(request), [self._check_key, self._effective]
        if self.behaviour.fields_first:
            steps.reverse()
        fields = [step(body) for step in steps][0 if self.behaviour.fields_first else 1]
        key = body.get("key") or ""
        if self.queue_limit is not None and self.behaviour.queued(self, key) >= self.queue_limit:
            return Reply("error.queue", _queue_full(self.queue_limit), key=key)
        job = self._create(
            str(key),
            fields,
            "scenario=failed" in request.headers.get("prefer", "").replace(" ", "").split(","),
        )
        state = self.behaviour.state(job, self.now)
        made = _success if state == "success" else _processing
        reply = Reply(
            "submit.success" if state == "success" else "submit.processing",
            made(self, job),
            job,
            key=job.key,
        )
        if job.fails:
            reply.headers["preference-applied"] = "scenario=failed"
        return reply

    def _check_key(self, body: dict[str, Any]) -> dict[str, Any]:
        if problem := self.behaviour.submit_key(body.get("key"), self.keys):
            raise Refused(problem, "error.key")
        return {}

    def _effective(self, body: dict[str, Any]) -> dict[str, Any]:
        rules = self.behaviour.fields
        for name in body:
            if name not in rules and name != "key" and self.behaviour.undeclared(name):
                raise Refused(f"The {name} field is unknown.")
        values = {
            name: rule.effective(name, body.get(name, ABSENT)) for name, rule in rules.items()
        }
        return {name: value for name, value in values.items() if value is not ABSENT}

    def _create(self, key: str, fields: dict[str, Any], fails: bool) -> Job:
        fields = self.behaviour.accepted(self, fields)
        token = str(uuid.UUID(int=self.random.getrandbits(128), version=4))
        job = Job(
            self.behaviour.new_id(self, fields), key, fields, self.now, self.eta_s, token, fails
        )
        job.ends = self.behaviour.ends(self, job)
        self.jobs.append(job)
        self._due += self.behaviour.deliveries(self, job)
        return job

    def _fetch(self, request: Request, asked: str) -> Reply:
        body = self._body(request)
        if problem := self.behaviour.fetch_key(body.get("key"), self.keys):
            raise Refused(problem, "error.key")
        key = str(body.get("key", ""))
        job = next(
            (job for job in self.jobs if str(job.id) == asked and self.behaviour.finds(self, job)),
            None,
        )
        if job is None or not self.behaviour.owns(job, key):
            return Reply("fetch.unknown", _unknown(), job, key=key, sent=asked)
        self.behaviour.before_fetch(self, job)
        state = self.behaviour.state(job, self.now)
        job.polls += 1
        job.ended_polls += self.now >= job.ends
        return Reply(f"fetch.{state}", _FETCH_BODIES[state](self, job), job, key=key)

    def _linked(self, path: str) -> Job | None:
        if not path.startswith(self.behaviour.folder):
            return None
        return next(
            (job for job in self.jobs if path.startswith(f"{self.behaviour.folder}{job.token}")),
            None,
        )

    def _download(self, job: Job) -> Reply:
        if not self.behaviour.live(self, job, self.behaviour.state(job, self.now)):
            return Reply("link.dead", _error("No such picture"), job, code=404)
        width, height = self.behaviour.size(job.fields)
        job.downloads += 1
        file_format = self.behaviour.picture_format
        data = pictures.picture(self.behaviour.paints(self, job), width, height, file_format)
        return Reply(
            "link.live",
            None,
            job,
            headers={"content-type": f"image/{file_format.lower()}"},
            raw=data,
        )


def _fetched(path: str) -> str:
    name = path.removeprefix(FETCH)
    return name if path.startswith(FETCH) and "/" not in name else ""


def _key_in(body: bytes) -> str:
    """The key of a refused request, for the mutants that show it."""
    try:
        return str(json.loads(body)["key"])
    except (ValueError, TypeError, LookupError, RecursionError):
        return ""


def _rendered(reply: Reply, *, head_only: bool = False) -> Response:
    data = reply.raw if reply.raw is not None else json.dumps(reply.body).encode()
    headers = {"content-length": str(len(data)), **reply.headers}
    return Response(reply.code, headers, b"" if head_only else data)


def _error(message: str) -> dict[str, Any]:
    return {"status": "error", "message": message}


def _queue_full(limit: int) -> dict[str, Any]:
    return {
        **_error(f"Rate limit exceeded. Maximum {limit} queued requests allowed."),
        "retry_after": 30,
    }


def _unknown() -> dict[str, Any]:
    return {"status": "failed", "id": "", "message": "Request not found", "output": ""}


def _meta(job: Job) -> dict[str, Any]:
    shown = {
        name: value for name, value in job.fields.items() if name not in ("webhook", "track_id")
    }
    if pictures.face_size(job.fields["face_image"]):
        del shown["face_image"]
    return {**shown, "base64": "no"}


def _processing(server: Server, job: Job) -> dict[str, Any]:
    links = server.behaviour.links(server, job)
    return {
        "status": "processing",
        "tip": "The picture is being made in the background; fetch it by its id.",
        "eta": job.eta_s,
        "message": "Fetch the result after the estimated seconds.",
        "fetch_result": f"{server.origin}{FETCH}{job.id}",
        "id": job.id,
        "output": [],
        "future_links": links,
        "proxy_links": links,
        "meta": _meta(job),
    }


def _success(server: Server, job: Job) -> dict[str, Any]:
    links = server.behaviour.links(server, job)
    return {
        "status": "success",
        "generationTime": 3.2,
        "id": job.id,
        "output": links,
        "proxy_links": links,
        "meta": _meta(job),
    }


def _fetch_success(server: Server, job: Job) -> dict[str, Any]:
    shown = server.behaviour.source(server, job)
    return {"status": "success", "id": job.id, "output": server.behaviour.links(server, shown)}


def _fetch_processing(_: Server, __: Job) -> dict[str, Any]:
    return {
        "status": "processing",
        "message": "Not ready yet.",
        "output": "",
        "tip": "Ask again in a few seconds.",
    }


def _fetch_failed(_: Server, job: Job) -> dict[str, Any]:
    return {
        "status": "failed",
        "id": job.id,
        "message": "The picture could not be made.",
        "output": "",
    }


def _tracked(job: Job) -> dict[str, Any]:
    return {"track_id": job.fields["track_id"]} if "track_id" in job.fields else {}


def _hook_success(server: Server, job: Job) -> dict[str, Any]:
    links = server.behaviour.links(server, job)
    return {
        "status": "success",
        "id": job.id,
        "output": links,
        "generationTime": 3.2,
        **_tracked(job),
        "meta": _meta(job),
    }


def _hook_failed(_: Server, job: Job) -> dict[str, Any]:
    return {
        "status": "failed",
        "id": job.id,
        "message": "The picture could not be made.",
        **_tracked(job),
    }


_FETCH_BODIES = {
    "success": _fetch_success,
    "processing": _fetch_processing,
    "failed": _fetch_failed,
}
_HOOK_BODIES = {
    "hook.success": _hook_success,
    "hook.failed": _hook_failed,
    "hook.processing": _fetch_processing,
}
