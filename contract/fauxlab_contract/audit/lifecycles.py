"""What may be wrong with lifecycles: jobs that nothing fetches, and fetches without jobs."""

from __future__ import annotations

import re

from fauxlab_contract.audit.rules import Defect, Defects
from fauxlab_contract.openapi.document import Document
from fauxlab_contract.openapi.operation import Operation
from fauxlab_contract.openapi.roles import shared_parts

__all__ = ["lifecycle_defects"]

_FETCH_WORDS = re.compile(r"fetch|status|result|poll|retriev", re.IGNORECASE)
_ID = re.compile(r"(^|[_-])id$|[a-z]Id$")


def lifecycle_defects(document: Document) -> Defects:
    """Yield what says processing and has no fetch, and fetches that no submit leads to.

    Operations that are told the same are one finding.
    """
    operations = document.operations
    led_to = {operation.fetch_path for operation in operations}
    unfetched = [
        one
        for one in operations
        if one.kind == "plain" and _says_processing(one) and not _looks_like_fetch(one)
    ]
    for operation in unfetched:
        yield _unfetched(document, operation)
    for operation in operations:
        if operation.kind == "fetch" and operation.path not in led_to and not unfetched:
            message = f"No submit leads to {operation.name}."
            yield Defect("fetch-without-submit", operation.pointer, message)


def _says_processing(operation: Operation) -> bool:
    return operation.conventions.words.processing in operation.variants


def _looks_like_fetch(operation: Operation) -> bool:
    """Return True for what may tell of a job, such as `GET /jobs/{id}`, by any of its signs."""
    words = operation.conventions.words
    tells_end = not {words.success, words.failed}.isdisjoint(operation.variants)
    names = {*(operation.request.properties if operation.request else ())}
    ids = names - {operation.conventions.fields.key}
    names_one = "{" in operation.path or bool(ids)  # a body with more than ids orders something
    is_about_one = names_one and all(map(_ID.search, ids))
    is_about_one = is_about_one or operation.method == "GET"
    has_word = _FETCH_WORDS.search(operation.path)
    return _says_processing(operation) and tells_end and bool(is_about_one or has_word)


def _unfetched(document: Document, operation: Operation) -> Defect:
    """Tell what is certain: there is no fetch, or fauxlab does not know it as one."""
    words = operation.conventions.words
    fetches = [one.name for one in document.operations if one.kind == "fetch"]
    others = [one for one in document.operations if _looks_like_fetch(one)]
    rule = "fetch-not-recognized"
    if fetches:  # the reader pairs what may say both
        message = f"Jobs are not followed to {fetches[0]}: the submit never says {words.success}."
    elif others:
        near = max(others, key=lambda one: shared_parts(one.path, operation.path))
        message = (
            f"Jobs are not followed to {near.name}, since its path does not end with /fetch/{{id}}."
        )
    else:
        rule, message = "no-fetch", f"It can say {words.processing}, and nothing fetches its jobs."
        if document.at(operation.pointer).member("callbacks").value:
            message = f"{message[:-1]}: their ends come by callback alone."
    return Defect(rule, operation.pointer, message)
