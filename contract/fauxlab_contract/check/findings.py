"""What a check of a server found, and what it did to find it, as frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

__all__ = ["RULES", "Finding", "JobLife", "Moment", "PhaseResult", "Point", "Report", "Rule"]

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Rule:
    """A promise that a server keeps or breaks."""

    id: str
    severity: Severity
    summary: str
    advice: str


RULES: Mapping[str, Rule] = {
    rule.id: rule
    for rule in (
        Rule(
            "valid-refused",
            "error",
            "A request that keeps the contract was refused.",
            "Compare the limit with the document's.",
        ),
        Rule(
            "invalid-accepted",
            "error",
            "A request that breaks the contract was accepted.",
            "Check it before a job is made of it.",
        ),
        Rule(
            "malformed-accepted",
            "error",
            "What is no JSON object in UTF-8 was accepted.",
            "Parse strictly; look at Content-Type.",
        ),
        Rule(
            "method-accepted",
            "error",
            "A method or path that the document does not have was answered 2xx.",
            "Answer 404, or 405 and Allow.",
        ),
        Rule(
            "crash",
            "error",
            "No answer came, or one of 5xx, or none in time.",
            "Answer with an error that says what was wrong.",
        ),
        Rule(
            "reply-not-json",
            "error",
            "A reply was no JSON object.",
            "Answer each call to an operation with JSON.",
        ),
        Rule(
            "reply-schema",
            "error",
            "A reply broke its schema.",
            "Judge replies by the branch that their status names.",
        ),
        Rule(
            "http-code",
            "error",
            "A reply came with an HTTP code that it must not have.",
            "The document declares which codes there are.",
        ),
        Rule(
            "undeclared-code",
            "warning",
            "An error came with an HTTP code that the document does not declare.",
            "Clients may not expect it.",
        ),
        Rule(
            "media-type",
            "error",
            "A reply was not labelled application/json.",
            "Send Content-Type: application/json.",
        ),
        Rule(
            "key-echoed",
            "error",
            "The API key stood in a reply.",
            "Leave it out, of error messages too.",
        ),
        Rule(
            "key-accepted",
            "error",
            "A call with a key that is none was accepted.",
            "Refuse it; a server that takes all keys: --any-key.",
        ),
        Rule(
            "unknown-id",
            "error",
            "A fetch of an id that was never given out was answered with a job.",
            "Refuse unknown ids.",
        ),
        Rule(
            "foreign-job",
            "error",
            "A key was answered about another key's job.",
            "Refuse it like an unknown id.",
        ),
        Rule("id-shared", "error", "Two jobs have the same id.", "Give each id once."),
        Rule(
            "id-changed",
            "error",
            "A job's id changed between two replies.",
            "An id is final, in value and type.",
        ),
        Rule(
            "state-order",
            "error",
            "A job went back to an earlier state.",
            "Only processing may change into something else.",
        ),
        Rule(
            "job-lost",
            "error",
            "A job that was accepted is not known.",
            "Keep jobs until their links expire.",
        ),
        Rule(
            "never-ends",
            "error",
            "A job did not end, long after its eta.",
            "End it as failed if it cannot succeed.",
        ),
        Rule(
            "eta", "error", "An eta was negative, or grew.", "Say the seconds that remain, from 0."
        ),
        Rule(
            "fetch-result",
            "error",
            "fetch_result is not the address of this job on this server.",
            "Build it from the job's own id.",
        ),
        Rule(
            "output-early",
            "error",
            "A job that was processing had output.",
            "Leave it empty until the job has ended.",
        ),
        Rule(
            "output-missing",
            "error",
            "A success had no output that can be read.",
            "Give at least one http(s) link.",
        ),
        Rule(
            "output-changed",
            "error",
            "The output changed after the success.",
            "Answer the same again.",
        ),
        Rule(
            "future-links",
            "error",
            "future_links were not what became the output.",
            "They are final from the first reply.",
        ),
        Rule(
            "generation-time",
            "error",
            "A generation took less than no time.",
            "Give seconds, from 0.",
        ),
        Rule(
            "meta-differs",
            "error",
            "meta shows another request than the one that was sent.",
            "Echo the request as it took effect.",
        ),
        Rule(
            "link-early",
            "error",
            "A link could be read before the job had succeeded.",
            "Answer 404 until then.",
        ),
        Rule(
            "link-dead",
            "error",
            "A link could not be read after the success.",
            "Serve it for as long as is promised.",
        ),
        Rule(
            "picture",
            "error",
            "What a link serves is no picture of the size that was asked for.",
            "Width x height, as in the request.",
        ),
        Rule(
            "picture-differs",
            "error",
            "The same request with the same seed gave another picture.",
            "The seed decides.",
        ),
        Rule(
            "picture-same",
            "error",
            "Another seed or prompt gave the same picture.",
            "Both have a say in it.",
        ),
        Rule(
            "webhook-missing",
            "error",
            "A job ended and its webhook did not come.",
            "Send it however the job ended.",
        ),
        Rule(
            "webhook-repeated",
            "error",
            "A webhook that was answered with 200 came again.",
            "Deliver once.",
        ),
        Rule(
            "webhook-early",
            "error",
            "A webhook came before its job had ended.",
            "Send it when a fetch says so too.",
        ),
        Rule(
            "webhook-body",
            "error",
            "A webhook said something else than the fetch.",
            "Status, id and output are those of the job.",
        ),
        Rule(
            "track-id",
            "error",
            "track_id came back changed, or not at all.",
            "Repeat it as it was sent, in its type.",
        ),
        Rule(
            "queue-overrun",
            "error",
            "More jobs were taken than the queue holds.",
            "Refuse with retry_after.",
        ),
        Rule(
            "no-retry-after",
            "error",
            "A full queue refused without saying when to come back.",
            "Send retry_after in seconds.",
        ),
    )
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One promise that was broken, once for each place. `where` is a place in the document, `curl`
    sends the same again.
    """

    rule: str
    severity: Severity
    phase: str
    operation: str
    message: str
    where: str
    sent: str
    came: str
    curl: str
    times: int = 1

    def __str__(self) -> str:
        often = f" ({self.times} times)" if self.times > 1 else ""
        return f"{self.severity}: {self.rule}: {self.message}{often}"


