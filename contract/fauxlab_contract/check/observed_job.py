"""One job under observation, judged by all replies about it.

It is polled at the moments at which faults show.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin, urlsplit

from fauxlab_contract.check.causes import (
    breaks_member,
    is_id_of_another_type,
    links_in_words,
)
from fauxlab_contract.check.findings import JobLife, Moment
from fauxlab_contract.check.oracle import ObservedReply, meta_problems
from fauxlab_contract.check.parameters import path_with
from fauxlab_contract.check.picture import FACE, FACE_SIDES, SeenPicture, seen_picture
from fauxlab_contract.check.probe import DEFAULT_ETA_S, Probe
from fauxlab_contract.check.target import is_loopback_url, is_same_place
from fauxlab_contract.core.http import HttpRequest, HttpResponse
from fauxlab_contract.openapi.operation import Operation
from fauxlab_contract.validation.lifecycle import job_violations

__all__ = ["ObservedJob", "follow", "look_again", "picture_behind", "poll", "start_job"]

PATIENCE, GRACE_S = 3.0, 10.0  # a job may take this many times its eta, and a little more
BEFORE_S = 0.5  # how long before the eta the last early fetch comes
EARLY_FROM_S = 2.0  # the shortest eta that leaves time for early fetches
SHORTEST_S, LONGEST_S, GROWTH = 0.5, 5.0, 1.5  # pauses between fetches after the eta
MOST_LINKS = 4  # that are read of one output
OF_OUTPUT = ("output-missing", "output-changed", "future-links")
_RULES = {
    "order": "state-order",
    "empty": "output-early",
    "not-empty": "output-missing",
    "minimum": "eta",
    "not-growing": "eta",
}


@dataclass(slots=True)
class ObservedJob:
    """What is known of one job so far.

    `picture` is its first picture; `count_webhooks` returns how many webhooks came for it so far.
    `is_lost`: a fetch after its eta did not know it.
    """

    operation: Operation
    fetch: Operation
    body: Mapping[str, Any]
    label: str
    submit: ObservedReply
    began: float
    replies: list[ObservedReply] = field(default_factory=list)
    moments: list[Moment] = field(default_factory=list)
    picture: SeenPicture | None = None
    count_webhooks: Callable[[], int] = lambda: 0
    is_over: bool = False
    is_lost: bool = False
    misses: int = 0

    @property
    def id(self) -> Any:
        """The id in the reply to the submit."""
        return self.submit.body.get(self.operation.conventions.fields.id)

    @property
    def eta_s(self) -> float:
        """The eta in the reply to the submit, or a default."""
        eta_s = self.submit.eta_s
        return DEFAULT_ETA_S if eta_s is None else eta_s

    @property
    def last_word(self) -> Any:
        """The latest status; None if no reply had one."""
        replies = [self.submit, *self.replies]
        words = [reply.word for reply in replies if reply.word is not None]
        return words[-1] if words else None

    @property
    def is_processing(self) -> bool:
        """True if the latest status is processing."""
        return bool(self.last_word == self.operation.conventions.words.processing)

    def facts(self) -> JobLife:
        """Return what the report says about the job."""
        moments = tuple(sorted(self.moments, key=lambda moment: moment.at_s))
        return JobLife(str(self.id), self.label, self.submit.eta_s, moments)

    def links(self, name: str) -> list[str]:
        """Return the links in a field of the latest reply that has any."""
        for reply in [*self.replies[::-1], self.submit]:
            links = reply.body.get(name)
            if isinstance(links, list) and links and all(isinstance(link, str) for link in links):
                return links
        return []


def start_job(  # the last two by name
    probe: Probe,
    operation: Operation,
    body: Mapping[str, Any],
    label: str,
    *,
    prefer: str = "",
    count_webhooks: Callable[[], int] | None = None,
) -> ObservedJob | None:
    """Submit a job; return None, and add a finding, if it was refused.

    It is no finding if `prefer` asked for the refusal.
    """
    began = probe.target.now()
    reply = probe.post(operation, body, prefer=prefer)
    if reply.outcome != "accepted":
        _note_refusal(probe, reply, label, prefer)
        return None
    fetch = probe.document.fetch_of(operation)
    if fetch is None:
        raise ValueError(f"{operation.name}: no operation fetches its jobs")
    job = ObservedJob(operation, fetch, body, label, reply, began)
    if count_webhooks is not None:
        job.count_webhooks = count_webhooks
    job.moments.append(probe.moment(began, "submit", str(reply.word)))
    probe.jobs.append(job)
    _check_fetch_result(probe, job)
    for problem in meta_problems(operation, body, reply.body):
        probe.find("meta-differs", f"{label}: {problem}", reply)
    return job


def _note_refusal(probe: Probe, reply: ObservedReply, label: str, prefer: str) -> None:
    applied = reply.came.headers.get("preference-applied", "")
    is_asked_for = bool(prefer) and prefer in applied
    if reply.outcome == "refused" and not is_asked_for:
        said = f"a valid submit was refused with {reply.said}."
        probe.find("valid-refused", f"{label}: {said}", reply)
    probe.note(
        f"{probe.phase}: {label}: its submit was not accepted, so the job could not be followed"
    )


def follow(probe: Probe, job: ObservedJob, *, closely: bool = True) -> Iterator[float]:
    """Follow a job to its end, and judge it. Yields the moments until which it waits.

    `closely`: look at it before its eta as well, and a little beyond its end.
    """
    if closely:
        _look_early(probe, job)
        yield from _early_polls(probe, job)
    yield from _polls_to_the_end(probe, job)
    if closely and not job.is_processing:
        for _ in range(2):
            poll(probe, job)
    _check_replies(probe, job)
    _look_at_links(probe, job)
    if closely:
        look_again(probe, job)
    job.is_over = True


def _early_polls(probe: Probe, job: ObservedJob) -> Iterator[float]:
    if job.eta_s < EARLY_FROM_S:
        return
    sent_at = job.submit.came.at
    for method, moment in (
        ("HEAD", sent_at + job.eta_s / 2),
        ("GET", sent_at + job.eta_s - BEFORE_S),
    ):
        if job.is_processing:
            yield moment
            _look_early(probe, job, method)


def _polls_to_the_end(probe: Probe, job: ObservedJob) -> Iterator[float]:
    """Poll at the eta, then with growing pauses, for at most a few times the eta."""
    sent_at, pause_s = job.submit.came.at, SHORTEST_S
    moment = sent_at + job.eta_s
    deadline = sent_at + PATIENCE * job.eta_s + GRACE_S
    while job.is_processing and not job.is_lost and moment <= deadline:
        yield moment
        poll(probe, job)
        moment = probe.target.now() + pause_s
        pause_s = min(pause_s * GROWTH, LONGEST_S)
    if job.is_processing and not job.is_lost:
        took_s = probe.target.now() - job.began
        said = f"still processing after {took_s:.0f} s; its eta was {job.eta_s:g} s."
        probe.find("never-ends", f"{job.label}: {said}", job.submit)


def poll(probe: Probe, job: ObservedJob) -> ObservedReply:
    """Fetch a job once.

    It is no fault that a running job is not known at the first fetch, or before its eta.
    """
    words = job.operation.conventions.words
    webhooks = job.count_webhooks() if job.is_processing else 0
    reply = probe.post(job.fetch, probe.smallest(job.fetch), job_id=job.id)
    if webhooks and reply.word == words.processing:
        said = f"its webhook had arrived, and a later fetch still said {reply.word}."
        probe.find("webhook-early", f"{job.label}: {said}", reply)
    answer = reply.word or reply.came.code
    job.moments.append(probe.moment(job.began, "fetch", str(answer)))
    if reply.is_unknown:
        job.misses += 1
        if not _is_lost(job, reply):
            return reply
        said = f"its id {job.id!r} was answered with {reply.said}."
        probe.find("job-lost", f"{job.label}: {said}", reply)
        job.is_lost = True
        return reply  # it tells nothing of the job
    if reply.body:
        job.replies.append(reply)
    return reply


def _is_lost(job: ObservedJob, reply: ObservedReply) -> bool:
    """Return True if a job that is not known should be known by now."""
    is_late = reply.came.at > job.submit.came.at + job.eta_s
    return not job.is_processing or (job.misses > 1 and is_late)


def _look_early(probe: Probe, job: ObservedJob, method: str = "GET") -> None:
    """Read the link, then fetch: if the fetch still says processing, the link was too early."""
    links = job.links(job.operation.conventions.fields.future_links)
    response: HttpResponse | None = None
    if links and job.is_processing and _may_read(probe, links[0]):
        response = probe.send(HttpRequest(method, links[0]))
        job.moments.append(probe.moment(job.began, "link", str(response.code)))
        if method == "HEAD" and response.code == 200 and not _is_served(response):
            response = probe.send(HttpRequest("GET", links[0]))  # an error with 200, or HEAD alone
            if response.code != 200:
                said = f"HEAD of its link answered 200, GET {response.code}."
                probe.find("head-differs", f"{job.label}: {said}", job.submit)
    reply = poll(probe, job)
    is_processing = reply.word == job.operation.conventions.words.processing
    if response is not None and _is_served(response) and is_processing:
        said = f"its link was served, and the fetch after that still said {reply.word}."
        probe.find("link-early", f"{job.label}: {said}", reply)


def _may_read(probe: Probe, link: str) -> bool:
    """Return True for a link to this machine; for any link if the server is elsewhere."""
    try:
        is_near = is_loopback_url(link) or not is_loopback_url(probe.target.url)
        is_allowed = urlsplit(link).scheme in ("http", "https") and is_near
    except ValueError:
        is_allowed = False
    if not is_allowed:
        probe.note(
            f"{probe.phase}: links lead to {link[:60]!a}, away from this machine, and were not read"
        )
    return is_allowed


def _check_fetch_result(probe: Probe, job: ObservedJob) -> None:
    """Check that fetch_result is where this job is fetched: at this server, or the document's."""
    name = job.operation.conventions.fields.fetch_result
    url = job.submit.body.get(name)
    if url is None:
        return
    path = path_with(job.fetch, probe.parameters(job.fetch), job.id)
    bases = (probe.target.url, probe.document.origin + probe.document.base_path)
    places = [base + path for base in bases]
    is_right = isinstance(url, str) and any(
        is_same_place(each, place) for each in _addresses(probe, job, url) for place in places
    )
    if not is_right:
        said = f"{name} is {json.dumps(url)[:200]}; the job is at {places[0]}."
        probe.find("fetch-result", f"{job.label}: {said}", job.submit)


