"""The promises that a server keeps or breaks: what a check of a server can find."""

from __future__ import annotations

from fauxlab_contract.core.rules import Rule, table_of

__all__ = ["RULES"]

RULES = table_of(
    Rule(
        "valid-refused",
        "error",
        "A valid request was refused.",
        "Compare the server's limit with the document's.",
    ),
    Rule(
        "invalid-accepted",
        "error",
        "A request that breaks the contract was accepted.",
        "Validate the request before you create a job.",
    ),
    Rule(
        "malformed-accepted",
        "error",
        "A body that is not a UTF-8 JSON object was accepted.",
        "Parse strictly, and check Content-Type.",
    ),
    Rule(
        "method-accepted",
        "error",
        "A method or path that is not in the document was answered with 2xx.",
        "Answer 404, or 405 with Allow.",
    ),
    Rule(
        "crash",
        "error",
        "The server answered with 5xx, too late, or not at all.",
        "Answer with an error that says what was wrong.",
    ),
    Rule(
        "reply-not-json",
        "error",
        "A reply is not a JSON object.",
        "Answer every request to an operation with JSON.",
    ),
    Rule(
        "reply-schema",
        "error",
        "A reply breaks its schema.",
        "Compare the reply with the branch of the schema that its status names.",
    ),
    Rule(
        "http-code",
        "error",
        "A reply has an HTTP code that is not allowed for it.",
        "Use the codes that the document declares.",
    ),
    Rule(
        "undeclared-code",
        "warning",
        "An error has an HTTP code that the document does not declare.",
        "Declare the code: clients may not expect it.",
    ),
    Rule(
        "reply-media-type",
        "error",
        "A reply is not labelled application/json.",
        "Send Content-Type: application/json.",
    ),
    Rule(
        "key-echoed",
        "error",
        "The API key is in a reply.",
        "Leave the key out of every reply, also out of error messages.",
    ),
    Rule(
        "key-accepted",
        "error",
        "A request with an invalid key was accepted.",
        "Refuse invalid keys. If your server takes every key, check it with --any-key.",
    ),
    Rule(
        "unknown-id-answered",
        "error",
        "A fetch with an id that was never given out was answered with a job.",
        "Refuse unknown ids.",
    ),
    Rule(
        "foreign-job",
        "error",
        "A key got a reply about another key's job.",
        "Refuse it like an unknown id.",
    ),
    Rule("id-shared", "error", "Two jobs have the same id.", "Give each id only once."),
    Rule(
        "id-changed",
        "error",
        "The id of a job changed between two replies.",
        "Keep the id of a job, in value and type.",
    ),
    Rule(
        "state-order",
        "error",
        "A job went back to an earlier state.",
        "Let only processing change into another state.",
    ),
    Rule(
        "job-lost",
        "error",
        "A job that was accepted is no longer known.",
        "Keep jobs until their links expire.",
    ),
    Rule(
        "never-ends",
        "error",
        "A job had not ended long after its eta.",
        "End a job as failed if it cannot succeed.",
    ),
    Rule(
        "eta",
        "error",
        "An eta is negative, or grew.",
        "Send the seconds that remain, down to 0.",
    ),
    Rule(
        "fetch-result",
        "error",
        "fetch_result is not the address of this job on this server.",
        "Build fetch_result from the id of the job.",
    ),
    Rule(
        "output-early",
        "error",
        "A job that was processing had output.",
        "Leave output empty until the job has ended.",
    ),
    Rule(
        "output-missing",
        "error",
        "A success has no output that can be read.",
        "Send at least one http or https link.",
    ),
    Rule(
        "output-changed",
        "error",
        "The output changed after the success.",
        "Answer every fetch after the success with the same output.",
    ),
    Rule(
        "future-links",
        "error",
        "The output differs from the future_links that were announced.",
        "Keep the links of the first reply.",
    ),
    Rule(
        "generation-time",
        "error",
        "generationTime is negative.",
        "Send the seconds that the generation took, 0 or more.",
    ),
    Rule(
        "meta-differs",
        "error",
        "meta differs from the request that was sent.",
        "Repeat the request in meta as it took effect.",
    ),
    Rule(
        "link-early",
        "error",
        "A link could be read although the job had not succeeded.",
        "Answer 404 until the job has succeeded.",
    ),
    Rule(
        "link-dead",
        "error",
        "A link could not be read after the success.",
        "Serve links for as long as you promise.",
    ),
    Rule(
        "picture",
        "error",
        "A link does not serve a picture of the requested size.",
        "Serve a picture of width x height pixels, as requested.",
    ),
    Rule(
        "picture-differs",
        "error",
        "The same request with the same seed gave another picture.",
        "Let the seed decide.",
    ),
    Rule(
        "picture-same",
        "error",
        "Another seed or prompt gave the same picture.",
        "Let both the seed and the prompt change the picture.",
    ),
    Rule(
        "webhook-missing",
        "error",
        "A job ended, and its webhook did not come.",
        "Send the webhook for every end: success and failure.",
    ),
    Rule(
        "webhook-repeated",
        "error",
        "A webhook came again after it had been answered with 200.",
        "Deliver a webhook once.",
    ),
    Rule(
        "webhook-early",
        "error",
        "A webhook came before its job had ended.",
        "Send the webhook when fetches say that the job has ended.",
    ),
    Rule(
        "webhook-body",
        "error",
        "A webhook differs from the replies to fetches.",
        "Send the status, id and output of the job.",
    ),
    Rule(
        "track-id",
        "error",
        "track_id came back changed, or not at all.",
        "Repeat track_id as it was sent, in the same type.",
    ),
    Rule(
        "queue-overrun",
        "error",
        "More jobs were accepted than the queue holds.",
        "Refuse further jobs with retry_after.",
    ),
    Rule(
        "no-retry-after",
        "error",
        "A full queue refused a job without retry_after.",
        "Send retry_after, in seconds.",
    ),
)
