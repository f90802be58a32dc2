"""The links of a job that has ended: that they serve pictures of the right size, and stay."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from fauxlab_contract.check.jobs.observed_job import ObservedJob
from fauxlab_contract.check.picture import FACE, FACE_SIDES, SeenPicture, seen_picture
from fauxlab_contract.check.probe import Probe
from fauxlab_contract.check.target import is_loopback_url
from fauxlab_contract.core.http import HttpRequest, HttpResponse

__all__ = ["is_served", "look_again", "look_at_links", "may_read", "picture_behind"]

MOST_LINKS = 4  # that are read of one output


def may_read(probe: Probe, link: str) -> bool:
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


def look_at_links(probe: Probe, job: ObservedJob) -> None:
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
        if may_read(probe, link) and is_served(probe.send(HttpRequest("GET", link))):
            said = f"its link is served, although the job has {job.last_word}."
            probe.find("link-early", f"{job.label}: {said}", job.submit, form="failed")


def is_served(response: HttpResponse) -> bool:
    """Return True for a file; an error as JSON is none, whatever its HTTP code."""
    return response.code == 200 and "json" not in response.headers.get("content-type", "")


def picture_behind(probe: Probe, job: ObservedJob, link: str) -> SeenPicture | None:
    """Return what a link of a successful job serves; None, and a finding, if it serves nothing."""
    if not may_read(probe, link):
        return None
    response = probe.send(HttpRequest("GET", link))
    answer = response.code or response.error
    job.moments.append(probe.moment(job.began, "link", str(answer)))
    if is_served(response):
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
