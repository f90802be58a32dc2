"""Bodies of replies: the values of a job in the members that a variant declares."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fauxlab_contract.generation.smallest import value_or_sample
from fauxlab_contract.openapi.document import Document
from fauxlab_contract.openapi.operation import Operation
from fauxlab_contract.validation.bodies import response_violations
from fauxlab_mock.engine.filling import filled
from fauxlab_mock.engine.ids import JobIds
from fauxlab_mock.engine.job import Job

__all__ = ["Replies"]

SUBMIT_TIP = (
    "The picture is being made in the background; ask for it with its id, or at the address in"
    " fetch_result."
)
SUBMIT_MESSAGE = "Fetch the result once the estimated seconds are over."
FETCH_TIP = "Wait a little longer before each further try."
_TELLING = ("message", "detail", "msg", "title", "error", "description", "reason")
FETCH_MESSAGE = "Not ready yet, try again later."


class Replies:
    """Makes the bodies of one document's replies.

    Pictures are at `link_path` below the origin of their job.
    """

    def __init__(self, document: Document, link_path: str) -> None:
        self.document = document
        self.names = document.conventions.fields
        self.words = document.conventions.words
        self.link_path = link_path
        self._plain: dict[str, Any] = {}
        self.ids = JobIds(document)
        self._bases = {
            operation.path: operation.base_path
            for operation in document.operations
            if operation.kind == "fetch"
        }

    def of_job(self, operation: Operation, job: Job, now: float) -> dict[str, Any]:
        """Return what `operation` (submit or fetch) says of a job that runs or has succeeded."""
        state = job.state(now)
        links = self.links(job)
        names, words = self.names, self.words
        word = words.success if state == "success" else words.processing
        values = {names.id: self.ids.shown(operation.name, job.id, word), names.meta: job.meta}
        values[names.proxy_links] = links
        told = [names.id, names.fetch_result]
        if state == "success":
            told.append(names.output)
            values[names.generation_time] = round(job.plan.duration_s, 2)
            values[names.output] = links
        else:
            values |= self._processing(operation, job, links, now)
        return filled(operation.variants[word], names.status, values, told)

    def _processing(
        self, operation: Operation, job: Job, links: list[str], now: float
    ) -> dict[str, Any]:
        submitted = operation.kind == "submit"
        return {
            self.names.tip: SUBMIT_TIP if submitted else FETCH_TIP,
            self.names.eta: job.eta_s(now),
            self.names.message: SUBMIT_MESSAGE if submitted else FETCH_MESSAGE,
            self.names.fetch_result: self.fetch_url(operation, job),
            self.names.output: [],
            self.names.future_links: links,
        }

    def fetch_url(self, operation: Operation, job: Job) -> str:
        """Return the URL at which a job is fetched."""
        template = operation.fetch_path or operation.path
        head, _, _ = template.rpartition("/{")
        base_path = self._bases.get(template, self.document.base_path)
        return f"{job.origin}{base_path}{head}/{self.ids.shown(operation.name, job.id)}"

    def links(self, job: Job) -> list[str]:
        """Return the URLs of a job's pictures."""
        return [f"{job.origin}{self.link_path}/{name}" for name in job.files]

    def webhook(self, job: Job) -> dict[str, Any]:
        """Return what is POSTed when a job has ended, by the document's callback.

        It says how the job was planned to end, whatever a fetch says by now.
        """
        names = self.names
        has_failed = job.plan.outcome == "failed"
        word = self.words.failed if has_failed else self.words.success
        number = self.ids.shown(job.operation, job.id, word)
        track = {} if job.track_id is None else {names.track_id: job.track_id}
        if has_failed:
            return {
                names.status: word,
                names.id: number,
                names.message: job.plan.failure,
                **track,
            }
        output = {names.output: self.links(job)}
        if job.plan.webhook == "without_output":
            output = {}
        spent = {names.generation_time: round(job.plan.duration_s, 2)}
        return {
            names.status: word,
            names.id: number,
            **output,
            **spent,
            **track,
            names.meta: job.meta,
        }

    def failed(self, operation: Operation, job: Job) -> dict[str, Any]:
        """Return what an operation with the word `failed` says of a failed job."""
        values = {
            self.names.id: self.ids.shown(operation.name, job.id, self.words.failed),
            self.names.message: job.plan.failure,
            self.names.output: "",
        }
        variant = operation.variants[self.words.failed]
        return filled(variant, self.names.status, values, [self.names.id])

    def unknown(self, operation: Operation, message: str) -> dict[str, Any]:
        """Return what an operation with the word `failed` says of a job that is not known."""
        values = {self.names.id: "", self.names.message: message, self.names.output: ""}
        return filled(operation.variants[self.words.failed], self.names.status, values)

    def error(
        self,
        operation: Operation | None,
        message: str,
        extra: Mapping[str, Any] | None = None,
        code: int = 200,
    ) -> Any:
        """Return the error envelope, or what the document declares for errors of this code.

        `extra` maps roles to values that the envelope gets beside the message. What the document
        does not declare is said where its error takes more than it declares.
        """
        body: dict[str, Any] = {self.names.status: self.words.error, self.names.message: message}
        body |= {getattr(self.names, role): value for role, value in (extra or {}).items()}
        if operation is None:
            return body
        if not operation.is_success(code):
            return self.declared_error(operation, code, body)
        variant = operation.variants.get(self.words.error)
        if variant is None:
            return body
        shaped = filled(variant, self.names.status, body)
        whole = body | shaped
        return shaped if response_violations(operation, whole) else whole

    def declared_error(self, operation: Operation, code: int, body: Mapping[str, Any]) -> Any:
        """Return an error as the document declares it for its code.

        It is `body` where that fits, or where nothing is declared; else an example, or a body from
        the schema, that says the same message.
        """
        declared = operation.reply_for(code)
        check = declared.check if declared else None
        if declared is None or declared.schema is None or check is None or check.is_valid(body):
            return body
        made = declared.example
        if made is None or not check.is_valid(made):
            made = value_or_sample(declared.schema)
        told = (_telling(made, name, body[self.names.message]) for name in _TELLING)
        return next(filter(check.is_valid, told), made)

    def plain(self, operation: Operation) -> Any:
        """Return a valid reply of an operation without a lifecycle.

        It is the document's example, else one made from its schema.
        """
        if operation.name not in self._plain:
            self._plain[operation.name] = self._make_plain(operation)
        return self._plain[operation.name]

    def _make_plain(self, operation: Operation) -> Any:
        if operation.reply is None or operation.reply_schema is None:
            return {}
        if operation.reply_example is not None and operation.reply.is_valid(
            operation.reply_example
        ):
            return operation.reply_example
        variant = operation.variants.get(self.words.success)
        if variant is None:
            return value_or_sample(operation.reply_schema)
        values = {name: value_or_sample(schema) for name, schema in variant.properties.items()}
        return filled(variant, self.names.status, values)


def _telling(made: Any, name: str, message: str) -> Any:
    """Return a made error whose member `name`, here or further inside, is `message`.

    None where there is no such member.
    """
    if isinstance(made, list) and made:
        first = _telling(made[0], name, message)
        return None if first is None else [first, *made[1:]]
    if not isinstance(made, dict):
        return None
    if isinstance(made.get(name), str):
        return {**made, name: message}
    inner = ((key, _telling(value, name, message)) for key, value in made.items())
    return next(({**made, key: value} for key, value in inner if value is not None), None)
