"""The rule for which each broken client deserves to be caught; any other finding is no kill."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["FORMS", "KNOWN_MISSES", "deserved"]

# Row of the list of mutants -> rules, of which at least one must be among the findings.
_ROWS: Mapping[str, str] = {
    **{f"C{number}": "bad-argument-sent" for number in (1, 2, 4, 5, 6, 9)},
    **{f"C{number}": "request-violation" for number in (3, 7, 8)},
    "C10": "misspelt-field",
    "C11": "request-violation",
    "C12": "wrong-path-or-method",
    "C13": "wrong-path-or-method",
    "C14": "request-violation",
    "C15": "polled-too-fast",
    "C16": "endless",
    "C17": "error-taken-for-success",
    "C18": "crashed",
    "C19": "wrong-result",
    "C20": "wrong-result",
    "C21": "duplicate-submit",
    "C22": "retried-permanent-error",
    "C23": "ignored-retry-after",
    "C24": "key-in-url",
    "C25": "key-leaked",
    "C26": "key-sent-elsewhere",
    "C28": "polled-after-webhook",
    "C29": "mixed-up",
    "C30": "http-accepted",
    "C31": "message-lost",
    "C32": "cancel-leaks",
    "C33": "no-timeout",
}
# Forms that deserve another rule than their row, because the break shows elsewhere.
FORMS: Mapping[str, str] = {
    "C3.passed": "bad-argument-sent",
    # `guidance` is no near miss of any field, so what shows is the argument that is gone
    "C10.guidance": "argument-lost",
    "C13.float": "unknown-id",
    "C13.next": "unknown-id",
    "C14.other": "wrong-key",
    "C17.failed": "polled-after-end",
    "C18.endless": "endless",
    "C28.after": "polled-after-end",  # the fetch after the webhook told the end, too
    "C30.tls": "tls-not-verified",
    "C32.disagree": "polled-after-end",
    "C33.fetch": "gave-up",
    "C33.nothing": "wrong-result",
}
# Candidates that are noticed, but for another reason than they deserve.
KNOWN_MISSES: Mapping[str, str] = {}


def deserved(name: str) -> frozenset[str]:
    """`C13.next` -> {"unknown-id"}; a form without an entry deserves the rule of its row."""
    row = name.partition(".")[0]
    return frozenset(FORMS.get(name, _ROWS[row]).split())
