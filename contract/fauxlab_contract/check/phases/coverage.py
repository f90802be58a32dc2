"""What a check leaves out, and why: nothing is accused that could not be measured."""

from __future__ import annotations

from collections.abc import Iterator

from fauxlab_contract.check.options import Options
from fauxlab_contract.check.oracle import error_shapes, shapes_of_reply
from fauxlab_contract.check.parameters import key_of, lacking, parameters_of, takes_key
from fauxlab_contract.generation.smallest import has_valid_body, smallest_request
from fauxlab_contract.openapi.document import Document
from fauxlab_contract.openapi.operation import Operation

__all__ = [
    "can_be_got",
    "not_covered",
    "not_judged",
    "reached",
    "unfollowed",
    "untried",
    "why_not",
    "without_roles",
]


def why_not(document: Document, operation: Operation, options: Options) -> str:
    """Return why an operation is not tried with bodies; empty if it is."""
    if operation.kind == "fetch" or operation.request is None:
        return "it takes no JSON body"
    lacks = lacking(operation, parameters_of(document, operation), dict(options.headers))
    if lacks:
        return f"needs {lacks}, and the document gives no value for it"
    body = smallest_request(operation, **key_of(operation, options.key))
    return "" if has_valid_body(operation, body) else "no valid body could be made"


def without_roles(document: Document) -> str:
    """Return what it means that no operation has a lifecycle or a key; empty if one has."""
    operations = document.operations
    if any(one.variants or takes_key(one) for one in operations):
        return ""
    key = document.conventions.fields.key
    return (
        f"no operation has a lifecycle, and no body the field {key}: replies are judged by their"
        " schemas alone, and no key was sent; name the roles in x-fauxlab (fauxlab routes helps)"
    )


def not_judged(document: Document) -> Iterator[str]:
    """Yield what cannot be judged because the document does not say what its words mean."""
    if said := without_roles(document):
        yield said
    for operation in document.operations:
        is_open = len(shapes_of_reply(operation)) > 1 and not error_shapes(operation)
        if is_open and not operation.variants:
            yield (
                f"{operation.name}: not judged whether bodies are accepted: its reply has several"
                " shapes, and no constant tells an error"
            )


def not_covered(document: Document, options: Options) -> Iterator[str]:
    """Yield a sentence for each operation, or part of one, that is left out."""
    for operation in document.operations:
        if operation.kind == "fetch" or operation.request is None:
            continue
        reason = why_not(document, operation, options)
        if reason:
            yield f"{operation.name}: {reason}"
        elif "lifecycle" in options.only:
            yield from _lifecycle(document, operation, options)


def untried(document: Document, options: Options) -> Iterator[str]:
    """Yield the operations that are sent nothing: neither bodies, nor the fetch of a job."""
    fetches = {
        fetch.name
        for one in document.operations
        if not why_not(document, one, options) and (fetch := reached(document, one, options))
    }
    for operation in document.operations:
        is_asked = operation.name in fetches or can_be_got(operation)
        if why_not(document, operation, options) and not is_asked:
            yield operation.name


def unfollowed(document: Document, options: Options) -> Iterator[str]:
    """Yield the operations whose jobs cannot be followed, although they can say processing."""
    for operation in document.operations:
        if operation.conventions.words.processing in operation.variants:
            is_tried = operation.kind != "fetch" and not why_not(document, operation, options)
            if is_tried and reached(document, operation, options) is None:
                yield operation.name


def can_be_got(operation: Operation) -> bool:
    """Return True for a GET at an address that is known: without a part that varies."""
    return operation.method == "GET" and operation.request is None and "{" not in operation.path


def reached(document: Document, submit: Operation, options: Options) -> Operation | None:
    """Return the operation that fetches the jobs of a submit, if all it needs is known."""
    fetch = document.fetch_of(submit)
    if fetch is None or lacking(fetch, parameters_of(document, fetch), dict(options.headers)):
        return None
    return fetch


def _lifecycle(document: Document, operation: Operation, options: Options) -> Iterator[str]:
    words = operation.conventions.words
    fetch = document.fetch_of(operation)
    if fetch is None:
        if words.processing in operation.variants:
            yield f"lifecycle: {operation.name}: no operation fetches its jobs"
        return
    lacks = lacking(fetch, parameters_of(document, fetch), dict(options.headers))
    if lacks:
        yield f"lifecycle: {fetch.name}: needs {lacks}, and the document gives no value for it"
    keyless = next((one for one in (operation, fetch) if not takes_key(one)), None)
    if keyless is not None:
        yield f"lifecycle: {keyless.name}: no key in its body, so other keys were not tried"
