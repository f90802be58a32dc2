"""The engine: every lifecycle and every refusal, in process."""

from __future__ import annotations

import base64
import gzip
import io
import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from documents import altered, rooms
from driving import BUNDLED, JSON_TYPE, KEY, SUBMIT, VALID, fetch, get, make_mock, post, submit
from fauxlab_contract.core.violation import Violation
from fauxlab_contract.openapi.document import read_document
from fauxlab_contract.validation.lifecycle import job_violations
from fauxlab_mock.behaviour.scenarios import SCENARIOS
from fauxlab_mock.engine.messages import Call
from fauxlab_mock.engine.pictures import Picture

LINK = "https://modelslab.com/generations/a66f7fdd-ac6c-4456-8562-0946627636a8-0.png"
META = {
    "prompt": "studio portrait",
    "face_image": "https://example.com/face.png",
    "seed": 7,
    "width": 512,
    "height": 512,
    "file_prefix": "a66f7fdd-ac6c-4456-8562-0946627636a8",
}
NOT_FOUND = {"status": "failed", "id": "", "message": "Request not found", "output": ""}


def test_submit_answers_processing_with_all_published_fields_in_order() -> None:
    """A valid submit is answered with the ten published fields, in the published order."""
    reply = submit(make_mock())

    assert (reply.code, list(reply.body.items())) == (
        200,
        [
            ("status", "processing"),
            ("tip", reply.body["tip"]),
            ("eta", 5),
            ("message", reply.body["message"]),
            ("fetch_result", "https://modelslab.com/api/v6/image_editing/fetch/100000001"),
            ("id", 100000001),
            ("output", []),
            ("future_links", [LINK]),
            ("proxy_links", [LINK]),
            ("meta", META),
        ],
    )


def test_fetch_answers_processing_in_its_own_shape() -> None:
    """A fetch of a running job has an empty text as output, and neither id nor eta."""
    mock = make_mock()
    job_id = submit(mock).body["id"]

    reply = fetch(mock, job_id)

    assert list(reply.body) == ["status", "message", "output", "tip"]
    assert (reply.code, reply.body["status"], reply.body["output"]) == (200, "processing", "")


def test_fetch_answers_success_when_the_eta_is_over() -> None:
    """After exactly the eta, a fetch is answered with the promised links."""
    mock = make_mock()
    job_id = submit(mock).body["id"]
    mock.clock.advance(5)

    assert fetch(mock, job_id).body == {"status": "success", "id": job_id, "output": [LINK]}


def test_a_job_has_not_ended_a_moment_before_its_eta() -> None:
    """One millisecond before the end the job is still processing."""
    mock = make_mock()
    job_id = submit(mock).body["id"]
    mock.clock.advance(4.999)

    assert fetch(mock, job_id).body["status"] == "processing"


def test_time_in_small_steps_adds_up() -> None:
    """Fifty steps of a tenth of a second end a job of five seconds, whatever the rounding."""
    mock = make_mock()
    job_id = submit(mock).body["id"]
    for _ in range(50):
        mock.clock.advance(0.1)

    assert fetch(mock, job_id).body["status"] == "success"


@pytest.mark.parametrize(
    "settings, prefer",
    [({"eta": 0.0}, ""), ({}, "eta=0"), ({}, "scenario=instant"), ({"scenario": "instant"}, "")],
)
def test_immediate_success(settings: dict[str, Any], prefer: str) -> None:
    """With an eta of 0, or the scenario instant, the submit itself is answered with success."""
    reply = submit(make_mock(**settings), prefer)

    assert list(reply.body.items()) == [
        ("status", "success"),
        ("generationTime", 0),
        ("id", 100000001),
        ("output", [LINK]),
        ("proxy_links", [LINK]),
        ("meta", META),
    ]


def test_polls_delay_success_beyond_the_eta() -> None:
    """With polls=2 two fetches are answered processing although the time is over."""
    mock = make_mock()
    job_id = submit(mock, "polls=2, eta=0").body["id"]

    assert [fetch(mock, job_id).body["status"] for _ in range(4)] == [
        "processing",
        "processing",
        "success",
        "success",
    ]


