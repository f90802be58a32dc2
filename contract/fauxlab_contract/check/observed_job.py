"""One job under observation: it is submitted, polled at the moments at which faults show, and
judged by all that was seen of it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from fauxlab_contract.check.findings import JobLife, Moment
from fauxlab_contract.check.oracle import ObservedReply
from fauxlab_contract.check.picture import FACE, FACE_SIDES, SeenPicture, seen_picture
from fauxlab_contract.check.probe import DEFAULT_ETA_S, Probe
from fauxlab_contract.check.target import is_loopback_url
from fauxlab_contract.core.http import HttpRequest
from fauxlab_contract.core.violation import describe
from fauxlab_contract.openapi.operation import Operation
from fauxlab_contract.validation.lifecycle import job_violations

__all__ = ["ObservedJob", "lived", "look_again", "meta_problems", "picture_behind", "started"]

PATIENCE, GRACE_S = 3.0, 10.0  # a job may take so many times its eta, and a little more
BEFORE_S = 0.5  # how long before the eta the last early fetch comes
SHORTEST_S, LONGEST_S = 0.5, 5.0  # pauses between fetches after the eta
_RULES = {
    "order": "state-order",
    "empty": "output-early",
    "not-empty": "output-missing",
    "minimum": "eta",
    "not-growing": "eta",
}


@dataclass(slots=True)
class ObservedJob:
    """What is known of one job so far. `seen` is its first picture; `hook` gives the webhooks that
    came for it until now.
    """

    operation: Operation
    fetch: Operation
    body: Mapping[str, Any]
    label: str
    submit: ObservedReply
    began: float
    replies: list[ObservedReply] = field(default_factory=list)
    moments: list[Moment] = field(default_factory=list)
    seen: SeenPicture | None = None
    hook: Callable[[], int] = lambda: 0
    is_over: bool = False
    misses: int = 0

    @property
    def number(self) -> Any:
        return self.submit.body.get(self.operation.conventions.fields.id)

    @property
    def eta_s(self) -> float:
        eta_s = self.submit.eta_s
        return DEFAULT_ETA_S if eta_s is None else eta_s

    @property
    def last_word(self) -> Any:
        known = [reply.word for reply in [self.submit, *self.replies] if reply.word is not None]
        return known[-1] if known else None

    @property
    def is_processing(self) -> bool:
        return bool(self.last_word == self.operation.conventions.words.processing)

    def facts(self) -> JobLife:
        moments = tuple(sorted(self.moments, key=lambda moment: moment.at_s))
        return JobLife(str(self.number), self.label, self.submit.eta_s, moments)

    def links(self, name: str) -> list[str]:
        """The links in a field of the latest reply that has any."""
        for reply in [*self.replies[::-1], self.submit]:
            found = reply.body.get(name)
            if isinstance(found, list) and found and all(isinstance(link, str) for link in found):
                return found
        return []


def started(
    probe: Probe, operation: Operation, body: Mapping[str, Any], label: str, prefer: str = ""
) -> ObservedJob | None:
    """Submit a job; None when it was refused, which is a finding of its own."""
    began = probe.target.now()
    reply = probe.post(operation, body, prefer=prefer)
    fetch = next(
        one
        for one in probe.document.operations
        if one.path == operation.fetch_path and one.kind == "fetch"
    )
    if reply.outcome != "accepted":
        is_asked_for = bool(prefer) and prefer in reply.came.headers.get("preference-applied", "")
        if reply.outcome == "refused" and not is_asked_for:
            probe.find(
                "valid-refused",
                f"{label}: a submit that keeps the contract was refused with"
                f" {reply.message[:200]!r}.",
                reply,
            )
        probe.note(
            f"{probe.phase}: {label}: its submit was not accepted, so the job could not be followed"
        )
        return None
    life = ObservedJob(operation, fetch, body, label, reply, began)
    life.moments.append(probe.moment(began, "submit", str(reply.word)))
    probe.lives.append(life)
    _check_fetch_result(probe, life)
    for problem in meta_problems(life, reply.body):
        probe.find("meta-differs", f"{label}: {problem}", reply)
    return life


def lived(probe: Probe, life: ObservedJob, *, closely: bool = True) -> Iterator[float]:
    """Follow a job to its end; `closely`: also before its eta, and a little beyond. Yields the
    moments until which it waits.
    """
    if closely:
        _look_early(probe, life)
        yield from _early_polls(probe, life)
    yield from _polls_to_the_end(probe, life)
    if closely and not life.is_processing:
        for _ in range(2):
            polled(probe, life)
    _check_replies(probe, life)
    _look_at_links(probe, life)
    if closely:
        look_again(probe, life)
    life.is_over = True


def _early_polls(probe: Probe, life: ObservedJob) -> Iterator[float]:
    sent_at = life.submit.came.at
    moments = (
        {"HEAD": sent_at + life.eta_s / 2, "GET": sent_at + life.eta_s - BEFORE_S}
        if life.eta_s >= 2
        else {}
    )
    for method, moment in moments.items():
        if life.is_processing:
            yield moment
            _look_early(probe, life, method)


def _polls_to_the_end(probe: Probe, life: ObservedJob) -> Iterator[float]:
    """At the eta, then with growing pauses; never longer than a few times the eta."""
    sent_at, pause_s = life.submit.came.at, SHORTEST_S
    moment, deadline = sent_at + life.eta_s, sent_at + PATIENCE * life.eta_s + GRACE_S
    while life.is_processing and moment <= deadline:
        yield moment
        polled(probe, life)
        moment, pause_s = probe.target.now() + pause_s, min(pause_s * 1.5, LONGEST_S)
    if life.is_processing:
        took_s = probe.target.now() - life.began
        message = (
            f"{life.label}: still processing after {took_s:.0f} s; its eta was {life.eta_s:g} s."
        )
        probe.find("never-ends", message, life.submit)


def polled(probe: Probe, life: ObservedJob) -> ObservedReply:
    """Fetch a job once. That a live job is not known for a moment, before its eta or at the first
    fetch, is no fault.
    """
    names = life.operation.conventions.fields
    hooks = life.hook() if life.is_processing else 0
    reply = probe.post(life.fetch, {names.key: probe.options.key}, job_id=life.number)
    if hooks and reply.word == life.operation.conventions.words.processing:
        probe.find(
            "webhook-early",
            f"{life.label}: its webhook had come, and a fetch after that still said {reply.word}.",
            reply,
        )
    life.moments.append(probe.moment(life.began, "fetch", str(reply.word or reply.came.code)))
    if reply.is_unknown:
        life.misses += 1
        if not life.is_processing or (
            life.misses > 1 and reply.came.at > life.submit.came.at + life.eta_s
        ):
            probe.find(
                "job-lost",
                f"{life.label}: its id {life.number!r} was answered with {reply.message[:100]!r}.",
                reply,
            )
            life.replies.append(reply)
        return reply
    if reply.body:
        life.replies.append(reply)
    return reply


def _look_early(probe: Probe, life: ObservedJob, method: str = "GET") -> None:
    """Read the link before a fetch that still says processing: then it was certainly too early."""
    links = life.links(life.operation.conventions.fields.future_links)
    came = None
    if links and life.is_processing and may_read(probe, links[0]):
        came = probe.send(HttpRequest(method, links[0]))
        life.moments.append(probe.moment(life.began, "link", str(came.code)))
    reply = polled(probe, life)
    if (
        came is not None
        and came.code == 200
        and reply.word == life.operation.conventions.words.processing
    ):
        probe.find(
            "link-early",
            f"{life.label}: its link was served, and the fetch after that still said {reply.word}.",
            reply,
        )


def may_read(probe: Probe, link: str) -> bool:
    """Links are read on the server under check, or anywhere when that is not on this machine."""
    try:
        allowed = urlsplit(link).scheme in ("http", "https") and (
            is_loopback_url(link) or not is_loopback_url(probe.target.url)
        )
    except ValueError:
        allowed = False
    if not allowed:
        probe.note(
            f"{probe.phase}: links lead to {link[:60]!a}, away from this machine, and were not read"
        )
    return allowed


def _check_fetch_result(probe: Probe, life: ObservedJob) -> None:
    """It must be the address at which a POST asks for this job: this server's, or the document's
    own.
    """
    name = life.operation.conventions.fields.fetch_result
    url = life.submit.body.get(name)
    if url is None:
        return
    expected = life.fetch.path.rpartition("{")[0] + str(life.number)
    document = probe.document
    bases = (probe.target.url, document.origin + document.base_path)
    is_here = isinstance(url, str) and any(_same_place(url, base + expected) for base in bases)
    if not is_here:
        probe.find(
            "fetch-result",
            f"{life.label}: {name} is {json.dumps(url)[:200]}; the job is at"
            f" {bases[0] + expected}.",
            life.submit,
        )


def _same_place(one: str, other: str) -> bool:
    try:
        first, second = urlsplit(one), urlsplit(other)
        hosts = first.hostname == second.hostname or (
            is_loopback_url(one) and is_loopback_url(other)
        )
        return hosts and (first.scheme, first.port, first.path.rstrip("/")) == (
            second.scheme,
            second.port,
            second.path.rstrip("/"),
        )
    except ValueError:
        return False


def meta_problems(life: ObservedJob, body: Mapping[str, Any]) -> Iterator[str]:
    """Numbers of the request that stand in meta must be those that were sent, and the prompt must
    be there whole.
    """
    names = life.operation.conventions.fields
    meta = body.get(names.meta)
    for name, sent in life.body.items() if isinstance(meta, dict) else ():
        shown = meta.get(name) if isinstance(meta, dict) else None
        is_number = isinstance(sent, (int, float)) and name != names.track_id
        is_cut = name == names.prompt and isinstance(shown, str) and sent not in shown
        if shown is not None and (is_cut or (is_number and not _same_number(shown, sent))):
            yield f"{names.meta} shows {name} as {describe(shown)}, sent was {describe(sent)}."


def _same_number(shown: Any, sent: float) -> bool:
    try:
        return float(shown) == float(sent)
    except (TypeError, ValueError):
        return False


def _check_replies(probe: Probe, life: ObservedJob) -> None:
    """Every rule between the replies of one job."""
    replies = [reply for reply in [life.submit, *life.replies] if reply.body]
    for violation in job_violations([reply.body for reply in replies], probe.conventions):
        rule = _RULES.get(violation.keyword) or _rule_of_same(violation.pointer, probe, replies)
        if rule == "eta" and violation.keyword == "minimum":
            continue  # told when the reply came
        message = (
            f"{life.label}: {violation.field} was {violation.found}; expected {violation.expected}."
        )
        probe.find(rule, message, replies[-1])
    names = probe.conventions.fields
    final = life.links(names.output) if life.last_word == probe.conventions.words.success else []
    if any(
        urlsplit(link).scheme not in ("http", "https") or not urlsplit(link).netloc
        for link in final
    ):
        probe.find(
            "output-missing",
            f"{life.label}: an output is no http(s) link: {json.dumps(final)[:200]}.",
            replies[-1],
        )


def _rule_of_same(pointer: str, probe: Probe, replies: Sequence[ObservedReply]) -> str:
    """Something that should have stayed the same did not: which rule is that?"""
    names, words = probe.conventions.fields, probe.conventions.words
    if pointer == f"/{names.id}":
        return "id-changed"
    outputs = [
        json.dumps(reply.body.get(names.output)) for reply in replies if reply.word == words.success
    ]
    return "output-changed" if len(set(outputs)) > 1 else "future-links"


def _look_at_links(probe: Probe, life: ObservedJob) -> None:
    """After the success: the links of the output serve a picture of the right size, again and
    again. A failure has none.
    """
    names, words = probe.conventions.fields, probe.conventions.words
    if life.last_word != words.success:
        for link in (
            life.links(names.future_links)[:1]
            if life.last_word in (words.failed, words.error)
            else ()
        ):
            if may_read(probe, link) and probe.send(HttpRequest("GET", link)).code == 200:
                message = f"{life.label}: its link is served, though the job has {life.last_word}."
                probe.find("link-early", message, life.submit, form="failed")
        return
    for place, link in enumerate(life.links(names.output)[:4]):
        seen = picture_behind(probe, life, link)
        if seen is None:
            return
        life.seen = seen if place == 0 else life.seen
        if problem := seen.problem_with(*_asked(life)):
            probe.find("picture", f"{life.label}: {problem}", life.submit)


def picture_behind(probe: Probe, life: ObservedJob, link: str) -> SeenPicture | None:
    """What a link of a job that has succeeded serves; None, and a finding, when that is nothing."""
    if not may_read(probe, link):
        return None
    came = probe.send(HttpRequest("GET", link))
    life.moments.append(probe.moment(life.began, "link", str(came.code or came.error)))
    if came.code == 200:
        return seen_picture(came.body)
    message = (
        f"{life.label}: its link answered {came.code or came.error}, though the job has succeeded."
    )
    probe.find("link-dead", message, life.submit)
    return None


def look_again(probe: Probe, life: ObservedJob) -> None:
    """A link serves the same bytes each time, and HEAD says how many."""
    links = life.links(probe.conventions.fields.output)
    if life.seen is None or not links:
        return
    seen = picture_behind(probe, life, links[0])
    if seen is not None and seen != life.seen:
        probe.find(
            "picture-differs",
            f"{life.label}: its link served other bytes at the second reading.",
            life.submit,
            form="again",
        )
    head = probe.send(HttpRequest("HEAD", links[0]))
    length = head.headers.get("content-length", str(life.seen.bytes))
    if head.code != 200 or length != str(life.seen.bytes):
        message = (
            f"{life.label}: HEAD of its link answered {head.code or head.error} and {length} bytes,"
            f" GET 200 and {life.seen.bytes}."
        )
        probe.find("link-dead", message, life.submit, form="head")


def _asked(life: ObservedJob) -> tuple[Any, Any]:
    """Width and height of the request; those of the face, where that is known and they are missing."""
    names = life.operation.conventions.fields
    of_face = FACE_SIDES if life.body.get(names.face_image) == FACE else (None, None)
    return life.body.get(names.width, of_face[0]), life.body.get(names.height, of_face[1])
