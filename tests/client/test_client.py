"""The client against the mock and against hand-written misbehaviour.

Every test runs on `Client` and on `AsyncClient`.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import math
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

import fauxlab_client as fc
from driving import KEY, VALID, make_mock
from fauxlab_client._models import Field
from fauxlab_contract.core.secrets import secret_in
from fauxlab_contract.openapi.document import load_document
from fauxlab_contract.validation.bodies import request_violations
from fauxlab_mock.engine.messages import Call
from fauxlab_mock.runtime.mock import Mock
from generate_client import generated

ROOT = Path(__file__).resolve().parents[2]
BASE = "https://modelslab.com/api/v6"
SUBMIT = load_document().operations[0]
FIELDS: dict[str, Any] = {
    "prompt": "studio portrait",
    "face_image": "https://example.com/face.png",
    "seed": 7,
}
Handler = Callable[[httpx.Request], httpx.Response]


class World:
    """One client, on either API, whose requests go to `handler` and whose sleeps move a clock."""

    def __init__(self, twin: str, handler: Handler, **options: Any) -> None:
        self.twin, self.handler = twin, handler
        self.time, self.slept, self.requests = 0.0, list[float](), list[httpx.Request]()
        self.on_sleep: Callable[[float], None] = lambda _: None
        shared: dict[str, Any] = {
            "transport": httpx.MockTransport(self._handle),
            "now": lambda: self.time,
            "chance": lambda: 0.5,
        }
        self.client: Any = (
            fc.Client(KEY, sleep=self._sleep, **shared, **options)
            if twin == "sync"
            else fc.AsyncClient(KEY, sleep=self._async_sleep, **shared, **options)
        )

    def __getattr__(self, name: str) -> Any:
        """The client's method; the async one is run to its end."""
        method = getattr(self.client, name)
        if self.twin == "sync":
            return method
        return lambda *args, **kwargs: asyncio.run(method(*args, **kwargs))

    def _handle(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return self.handler(request)

    def _sleep(self, seconds: float) -> None:
        self.time += seconds
        self.slept.append(seconds)
        self.on_sleep(seconds)

    async def _async_sleep(self, seconds: float) -> None:
        self._sleep(seconds)

    def bodies(self) -> list[Any]:
        return [json.loads(request.content) for request in self.requests]


@pytest.fixture(params=["sync", "async"])
def make(request: pytest.FixtureRequest) -> Iterator[Callable[..., World]]:
    worlds: list[World] = []

    def build(handler: Handler, **options: Any) -> World:
        worlds.append(World(request.param, handler, **options))
        return worlds[-1]

    yield build
    for world in worlds:
        world.close()


def served(mock: Mock) -> Handler:
    """Answer from a mock in process."""

    def answer(request: httpx.Request) -> httpx.Response:
        reply = mock.handle(
            Call(request.method, request.url.path, dict(request.headers), request.content)
        )
        return httpx.Response(reply.code, content=reply.content, headers=reply.all_headers)

    return answer


def scripted(*replies: Any) -> Handler:
    """Answer with each reply in turn, and with the last one for ever.

    A reply is a JSON body, (code, body), a Response or an exception.
    """
    left = list(replies)

    def answer(request: httpx.Request) -> httpx.Response:
        reply = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(reply, Exception):
            raise reply
        if isinstance(reply, httpx.Response):
            return httpx.Response(reply.status_code, headers=reply.headers)
        code, body = reply if isinstance(reply, tuple) else (200, reply)
        return (
            httpx.Response(code, content=body)
            if isinstance(body, bytes)
            else httpx.Response(code, json=body)
        )

    return answer


def on_mock(make: Callable[..., World], **settings: Any) -> tuple[World, Mock]:
    mock = make_mock(**settings)
    world = make(served(mock))
    world.on_sleep = mock.clock.advance
    return world, mock


PROCESSING = {"status": "processing", "id": 5, "eta": 3}
SUCCESS = {"status": "success", "id": 5, "output": ["https://cdn.example/a.png"]}


def test_generate_submits_polls_and_returns_the_links(make: Callable[..., World]) -> None:
    """One call goes the whole way: submit, wait the eta, fetch, result."""
    world, mock = on_mock(make)

    result = world.generate(**FIELDS)

    assert (result.id, result.output) == (100000001, tuple(mock.requests[-1].reply["output"]))
    assert (world.slept, [request.url.path for request in world.requests]) == (
        [5.0],
        ["/api/v6/image_editing/flux_headshot", "/api/v6/image_editing/fetch/100000001"],
    )


def test_immediate_success_needs_no_fetch(make: Callable[..., World]) -> None:
    """A submit that is answered with success is the result; nothing is polled."""
    world, _ = on_mock(make, eta=0.0)

    result = world.generate(**FIELDS)

    assert (result.seed, len(world.requests), world.slept) == (7, 1, [])


def test_polling_backs_off_after_the_eta(make: Callable[..., World]) -> None:
    """The first fetch comes after the eta, the waits after it grow up to their cap."""
    world = make(scripted(PROCESSING, *[{"status": "processing", "output": ""}] * 9, SUCCESS))

    world.generate(**FIELDS)

    assert [round(seconds, 3) for seconds in world.slept] == [
        3.0,
        1.0,
        1.5,
        2.25,
        3.375,
        5.062,
        7.594,
        11.391,
        15.0,
        15.0,
    ]


@pytest.mark.parametrize(
    "eta, first",
    [(0, 0.5), (-3, 0.5), (None, 0.5), ("7", 7.0), (12.5, 12.5), (10_000, 60.0), ("soon", 0.5)],
)
def test_the_first_wait_is_the_eta_held_in_bounds(
    make: Callable[..., World], eta: object, first: float
) -> None:
    """Whatever comes as eta, the first wait is between half a second and a minute."""
    world = make(scripted(PROCESSING | {"eta": eta}, SUCCESS))

    world.generate(**FIELDS)

    assert world.slept == [first]


def test_a_stuck_job_ends_in_a_timeout_that_names_it(make: Callable[..., World]) -> None:
    """A job that never ends raises within the deadline with its id, and can be waited for again."""
    world = make(scripted(PROCESSING, {"status": "processing", "output": ""}))

    with pytest.raises(fc.JobTimeoutError) as caught:
        world.generate(**FIELDS, timeout_s=60)

    assert (caught.value.job_id, world.time) == (5, 60.0)
    world.handler = scripted(SUCCESS)
    assert world.wait(caught.value.job_id).output == ("https://cdn.example/a.png",)


def test_early_not_found_is_tolerated(make: Callable[..., World]) -> None:
    """A live job that is not known at first is asked for again within the grace time."""
    world, _ = on_mock(make, scenario="early_not_found")

    assert world.generate(**FIELDS).id == 100000001
    assert len(world.requests) == 3


def test_not_found_after_the_grace_time_is_an_error(make: Callable[..., World]) -> None:
    """A job that stays unknown is not polled for ever."""
    world = make(
        scripted(
            PROCESSING, {"status": "failed", "id": "", "message": "Request not found", "output": ""}
        )
    )

    with pytest.raises(fc.NotFoundError) as caught:
        world.generate(**FIELDS)

    assert (caught.value.job_id, world.time < 30) == (5, True)


def test_a_failed_job_ends_the_polling(make: Callable[..., World]) -> None:
    """failed ends it, with the job's id and the API's message."""
    world, _ = on_mock(make, scenario="failed")

    with pytest.raises(fc.JobFailedError, match="The generation failed") as caught:
        world.generate(**FIELDS)

    assert (caught.value.job_id, len(world.requests)) == (100000001, 2)


def test_an_answer_of_another_shape_is_told_in_its_own_words(make: Callable[..., World]) -> None:
    """The detail of a problem (RFC 9457) is the message; its words tell no kind of error."""
    problem = {
        "title": "No",
        "detail": "There is no scenario 'no_credit'; did you mean no_credits?",
    }
    world = make(scripted((501, problem)))

    with pytest.raises(fc.ServerError) as caught:
        world.generate(**FIELDS)

    assert (caught.value.message, caught.value.http_status) == (problem["detail"], 501)


REFUSALS = [
    ("Invalid API key", 401, fc.AuthenticationError),
    ("API key required", 401, fc.AuthenticationError),
    ("Insufficient credits. Please add more credits to continue.", 402, fc.CreditsError),
    ("This feature requires a premium subscription", 403, fc.PlanError),
    ("Invalid API Request", 400, fc.ValidationError),
    ("The prompt field is required.", 400, fc.ValidationError),
    ("Unable to fetch image from provided URL", 400, fc.ValidationError),
    ("Internal server error. Please try again.", 500, fc.ServerError),
    ("Service temporarily unavailable. Please try again later.", 503, fc.ServerError),
    ("Something nobody has seen", 200, fc.RefusedError),
]


@pytest.mark.parametrize("by_status", [False, True])
@pytest.mark.parametrize("message, code, error", REFUSALS)
def test_refusals_are_told_apart_by_body_or_status(
    make: Callable[..., World],
    message: str,
    code: int,
    error: type[fc.FauxlabError],
    by_status: bool,
) -> None:
    """Each refusal raises its own error with the API's message, in HTTP 200 and with its code.

    One request is sent.
    """
    world = make(scripted((code if by_status else 200, {"status": "error", "message": message})))

    with pytest.raises(error) as caught:
        world.generate(**FIELDS)

    assert (type(caught.value), caught.value.message, len(world.requests)) == (error, message, 1)


@pytest.mark.parametrize(
    "code, error",
    [
        (401, fc.AuthenticationError),
        (402, fc.CreditsError),
        (500, fc.ServerError),
        (502, fc.ServerError),
    ],
)
def test_a_refusal_without_json_is_told_by_its_code(
    make: Callable[..., World], code: int, error: type[fc.FauxlabError]
) -> None:
    """A gateway's page instead of JSON is no crash: the HTTP code decides."""
    world = make(scripted((code, b"<html>Bad gateway</html>")))

    with pytest.raises(error):
        world.submit(**FIELDS)


@pytest.mark.parametrize("name", ["message", "messege"])
def test_both_spellings_of_message_are_read(make: Callable[..., World], name: str) -> None:
    """The misspelt member of older families is read too."""
    world = make(scripted({"status": "error", name: "Invalid API key"}))

    with pytest.raises(fc.AuthenticationError, match=r"^Invalid API key$"):
        world.submit(**FIELDS)


def test_retry_after_is_honoured(make: Callable[..., World]) -> None:
    """A full queue is waited for as long as the API says; then the submit is sent again."""
    limited = {
        "status": "error",
        "message": "Rate limit exceeded. Maximum 5 queued requests allowed.",
        "retry_after": 30,
    }
    world = make(scripted(limited, PROCESSING, SUCCESS))

    world.generate(**FIELDS)

    assert (world.slept, len(world.requests)) == ([30.0, 3.0], 3)


def test_retry_after_beyond_the_deadline_raises(make: Callable[..., World]) -> None:
    """A wait that the deadline does not allow is not begun; the error says how long it would be."""
    world = make(
        scripted({"status": "error", "message": "Rate limit exceeded.", "retry_after": 500})
    )

    with pytest.raises(fc.RateLimitError) as caught:
        world.generate(**FIELDS, timeout_s=60)

    assert (caught.value.retry_after_s, world.slept) == (500.0, [])


def test_try_again_is_resubmitted_a_few_times(make: Callable[..., World]) -> None:
    """A model that warms up asks for the same request again; that is done, but not for ever."""
    world = make(scripted({"status": "error", "message": "Try Again"}))

    with pytest.raises(fc.TryAgainError):
        world.generate(**FIELDS)

    assert len(world.requests) == 5


@pytest.mark.parametrize(
    "failure",
    [
        httpx.ReadTimeout("x"),
        httpx.RemoteProtocolError("x"),
        httpx.WriteError("x"),
        httpx.ReadError("x"),
    ],
)
def test_a_submit_that_may_have_arrived_is_not_sent_twice(
    make: Callable[..., World], failure: Exception
) -> None:
    """After a failure with bytes on the wire the submit raises, and says that it may have arrived.

    Two jobs would be charged twice.
    """
    world = make(scripted(failure))

    with pytest.raises(fc.ConnectionFailedError, match="may have arrived") as caught:
        world.generate(**FIELDS)

    assert (caught.value.sent, len(world.requests)) == (True, 1)


def test_a_connection_that_was_never_made_is_tried_once_more(make: Callable[..., World]) -> None:
    """When nothing can have been sent, a second try is safe."""
    world = make(scripted(httpx.ConnectError("x"), PROCESSING, SUCCESS))

    assert world.generate(**FIELDS).id == 5


def test_fetches_are_retried(make: Callable[..., World]) -> None:
    """A fetch is repeated after broken connections, 5xx and gateway pages, until the deadline."""
    world = make(
        scripted(
            PROCESSING,
            httpx.ReadTimeout("x"),
            (503, b"<html>"),
            (200, {"status": "error", "message": "Internal server error."}),
            SUCCESS,
        )
    )

    assert world.generate(**FIELDS).id == 5


@pytest.mark.parametrize(
    "body", [{}, {"status": "done"}, {"status": None}, {"status": 5}, {"id": 5}]
)
def test_an_unknown_status_is_an_error(make: Callable[..., World], body: object) -> None:
    """A reply without a known status raises at once, at submit and at fetch."""
    for replies in ((body,), (PROCESSING, body)):
        world = make(scripted(*replies))
        with pytest.raises(fc.BadReplyError):
            world.generate(**FIELDS)
        assert len(world.requests) == len(replies)


UNREADABLE = [
    pytest.param((200, b'{"status": "succ'), id="truncated"),
    pytest.param((200, b"\xff\xfe\x00garbled"), id="garbled"),
    pytest.param((200, b""), id="empty"),
    pytest.param((200, b"<html>Maintenance</html>"), id="page"),
    pytest.param((200, b"[]"), id="no object"),
    pytest.param((403, b"<html>Blocked</html>"), id="firewall"),
    pytest.param((401, b"<html>Log in</html>"), id="portal"),
    pytest.param((404, b"not found"), id="router"),
    pytest.param((502, b"<html>Bad gateway</html>"), id="gateway"),
    pytest.param(httpx.RemoteProtocolError("peer closed without the whole body"), id="dropped"),
]


@pytest.mark.parametrize("trouble", UNREADABLE)
def test_a_paid_job_outlives_unreadable_fetches(make: Callable[..., World], trouble: Any) -> None:
    """A fetch without a readable answer is asked again, even nine times; the job is paid for."""
    world = make(scripted(PROCESSING, *[trouble] * 9, PROCESSING, *[trouble] * 9, SUCCESS))

    result = world.generate(**FIELDS)

    assert (result.id, len(world.requests)) == (5, 21)


@pytest.mark.parametrize("trouble", UNREADABLE)
def test_a_submit_with_an_unreadable_answer_is_not_sent_twice(
    make: Callable[..., World], trouble: Any
) -> None:
    """Whatever is left of the answer to a submit, the job may have been charged: it raises."""
    world = make(scripted(trouble, PROCESSING, SUCCESS))

    with pytest.raises(fc.FauxlabError):
        world.generate(**FIELDS)

    assert len(world.requests) == 1


def test_ten_unreadable_fetches_in_a_row_end_the_polling(make: Callable[..., World]) -> None:
    """An address that never answers with JSON is told before the deadline, with the job's id."""
    world = make(scripted(PROCESSING, (200, b"<html>Welcome</html>")))

    with pytest.raises(fc.BadReplyError, match="HTTP 200 without a JSON object") as caught:
        world.generate(**FIELDS)

    assert (caught.value.job_id, len(world.requests), world.time < 100) == (5, 11, True)


def test_a_fetch_that_never_arrives_is_not_called_a_submit(make: Callable[..., World]) -> None:
    """The trouble of a fetch says nothing of sending twice, for a fetch is free."""
    world = make(scripted(httpx.ReadTimeout("x")))

    with pytest.raises(fc.ConnectionFailedError) as caught:
        world.fetch(5)

    assert str(caught.value) == "No response arrived (ReadTimeout). (job 5)"


def test_the_timeout_tells_the_last_trouble(make: Callable[..., World]) -> None:
    """A job that was out of sight until the deadline ends with what went wrong, and how often."""
    world = make(scripted(PROCESSING, PROCESSING, (502, b"<html>")), timeout_s=7)

    with pytest.raises(fc.JobTimeoutError) as caught:
        world.generate(**FIELDS)

    assert caught.value.message == (
        "The job has not ended after 7 s and 4 fetches; wait for it again by its id. Failures in"
        " a row at the end: 3. The API answered HTTP 502 without a JSON object."
    )


@pytest.mark.parametrize(
    "body",
    [
        {"status": "success", "id": 5},
        {"status": "success", "id": 5, "output": []},
        {"status": "success", "id": 5, "output": ""},
    ],
)
def test_success_without_output_is_an_error(make: Callable[..., World], body: object) -> None:
    """A success without a link is not taken for one."""
    world = make(scripted(PROCESSING, body))

    with pytest.raises(fc.BadReplyError, match="without an output"):
        world.generate(**FIELDS)


def test_another_jobs_answer_is_refused(make: Callable[..., World]) -> None:
    """An answer with another id is not mixed up with this job's."""
    world = make(scripted(PROCESSING, SUCCESS | {"id": 6}))

    with pytest.raises(fc.BadReplyError, match="job 6 instead"):
        world.generate(**FIELDS)


def test_loose_types_are_read(make: Callable[..., World]) -> None:
    """An id as text, an eta as a float and an output as one text are understood."""
    world = make(
        scripted(
            {"status": "processing", "id": "5", "eta": 1.5},
            {"status": "success", "id": "5", "output": "https://cdn.example/a.png"},
        )
    )

    assert world.generate(**FIELDS).output == ("https://cdn.example/a.png",)


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/api/v6/fetch/5",
        "http://modelslab.com/api/v6/fetch/5",
        "https://modelslab.com:444/x",
        "https://modelslab.com@evil.example/",
    ],
)
def test_a_fetch_result_elsewhere_is_refused(make: Callable[..., World], url: str) -> None:
    """A fetch_result on another origin is refused by name, and nothing is sent there.

    The error keeps the job's id.
    """
    world = make(scripted(PROCESSING | {"fetch_result": url}))

    with pytest.raises(fc.UntrustedURLError) as caught:
        world.generate(**FIELDS)

    assert (caught.value.job_id, len(world.requests)) == (5, 1)


