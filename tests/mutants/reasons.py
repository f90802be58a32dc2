"""The rule for which each mutant deserves to be caught; any other finding is no kill."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["FORMS", "KNOWN_MISSES", "deserved"]

# Row of the list of mutants -> rules, of which at least one must be among the findings.
_ROWS: Mapping[str, str] = {
    "S1": "invalid-accepted",
    "S2": "invalid-accepted",
    "S3": "invalid-accepted",
    "S4": "valid-refused",
    "S5": "invalid-accepted",
    "S6": "invalid-accepted",
    "S7": "malformed-accepted",
    "S8": "invalid-accepted",
    "S9": "invalid-accepted",
    "S10": "invalid-accepted",
    "S11": "invalid-accepted",
    "S12": "invalid-accepted",
    "S13": "valid-refused",
    "S14": "invalid-accepted",
    "S15": "invalid-accepted",
    "S16": "malformed-accepted",
    "S17": "malformed-accepted",
    "S18": "http-code",
    "S19": "reply-schema",
    "S20": "reply-schema",
    "S21": "reply-schema",
    "S22": "reply-schema",
    "S23": "reply-schema",
    "S24": "eta",
    "S25": "reply-schema",
    "S26": "fetch-result",
    "S27": "output-early",
    "S28": "output-missing",
    "S29": "reply-schema",
    "S30": "id-changed",
    "S31": "id-shared",
    "S32": "state-order",
    "S33": "output-changed",
    "S34": "never-ends",
    "S35": "unknown-id-answered",
    "S36": "foreign-job",
    "S37": "key-accepted",
    "S38": "picture-same",
    "S39": "generation-time",
    "S40": "reply-schema",
    "S41": "key-echoed",
    "S42": "webhook-repeated",
    "S43": "webhook-early",
    "S44": "webhook-missing",
    "S45": "webhook-body",
    "S46": "track-id",
    "S47": "method-accepted",
    "S48": "queue-overrun",
    "E1": "future-links",
    "E2": "link-early",
    "E3": "link-dead",
    "E4": "picture",
    "E5": "fetch-result",
    "E6": "picture",
    "E7": "link-dead",
    "E8": "meta-differs",
    "E11": "reply-not-json",
    "E12": "webhook-body",
    "E13": "job-lost",
    "E14": "future-links",
    "E15": "meta-differs",
    "E17": "picture-same",
}
# Forms that deserve another rule than their row, because the break shows elsewhere.
FORMS: Mapping[str, str] = {
    "S07.nan-crash": "crash",
    "S07.overflow-crash": "crash",
    "S15.refuses-loopback": "valid-refused",
    "S15.refuses-https": "valid-refused",
    "S15.refuses-query": "valid-refused",
    "S15.refuses-port": "valid-refused",
    "S16.malformed-crash": "crash",
    "S16.empty-crash": "crash",
    "S16.array-crash": "crash",
    "S16.scalar-crash": "crash",
    "S16.encoding-crash": "crash",
    "S16.surrogate-crash": "crash",
    "S16.deep-crash": "crash",
    "S16.digits-crash": "crash",
    "S16.large-crash": "crash",
    "S16.id-crash": "crash",
    "S16.key-crash": "crash",
    "S16.duplicates-crash": "crash",
    "S16.html": "reply-not-json",
    "S17.refuses-charset": "valid-refused",
    "S17.refuses-capitals": "valid-refused",
    "S18.submit-500": "crash",
    "S18.failed-500": "crash",
    "S18.unknown-500": "crash",
    "S18.error-500": "crash",
    "S18.key-500": "crash",
    "S18.type-submit": "reply-media-type",
    "S18.type-fetch": "reply-media-type",
    "S18.type-error": "reply-media-type",
    "S18.type-none": "reply-media-type",
    "S19.hook": "webhook-body",
    "S20.hook-completed": "webhook-body",
    "S21.submit-array": "reply-not-json",
    "S21.submit-null": "reply-not-json",
    "S23.hook-id-text": "webhook-body",
    "S23.hook-id-missing": "webhook-body",
    "S27.submit-text": "reply-schema",  # text, and not even an empty one, is no list
    "S27.submit-null": "reply-schema",
    "S27.poll-array": "reply-schema",  # before the end the document has text there
    "S29.hook-relative": "webhook-body",
    "S32.gone": "job-lost",
    "S33.bytes": "picture-differs",
    "S35.crash": "crash",
    "S37.fetch-none": "invalid-accepted",  # a fetch, too, has required fields
    "S37.fetch-any": "foreign-job",
    "S38.random": "picture-differs",
    "S38.time": "picture-differs",
    "S39.hook-text": "webhook-body",
    "S39.at-once-text": "reply-schema",
    "S39.at-once-null": "reply-schema",
    "S40.hook": "webhook-body",
    "S44.query": "webhook-missing",
    "S45.meta": "meta-differs",  # whatever reply it stands in
    "S48.fourth": "valid-refused",
    "S48.no-retry": "no-retry-after",
    "S48.500": "crash",
    "S48.text": "no-retry-after",
    "S48.negative": "no-retry-after",
    "S48.full": "valid-refused",
    "S48.shared": "valid-refused",
    "E07.dead": "link-early",
    "E15.width": "picture",  # meta shows what was sent
    "E15.track_id": "track-id",
    "E15.webhook": "webhook-body",
}
# Mutants that are noticed, but for another reason than they deserve.
KNOWN_MISSES: Mapping[str, str] = {
    "E15.webhook": (
        "webhooks of jobs that named none are counted as repetitions of the one that was named:"
        " the check does not look whose ids they bear"
    ),
}


def deserved(name: str) -> frozenset[str]:
    """`S07.nan-crash` -> {"crash"}; a form without an entry deserves the rule of its row."""
    row = f"{name[0]}{int(name[1:3])}"
    return frozenset(FORMS.get(name, _ROWS[row]).split())