@pytest.mark.parametrize("job_id", ["1", "abc", "100000002", "-1", "١٠", "9" * 30, "100000001.0"])
def test_unknown_ids_are_not_found(job_id: str) -> None:
    """Whatever is not the id of a job is answered with "Request not found"."""
    mock = make_mock()
    submit(mock)

    assert fetch(mock, job_id).body == NOT_FOUND


def test_another_key_cannot_fetch_a_job() -> None:
    """A job of another key is answered exactly like one that does not exist."""
    mock = make_mock()
    job_id = submit(mock).body["id"]

    assert fetch(mock, job_id, key="another-key").body == NOT_FOUND


def test_failed_job() -> None:
    """The scenario failed processes first, then each fetch says failed, with id and message."""
    mock = make_mock()
    job_id = submit(mock, "scenario=failed").body["id"]
    before = fetch(mock, job_id).body["status"]
    mock.clock.advance(5)
    reply = fetch(mock, job_id)

    assert (before, reply.code) == ("processing", 200)
    assert reply.body == {
        "status": "failed",
        "id": job_id,
        "message": reply.body["message"],
        "output": "",
    }
    assert get(mock, LINK).code == 404


def test_failed_at_once_is_an_error_of_the_submit() -> None:
    """A submit has no failed branch, so a job that fails at once is answered with error, and no job
    is kept.
    """
    mock = make_mock()

    assert submit(mock, "scenario=failed, eta=0").body["status"] == "error"
    assert mock.jobs == ()


def test_early_not_found_hides_a_live_job_once() -> None:
    """The scenario early_not_found does not know the job at the first fetch and knows it
    afterwards.
    """
    mock = make_mock()
    job_id = submit(mock, "scenario=early_not_found").body["id"]

    assert [fetch(mock, job_id).body["status"] for _ in range(2)] == ["failed", "processing"]


REFUSING = {
    "invalid_key": (401, {"status": "error", "message": "Invalid API key"}),
    "no_credits": (
        402,
        {
            "status": "error",
            "message": "Insufficient credits. Please add more credits to continue.",
        },
    ),
    "rate_limited": (
        429,
        {
            "status": "error",
            "message": "Rate limit exceeded. Maximum 5 queued requests allowed.",
            "retry_after": 30,
        },
    ),
    "missing_key": (401, {"status": "error", "message": "API key required"}),
    "plan_required": (
        403,
        {"status": "error", "message": "This feature requires a premium subscription"},
    ),
    "queue_full": (
        429,
        {
            "status": "error",
            "message": "Rate limit exceeded. Maximum 5 queued requests allowed.",
            "retry_after": 30,
        },
    ),
    "try_again": (503, {"status": "error", "message": "Try Again"}),
    "rejected_image": (
        400,
        {"status": "error", "message": "Unable to fetch image from provided URL"},
    ),
    "unavailable": (
        503,
        {"status": "error", "message": "Service temporarily unavailable. Please try again later."},
    ),
    "server_error": (
        500,
        {"status": "error", "message": "Internal server error. Please try again."},
    ),
}


def test_every_refusing_scenario_is_tested_below() -> None:
    """The table above names each scenario that refuses."""
    refusing = [name for name, scenario in SCENARIOS.items() if scenario.does_refuse("submit")]
    assert sorted(REFUSING) == sorted(set(refusing) - {"maintenance_html"})


@pytest.mark.parametrize("errors", ["envelope", "status"])
@pytest.mark.parametrize("way", ["prefer", "key", "setting"])
@pytest.mark.parametrize("scenario", REFUSING)
def test_refusing_scenarios(scenario: str, way: str, errors: str) -> None:
    """Each refusing scenario answers its envelope, chosen by header, key or setting; the code
    follows the error profile.
    """
    mock = make_mock(errors=errors, scenario=scenario if way == "setting" else "success")

    reply = submit(
        mock,
        f"scenario={scenario}" if way == "prefer" else "",
        **({"key": f"mock_{scenario}"} if way == "key" else {}),
    )

    code, body = REFUSING[scenario]
    assert (reply.code, reply.body) == (200 if errors == "envelope" else code, body)
    assert reply.headers["x-mock-scenario"] == scenario