def test_redirects_are_not_followed_with_the_key(make: Callable[..., World]) -> None:
    """A redirect of an API call is an error; the key goes nowhere else."""
    world = make(scripted(httpx.Response(307, headers={"location": "https://evil.example/"})))

    with pytest.raises(fc.BadReplyError, match="HTTP 307"):
        world.generate(**FIELDS)

    assert [request.url.host for request in world.requests] == ["modelslab.com"]


@pytest.mark.parametrize(
    "url",
    [
        "http://modelslab.com/api",
        "ftp://x/",
        "modelslab.com",
        "https://user:pass@modelslab.com/",
        "https://h/?q=1",
    ],
)
def test_unsafe_base_urls_are_refused(url: str) -> None:
    """Only https, or http to this machine, may carry the key."""
    with pytest.raises(fc.ValidationError) as caught:
        fc.Client(KEY, base_url=url)

    assert caught.value.field == "base_url"


@pytest.mark.parametrize(
    "changes, field",
    [
        ({"width": 1025}, "width"),
        ({"num_inference_steps": 27}, "num_inference_steps"),
        ({"guidance_scale": 0.99}, "guidance_scale"),
        ({"guidance_scale": 10.01}, "guidance_scale"),
        ({"guidance_scale": float("nan")}, "guidance_scale"),
        ({"width": "1024"}, "width"),
        ({"width": True}, "width"),
        ({"width": 1024.5}, "width"),
        ({"seed": None}, "seed"),
        ({"seed": 2**63}, "seed"),
        ({"prompt": None}, "prompt"),
        ({"prompt": "\ud800"}, "prompt"),
        ({"track_id": "a"}, "track_id"),
        ({"webhook": ""}, "webhook"),
        ({"webhook": "/hook"}, "webhook"),
        ({"negativeprompt": "x"}, "negativeprompt"),
        ({"face_image": 5}, "face_image"),
        ({"face_image": b""}, "face_image"),
        ({"face_image": "/nonexistent"}, "face_image"),
    ],
)
def test_arguments_out_of_the_contract_raise_before_anything_is_sent(
    make: Callable[..., World], changes: dict[str, Any], field: str
) -> None:
    """A bad argument is named, with the key shown nowhere, and no request is made."""
    world = make(scripted(SUCCESS))

    with pytest.raises(fc.ValidationError) as caught:
        world.generate(**FIELDS | changes)

    assert (caught.value.field, world.requests, KEY in str(caught.value)) == (field, [], False)


