"""What stands beside the body: required parameters, compression, and methods without a body."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from fauxlab_contract.check.parameters import Parameter, parameters_of
from fauxlab_contract.check.phases.coverage import can_be_got
from fauxlab_contract.check.phases.jobs import small_body
from fauxlab_contract.check.plan import Step
from fauxlab_contract.check.probe import Probe
from fauxlab_contract.core.http import HttpRequest
from fauxlab_contract.openapi.document import Document
from fauxlab_contract.openapi.operation import Operation

__all__ = ["beside_body", "without_body"]

SENT_ANYWAY = ("user-agent", "accept-encoding", "host", "connection", "content-length")
UNKNOWN_METHOD = (405, 501)
EXPRESSION = re.compile(r"\{[^{}]*\}")  # a part of a path that varies
MADE_UP = 1  # what stands for it
CODINGS = ("identity", "gzip")
GZIP = b"\x1f\x8b"  # how such bytes begin


def beside_body(
    document: Document, operation: Operation, fetch: Operation | None
) -> Iterator[Step]:
    """Yield a step for each coding of a reply, and one for each required parameter, left out.

    A fetch is asked for the coding, where there is one: it costs nothing.
    """
    asked = fetch or operation
    for coding in CODINGS:
        run = partial(_coded, operation, asked, coding)
        label = f"{operation.name}: Accept-Encoding: {coding}"
        yield Step("robustness", label, run, 1, int(asked.kind == "submit"), 6)
    for one in filter(None, (operation, fetch)):
        for parameter in _left_out(document, one):
            run = partial(_without, operation, one, parameter)
            label = f"{operation.name}: {one.name} without {parameter}"
            yield Step("robustness", label, run, 1, 0, 4)


def without_body(document: Document, operation: Operation) -> Iterator[Step]:
    """Yield a step that looks whether a server knows a GET that the document declares.

    Not if an address must be made up and the document has another method there: its route may
    answer first.
    """
    address = document.base_path + EXPRESSION.sub(str(MADE_UP), operation.path)
    is_alone = operation.method == "GET" and document.methods(address) == ("GET",)
    if can_be_got(operation) or is_alone:
        label = f"{operation.name}: its method"
        yield Step("robustness", label, partial(_known_method, operation), 1, 0, 6)


def _known_method(operation: Operation, probe: Probe) -> None:
    """Send a GET. Whether what it asks for is there is not judged: nobody knows its address."""
    reply = probe.look(operation, probe.request(operation, b"", job_id=MADE_UP, headers={}))
    if reply.came.code in UNKNOWN_METHOD:
        said = f"the document declares it, and it was answered with HTTP {reply.came.code}."
        probe.find("valid-refused", f"{operation.name}: {said}", reply, form="method")


def _left_out(document: Document, operation: Operation) -> list[Parameter]:
    found = parameters_of(document, operation)
    both = [*found.of("query"), *found.of("header")]
    return [
        one for one in both if not one.declared.is_ignored and one.name.lower() not in SENT_ANYWAY
    ]


def _request(
    operation: Operation, asked: Operation, probe: Probe, without: str = ""
) -> HttpRequest | None:
    """Return a valid request, but for a parameter; None for a fetch if there is no job."""
    if asked is operation:
        data = json.dumps(small_body(probe, operation)).encode()
        return probe.request(asked, data, without=without)
    job = probe.first_jobs.get(operation.name)
    if job is None:
        return None
    data = json.dumps(probe.smallest(asked)).encode() if asked.request else b""
    return probe.request(asked, data, job_id=job.id, without=without)


def _coded(operation: Operation, asked: Operation, coding: str, probe: Probe) -> None:
    """Ask for a reply in a coding: gzip must be named, and not come to those who take none."""
    sent = _request(operation, asked, probe)
    if sent is None:
        return
    headers = {**sent.headers, "accept-encoding": coding}
    reply = probe.look(asked, replace(sent, headers=headers))
    named = reply.came.headers.get("content-encoding", "identity")
    if coding == "identity" and named != "identity":
        said = f"Accept-Encoding was identity, and Content-Encoding is {named[:40]!a}."
        probe.find("compressed-unasked", said, reply)
    if named == "identity" and reply.came.body.startswith(GZIP):
        said = "The reply is compressed by gzip, and no Content-Encoding says so."
        probe.find("reply-not-json", said, reply)


def _without(operation: Operation, asked: Operation, parameter: Parameter, probe: Probe) -> None:
    """Leave out a parameter that is required; the request should be refused."""
    sent = _request(operation, asked, probe, without=parameter.name)
    if sent is None:
        return
    reply = probe.ask(asked, sent)
    if reply.outcome == "accepted":
        said = f"{asked.name} was accepted without {parameter}, which is required."
        probe.find("parameter-ignored", said, reply, form=str(parameter))