@pytest.mark.parametrize("way", ["prefer", "key", "setting"])
@pytest.mark.parametrize(
    "scenario, statuses",
    [("failed", ["processing", "failed"]), ("instant", ["success", "success"])],
)
def test_planned_scenarios_by_every_way(scenario: str, statuses: list[str], way: str) -> None:
    """A scenario chosen by header, by key or as a setting has the same lifecycle."""
    key = f"mock_{scenario}" if way == "key" else KEY
    mock = make_mock(scenario=scenario if way == "setting" else "success")
    first = submit(mock, f"scenario={scenario}" if way == "prefer" else "", key=key).body
    mock.clock.advance(5)

    assert [first["status"], fetch(mock, first["id"], key).body["status"]] == statuses


def test_the_header_wins_over_the_key_and_the_key_over_the_setting() -> None:
    """The most specific choice wins: header, then key, then setting."""
    mock = make_mock(scenario="server_error")

    assert submit(mock, key="mock_no_credits").body["message"].startswith("Insufficient")
    assert submit(mock, "scenario=instant", key="mock_no_credits").body["status"] == "success"


@pytest.mark.parametrize(
    "prefer, key",
    [
        ("scenario=nonsense", KEY),
        ("scenario=", KEY),
        ("scenario", KEY),
        ("", "mock_nonsense"),
        ("", "mock_"),
    ],
)
def test_unknown_scenarios_are_refused_with_the_list(prefer: str, key: str) -> None:
    """An unknown scenario is answered in the mock's own name, with the names there are."""
    reply = submit(make_mock(), prefer, key=key)

    detail = f"There is no such scenario; there are {', '.join(SCENARIOS)}."
    if not prefer:
        detail = f"A key that begins with mock_ chooses a scenario. {detail}"
    assert (reply.code, reply.headers, reply.body) == (501, *own(detail))


def own(detail: str) -> tuple[dict[str, str], dict[str, str]]:
    """The headers and the body of an answer in the mock's own name."""
    title = "An answer of fauxlab itself, not of the API"
    return {"content-type": "application/problem+json"}, {"title": title, "detail": detail}


@pytest.mark.parametrize("errors", ["envelope", "status"])
@pytest.mark.parametrize(
    "prefer, key, detail",
    [
        ("scenario=fail", KEY, "There is no scenario 'fail'; did you mean failed?"),
        ("scenario=Failed", KEY, "There is no scenario 'Failed'; did you mean failed?"),
        (
            "",
            "mock_no_credit",
            "A key that begins with mock_ chooses a scenario. There is no scenario 'no_credit'; did"
            " you mean no_credits?",
        ),
        ("scenaro=failed", KEY, "There is no preference 'scenaro'; did you mean scenario?"),
        ("Faults=HANG", KEY, "There is no preference 'faults'; did you mean fault?"),
    ],
)
def test_a_mistake_in_using_the_mock_is_no_error_of_the_api(
    errors: str, prefer: str, key: str, detail: str
) -> None:
    """What is misspelt is answered by 501 in both profiles, in a shape that no API has, with what
    was perhaps meant; no job is made, and the mock remembers it.
    """
    mock = make_mock(errors=errors)
    reply = submit(mock, prefer, key=key, width=5_000)

    assert (reply.code, reply.headers, reply.body) == (501, *own(detail))
    assert (list(mock.jobs), [each.refusal for each in mock.own_replies]) == ([], ["misuse"])
    mock.reset()
    assert list(mock.own_replies) == []