@dataclass(frozen=True, slots=True)
class Point:
    """One value of one field that was tried: was it to be accepted, and was it? `came` is accepted,
    refused or broken.
    """

    operation: str
    field: str
    label: str
    value: str
    is_valid: bool
    came: str
    number: float | None = None

    @property
    def is_right(self) -> bool:
        return self.came == ("accepted" if self.is_valid else "refused")


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that happened to a job, `at_s` seconds after its submit was sent."""

    at_s: float
    what: str
    came: str


@dataclass(frozen=True, slots=True)
class JobLife:
    """What was seen of one job that was followed to its end. `eta_s` is what its submit was
    answered with.
    """

    job_id: str
    label: str
    eta_s: float | None
    moments: tuple[Moment, ...]


@dataclass(frozen=True, slots=True)
class PhaseResult:
    """What one phase did."""

    name: str
    steps: int
    calls: int
    submits: int
    seconds: float
    findings: int


@dataclass(frozen=True, slots=True)
class Report:
    """One check of one server. `not_covered` says what was left out, and why; `submits` counts what
    may have cost money.
    """

    url: str
    document: str
    profile: str
    errors: str
    seed: int
    phases: tuple[PhaseResult, ...]
    findings: tuple[Finding, ...]
    not_covered: tuple[str, ...]
    points: tuple[Point, ...]
    lives: tuple[JobLife, ...]
    calls: int
    submits: int
    seconds: float

    @property
    def is_ok(self) -> bool:
        """No promise was broken; warnings are no such thing."""
        return not any(finding.severity == "error" for finding in self.findings)