def test_values_at_the_limits_are_sent(make: Callable[..., World]) -> None:
    """Every bound's own value conforms and is sent as it is."""
    fields = FIELDS | {
        "width": 1024,
        "height": 1024,
        "num_inference_steps": 26,
        "guidance_scale": 10.0,
        "webhook": "http://127.0.0.1:9/",
        "track_id": 0,
    }
    world = make(scripted(SUCCESS))

    world.generate(**fields)

    assert world.bodies() == [fields | {"key": KEY}]
    assert request_violations(SUBMIT, world.bodies()[0]) == ()


def _face(kind: str, folder: Path) -> Any:
    picture = Image.new("RGB", (3, 2))
    out = io.BytesIO()
    picture.save(out, "PNG")
    (folder / "face.png").write_bytes(out.getvalue())
    faces = {
        "picture": picture,
        "bytes": out.getvalue(),
        "path": folder / "face.png",
        "text": str(folder / "face.png"),
    }
    return faces[kind]


@pytest.mark.parametrize("kind", ["picture", "bytes", "path", "text"])
def test_faces_of_every_kind_are_sent(
    make: Callable[..., World], kind: str, tmp_path: Path
) -> None:
    """A path, bytes or a picture is sent as base64 that the mock reads the size of."""
    world, mock = on_mock(make, eta=0.0)

    world.generate(**FIELDS | {"face_image": _face(kind, tmp_path)})

    assert [(job.picture.width, job.picture.height) for job in mock.jobs] == [(3, 2)]