def test_a_listed_key_may_begin_as_it_likes() -> None:
    """A key of --keys that begins with mock_ is a key, whatever scenarios there are."""
    mock = make_mock(keys=frozenset({"mock_key"}))

    assert submit(mock, key="mock_key").body["status"] == "processing"


def test_preferences_of_prism_are_hinted_at() -> None:
    """Who comes from Prism is told, beside the reply, that nothing comes of its preferences."""
    mock = make_mock()
    reply = submit(mock, "code=404, example=none")

    assert (reply.body["status"], reply.headers["x-mock-hint"]) == (
        "processing",
        "The preferences code, example and dynamic are Prism's, and nothing comes of them here;"
        " choose a reply by scenario=NAME.",
    )
    assert mock.requests[0].hint == reply.headers["x-mock-hint"]


def test_a_preference_on_fetch_touches_that_reply_alone() -> None:
    """A scenario preferred on a fetch changes that answer; the next shows the job as it is."""
    mock = make_mock()
    job_id = submit(mock).body["id"]

    preferred = fetch(mock, job_id, prefer="scenario=failed, eta=0").body["status"]

    assert (preferred, fetch(mock, job_id).body["status"]) == ("failed", "processing")


@pytest.mark.parametrize("planned", ["failed", "failed_late", "stuck", "slow"])
def test_a_preferred_success_is_a_success_whatever_the_job_was_planned_for(planned: str) -> None:
    """Nothing of the job's own scenario is left in a reply that prefers another."""
    mock = make_mock(eta=5.0)
    job_id = submit(mock, f"scenario={planned}").body["id"]
    early = fetch(mock, job_id, prefer="scenario=success").body["status"]
    mock.clock.advance(5)

    assert (early, fetch(mock, job_id, prefer="scenario=success").body["status"]) == (
        "processing",
        "success",
    )


@pytest.mark.parametrize(
    "codes, errors, expected",
    [
        (("400",), "envelope", (400, 400)),
        (("400", "401"), "envelope", (400, 401)),
        (("422", "401"), "envelope", (422, 401)),
        ((), "envelope", (200, 200)),
        (("400", "422"), "envelope", (422, 400)),
        (("401", "403", "409"), "envelope", (401, 401)),
        (("403", "422"), "envelope", (422, 403)),
        (("500", "404"), "envelope", (404, 404)),
        (("422",), "status", (422, 401)),
        (("409",), "status", (400, 401)),
    ],
)
def test_an_error_without_a_branch_has_a_code_that_the_document_declares(
    codes: tuple[str, ...], errors: str, expected: tuple[int, int]
) -> None:
    """Where 200 has no error branch, the codes that are declared for such a refusal decide: 422
    goes before 400 for a body that breaks the schema. Else another declared error is the code.
    """
    document = read_document(json.dumps(rooms(*codes)).encode())
    mock = make_mock(document, errors=errors, keys=frozenset({KEY}))
    path = f"{document.base_path}/rooms/paint"
    body = {"prompt": "p", "init_image": "https://example.com/room.png"}

    replies = [post(mock, path, {"key": KEY}), post(mock, path, body | {"key": "another-key"})]

    assert tuple(reply.code for reply in replies) == expected
    assert [reply.body["status"] for reply in replies] == ["error", "error"]


@pytest.mark.parametrize("errors, expected", [("envelope", 201), ("status", 402)])
def test_an_error_with_a_branch_has_the_code_of_that_branch(errors: str, expected: int) -> None:
    """In the envelope profile an error comes with the code under which its branch is declared."""

    def answer_201(tree: Any) -> None:
        responses = tree["paths"]["/image_editing/flux_headshot"]["post"]["responses"]
        responses["201"] = responses.pop("200")

    mock = make_mock(altered(answer_201), errors=errors)

    assert submit(mock, "scenario=no_credits").code == expected
    assert submit(mock).code == 201


