"""The ids of jobs as a document wants them: jobs are numbered, and some documents want a text."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from fauxlab_contract.generation.search import text_of
from fauxlab_contract.openapi.document import Document, Match
from fauxlab_contract.openapi.operation import Operation
from fauxlab_contract.openapi.schema import Schema
from fauxlab_mock.engine.job import Job

__all__ = ["JobIds", "shown_id"]

_BASE = 10**8  # the first id is one more: ids that have no room for it count from 1
_STEPS = (1_000_000, 1_000, 10)  # from a job to one that there is not; more than a trial has
_MOST = 200  # characters of an id
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
    yield str(number).zfill(min(int(keywords.get("minLength", 0)), _MOST))  # 12.0 is an integer
    yield f"00000000-0000-4000-8000-{number:012}"
    text = text_of(keywords["pattern"]) if "pattern" in keywords else None
    found = _DIGITS.search(text or "")
    if text and found:
        for each in (number, number - _BASE):
            yield text[: found.start()] + str(each).zfill(len(found[0])) + text[found.end() :]


def _numbers_in(text: str) -> Iterator[int]:
    """Yield the numbers of the jobs that an id may mean."""
    found = _DIGITS.search(text[:_MOST])
    if found:
        yield int(found[0])
        yield int(found[0]) + _BASE


class JobIds:
    """Says and reads the ids of jobs for one document.

    A pattern is read when this is made, which may take seconds, and not in the first call.
    """

    def __init__(self, document: Document) -> None:
        self._schemas = {one.name: _schemas(document, one) for one in document.operations}
        self._words = document.conventions.words
        for by_word in self._schemas.values():
            for schema in by_word.values():
                shown_id(_BASE, schema)

    def shown(self, operation: str, number: int, word: str | None = None) -> Any:
        """Return the id of a job as an operation, known by its name, says it with a status word.

        Without the word, or where what says it has no id: as it says that the job is processing.
        """
        by_word = self._schemas.get(operation, {})
        words = word, self._words.processing, self._words.success, *by_word
        return shown_id(number, next(filter(None, map(by_word.get, words)), None))

    def job(self, match: Match, job_of: Callable[[int], Job | None]) -> Job | None:
        """Return the job whose id, as its submit or this fetch says it, is in a path."""
        *_, text = match.parameters.values()
        for job in filter(None, map(job_of, _numbers_in(text))):
            if text == str(job.id) or text in self._forms(match.operation.name, job):
                return job
        return None

    def _forms(self, fetch: str, job: Job) -> Iterator[str]:
        """Yield the texts that a client may know a job by."""
        for operation in (fetch, job.operation):
            for word in self._schemas.get(operation, {}):
                yield str(self.shown(operation, job.id, word))

    def of_another_job(self, job: Job, word: str | None = None) -> Any:
        """Return an id that no job has, in the form of this one's."""
        own = self.shown(job.operation, job.id, word)
        others = (self.shown(job.operation, job.id + step, word) for step in _STEPS)
        return next((one for one in others if type(one) is type(own)), job.id + _STEPS[0])


def _schemas(document: Document, operation: Operation) -> Mapping[str | None, Schema]:
    """Return the schemas of the id in what an operation says, by the status word with it.

    Where its replies have none, they are those of its fetch; else, by None, that of its path.
    """
    names, words = document.conventions.fields, document.conventions.words
    found: dict[str | None, Schema] = {
        variant.word: variant.properties[names.id]
        for variant in operation.variants.values()
        if variant.word != words.error and names.id in variant.properties
    }
    fetch = document.fetch_of(operation)
    if found or fetch is not None:
        return found or _schemas(document, fetch or operation)
    wanted = operation.job_parameter
    path = next((one.schema for one in operation.parameters if one.name == wanted), None)
    return {} if path is None else {None: path}
