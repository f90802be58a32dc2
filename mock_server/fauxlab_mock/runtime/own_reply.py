"""What becomes of a reply of the mock that breaks the contract: a bug of ours, never sent."""

from __future__ import annotations

from dataclasses import replace

from fauxlab_contract.core.violation import summary
from fauxlab_mock.engine.messages import Decision, Reply
from fauxlab_mock.engine.replies import Replies

__all__ = ["InvalidReplyError", "checked"]


class InvalidReplyError(AssertionError):
    """A reply of the mock broke the contract: a bug of fauxlab, not of the client."""

    __module__ = "fauxlab_mock.runtime"  # tracebacks name the room


def checked(decision: Decision, replies: Replies, *, raises: bool) -> Decision:
    """Return the decision, or one that says what is wrong with its reply and changes nothing.

    With `raises`, raise InvalidReplyError in place of the latter.
    """
    if not decision.invalid:
        return decision
    bug = (
        "fauxlab made a reply that breaks the contract; please report this."
        f" {summary(decision.invalid)}"
    )
    if raises:
        raise InvalidReplyError(bug)
    reply = Reply(decision.reply.code, replies.error(None, bug))
    return replace(decision, reply=reply, changes=(), advance_to=None, rules=None, spends=None)
