"""The rules of the verdict: what a client should not do over whole lifecycles."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from fauxlab_contract.core.rules import (
    KEY_IN_URL,
    MISSPELT_FIELD,
    REQUEST_VIOLATION,
    Rule,
    table_of,
)

__all__ = ["RULES", "TOO_EARLY", "WHY_NOT", "Need"]

# What a rule needs to be judged: a clock on which pauses are real, requests that were validated,
# jobs that the journal knows from their submit on,
# and receivers that the mock has come to.
Need = Literal["pauses", "checked requests", "whole lives", "reached receivers"]
WHY_NOT: Mapping[Need, str] = {
    "pauses": (
        "pauses do not count on this clock; use the fixture fauxlab_time, or the real or manual"
        " clock"
    ),
    "checked requests": "requests are not checked with --validation off",
    "whole lives": "the journal does not have all of their jobs",
    "reached receivers": "webhooks that came to no receiver say nothing of it",
}

TOO_EARLY = "it is too early to say"

RULES = table_of(
    REQUEST_VIOLATION,
    MISSPELT_FIELD,
    KEY_IN_URL,
    Rule(
        "misused-mock",
        "error",
        "A call asked the mock for something that it does not have.",
        "Correct the test: the API would not have refused this call.",
    ),
    Rule(
        "wrong-path-or-method",
        "error",
        "A request matched no operation.",
        "Submit by POST, at the document's path; fetch by POST, at the address in fetch_result.",
    ),
    Rule(
        "unknown-id",
        "error",
        "A fetch asked for a job that does not belong to the key.",
        "Keep the id as the reply to the submit gave it.",
    ),
    Rule(
        "duplicate-submit",
        "error",
        "The same request was accepted twice, so it is charged twice.",
        "Submit again only if the API asks for it.",
    ),
    Rule(
        "retried-permanent-error",
        "error",
        "A request was repeated after an error that repeating cannot change.",
        "Stop and tell your user.",
    ),
    Rule(
        "link-before-success",
        "error",
        "A link was read before a reply or a webhook said success.",
        "Read links after a fetch says success.",
        needs=("whole lives",),
    ),
    Rule(
        "polled-before-eta",
        "note",
        "The first fetch came before the eta was over.",
        "You may wait for the eta first: an earlier fetch has little to tell.",
        needs=("pauses", "whole lives"),
    ),
    Rule(
        "polled-too-fast",
        "warning",
        "Fetches followed each other almost without a pause, many times in a row.",
        "Pause for a second or more.",
        needs=("pauses",),
    ),
    Rule(
        "ignored-retry-after",
        "warning",
        "A request was repeated before its retry_after was over.",
        "Wait as long as retry_after says.",
        needs=("pauses",),
    ),
    Rule(
        "polled-after-end",
        "warning",
        "A job was fetched more than once after a reply said that it had ended.",
        "Stop polling at success, failed and error.",
    ),
    Rule(
        "polled-after-webhook",
        "warning",
        "Polling went on after the webhook.",
        "Confirm the webhook by one fetch, then stop.",
    ),
    Rule(
        "abandoned-job",
        "warning",
        "A job was paid for, and the client never learnt how it ended.",
        "Poll the job until it ends.",
        needs=("whole lives",),
    ),
    Rule(
        "webhook-refused",
        "warning",
        "A webhook was not answered with 2xx.",
        "Answer 200 at once, also if the webhook comes again.",
        needs=("reached receivers",),
    ),
    Rule(
        "webhook-answered-late",
        "warning",
        "The receiver of a webhook took long to answer.",
        "Answer first, then do the work.",
        needs=("reached receivers",),
    ),
)