@pytest.mark.parametrize("errors", ["envelope", "status"])
def test_a_bug_of_ours_is_no_error_of_the_api(errors: str) -> None:
    """What broke inside the mock is answered by 500 in both profiles, in the mock's own name."""
    mock = make_mock(errors=errors)
    answer = mock.reject("internal", "POST", SUBMIT)

    detail = "Internal error in fauxlab; its log has the details."
    assert (answer.code, answer.headers, answer.body) == (500, *own(detail))
    assert [each.refusal for each in mock.own_replies] == ["internal"]


def test_unknown_preferences_are_ignored_and_known_ones_acknowledged() -> None:
    """Preference-Applied names what was honoured and nothing else."""
    reply = submit(make_mock(), "respond-async, wait=10, eta=2, polls=1")

    assert (reply.body["eta"], reply.headers["preference-applied"]) == (2, "eta=2, polls=1")


def test_strict_refuses_numeric_text_and_null_with_every_violation() -> None:
    """The published sample's habits are refused in strict mode, all at once, each with its place
    and limit.
    """
    mock = make_mock()

    reply = submit(mock, width="1024", seed=None)

    assert reply.body == {
        "status": "error",
        "message": (
            'seed must be an integer, not null. width must be an integer, not the text "1024".'
        ),
    }
    assert mock.requests[-1].violations == (
        Violation(
            "/seed",
            "type",
            "integer",
            "null",
            "Send a value, or leave the field out if it is not required.",
        ),
        Violation(
            "/width", "type", "integer", 'the text "1024"', "Send the number 1024, without quotes."
        ),
    )
    assert [row["pointer"] for row in json.loads(reply.headers["x-mock-violations"])] == [
        "/seed",
        "/width",
    ]


def test_more_than_five_violations_are_counted() -> None:
    """The message holds five sentences and the number of the others; the header has them all."""
    bad = {
        "key": KEY,
        "prompt": 1,
        "face_image": 2,
        "seed": "x",
        "width": 1025,
        "height": 1025,
        "guidance_scale": 11,
        "track_id": "t",
    }

    reply = post(make_mock(), SUBMIT, bad)

    assert reply.body["message"].endswith(" And 2 more.")
    assert len(json.loads(reply.headers["x-mock-violations"])) == 7


def test_coerce_takes_what_the_live_api_takes() -> None:
    """In coerce mode numeric text becomes a number, null counts as absent, and a missing seed
    becomes a random one below 2^32.
    """
    reply = submit(
        make_mock(validation="coerce"),
        width="640",
        seed=None,
        webhook=None,
        track_id=None,
        guidance_scale="7.5",
    )

    meta = reply.body["meta"]
    assert (reply.body["status"], meta["width"], meta["guidance_scale"]) == ("processing", 640, 7.5)
    assert 0 <= meta["seed"] < 2**32
    assert not {"webhook", "track_id"} & set(meta)


def test_coerce_still_holds_the_bounds() -> None:
    """Coerced values must keep the document's bounds."""
    assert (
        submit(make_mock(validation="coerce"), width="1025").body["message"]
        == "width must be at most 1024, not 1025."
    )


def test_off_takes_any_object() -> None:
    """With validation off whatever is a JSON object with a key starts a job, with a valid reply."""
    reply = post(
        make_mock(validation="off"),
        SUBMIT,
        {"key": KEY, "prompt": ["x"], "width": "wide", "seed": {"a": 1}},
    )

    assert reply.body["status"] == "processing"


@pytest.mark.parametrize("key", [..., "", None])
@pytest.mark.parametrize("validation", ["strict", "coerce", "off"])
def test_a_key_is_always_required(validation: str, key: object) -> None:
    """No validation mode takes a request without a key."""
    reply = submit(make_mock(validation=validation, errors="status"), key=key)

    expected = (
        (400, "key must be a string, not null.")
        if key is None and validation == "strict"
        else (401, "API key required")
    )
    assert (reply.code, reply.body["message"]) == expected