def _addresses(probe: Probe, job: ObservedJob, url: str) -> Iterator[str]:
    """Yield what an address means: one that may be relative is of the URL of the submit."""
    yield url
    if not breaks_member(job.submit, job.operation.conventions.fields.fetch_result):
        declared = probe.document.origin + probe.document.base_path + job.operation.path
        for base in (job.submit.sent.url, declared):
            with contextlib.suppress(ValueError):
                yield urljoin(base, url)


def _check_replies(probe: Probe, job: ObservedJob) -> None:
    """Check every rule that holds between the replies of one job."""
    replies = [reply for reply in [job.submit, *job.replies] if reply.body]
    found = job_violations([reply.body for reply in replies], probe.conventions)
    about_id = [one for one in found if one.field == probe.names.id]
    if about_id and not is_id_of_another_type(replies):
        found = (about_id[0],)  # the replies are about several jobs
    for violation in found:
        rule = _RULES.get(violation.keyword) or _rule_of_change(violation.pointer, probe, replies)
        if rule == "eta" and violation.keyword == "minimum":
            continue  # it was found when the reply came
        if rule == "id-changed" and is_id_of_another_type(replies):
            continue  # so was this
        if rule in OF_OUTPUT and breaks_member(replies[-1], probe.names.output):
            continue
        said = links_in_words(rule, replies) or str(violation)
        probe.find(rule, f"{job.label}: {said}", replies[-1])
    output = []
    if job.last_word == probe.conventions.words.success:
        output = job.links(probe.names.output)
    if not all(map(_is_http_link, output)):
        said = f"an output is not an http or https link: {json.dumps(output)[:200]}."
        probe.find("output-missing", f"{job.label}: {said}", replies[-1])


