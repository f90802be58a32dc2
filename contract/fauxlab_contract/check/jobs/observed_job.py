"""One job under observation, and how it begins."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin

from fauxlab_contract.check.causes import breaks_member
from fauxlab_contract.check.findings import JobLife, Moment
from fauxlab_contract.check.jobs.refusals import find_refused
from fauxlab_contract.check.oracle import ObservedReply, meta_problems
from fauxlab_contract.check.parameters import path_with
from fauxlab_contract.check.picture import SeenPicture
from fauxlab_contract.check.probe import DEFAULT_ETA_S, Probe
from fauxlab_contract.check.target import is_same_place
from fauxlab_contract.openapi.operation import Operation

__all__ = ["ObservedJob", "start_job"]


@dataclass(slots=True)
class ObservedJob:
    """What is known of one job so far.

    `picture` is its first picture; `count_webhooks` returns how many webhooks came for it so far.
    `is_lost`: a fetch after its eta did not know it. `needs_fetch`: its webhook came with its first
    fetch, long after its eta.
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
    needs_fetch: bool = False
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
        _note_refusal(probe, reply, body, label, prefer)
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


def _note_refusal(
    probe: Probe, reply: ObservedReply, body: Mapping[str, Any], label: str, prefer: str
) -> None:
    applied = reply.came.headers.get("preference-applied", "")
    is_asked_for = bool(prefer) and prefer in applied
    if reply.outcome == "refused" and not is_asked_for:
        extra = (probe.names.webhook, probe.names.track_id)
        before = probe.first_jobs.get(reply.operation.name)
        taken = before.body if before is not None else body
        plain = {name: value for name, value in taken.items() if name not in extra}
        changed = [name for name in body if name not in extra and body[name] != taken.get(name)]
        find_refused(probe, reply, plain, label, next(iter(changed), ""))
    probe.note(
        f"{probe.phase}: {label}: its submit was not accepted, so the job could not be followed"
    )


def _check_fetch_result(probe: Probe, job: ObservedJob) -> None:
    """Check that fetch_result is where this job is fetched: at this server, or the document's."""
    name = job.operation.conventions.fields.fetch_result
    url = job.submit.body.get(name)
    if url is None:
        return
    path = path_with(job.fetch, probe.parameters(job.fetch), job.id)
    here, declared = (
        probe.target.url + path,
        probe.document.origin + probe.document.base_path + path,
    )
    addresses = list(_addresses(probe, job, url)) if isinstance(url, str) else []
    if any(is_same_place(address, here) for address in addresses):
        return
    is_declared = any(is_same_place(address, declared) for address in addresses)
    rule = "fetch-result-elsewhere" if is_declared else "fetch-result"
    said = f"{name} is {json.dumps(url)[:200]}; the job is at {here}."
    probe.find(rule, f"{job.label}: {said}", job.submit)


def _addresses(probe: Probe, job: ObservedJob, url: str) -> Iterator[str]:
    """Yield what an address means: one that may be relative is of the URL of the submit."""
    yield url
    if not breaks_member(job.submit, job.operation.conventions.fields.fetch_result):
        declared = probe.document.origin + probe.document.base_path + job.operation.path
        for base in (job.submit.sent.url, declared):
            with contextlib.suppress(ValueError):
                yield urljoin(base, url)
