"""Bodies of replies: the values of a job in the members that a variant declares."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fauxlab_contract.openapi.document import Document
from fauxlab_contract.openapi.operation import Operation, Variant
from fauxlab_contract.openapi.sample import sample
from fauxlab_contract.openapi.schema import Schema
from fauxlab_contract.openapi.types import types_of
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
        values = {names.id: job.id, names.proxy_links: links, names.meta: job.meta}
        if state == "success":
            word = words.success
            values[names.generation_time] = round(job.plan.duration_s, 2)
            values[names.output] = links
        else:
            word = words.processing
            values |= self._processing(operation, job, links, now)
        return self._fill(operation.variants[word], values)

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
        return f"{job.origin}{self._bases.get(template, self.document.base_path)}{head}/{job.id}"

    def links(self, job: Job) -> list[str]:
        """Return the URLs of a job's pictures."""
        return [f"{job.origin}{self.link_path}/{name}" for name in job.files]

    def webhook(self, job: Job) -> dict[str, Any]:
        """Return what is POSTed when a job has ended, by the document's callback.

        It says how the job was planned to end, whatever a fetch says by now.
        """
        names = self.names
        track = {} if job.track_id is None else {names.track_id: job.track_id}
        if job.plan.outcome == "failed":
            return {
                names.status: self.words.failed,
                names.id: job.id,
                names.message: job.plan.failure,
                **track,
            }
        output = {names.output: self.links(job)}
        if job.plan.webhook == "without_output":
            output = {}
        spent = {names.generation_time: round(job.plan.duration_s, 2)}
        return {
            names.status: self.words.success,
            names.id: job.id,
            **output,
            **spent,
            **track,
            names.meta: job.meta,
        }

    def failed(self, operation: Operation, message: str, job_id: int | str = "") -> dict[str, Any]:
        """Return what is said of a failed job, or of one that is not known.

        It is the variant `failed` where the operation has that word, else the error.
        """
        if self.words.failed not in operation.variants:
            return self.error(operation, message)
        names = self.names
        variant = operation.variants[self.words.failed]
        nothing: dict[str, Any] = {names.id: job_id, names.output: ""}
        values = {
            name: _allowed(value, variant.properties[name].resolved)
            for name, value in nothing.items()
            if name in variant.properties
        }
        return self._fill(variant, {**values, names.message: message})

    def error(
        self, operation: Operation | None, message: str, extra: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Return the error envelope.

        `extra` maps roles to values that the envelope gets beside the message.
        """
        body: dict[str, Any] = {self.names.status: self.words.error, self.names.message: message}
        if operation is not None and self.words.error in operation.variants:
            body |= self._fill(operation.variants[self.words.error], body)
        for role, value in (extra or {}).items():
            body[getattr(self.names, role)] = value
        return body

    def declared_error(self, operation: Operation | None, code: int, body: Any) -> Any:
        """Return an error as the document declares it for its code.

        It is `body` where that fits, or where nothing is declared; else an example, or a body from
        the schema, that says the same message.
        """
        declared = operation.reply_for(code) if operation else None
        check = declared.check if declared else None
        if operation is None or declared is None or check is None or operation.is_success(code):
            return body
        if check.is_valid(body) or declared.schema is None:
            return body
        made = declared.example
        if made is None or not check.is_valid(made):
            made = sample(declared.schema)
        told = (_telling(made, name, body.get(self.names.message, "")) for name in _TELLING)
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
            return sample(operation.reply_schema)
        values = {name: sample(schema) for name, schema in variant.properties.items()}
        return self._fill(variant, values)

    def _fill(self, variant: Variant, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return the members that a variant declares, in its order, as far as there are values.

        Required members are always there.
        """
        body = {}
        for name, schema in variant.properties.items():
            if name == self.names.status:
                body[name] = variant.word
            elif name in values:
                body[name] = _fit(values[name], schema)
            elif name in variant.required:
                body[name] = sample(schema)
        return body


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


def _allowed(value: Any, schema: Schema) -> Any:
    """Return a value that means nothing, in the form that a schema allows: "", null, [] or 0."""
    is_valid = schema.validator.is_valid
    means_nothing: tuple[Any, ...] = (value, None, [], 0)
    return next((one for one in means_nothing if is_valid(one)), value)


def _fit(value: Any, schema: Schema) -> Any:
    """Convert a value to the type of a schema: `["a"]` -> "a", [] -> "", "a" -> ["a"], 7 -> "7"."""
    types = types_of(schema)
    if isinstance(value, list) and "array" not in types and "string" in types:
        return value[0] if value else ""
    if isinstance(value, str) and "string" not in types and "array" in types:
        return [value] if value else []
    if isinstance(value, int) and "integer" not in types and "string" in types:
        return str(value)
    return value