def _is_http_link(link: str) -> bool:
    try:
        parts = urlsplit(link)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.netloc)


def _rule_of_change(pointer: str, probe: Probe, replies: Sequence[ObservedReply]) -> str:
    """Return the rule that is broken if a field changed that should have stayed the same."""
    names, words = probe.conventions.fields, probe.conventions.words
    if pointer == f"/{names.id}":
        return "id-changed"
    successes = [reply for reply in replies if reply.word == words.success]
    outputs = {json.dumps(reply.body.get(names.output)) for reply in successes}
    return "output-changed" if len(outputs) > 1 else "future-links"


def _look_at_links(probe: Probe, job: ObservedJob) -> None:
    """Check that the links serve pictures of the right size, and nothing after a failure."""
    names, words = probe.conventions.fields, probe.conventions.words
    if job.last_word in (words.failed, words.error):
        _look_at_links_of_failure(probe, job)
    if job.last_word != words.success:
        return
    for place, link in enumerate(job.links(names.output)[:MOST_LINKS]):
        picture = picture_behind(probe, job, link)
        if picture is None:
            return
        if place == 0:
            job.picture = picture
        if problem := picture.problem_with(*_wanted_size(job)):
            probe.find("picture", f"{job.label}: {problem}", job.submit)


def _look_at_links_of_failure(probe: Probe, job: ObservedJob) -> None:
    for link in job.links(probe.names.future_links)[:1]:
        if _may_read(probe, link) and _is_served(probe.send(HttpRequest("GET", link))):
            said = f"its link is served, although the job has {job.last_word}."
            probe.find("link-early", f"{job.label}: {said}", job.submit, form="failed")


