"""What becomes of a reply that does not fit the document: it is never sent as the API's."""

from __future__ import annotations

from dataclasses import replace

from fauxlab_contract.core.violation import summary
from fauxlab_mock.behaviour.refusals import REFUSALS
from fauxlab_mock.engine.messages import Decision, own_reply

__all__ = ["InvalidReplyError", "checked"]


class InvalidReplyError(AssertionError):
    """The mock could not make a reply that fits the document: no fault of the client."""

    __module__ = "fauxlab_mock.runtime"  # tracebacks name the room


def checked(decision: Decision, *, raises: bool) -> Decision:
    """Return the decision, or one that says what is wrong with its reply and changes nothing.

    With `raises`, raise InvalidReplyError in place of the latter.
    """
    if not decision.invalid:
        return decision
    operation = decision.facts.operation
    message = (
        f"fauxlab cannot make a reply of {operation.name if operation else 'the mock'} that fits"
        f" the document: {summary(decision.invalid)} Give the reply an example in the document."
    )
    if raises:
        raise InvalidReplyError(message)
    refusal = REFUSALS["no_reply"]
    decision.facts.refusal, decision.facts.job_id = refusal.case, None
    reply = own_reply(refusal.code, message)
    return replace(decision, reply=reply, changes=(), advance_to=None, rules=None, spends=None)