def test_only_listed_keys_are_accepted_when_there_is_a_list() -> None:
    """With `keys` set, other keys are refused on submit and fetch; keys that choose a scenario
    still work.
    """
    mock = make_mock(keys=frozenset({KEY}))

    assert submit(mock).body["status"] == "processing"
    assert submit(mock, key="other").body == {"status": "error", "message": "Invalid API key"}
    assert fetch(mock, 100000001, key="other").body == {
        "status": "error",
        "message": "Invalid API key",
    }
    assert submit(mock, key="mock_instant").body["status"] == "success"


def test_undeclared_fields_are_ignored_and_echoed() -> None:
    """A field that the document does not declare is accepted and shows up in meta, booleans as yes
    and no.
    """
    meta = submit(make_mock(), negative_prompt="blurry", samples=1, base64=False).body["meta"]

    assert (meta["negative_prompt"], meta["samples"], meta["base64"]) == ("blurry", 1, "no")


def test_meta_never_holds_key_or_webhook() -> None:
    """meta echoes the request without key and webhook, and without the key inside other fields."""
    meta = submit(
        make_mock(),
        webhook="http://127.0.0.1:9/hook",
        track_id=5,
        prompt=f"my key is {KEY}",
        extra=[{"k": KEY}],
    ).body["meta"]

    assert KEY not in json.dumps(meta)
    assert (meta["prompt"], meta["track_id"], "webhook" in meta) == ("my key is ***", "5", False)


def test_meta_is_bounded() -> None:
    """A request with very long undeclared fields makes a meta of a few kilobytes."""
    fields = {f"extra_{i}": "x" * 900 for i in range(500)}

    assert len(json.dumps(submit(make_mock(), **fields).body["meta"])) < 9_000


def _png(width: int, height: int) -> str:
    out = io.BytesIO()
    Image.new("L", (width, height)).save(out, "PNG")
    return base64.b64encode(out.getvalue()).decode()


@pytest.mark.parametrize("prefix", ["", "data:image/png;base64,"])
@pytest.mark.parametrize(
    "asked, size",
    [
        ({}, (30, 20)),
        ({"width": 64}, (64, 20)),
        ({"width": 8, "height": 9}, (8, 9)),
        ({"width": 0, "height": -5}, (1, 1)),
    ],
)
def test_the_picture_has_the_asked_size_or_that_of_the_face(
    asked: dict[str, Any], size: tuple[int, int], prefix: str
) -> None:
    """Width and height come from the request, else from the face image; 0 and less are drawn as one
    pixel.
    """
    mock = make_mock(eta=0.0)
    url = submit(mock, face_image=prefix + _png(30, 20), **asked).body["output"][0]

    picture = get(mock, url).picture

    assert picture is not None
    assert (picture.width, picture.height) == size


def test_a_face_image_over_the_limit_is_refused() -> None:
    """A face image with more pixels than the limit is refused with its size and the limit; at the
    limit it is taken.
    """
    from fauxlab_mock.settings import Limits

    mock = make_mock(limits=Limits(face_pixels=600))

    assert submit(mock, face_image=_png(30, 20)).body["status"] == "processing"
    assert submit(mock, face_image=_png(30, 21)).body == {
        "status": "error",
        "message": "The face image is 30 x 21 pixels; 600 pixels are allowed.",
    }


def test_a_link_is_dead_until_success() -> None:
    """The promised link answers 404 before the job has ended and a picture afterwards."""
    mock = make_mock()
    url = submit(mock).body["future_links"][0]
    before = get(mock, url)
    mock.clock.advance(5)

    assert (before.code, before.body["status"]) == (404, "error")
    assert get(mock, url).picture == Picture("studio portrait", 7, "b3a5cb3e26ae3f7e", 512, 512)


def test_jobs_and_links_expire() -> None:
    """A day after its end a job is unknown and its link is dead."""
    mock = make_mock()
    first = submit(mock).body
    mock.clock.advance(5 + 24 * 3600)
    alive = get(mock, first["future_links"][0]).code
    mock.clock.advance(1)

    assert (alive, get(mock, first["future_links"][0]).code, fetch(mock, first["id"]).body) == (
        200,
        404,
        NOT_FOUND,
    )