def _is_served(response: HttpResponse) -> bool:
    """Return True for a file; an error as JSON is none, whatever its HTTP code."""
    return response.code == 200 and "json" not in response.headers.get("content-type", "")


def picture_behind(probe: Probe, job: ObservedJob, link: str) -> SeenPicture | None:
    """Return what a link of a successful job serves; None, and a finding, if it serves nothing."""
    if not _may_read(probe, link):
        return None
    response = probe.send(HttpRequest("GET", link))
    answer = response.code or response.error
    job.moments.append(probe.moment(job.began, "link", str(answer)))
    if _is_served(response):
        return seen_picture(response.body)
    said = f"its link answered {answer}, although the job has succeeded."
    probe.find("link-dead", f"{job.label}: {said}", job.submit)
    return None


def look_again(probe: Probe, job: ObservedJob) -> None:
    """Check that a link serves the same bytes again, and that HEAD says how many."""
    links = job.links(probe.conventions.fields.output)
    if job.picture is None or not links:
        return
    picture = picture_behind(probe, job, links[0])
    if picture is not None and picture != job.picture:
        said = "its link served other bytes at the second reading."
        probe.find("picture-differs", f"{job.label}: {said}", job.submit, form="again")
    size = str(job.picture.bytes)
    head = probe.send(HttpRequest("HEAD", links[0]))
    length = head.headers.get("content-length", size)
    if head.code != 200 or length != size:
        said = (
            f"HEAD of its link answered {head.code or head.error} and {length} bytes,"
            f" GET 200 and {size}."
        )
        probe.find("head-differs", f"{job.label}: {said}", job.submit)


def _wanted_size(job: ObservedJob) -> tuple[Any, Any]:
    """Return width and height of the request; if they are missing, those of a known face."""
    names = job.operation.conventions.fields
    is_known_face = job.body.get(names.face_image) == FACE
    width, height = FACE_SIDES if is_known_face else (None, None)
    return job.body.get(names.width, width), job.body.get(names.height, height)