def test_another_contract_brings_other_bounds(make: Callable[..., World]) -> None:
    """The bounds come from the contract that the client is given."""
    from dataclasses import replace

    from fauxlab_client._contract import CONTRACT

    contract = replace(
        CONTRACT, fields={**CONTRACT.fields, "num_inference_steps": Field("integer", maximum=30)}
    )
    world = make(scripted(SUCCESS), contract=contract)

    world.submit(**FIELDS, num_inference_steps=30)

    assert world.bodies()[0]["num_inference_steps"] == 30


def test_the_generated_modules_are_fresh() -> None:
    """`make generate` would write the generated modules as they are now."""
    made = generated(load_document())

    assert {
        name: (ROOT / "client" / "fauxlab_client" / name).read_text(encoding="utf-8")
        for name in made
    } == made


def test_download_saves_the_picture(make: Callable[..., World], tmp_path: Path) -> None:
    """A link's PNG is saved inside the folder under the link's name, and the key is not sent."""
    world, _ = on_mock(make, eta=0.0)
    link = world.generate(**FIELDS).output[0]

    file = world.download(link, tmp_path)

    with Image.open(file) as picture:
        assert (file, picture.size) == (tmp_path / link.rpartition("/")[2], (512, 512))
    assert (
        world.requests[-1].method,
        KEY in str(world.requests[-1].headers),
        world.requests[-1].content,
    ) == ("GET", False, b"")
    assert [path.name for path in tmp_path.iterdir()] == [file.name]


