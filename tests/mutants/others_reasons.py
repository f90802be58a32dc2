"""What is true about the servers of tests/others: the rule that each bug deserves, and findings on
right servers that are right.
"""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["DESERVED", "EXPLAINED", "UNJUDGED", "explained"]

# Broken server -> the rules, of which at least one must be found; empty: UNJUDGED says why.
DESERVED: Mapping[str, str] = {
    "null_seed_crashes": "crash",
    "get_gives_result": "method-accepted",
    "key_in_meta": "key-echoed",
    "id_as_text": "reply-schema id-changed",
    "ids_by_the_second": "id-shared",
    "ids_race": "id-shared",
    "output_while_processing": "output-early",
    "future_links_differ": "future-links",
    "links_change_with_every_fetch": "output-changed",
    "success_without_output": "output-missing",
    "seconds_as_milliseconds": "never-ends",
    "done_at_once": "",
    "goes_back_to_processing": "state-order",
    "forgets_after_first_success": "job-lost",
    "status_completed": "reply-schema",
    "status_capitalised": "reply-schema",
    "eta_as_text": "reply-schema",
    "eta_negative": "eta",
    "fetch_result_relative": "fetch-result reply-schema",
    "fetch_result_other_host": "fetch-result-elsewhere",
    "fetch_result_wrong_path": "fetch-result",
    "framework_422": "reply-schema",
    "bad_json_is_500": "crash",
    "bad_json_drops_connection": "crash",
    "any_key_is_good": "key-accepted",
    "fetch_needs_no_key": "foreign-job invalid-accepted",
    "key_by_substring": "key-accepted",
    "face_image_not_required": "invalid-accepted",
    "message_names_wrong_field": "message-misleads",
    "unknown_id_is_html_404": "reply-not-json",
    "unknown_id_is_processing": "unknown-id-answered",
    "unknown_id_crashes": "crash",
    "last_job_for_everybody": "id-changed output-changed future-links",
    "shared_meta": "meta-differs",
    "length_in_characters": "crash reply-not-json",
    "length_too_large": "crash not-judged",
    "last_chunk_missing": "crash not-judged",
    "reads_64k_only": "valid-refused",
    "no_length_on_keepalive": "crash not-judged",
    "gzip_always": "compressed-unasked",
    "gzip_unnamed": "reply-not-json",
    "latin1_replies": "reply-not-json",
    "json_twice": "reply-not-json",
    "html_content_type": "reply-media-type",
    "webhook_too_early": "webhook-early",
    "webhook_has_the_key": "key-echoed",
    "webhook_id_as_text": "webhook-body",
    "webhook_flood": "webhook-repeated",
    "webhook_form_encoded": "webhook-body",
    "dead_webhook_kills_worker": "never-ends",
    "guidance_must_be_integer": "valid-refused",
    "undeclared_fields_refused": "valid-refused",
    "limit_excludes_itself": "valid-refused",
    "null_webhook_crashes": "crash",
    "seed_int32": "meta-differs",
    "seed_zero_is_random": "meta-differs",
    "meta_is_a_list": "reply-schema",
    "output_is_one_text": "reply-schema output-missing",
    "fetch_id_as_text": "id-changed reply-schema",
    "fetch_202": "http-code",
    "submit_201": "http-code",
    "tells_the_right_key": "key-echoed",
    "queue_never_empties": "valid-refused",
    "refusal_has_an_id": "",
    "not_a_number": "reply-not-json",
    "bom_before_json": "reply-not-json",
    "notice_before_json": "reply-not-json",
    "files_too_early": "link-early",
    "files_never": "link-dead",
    "prompt_stripped_of_letters": "meta-differs",
    "sqlite_replaces_last_job": "id-shared job-lost",
    "forgets_finished_jobs": "job-lost",
    "crash_on_large_numbers": "crash",
    "actor_dies": "crash",
    "other_list_refused": "valid-refused",
    "other_fetch_by_post": "valid-refused",
    "other_operation_missing": "valid-refused",
    "other_header_ignored": "parameter-ignored",
    "other_undeclared_422": "undeclared-code http-code",
    "other_null_id": "",
}

# Broken servers that no rule is about, and why a right server may behave so, or is not judged.
UNJUDGED: Mapping[str, str] = {
    "done_at_once": "an eta is what a job will probably take; it may be over sooner, even at once",
    "refusal_has_an_id": (
        "an error may have further members, and no source says what an id in it means: it may be"
        " the number of the request"
    ),
    "other_null_id": "the document lets the id be null, in every reply",
}

# Findings on right servers that are true by the document, although their authors see no fault in
# them: (rule, what the finding says, numbers of the servers or nothing for all, why it is true).
EXPLAINED: tuple[tuple[str, str, str, str], ...] = (
    ("invalid-accepted", "", "", "reads leniently: the limits of the document are not enforced"),
    ("malformed-accepted", "", "", "reads leniently: it takes a body that is no JSON object"),
    ("link-dead", "", "", "serves no pictures: all but 21 leave the links to another machine"),
    ("picture", "", "21", "serves one and the same picture for all"),
    ("picture-same", "", "21", "serves one and the same picture for all"),
    ("reply-not-json", "Infinity", "", "takes 1e999, and says Infinity, which is no JSON"),
    ("webhook-body", "not null", "08", "says null for a track_id that was not sent"),
    ("webhook-missing", "", "", "sends no webhooks at all"),
    ("track-id", "", "13 12", "numbers are doubles, and this one needs 54 bits"),
    ("track-id", "", "20", "tells track_id as text, as the vendor's prose does"),
    ("crash", "RemoteProtocolError", "", "deep JSON or half a surrogate pair ends the connection"),
    ("crash", "HTTP #", "", "deep JSON or half a surrogate pair is an error of the server"),
    ("crash", "ConnectError", "12 13", "the process ends at a webhook that is no URL"),
    ("crash", "no longer listens", "12 13", "the process ends at a webhook that is no URL"),
    ("reply-schema", "", "19 29", "answers as the real API was seen to, against the document"),
)


def explained(right: str, rule: str, said: str) -> str:
    """Return why a finding on a right server is true; empty for a false alarm."""
    for known, text, servers, reason in EXPLAINED:
        if rule == known and text in said and (not servers or right in servers.split()):
            return reason
    return ""