def test_a_trailing_slash_is_tolerated() -> None:
    """The same path with one slash behind it is the same operation."""
    assert post(make_mock(), SUBMIT + "/", VALID).body["status"] == "processing"


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "",
        "/api/v6",
        "/api/v6/",
        SUBMIT + "//",
        "/image_editing/flux_headshot",
        "/api/v6/image_editing/fetch/",
    ],
)
def test_other_paths_are_404(path: str) -> None:
    """A path that the document does not have is answered with 404 and the envelope, in both error
    profiles.
    """
    reply = post(make_mock(), path, VALID)

    assert (reply.code, reply.body["status"]) == (404, "error")


def test_a_near_miss_is_named() -> None:
    """A misspelt path is answered with the one that was probably meant."""
    reply = post(make_mock(), "/api/v6/image_editing/flux_headshots", VALID)

    assert reply.body["message"] == f"There is no such path. Did you mean POST {SUBMIT}?"


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS", "FOO"])
def test_other_methods_are_405_with_allow(method: str) -> None:
    """A known path with another method is answered with 405 and the methods it takes."""
    reply = make_mock().handle(Call(method, SUBMIT, JSON_TYPE, b"{}"))

    assert (reply.code, reply.headers, reply.body) == (
        405,
        {"allow": "POST"},
        {"status": "error", "message": "This path answers POST only."},
    )


def test_auto_clock_ends_a_job_at_its_second_fetch() -> None:
    """On the auto clock a job is processing at submit and first fetch, and the second fetch brings
    it to its end.
    """
    mock = make_mock(clock="auto", eta=60.0)
    start = mock.clock.now()
    job_id = submit(mock).body["id"]

    statuses = [fetch(mock, job_id).body["status"] for _ in range(2)]

    assert (statuses, mock.clock.now() - start) == (["processing", "success"], 60.0)


def test_auto_clock_ends_a_job_with_a_webhook_after_its_submit() -> None:
    """On the auto clock a job that wants a webhook has ended once its submit was answered."""
    mock = make_mock(clock="auto")
    reply = submit(mock, webhook="http://127.0.0.1:9/hook")

    assert (reply.body["status"], fetch(mock, reply.body["id"]).body["status"]) == (
        "processing",
        "success",
    )


def test_a_whole_lifecycle_keeps_every_invariant() -> None:
    """The replies of one job, from submit to well after its end, break no rule between them."""
    mock = make_mock(eta=3.5)
    replies = [submit(mock).body]
    for _ in range(6):
        replies.append(fetch(mock, replies[0]["id"]).body)
        mock.clock.advance(1)

    assert job_violations(replies, BUNDLED.conventions) == ()


def test_the_same_mock_says_the_same_twice() -> None:
    """Two mocks with the same settings give the same transcript for the same calls."""
    first, second = (
        [submit(mock, prompt=f"p{i}", seed=...).body for i in range(5)]
        for mock in (make_mock(validation="coerce"), make_mock(validation="coerce"))
    )

    assert first == second


def test_the_store_refuses_more_unfinished_jobs_than_its_limit() -> None:
    """At the limit of unfinished jobs a further submit is refused with the limit, and nothing is
    lost.
    """
    from fauxlab_mock.settings import Limits

    mock = make_mock(limits=Limits(jobs=1, unfinished_jobs=3))
    replies = [submit(mock).body for _ in range(3)]
    full = submit(mock)

    assert (full.code, full.headers, full.body) == (
        503,
        *own("The mock holds 3 unfinished jobs, its limit. Fetch some or restart it."),
    )
    assert [fetch(mock, reply["id"]).body["status"] for reply in replies] == ["processing"] * 3