PNG = b"\x89PNG\r\n\x1a\nrest"


def test_download_waits_for_a_link_to_come_alive(
    make: Callable[..., World], tmp_path: Path
) -> None:
    """404 and 5xx are tried again; the picture is saved once it is there."""
    world = make(scripted((404, b""), (503, b""), httpx.ReadTimeout("x"), (200, PNG)))

    assert world.download("https://cdn.example/a.png", tmp_path).read_bytes() == PNG


@pytest.mark.parametrize("code", [404, 408, 425, 429, 500, 503])
def test_a_download_that_may_go_well_later_is_tried_again(
    make: Callable[..., World], tmp_path: Path, code: int
) -> None:
    """A code that passes by itself costs one more try."""
    world = make(scripted((code, b""), (200, PNG)))

    assert world.download("https://cdn.example/a.png", tmp_path).read_bytes() == PNG
    assert len(world.requests) == 2


@pytest.mark.parametrize("reply", [(200, b"<html>"), (403, b""), (200, b""), httpx.Response(302)])
def test_what_is_no_picture_is_not_saved(
    make: Callable[..., World], reply: Any, tmp_path: Path
) -> None:
    """An answer that is no picture raises and leaves nothing in the folder."""
    world = make(scripted(reply))

    with pytest.raises(fc.DownloadError):
        world.download("https://cdn.example/a.png", tmp_path)

    assert list(tmp_path.iterdir()) == []


