"""What may be wrong with lifecycles: jobs that nothing fetches, and fetches without jobs."""

from __future__ import annotations

from fauxlab_contract.audit.rules import Defect, Defects
from fauxlab_contract.openapi.document import Document
from fauxlab_contract.openapi.operation import Operation

__all__ = ["lifecycle_defects"]


def lifecycle_defects(document: Document) -> Defects:
    """Yield what says processing and has no fetch, and fetches that no submit leads to."""
    operations = document.operations
    led_to = {operation.fetch_path for operation in operations}
    unfetched = [one for one in operations if one.kind == "plain" and _says_processing(one)]
    for operation in unfetched:
        yield _unfetched(document, operation)
    for operation in operations:
        if operation.kind == "fetch" and operation.path not in led_to and not unfetched:
            message = f"No submit leads to {operation.name}."
            yield Defect("fetch-without-submit", operation.pointer, message)


def _says_processing(operation: Operation) -> bool:
    return operation.conventions.words.processing in operation.variants


def _looks_like_fetch(operation: Operation) -> bool:
    """Return True for `GET /jobs/{id}`, which may say processing and how a job ended."""
    words = operation.conventions.words
    tells_end = not {words.success, words.failed}.isdisjoint(operation.variants)
    is_about_one = operation.method == "GET" or "{" in operation.path
    return is_about_one and tells_end and _says_processing(operation)


def _unfetched(document: Document, operation: Operation) -> Defect:
    """Tell what is certain: there is no fetch, or fauxlab does not know it as one."""
    words = operation.conventions.words
    start = f"{operation.name} can say {words.processing}, and "
    fetches = [one.name for one in document.operations if one.kind == "fetch"]
    others = [one.name for one in document.operations if _looks_like_fetch(one)]
    rule, rest = "fetch-not-recognized", ""
    if operation.name in others:
        rest = "its path does not end with /fetch/{id}: if it is a fetch, no job leads to it."
    elif fetches:  # the reader pairs what may say both
        rest = f"never {words.success}: its jobs are not followed to {fetches[0]}."
    elif others:
        rest = (
            f"its jobs are not followed to {others[0]}, whose path does not end with /fetch/{{id}}."
        )
    elif document.at(operation.pointer).member("callbacks").value:
        rule, rest = "no-fetch", "no operation fetches its jobs: their ends come by callback alone."
    else:
        rule, rest = "no-fetch", "no operation fetches its jobs."
    return Defect(rule, operation.pointer, start + rest)