def test_a_refused_key_is_hidden_everywhere() -> None:
    """A key that is not accepted is a real key all the same: no field of the journal shows it."""
    mock = make_mock(keys=frozenset({"another"}))
    submit(
        mock,
        prompt=f"by {KEY}",
        webhook=f"http://127.0.0.1:9/?k={KEY}",
        nested={"api_token": "tok-1234567890"},
    )

    assert KEY not in repr(mock.requests)
    assert "tok-1234567890" not in repr(mock.requests)


def test_a_long_prefer_header_costs_no_time() -> None:
    """A header of 60,000 letters is read as fast as any other."""
    started = time.perf_counter()
    submit(make_mock(), "a" * 60_000 + "(")

    assert time.perf_counter() - started < 1


def test_preferences_of_a_refused_request_are_not_acknowledged() -> None:
    """Preference-Applied speaks of what was applied; a request that breaks the contract applied
    nothing.
    """
    assert (
        "preference-applied"
        not in submit(make_mock(), "scenario=failed, eta=2", width=5000).headers
    )


def test_a_listed_key_is_never_a_scenario() -> None:
    """A real key that happens to begin like a scenario's is an ordinary key."""
    assert (
        submit(make_mock(keys=frozenset({"mock_account"})), key="mock_account").body["status"]
        == "processing"
    )


def test_abandoned_jobs_make_room_again() -> None:
    """Jobs that nobody polls to their end are let go a day after it."""
    from fauxlab_mock.settings import Limits

    mock = make_mock(limits=Limits(jobs=1, unfinished_jobs=2))
    first = [submit(mock, "polls=5").body["status"] for _ in range(2)]
    full = submit(mock, "polls=5").code
    mock.clock.advance(5 + 24 * 3600 + 1)

    assert (first, full, submit(mock).body["status"]) == (["processing"] * 2, 503, "processing")


JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**64), 2**64)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20),
    lambda children: (
        st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=8), children, max_size=3)
    ),
    max_leaves=8,
)
JSON_SCENARIOS = [
    name for name in SCENARIOS if name != "maintenance_html"
]  # it answers with a page
NEAR_VALID = st.fixed_dictionaries(
    {},
    optional={
        name: JSON_VALUES | st.just(VALID.get(name))
        for name in [*VALID, "width", "height", "webhook", "track_id"]
    },
)


@given(
    body=NEAR_VALID | JSON_VALUES | st.binary(max_size=50),
    validation=st.sampled_from(["strict", "coerce", "off"]),
    errors=st.sampled_from(["envelope", "status"]),
    clock=st.sampled_from(["manual", "auto"]),
    prefer=st.text(max_size=20)
    | st.sampled_from(["eta=0", "polls=1", *(f"scenario={name}" for name in JSON_SCENARIOS)]),
)
def test_no_body_makes_the_mock_raise_or_break_its_contract(
    body: Any, validation: str, errors: str, clock: str, prefer: str
) -> None:
    """Whatever is sent, in every mode: an answer comes, it keeps the contract, and it never
    contains the key.
    """
    mock = make_mock(validation=validation, errors=errors, clock=clock)

    replies = [
        post(mock, SUBMIT, body, prefer=prefer),
        post(mock, "/api/v6/image_editing/fetch/100000001", body, prefer=prefer),
    ]

    assert all(
        reply.body["status"] in ("processing", "success", "failed", "error") for reply in replies
    )
    assert KEY not in json.dumps([reply.body for reply in replies])
    assert KEY not in repr((mock.requests, mock.jobs))


@pytest.mark.parametrize("errors, code", [("status", 415), ("envelope", 200)])
def test_a_compressed_body_is_told_by_its_header(errors: str, code: int) -> None:
    """The tip speaks of Content-Encoding, and the reply says what is taken instead."""
    headers = {"content-type": "application/json", "content-encoding": "gzip"}
    call = Call("POST", SUBMIT, headers, gzip.compress(b"{}"))

    answer = make_mock(errors=errors).handle(call)

    body = json.loads(answer.content)
    assert (answer.code, answer.headers["accept-encoding"]) == (code, "identity")
    assert body["tip"].startswith("Content-Encoding must not be 'gzip'; send the body as it is. ")