def test_a_download_follows_safe_redirects_alone(
    make: Callable[..., World], tmp_path: Path
) -> None:
    """A redirect to another https host is followed, one to plain http is refused."""
    world = make(
        scripted(
            httpx.Response(302, headers={"location": "https://other.example/b.png"}), (200, PNG)
        )
    )
    assert world.download("https://cdn.example/a.png", tmp_path).name == "a.png"

    world = make(
        scripted(
            httpx.Response(302, headers={"location": "http://other.example/b.png"}), (200, PNG)
        )
    )
    with pytest.raises(fc.UntrustedURLError):
        world.download("https://cdn.example/a.png", tmp_path)


@pytest.mark.parametrize(
    "link, name",
    [
        ("https://c.example/../../etc/passwd", "passwd"),
        ("https://c.example/%2e%2e%2fx", "x"),
        ("https://c.example/", "picture"),
        ("https://c.example/.hidden", "hidden"),
    ],
)
def test_a_download_never_leaves_its_folder(
    make: Callable[..., World], link: str, name: str, tmp_path: Path
) -> None:
    """Whatever the link's path says, the file lies directly in the folder."""
    world = make(scripted((200, PNG)))

    assert world.download(link, tmp_path) == tmp_path / name


@pytest.mark.parametrize("name", ["", ".", "..", "../x.png", "/x.png", "a/b.png", "a\n.png"])
def test_a_name_that_leads_elsewhere_is_refused(
    make: Callable[..., World], tmp_path: Path, name: str
) -> None:
    """A name with folders, none at all, or one that cannot be shown is refused before any call."""
    world = make(scripted((200, PNG)))

    with pytest.raises(fc.ValidationError, match="name must be a plain file name"):
        world.download("https://cdn.example/a.png", tmp_path, name=name)

    assert (world.requests, list(tmp_path.iterdir())) == ([], [])


def test_a_download_has_the_name_that_was_asked_for(
    make: Callable[..., World], tmp_path: Path
) -> None:
    """A plain name goes before the link's own."""
    world = make(scripted((200, PNG)))

    file = world.download("https://cdn.example/a.png", tmp_path, name="my face.png")

    assert (file, file.read_bytes()) == (tmp_path / "my face.png", PNG)


def test_an_endless_picture_is_cut_off(
    make: Callable[..., World], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A download over the cap is an error, not a full disk."""
    monkeypatch.setattr("fauxlab_client._flow.MAX_PICTURE_BYTES", 100)
    world = make(scripted((200, PNG + b"x" * 200)))

    with pytest.raises(fc.DownloadError, match="too large"):
        world.download("https://cdn.example/a.png", tmp_path, timeout_s=1)


class Dripping(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A reply that comes byte by byte, a second apart on the world's clock.

    That clock stands for real time here.
    """

    def __init__(self, world: World) -> None:
        self.world, self.sent = world, 0

    def __iter__(self) -> Iterator[bytes]:
        while self.sent < 1_000:
            self.sent += 1
            self.world.time += 1
            yield b" "

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for byte in self:
            yield byte
            if self.world.time > 60:
                await asyncio.Event().wait()  # until the real deadline, which is short here


def test_a_dripping_answer_is_cut_off(make: Callable[..., World]) -> None:
    """An answer that drips without end is cut off at the limit; the submit is not sent again."""
    stream: list[Dripping] = []

    def drip(_: httpx.Request) -> httpx.Response:
        stream.append(Dripping(world))
        return httpx.Response(200, stream=stream[-1])

    world = make(drip)
    timeout_s = 60 if world.twin == "sync" else 0.05

    with pytest.raises(fc.ConnectionFailedError, match="took too long") as caught:
        world.generate(**FIELDS, timeout_s=timeout_s)

    assert (caught.value.sent, len(stream), 60 <= stream[0].sent <= 62) == (True, 1, True)


def test_the_key_is_shown_nowhere(make: Callable[..., World]) -> None:
    """Neither the client's repr nor an error's text or repr contains the key."""
    world = make(scripted(httpx.ReadTimeout(f"while sending {KEY}")))

    with pytest.raises(fc.FauxlabError) as caught:
        world.generate(**FIELDS)

    shown = (
        repr(world.client) + str(caught.value) + repr(caught.value) + repr(caught.value.__dict__)
    )
    assert KEY not in shown


def test_a_cancelled_call_leaves_nothing_behind() -> None:
    """Cancelling an async generate while it sleeps ends it at once, and no task stays."""

    async def scene() -> set[str]:
        asleep = asyncio.Event()

        async def sleep(_: float) -> None:
            asleep.set()
            await asyncio.Event().wait()

        async with fc.AsyncClient(
            KEY, transport=httpx.MockTransport(scripted(PROCESSING)), sleep=sleep
        ) as client:
            task = asyncio.create_task(client.generate(**FIELDS))
            async with asyncio.timeout(5):
                await asleep.wait()
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        return {
            other.get_name() for other in asyncio.all_tasks() if other is not asyncio.current_task()
        }

    assert asyncio.run(scene()) == set()


def test_many_jobs_at_once_keep_their_ids() -> None:
    """Ten parallel calls of one async client each get their own job's result."""

    async def scene() -> list[tuple[str, str]]:
        mock = make_mock(clock="auto")
        async with fc.AsyncClient(
            KEY, transport=httpx.MockTransport(served(mock)), sleep=lambda _: asyncio.sleep(0)
        ) as client:
            results = await asyncio.gather(
                *(client.generate(**FIELDS | {"prompt": f"p{i}"}) for i in range(10))
            )
        prompts = {job.id: job.picture.prompt for job in mock.jobs}
        return [(f"p{i}", prompts[result.id]) for i, result in enumerate(results)]

    assert asyncio.run(scene()) == [(f"p{i}", f"p{i}") for i in range(10)]


def test_the_body_is_what_the_mock_calls_valid() -> None:
    """The smallest call of the client is the smallest valid request of the contract."""
    assert VALID == FIELDS | {"key": KEY}


@pytest.mark.parametrize(
    "body, expected",
    [
        (
            {"status": "success", "id": 5, "output": ["https://c/a.png"], "track_id": 7},
            (5, "success", ("https://c/a.png",), "", 7, "5:success"),
        ),
        ({"status": "success", "id": "5"}, (5, "success", (), "", None, "5:success")),
        (
            {"status": "failed", "id": 5, "message": "no", "track_id": "t"},
            (5, "failed", (), "no", "t", "5:failed"),
        ),
        ({"status": "error", "id": 5, "messege": "no"}, (5, "failed", (), "no", None, "5:failed")),
        (
            {"status": "success", "id": 5, "track_id": True},
            (5, "success", (), "", None, "5:success"),
        ),
        (
            {"status": "success", "id": 5, "track_id": 1.5},
            (5, "success", (), "", None, "5:success"),
        ),
    ],
)
def test_webhooks_are_read(body: dict[str, Any], expected: tuple[Any, ...]) -> None:
    """An event's id, status, links, message and track_id are read in each form that was seen."""
    event = fc.parse_webhook(json.dumps(body).encode())

    assert (
        event.job_id,
        event.status,
        event.output,
        event.message,
        event.track_id,
        event.dedupe_key,
    ) == expected


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{",
        b"{}",
        b'{"status":"processing","id":5}',
        b'{"status":"success"}',
        b"\xff",
        b"[" * 100_000,
    ],
)
def test_what_is_no_event_is_refused(body: bytes) -> None:
    """A body that is no ending of a job raises BadReplyError and nothing else."""
    with pytest.raises(fc.BadReplyError):
        fc.parse_webhook(body)


