"""The ids of jobs as a document wants them: jobs are numbered, and some documents want a text."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from fauxlab_contract.generation.search import text_of
from fauxlab_contract.openapi.document import Document, Match
from fauxlab_contract.openapi.operation import Operation
from fauxlab_contract.openapi.schema import Schema
from fauxlab_mock.engine.job import Job

__all__ = ["JobIds", "shown_id"]

_BASE = 10**8  # the first id is one more: ids that have no room for it count from 1
_DIGITS = re.compile(r"[0-9]+(?=[^0-9]*$)")  # the last ones


def shown_id(number: int, schema: Schema | None) -> Any:
    """Return the id of a job as a schema takes it; its number where there is no such form.

    `100000007` -> `"100000007"`, `"00000000-0000-4000-8000-000100000007"`, `"job_100000007"` for a
    pattern such as `^job_[0-9]+$`, `"job_0007"` where that has room for four digits.
    """
    if schema is None:
        return number
    return next(filter(schema.validator.is_valid, _forms(number, schema)), number)


def _forms(number: int, schema: Schema) -> Iterator[Any]:
    yield number
    yield str(number)
    keywords = schema.merged.keywords
    yield str(number).zfill(keywords.get("minLength", 0))
    yield f"00000000-0000-4000-8000-{number:012}"
    text = text_of(keywords["pattern"]) if "pattern" in keywords else None
    found = _DIGITS.search(text or "")
    if text and found:
        for each in (number, number - _BASE):
            yield text[: found.start()] + str(each).zfill(len(found[0])) + text[found.end() :]


def _numbers_in(text: str) -> Iterator[int]:
    """Yield the numbers of the jobs that an id may mean."""
    found = _DIGITS.search(text[:200])
    if found:
        yield int(found[0])
        yield int(found[0]) + _BASE


class JobIds:
    """Says and reads the ids of jobs for one document."""

    def __init__(self, document: Document) -> None:
        self._schemas = {one.name: _schema(document, one) for one in document.operations}

    def shown(self, operation: str, number: int) -> Any:
        """Return the id of a job as an operation says it, which is known by its name."""
        return shown_id(number, self._schemas.get(operation))

    def job(self, match: Match, job_of: Callable[[int], Job | None]) -> Job | None:
        """Return the job whose id, as its submit or this fetch says it, is in a path."""
        *_, text = match.parameters.values()
        for job in filter(None, map(job_of, _numbers_in(text))):
            operations = match.operation.name, job.operation
            if text in map(str, (job.id, *(self.shown(name, job.id) for name in operations))):
                return job
        return None


def _schema(document: Document, operation: Operation) -> Schema | None:
    """Return the schema of the id in the replies of an operation, else in the path of its fetch."""
    names, words = document.conventions.fields, document.conventions.words
    for variant in operation.variants.values():
        if variant.word != words.error and names.id in variant.properties:
            return variant.properties[names.id]
    fetch = document.fetch_of(operation)
    if fetch is not None:
        return _schema(document, fetch)
    wanted = operation.job_parameter
    return next((one.schema for one in operation.parameters if one.name == wanted), None)
