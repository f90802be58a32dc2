"""The promises that a server keeps or breaks: what a check of a server can find."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from fauxlab_contract.core.rules import Rule

__all__ = ["HYGIENE", "RULES", "Cause", "ServerRule"]

Cause = Literal["place", "field", "member", "code", "operation", "check"]
HYGIENE = "hygiene"


@dataclass(frozen=True, slots=True)
class ServerRule(Rule):
    """A rule of the check.

    `one_for` says what is one cause, and so one finding: all that is wrong at one place of the
    document, with one field of a request, with one member of all replies, with one HTTP code, with
    one operation, or in the whole check. Rules of the group `hygiene` are no promises.
    """

    one_for: Cause = "place"
    group: str = ""


# In the order of their weight: what hurts every caller comes first.
_IN_ORDER = (
    # whom a key protects
    ServerRule(
        "key-echoed",
        "error",
        "The API key is in a reply.",
        "Leave the key out of every reply, also out of error messages.",
        one_for="check",
    ),
    ServerRule(
        "foreign-job",
        "error",
        "A key got a reply about another key's job.",
        "Refuse it like an unknown id.",
    ),
    ServerRule(
        "key-accepted",
        "error",
        "A request with an invalid key was accepted.",
        "Refuse invalid keys. If your server takes every key, check it with --any-key.",
    ),
    # the life of a job
    ServerRule(
        "never-ends",
        "error",
        "A job had not ended long after its eta.",
        "End a job as failed if it cannot succeed.",
    ),
    ServerRule(
        "job-lost",
        "error",
        "A job that was accepted is no longer known.",
        "Keep jobs until their links expire.",
    ),
    ServerRule(
        "id-shared",
        "error",
        "Two jobs have the same id.",
        "Give each id only once.",
    ),
    ServerRule(
        "id-changed",
        "error",
        "The id of a job changed between two replies.",
        "Keep the id of a job, in value and type.",
    ),
    ServerRule(
        "state-order",
        "error",
        "A job went back to an earlier state.",
        "Let only processing change into another state.",
    ),
    ServerRule(
        "unknown-id-answered",
        "error",
        "A fetch with an id that was never given out was answered with a job.",
        "Refuse unknown ids.",
    ),
    ServerRule(
        "fetch-result",
        "error",
        "fetch_result is not the address of this job on this server.",
        "Build fetch_result from the id of the job.",
    ),
    # every answer
    ServerRule(
        "crash",
        "error",
        "The server answered with 5xx, too late, or not at all.",
        "Answer in time, and with an error that says what was wrong.",
        one_for="operation",
    ),
    ServerRule(
        "reply-not-json",
        "error",
        "A reply is not a JSON object.",
        "Answer every request to an operation with a JSON object.",
    ),
    ServerRule(
        "reply-schema",
        "error",
        "A reply breaks its schema.",
        "Compare the reply with the branch of the schema that its status names.",
        one_for="member",
    ),
    # what a job gives
    ServerRule(
        "output-missing",
        "error",
        "A success has no output that can be read.",
        "Send at least one http or https link.",
    ),
    ServerRule(
        "output-changed",
        "error",
        "The output changed after the success.",
        "Answer every fetch after the success with the same output.",
    ),
    ServerRule(
        "output-early",
        "error",
        "A job that was processing had output.",
        "Leave output empty until the job has ended.",
    ),
    ServerRule(
        "future-links",
        "error",
        "The output differs from the future_links that were announced.",
        "Keep the links of the first reply.",
    ),
    ServerRule(
        "link-dead",
        "error",
        "A link could not be read after the success.",
        "Serve links for as long as you promise.",
    ),
    ServerRule(
        "link-early",
        "error",
        "A link could be read although the job had not succeeded.",
        "Answer 404 until the job has succeeded.",
    ),
    # its webhook
    ServerRule(
        "webhook-missing",
        "error",
        "A job ended, and its webhook did not come.",
        "Send the webhook for every end: success and failure.",
    ),
    ServerRule(
        "webhook-early",
        "error",
        "A webhook came before its job had ended.",
        "Send the webhook when fetches say that the job has ended.",
    ),
    ServerRule(
        "webhook-body",
        "error",
        "A webhook differs from the replies to fetches.",
        "Send the members that a fetch would send, with the same values.",
    ),
    ServerRule(
        "webhook-repeated",
        "error",
        "A webhook came again and again, although each was answered with 200.",
        "Stop when a webhook has been answered with 2xx.",
    ),
    ServerRule(
        "track-id",
        "error",
        "track_id came back changed, or not at all.",
        "Repeat track_id as it was sent, in the same type.",
    ),
    # what is taken
    ServerRule(
        "valid-refused",
        "error",
        "A valid request was refused.",
        "Take what the document allows, or change the document.",
    ),
    ServerRule(
        "invalid-accepted",
        "error",
        "A request that breaks the contract was accepted.",
        "Validate each request before you act on it.",
        one_for="field",
    ),
    ServerRule(
        "malformed-accepted",
        "error",
        "A body that is no JSON object was accepted.",
        "Refuse what cannot be parsed, and what is no object.",
    ),
    ServerRule(
        "queue-overrun",
        "error",
        "More jobs were accepted than the queue holds.",
        "Refuse further jobs with retry_after.",
    ),
    ServerRule(
        "no-retry-after",
        "error",
        "A full queue refused a job without retry_after.",
        "Send retry_after, in seconds.",
    ),
    ServerRule(
        "method-accepted",
        "error",
        "A method or path that is not in the document was answered with 2xx.",
        "Answer 404, or 405 with Allow.",
    ),
    # members and labels
    ServerRule(
        "eta",
        "error",
        "An eta is negative, or grew.",
        "Send the seconds that remain, down to 0.",
        one_for="member",
    ),
    ServerRule(
        "generation-time",
        "error",
        "generationTime is negative.",
        "Send the seconds that the generation took, 0 or more.",
        one_for="member",
    ),
    ServerRule(
        "meta-differs",
        "error",
        "meta differs from the request that was sent.",
        "Repeat the request in meta as it took effect.",
    ),
    ServerRule(
        "http-code",
        "error",
        "A reply has an HTTP code that is not allowed for it.",
        "Use the codes that the document declares, or say with --errors which others you use.",
        one_for="code",
    ),
    ServerRule(
        "reply-media-type",
        "error",
        "A reply is not labelled application/json.",
        "Send Content-Type: application/json.",
        one_for="check",
    ),
    # pictures
    ServerRule(
        "picture",
        "error",
        "A link does not serve a picture of the requested size.",
        "Serve a picture of width x height pixels, as requested.",
    ),
    ServerRule(
        "picture-differs",
        "error",
        "The same request with the same seed gave another picture.",
        "Let the seed decide.",
    ),
    ServerRule(
        "picture-same",
        "error",
        "Another seed or prompt gave the same picture.",
        "Let both the seed and the prompt change the picture.",
        one_for="operation",
    ),
    # works, but is risky
    ServerRule(
        "undeclared-code",
        "warning",
        "An error has an HTTP code that the document does not declare.",
        "Declare the code: clients may not expect it.",
        one_for="code",
    ),
    # hygiene: habits that most servers have
    ServerRule(
        "lenient-json",
        "warning",
        "A body was accepted that not every JSON parser reads in the same way.",
        "Parse strictly: another parser may read another value.",
        one_for="check",
        group=HYGIENE,
    ),
    ServerRule(
        "media-type-ignored",
        "warning",
        "A body that is not labelled as JSON was accepted.",
        "Look at Content-Type, and refuse what is not application/json.",
        one_for="check",
        group=HYGIENE,
    ),
    ServerRule(
        "webhook-host",
        "warning",
        "A webhook was accepted that leads to no http address, or into a network of machines.",
        "Take http and https only, and refuse link-local and metadata hosts.",
        one_for="check",
        group=HYGIENE,
    ),
    ServerRule(
        "webhook-twice",
        "warning",
        "A webhook came a second time after it had been answered with 200.",
        "Deliver a webhook once, or say in the document that it may come twice.",
        one_for="operation",
        group=HYGIENE,
    ),
    ServerRule(
        "foreign-job-told",
        "warning",
        "A key can tell another key's job from an unknown id.",
        "Refuse both with the same code and the same words.",
        group=HYGIENE,
    ),
    ServerRule(
        "fetch-result-elsewhere",
        "warning",
        "fetch_result leads to the document's server, not to the one that was asked.",
        "Build fetch_result from the address at which the server is reached.",
        one_for="operation",
        group=HYGIENE,
    ),
    ServerRule(
        "eta-off",
        "warning",
        "A job took far longer than its eta said.",
        "Send the seconds that really remain: clients plan their fetches by it.",
        one_for="operation",
        group=HYGIENE,
    ),
    ServerRule(
        "parameter-ignored",
        "warning",
        "A request without a query parameter or header that is required was accepted.",
        "Refuse the request, or declare the parameter as optional.",
        group=HYGIENE,
    ),
    ServerRule(
        "message-misleads",
        "warning",
        "The message of a refusal names another field than the one that is missing.",
        "Name the field that is missing.",
        one_for="operation",
        group=HYGIENE,
    ),
    ServerRule(
        "compressed-unasked",
        "warning",
        "A reply was compressed, although the request takes no compression.",
        "Look at Accept-Encoding before you compress.",
        one_for="check",
        group=HYGIENE,
    ),
    ServerRule(
        "whole-float-refused",
        "warning",
        "A whole number with a fraction of zero, such as 1024.0, was refused for an integer.",
        "To JSON Schema, 1024.0 is an integer; some encoders write it so.",
        one_for="check",
        group=HYGIENE,
    ),
    ServerRule(
        "head-differs",
        "warning",
        "HEAD of a link says something else than GET.",
        "Answer HEAD as GET, without the body.",
        one_for="check",
        group=HYGIENE,
    ),
)
RULES: Mapping[str, ServerRule] = {rule.id: rule for rule in _IN_ORDER}