@pytest.mark.parametrize(
    "reply, error",
    [
        ((504, {"message": "Gateway Timeout", "retry_after": 1}), fc.ServerError),
        ((429, {"status": "processing", "id": 5}), fc.RateLimitError),
        ((400, {"status": "processing", "id": 5}), fc.ValidationError),
        ((400, {"status": "success", "id": 5, "output": ["https://c/a"]}), fc.ValidationError),
        ((502, b"<html>"), fc.ServerError),
    ],
)
def test_a_refusal_that_may_be_none_is_not_answered_by_another_submit(
    make: Callable[..., World], reply: Any, error: type[fc.FauxlabError]
) -> None:
    """After a 5xx, or a refusal that names a job, the submit is not sent again."""
    world = make(scripted(reply))

    with pytest.raises(error):
        world.generate(**FIELDS)

    assert len(world.requests) == 1


@pytest.mark.parametrize(
    "message",
    [
        "Internal server error. Please try again.",
        "Rate limit of provider",
        "credits refunded",
        "prompt must be shorter",
    ],
)
def test_a_failed_job_has_failed_whatever_its_message_says(
    make: Callable[..., World], message: str
) -> None:
    """The words of a failed job's message do not turn it into something to wait for."""
    world = make(
        scripted(PROCESSING, {"status": "failed", "id": 5, "message": message, "output": ""})
    )

    with pytest.raises(fc.JobFailedError, match=message[:12]):
        world.generate(**FIELDS)

    assert len(world.requests) == 2


@pytest.mark.parametrize("timeout_s", [0, -1, math.nan, math.inf])
def test_an_impossible_timeout_is_refused_before_anything_is_paid_for(
    make: Callable[..., World], timeout_s: float
) -> None:
    """A deadline that is none raises before the submit."""
    world = make(scripted(SUCCESS))

    with pytest.raises(fc.ValidationError, match="timeout_s must be a positive number"):
        world.generate(**FIELDS, timeout_s=timeout_s)

    assert world.requests == []


def test_a_paid_job_is_asked_for_at_the_deadline_at_least(make: Callable[..., World]) -> None:
    """An eta as long as the deadline still leaves one fetch, at the deadline itself."""
    world = make(scripted(PROCESSING | {"eta": 50}, SUCCESS))

    assert world.generate(**FIELDS, timeout_s=5).id == 5
    assert world.slept == [5.0]


def test_one_call_cannot_change_the_key(make: Callable[..., World]) -> None:
    """A key among the fields would charge one account and poll another, so it is refused."""
    world = make(scripted(SUCCESS))

    with pytest.raises(fc.ValidationError, match="key belongs to the client"):
        world.generate(**FIELDS, key="other")


def test_a_number_beyond_measure_loses_no_job(make: Callable[..., World]) -> None:
    """An eta of four hundred digits is no eta; the job is waited for all the same."""
    world = make(
        scripted((200, b'{"status":"processing","id":5,"eta":1' + b"0" * 400 + b"}"), SUCCESS)
    )

    assert world.generate(**FIELDS).id == 5


