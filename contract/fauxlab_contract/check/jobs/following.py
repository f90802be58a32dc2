"""How one job is followed: polled when faults show, and judged by all its replies."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import takewhile
from urllib.parse import urlsplit

from fauxlab_contract.check.causes import (
    breaks_member,
    is_id_of_another_type,
    links_in_words,
)
from fauxlab_contract.check.jobs.links import is_served, look_again, look_at_links, may_read
from fauxlab_contract.check.jobs.observed_job import ObservedJob
from fauxlab_contract.check.oracle import ObservedReply
from fauxlab_contract.check.probe import Probe
from fauxlab_contract.core.http import HttpRequest, HttpResponse
from fauxlab_contract.validation.lifecycle import job_violations

__all__ = ["follow", "poll"]

PATIENCE, GRACE_S = 3.0, 10.0  # a job may take this many times its eta, and a little more
BEFORE_S = 0.5  # how long before the eta the last early fetch comes
EARLY_FROM_S = 2.0  # the shortest eta that leaves time for early fetches
SHORTEST_S, LONGEST_S, GROWTH = 0.5, 5.0, 1.5  # pauses between fetches after the eta
OFF, OFF_S = 2.0, 5.0  # an eta is off that is over after this many times, and some seconds more
OF_OUTPUT = ("output-missing", "output-changed", "future-links")
_RULES = {
    "order": "state-order",
    "empty": "output-early",
    "not-empty": "output-missing",
    "minimum": "eta",
    "not-growing": "eta",
}


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
    _check_eta(probe, job)
    look_at_links(probe, job)
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
    if links and job.is_processing and may_read(probe, links[0]):
        response = probe.send(HttpRequest(method, links[0]))
        job.moments.append(probe.moment(job.began, "link", str(response.code)))
        if method == "HEAD" and response.code == 200 and not is_served(response):
            response = probe.send(HttpRequest("GET", links[0]))  # an error with 200, or HEAD alone
            if response.code != 200:
                said = f"HEAD of its link answered 200, GET {response.code}."
                probe.find("head-differs", f"{job.label}: {said}", job.submit)
    reply = poll(probe, job)
    is_processing = reply.word == job.operation.conventions.words.processing
    if response is not None and is_served(response) and is_processing:
        said = f"its link was served, and the fetch after that still said {reply.word}."
        probe.find("link-early", f"{job.label}: {said}", reply)


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


def _check_eta(probe: Probe, job: ObservedJob) -> None:
    """Warn about the eta of a reply that was far too short; it is an estimate, and no promise."""
    processing = probe.conventions.words.processing
    running = list(takewhile(lambda reply: reply.word == processing, [job.submit, *job.replies]))
    if job.is_processing or not running:
        return  # that it never ends is told already
    last_at = running[-1].came.at
    for reply in running:
        later_s = last_at - reply.came.at
        if reply.eta_s is not None and later_s > OFF * reply.eta_s + OFF_S:
            said = (
                f"an eta of {reply.eta_s:g} s, and {later_s:.0f} s later it was still {processing}."
            )
            probe.find("eta-off", f"{job.label}: {said}", reply)
            return


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