def test_a_key_that_the_api_repeats_is_hidden(make: Callable[..., World]) -> None:
    """The API's own message loses the key, and so does a refusal of one's own arguments."""
    world = make(scripted({"status": "error", "message": f"Invalid API key {KEY}"}))

    with pytest.raises(fc.AuthenticationError, match=r"^Invalid API key \*\*\*$"):
        world.submit(**FIELDS)
    with pytest.raises(fc.ValidationError) as caught:
        world.submit(**FIELDS, webhook=f"ftp://x/?k={KEY}")

    assert KEY not in str(caught.value) + repr(caught.value)


def test_not_found_at_the_first_fetch_is_tolerated_however_long_the_eta(
    make: Callable[..., World],
) -> None:
    """The grace time begins with the first fetch, not with the submit."""
    not_found = {"status": "failed", "id": "", "message": "Request not found", "output": ""}
    world = make(scripted(PROCESSING | {"eta": 30}, not_found, SUCCESS))

    assert world.generate(**FIELDS).id == 5


def test_the_names_of_this_machine_are_one_origin(make: Callable[..., World]) -> None:
    """localhost and 127.0.0.1 on the same port are the same server; another port is not."""
    reply = PROCESSING | {"fetch_result": "http://127.0.0.1:4010/api/v6/image_editing/fetch/5"}
    assert make(scripted(reply), base_url="http://localhost:4010/api/v6").submit(**FIELDS).id == 5

    with pytest.raises(fc.UntrustedURLError):
        make(scripted(reply), base_url="http://localhost:4011/api/v6").submit(**FIELDS)


@pytest.mark.parametrize(
    "url",
    [
        "https://[/x.png",
        "https://a/" + "x" * 70_000,
        "https://xn--zz--/x",
        "ftp://a/x",
        "x.png",
        "https://a b/",
    ],
)
def test_odd_links_raise_our_own_error(
    make: Callable[..., World], url: str, tmp_path: Path
) -> None:
    """No address makes another library's exception come through."""
    with pytest.raises(fc.UntrustedURLError):
        make(scripted((200, PNG))).download(url, tmp_path)


@pytest.mark.parametrize(
    "location", ["http://[", "http://127.0.0.1:2375/x.png", "https://localhost/x.png"]
)
def test_a_remote_link_cannot_lead_to_this_machine(
    make: Callable[..., World], location: str, tmp_path: Path
) -> None:
    """A redirect from elsewhere to loopback, or to no address, is refused."""
    world = make(scripted(httpx.Response(302, headers={"location": location}), (200, PNG)))

    with pytest.raises((fc.UntrustedURLError, fc.DownloadError)):
        world.download("https://cdn.example/a.png", tmp_path)

    assert len(world.requests) == 1


def test_what_cannot_get_better_is_not_downloaded_again(
    make: Callable[..., World], tmp_path: Path
) -> None:
    """A compressed answer stays compressed: one try."""
    world = make(scripted(httpx.Response(200, headers={"content-encoding": "gzip"})))

    with pytest.raises(fc.DownloadError, match="after 1 tries"):
        world.download("https://cdn.example/a.png", tmp_path)


def test_cookies_are_not_kept(make: Callable[..., World]) -> None:
    """What the API sets is not sent back."""
    world = make(scripted(httpx.Response(200, headers={"set-cookie": "sid=1"})))
    for _ in range(2):
        with contextlib.suppress(fc.BadReplyError):
            world.fetch(5)

    assert [request.headers.get("cookie") for request in world.requests] == [None, None]


@pytest.mark.parametrize(
    "values",
    [{"jitter": 2}, {"growth": 0.5}, {"step_s": 0}, {"first_least_s": 0}, {"first_least_s": 100}],
)
def test_impossible_paces_are_refused(values: dict[str, float]) -> None:
    """A pace that could make a wait negative or endless raises when it is made."""
    with pytest.raises(ValueError, match="Polling needs"):
        fc.Polling(**values)


@pytest.mark.parametrize("key, text", [("abcd", "*** is blocked"), ("abc", "abc is blocked")])
def test_a_key_is_hidden_from_four_characters_on(key: str, text: str) -> None:
    """A key that the API repeats is hidden as the contract hides it; a shorter one is a word."""
    error = fc.RefusedError(f"{key} is blocked")

    error.hide(key)

    assert (str(error), secret_in(key) is not None) == (text, "***" in text)


def test_threads_that_share_a_client_take_turns() -> None:
    """Only one call of a `Client` is under way at a time: a deadline cuts what the client has."""
    together = threading.Barrier(2)
    met = []

    def handle(request: httpx.Request) -> httpx.Response:
        with contextlib.suppress(threading.BrokenBarrierError):
            together.wait(0.2)  # broken by the first who waits alone, and for good
            met.append(request.url)
        return httpx.Response(200, json={"status": "processing", "output": ""})

    with fc.Client(KEY, transport=httpx.MockTransport(handle)) as client:
        threads = [threading.Thread(target=client.fetch, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert (met, together.broken) == ([], True)
