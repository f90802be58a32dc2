"""The traffic guard: every rule through every library, whoever answers, and no false alarm."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import http.server
import importlib
import io
import json
import os
import pickle
import re
import ssl
import threading
import urllib.request
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import httpx
import pytest
import requests
import respx
import urllib3
from aiohttp import web

import fauxlab_client as fc
from driving import BUNDLED, KEY, SUBMIT, VALID
from fauxlab_contract.core.http import HttpResponse
from fauxlab_contract.guard.guard import Guard, GuardError, GuardFinding, guarded
from fauxlab_contract.guard.hooks.watch import WatchedCall, watching
from fauxlab_contract.guard.rules import RULES, reply_findings
from fauxlab_mock.behaviour.faults import FAULTS
from fauxlab_mock.behaviour.scenarios import SCENARIOS
from fauxlab_mock.inprocess.interception import intercepted
from fauxlab_mock.runtime.mock import Mock
from fauxlab_mock.settings import Settings

URL = f"https://modelslab.com{SUBMIT}"
REQUEST = "openapi.yaml at /components/schemas/FluxHeadshotRequest"
JSON = {"Content-Type": "application/json"}
GOOD = {"status": "success", "id": 7, "output": ["https://example.com/1.png"]}
LIE = {"status": "success", "id": 7, "output": "https://example.com/1.png"}
TOLD = "output must be an array, not the text"
Send = Callable[..., Any]


def needed(name: str) -> Any:
    """A package of requirements/dev.txt; a checkout that is not up to date may lack it."""
    if os.environ.get("CI"):
        return importlib.import_module(name)
    return pytest.importorskip(name, reason="run `make setup`")


def by_httpx(
    method: str,
    url: str,
    body: Any = None,
    headers: Any = None,
    *,
    verify: bool = True,
    name: str = "httpx",
    **options: Any,
) -> Any:
    what = {"content": body} if isinstance(body, bytes) else {"json": body}
    with needed(name).Client(verify=verify, **options) as client:
        return client.request(method, url, headers=headers, **what)


def by_async_httpx(
    method: str,
    url: str,
    body: Any = None,
    headers: Any = None,
    *,
    verify: bool = True,
    name: str = "httpx",
    **options: Any,
) -> Any:
    async def call() -> Any:
        what = {"content": body} if isinstance(body, bytes) else {"json": body}
        async with needed(name).AsyncClient(verify=verify, **options) as client:
            return await client.request(method, url, headers=headers, **what)

    return asyncio.run(call())


def by_httpx2(*args: Any, **options: Any) -> Any:
    return by_httpx(*args, name="httpx2", **options)


def by_async_httpx2(*args: Any, **options: Any) -> Any:
    return by_async_httpx(*args, name="httpx2", **options)


def by_requests(
    method: str, url: str, body: Any = None, headers: Any = None, *, verify: bool = True
) -> Any:
    what: dict[str, Any] = {"data": body} if isinstance(body, bytes) else {"json": body}
    return requests.request(method, url, headers=headers, verify=verify, timeout=5, **what)


def by_aiohttp(
    method: str, url: str, body: Any = None, headers: Any = None, *, verify: bool = True
) -> Any:
    async def call() -> Any:
        what = {"data": body} if isinstance(body, bytes) else {"json": body}
        async with (
            aiohttp.ClientSession() as session,
            session.request(method, url, headers=headers, ssl=verify, **what) as reply,
        ):
            return await reply.json()

    return asyncio.run(call())


def _in_bytes(body: Any, headers: Any) -> tuple[bytes | None, dict[str, str]]:
    """What a program of the standard library writes by hand."""
    if body is None or isinstance(body, bytes):
        return body, headers or {}
    return json.dumps(body).encode(), {**JSON, **(headers or {})}


def by_urllib(
    method: str, url: str, body: Any = None, headers: Any = None, *, verify: bool = True
) -> Any:
    data, headers = _in_bytes(body, headers)
    context = ssl.create_default_context() if verify else ssl._create_unverified_context()  # noqa: S323
    request = urllib.request.Request(url, data, headers, method=method)
    with urllib.request.urlopen(request, timeout=5, context=context) as reply:
        return json.load(reply)


def by_http_client(
    method: str, url: str, body: Any = None, headers: Any = None, *, verify: bool = True
) -> Any:
    parts, (data, headers) = urlsplit(url), _in_bytes(body, headers)
    connection: http.client.HTTPConnection = http.client.HTTPConnection(parts.netloc, timeout=5)
    if parts.scheme == "https":
        context = ssl.create_default_context() if verify else ssl._create_unverified_context()  # noqa: S323
        connection = http.client.HTTPSConnection(parts.netloc, timeout=5, context=context)
    with contextlib.closing(connection):
        query = f"?{parts.query}" if parts.query else ""
        connection.request(method, parts.path + query, data, headers)
        return json.loads(connection.getresponse().read())


def by_urllib3(
    method: str, url: str, body: Any = None, headers: Any = None, *, verify: bool = True
) -> Any:
    data, headers = _in_bytes(body, headers)
    kind = "CERT_REQUIRED" if verify else "CERT_NONE"
    with urllib3.PoolManager(cert_reqs=kind, retries=False, timeout=5) as pools:
        return json.loads(pools.request(method, url, body=data, headers=headers).data)


SENDERS = [
    *(by_httpx, by_async_httpx, by_httpx2, by_async_httpx2),
    *(by_requests, by_aiohttp, by_urllib, by_http_client, by_urllib3),
]
# rule -> (method, URL, body, headers, message, place)
BROKEN: dict[str, tuple[str, str, Any, Any, str, str]] = {
    "request-violation": (
        "POST",
        URL,
        {**VALID, "width": 1025},
        None,
        "width must be at most 1024, not 1025.",
        "/properties/width",
    ),
    "malformed-body": (
        "POST",
        URL,
        b'{"key"',
        JSON,
        "The body is not JSON: Expecting ':' delimiter at line 1 column 7.",
        "",
    ),
    "media-type": (
        "POST",
        URL,
        json.dumps(VALID).encode(),
        {"Content-Type": "text/plain"},
        "Content-Type must be application/json, not 'text/plain'.",
        "",
    ),
    "misspelt-field": (
        "POST",
        URL,
        {**VALID, "guidence_scale": 3},
        None,
        "guidence_scale is not a field of this operation; did you mean guidance_scale?",
        "/properties/guidance_scale",
    ),
}
ELSEWHERE: dict[str, tuple[str, str, Any, str, str]] = {
    "unknown-path": (
        "POST",
        f"{URL}s",
        VALID,
        f"POST {SUBMIT}s is not in the document; did you mean {SUBMIT}?",
        "openapi.yaml at /paths",
    ),
    "wrong-method": (
        "GET",
        URL,
        None,
        f"GET {SUBMIT}: this path takes POST.",
        "openapi.yaml at /paths/~1image_editing~1flux_headshot/post",
    ),
    "key-in-url": (
        "POST",
        f"{URL}?api_key=x",
        VALID,
        "The key is in the URL.",
        "openapi.yaml at /paths/~1image_editing~1flux_headshot/post",
    ),
    "plain-http": (
        "POST",
        URL.replace("https", "http"),
        VALID,
        "The call goes to production over plain http.",
        "openapi.yaml at /servers",
    ),
}


def caught(send: Callable[[], Any], *, guard: Guard | None = None) -> tuple[GuardFinding, ...]:
    """The findings of the error that a guarded call raises."""
    guard = guard or Guard(BUNDLED)
    with watching(guard), pytest.raises(GuardError) as error:
        send()
    assert KEY not in f"{error.value}{error.value!r}{guard!r}{guard.calls}"
    assert guard.findings == error.value.findings
    return error.value.findings


@pytest.mark.parametrize("send", SENDERS)
@pytest.mark.parametrize("rule", BROKEN)
def test_a_body_that_breaks_the_contract_is_not_sent(send: Send, rule: str) -> None:
    """Whatever the library, the call raises at its line, with field, value, rule and place, and
    nothing leaves.
    """
    method, url, body, headers, message, place = BROKEN[rule]
    (finding,) = caught(lambda: send(method, url, body, headers))

    assert (finding.rule, finding.message, finding.place, finding.call) == (
        rule,
        message,
        REQUEST + place,
        f"POST {SUBMIT}",
    )
    assert Path(finding.site.partition(":")[0]).name == Path(__file__).name
    assert (finding.severity, finding.advice) == (RULES[rule].severity, RULES[rule].advice)


@pytest.mark.parametrize("send", SENDERS)
@pytest.mark.parametrize("rule", ELSEWHERE)
def test_an_address_that_breaks_the_contract_is_not_called(send: Send, rule: str) -> None:
    """Unknown paths, wrong methods, keys in URLs and plain http are found with every library."""
    method, url, body, message, place = ELSEWHERE[rule]
    (finding,) = caught(lambda: send(method, url, body))

    assert (finding.rule, finding.message, finding.place) == (rule, message, place)


@pytest.mark.parametrize("send", SENDERS)
def test_an_unchecked_certificate_is_found(send: Send) -> None:
    """`verify=False` or `ssl=False` towards production is a finding; towards this machine it is
    none.
    """
    (finding,) = caught(lambda: send("POST", URL, VALID, verify=False))

    assert (finding.rule, finding.severity, finding.place) == (
        "tls-not-verified",
        "error",
        "openapi.yaml at /servers",
    )


@pytest.mark.parametrize("body", [GOOD, LIE])
@pytest.mark.parametrize("send", [by_httpx, by_async_httpx])
def test_replies_by_respx_are_judged(send: Send, body: dict[str, Any]) -> None:
    """A respx route that lies about the API is a finding; one that does not is none."""
    with respx.mock:
        respx.post(URL).respond(json=body)
        judge_reply(send, body)


@pytest.mark.parametrize("body", [GOOD, LIE])
@pytest.mark.parametrize("send", [by_httpx, by_async_httpx, by_httpx2, by_async_httpx2])
def test_replies_by_a_transport_are_judged(send: Send, body: dict[str, Any]) -> None:
    """So it is with a transport of the client's own."""
    library = needed("httpx2" if "2" in send.__name__ else "httpx")
    transport = library.MockTransport(lambda _: library.Response(200, json=body))
    judge_reply(lambda *args: send(*args, transport=transport), body)


@pytest.mark.parametrize("body", [GOOD, LIE])
def test_replies_by_responses_are_judged(body: dict[str, Any]) -> None:
    """So it is with responses, below requests."""
    with needed("responses").RequestsMock() as mocked:
        mocked.add("POST", URL, json=body)
        judge_reply(by_requests, body)


@pytest.mark.parametrize("body", [GOOD, LIE])
@pytest.mark.parametrize("send", [by_httpx, by_async_httpx, by_requests, by_aiohttp])
@pytest.mark.parametrize("is_first", [True, False], ids=["guard first", "cassette first"])
def test_recorded_replies_are_judged(
    send: Send, body: dict[str, Any], is_first: bool, tmp_path: Path
) -> None:
    """A cassette of vcrpy, in use before the guard or inside it, is judged like a server."""
    request = {"method": "POST", "uri": URL, "body": "", "headers": {}}
    status, headers = {"code": 200, "message": "OK"}, {"Content-Type": ["application/json"]}
    response = {
        "status": status,
        "headers": headers,
        "body": {"string": json.dumps(body)},
        "url": URL,
    }
    tape = {"version": 1, "interactions": [{"request": request, "response": response}]}
    (tmp_path / "tape.json").write_text(json.dumps(tape))
    vcr = needed("vcr")

    def cassette() -> Any:
        return vcr.use_cassette(
            str(tmp_path / "tape.json"),
            serializer="json",
            record_mode="none",
            match_on=["method", "uri"],
        )

    def played(*args: Any) -> Any:
        with cassette() if is_first else contextlib.nullcontext():
            return send(*args)

    with contextlib.nullcontext() if is_first else cassette():
        judge_reply(played, body)


class Liar(http.server.BaseHTTPRequestHandler):
    """A fake of somebody's that answers as the API never does."""

    def do_POST(self) -> None:
        body = json.dumps(LIE).encode()
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args: Any) -> None:
        """Say nothing."""


@pytest.mark.parametrize("send", [by_urllib, by_http_client, by_urllib3, by_requests])
def test_a_fake_of_ones_own_is_judged(send: Send) -> None:
    """A reply that is read by the standard library, or by requests above it, is judged once."""
    server = http.server.HTTPServer(("127.0.0.1", 0), Liar)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    base = f"http://127.0.0.1:{server.server_port}"
    guard = Guard(BUNDLED, lambda: [base])

    try:
        (finding,) = caught(lambda: send("POST", base + SUBMIT, VALID), guard=guard)
    finally:
        server.shutdown()
        server.server_close()

    assert (finding.rule, finding.field, guard.calls) == (
        "reply-violation",
        "output",
        [f"POST {SUBMIT}"],
    )


class Dropper(Liar):
    """Closes the connection of its first request without an answer."""

    has_dropped = False

    def do_POST(self) -> None:
        if self.has_dropped:
            super().do_POST()
            return
        type(self).has_dropped = True
        self.rfile.read(int(self.headers["Content-Length"]))
        self.close_connection = True


def test_a_library_that_tries_again_by_itself_is_judged_once() -> None:
    """urllib3 repeats a request below its caller; the guard stands in nobody's way."""
    Dropper.has_dropped = False
    server = http.server.HTTPServer(("127.0.0.1", 0), Dropper)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    base = f"http://127.0.0.1:{server.server_port}"
    guard = Guard(BUNDLED, lambda: [base])
    retry = urllib3.Retry(total=2, allowed_methods=None, backoff_factor=0)

    def send() -> None:
        with urllib3.PoolManager(retries=retry, timeout=5) as pools:
            pools.request("POST", base + SUBMIT, body=json.dumps(VALID).encode(), headers=JSON)

    try:
        (finding,) = caught(send, guard=guard)
    finally:
        server.shutdown()
        server.server_close()

    assert (finding.rule, guard.calls) == ("reply-violation", [f"POST {SUBMIT}"])


def judge_reply(send: Send, body: dict[str, Any]) -> None:
    """A good reply comes through; the lie raises, and says what and where."""
    if body is GOOD:
        with guarded(BUNDLED) as guard:
            send("POST", URL, VALID)
        assert (guard.calls, guard.findings) == ([f"POST {SUBMIT}"], ())
        return
    (finding,) = caught(lambda: send("POST", URL, VALID))
    assert (finding.rule, finding.message[: len(TOLD)], finding.field) == (
        "reply-violation",
        TOLD,
        "output",
    )
    assert (
        finding.place
        == "openapi.yaml at /components/schemas/ImageEditingSuccessResponse/properties/output"
    )


@contextlib.asynccontextmanager
async def served(answer: Callable[[web.Request], Any]) -> AsyncIterator[str]:
    """A server in this loop; gives its base URL."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        host, port = runner.addresses[0][:2]
        yield f"http://{host}:{port}/v9"
    finally:
        await runner.cleanup()


@pytest.mark.parametrize("how", ["json", "text", "read", "stream"])
def test_an_aiohttp_reply_is_judged_when_it_is_read(how: str) -> None:
    """By json(), text() or read(), at that line; a client that streams the reply gets all of it,
    unjudged.
    """

    async def answer(_: web.Request) -> web.Response:
        return web.json_response(LIE)

    async def call() -> tuple[str, tuple[GuardFinding, ...]]:
        async with served(answer) as url, aiohttp.ClientSession() as session:
            guard = Guard(BUNDLED, lambda: [url])
            with watching(guard):
                reply = await session.post(f"{url}/image_editing/flux_headshot", json=VALID)
                if how == "stream":
                    return (
                        b"".join([chunk async for chunk in reply.content.iter_any()]).decode(),
                        guard.findings,
                    )
                with pytest.raises(GuardError):
                    await getattr(reply, how)()
                await reply.read()  # a second time it is an ordinary reply
                return await reply.text(), guard.findings

    text, findings = asyncio.run(call())

    assert (json.loads(text), [finding.rule for finding in findings]) == (
        LIE,
        [] if how == "stream" else ["reply-violation"],
    )


def test_redirects_of_aiohttp_are_judged() -> None:
    """The hop that leads to a path which the document does not know is found, and so is the way by
    aiohttp.request.
    """

    async def answer(request: web.Request) -> web.Response:
        if request.path.endswith("flux_headshot"):
            raise web.HTTPTemporaryRedirect("/v9/nowhere")
        return web.json_response(GOOD)

    async def call() -> list[str]:
        async with served(answer) as url:
            guard = Guard(BUNDLED, lambda: [url])
            with watching(guard), pytest.raises(GuardError):
                async with aiohttp.request(
                    "POST", f"{url}/image_editing/flux_headshot", json=VALID
                ):
                    pass
            return [finding.message for finding in guard.findings]

    assert asyncio.run(call()) == [
        "POST /api/v6/nowhere is not in the document; the document's paths begin with /api/v6."
    ]


@pytest.mark.parametrize("send", [by_httpx, by_async_httpx, by_httpx2, by_async_httpx2])
def test_redirects_of_httpx_are_judged(send: Send) -> None:
    """Each hop is a call of its own, and the first answer is not taken for the last one's."""
    library = needed("httpx2" if "2" in send.__name__ else "httpx")

    def answer(request: Any) -> Any:
        moved = str(request.url) == URL
        return (
            library.Response(307, headers={"location": f"{URL}/"})
            if moved
            else library.Response(200, json=LIE)
        )

    guard = Guard(BUNDLED)
    caught(
        lambda: send(
            "POST", URL, VALID, transport=library.MockTransport(answer), follow_redirects=True
        ),
        guard=guard,
    )

    assert (len(guard.calls), [finding.rule for finding in guard.findings]) == (
        2,
        ["reply-violation"],
    )


def test_redirects_of_requests_are_judged() -> None:
    """Each hop is a call of its own with requests, too."""
    with needed("responses").RequestsMock() as mocked:
        mocked.add("POST", URL, status=307, headers={"location": f"{URL}/"})
        mocked.add("POST", f"{URL}/", json=LIE)
        guard = Guard(BUNDLED)
        caught(lambda: by_requests("POST", URL, VALID), guard=guard)

    assert (len(guard.calls), [finding.rule for finding in guard.findings]) == (
        2,
        ["reply-violation"],
    )


@pytest.mark.parametrize("library", ["httpx", "requests"])
def test_an_answer_is_judged_by_the_call_that_it_answers(library: str) -> None:
    """After a redirect that is the last call: what only a fetch may say is no finding about the
    submit.
    """
    fetch = URL.replace("flux_headshot", "fetch/7")
    said = {"status": "failed", "id": "", "message": "Request not found", "output": ""}
    with guarded(BUNDLED) as guard:
        if library == "httpx":
            with respx.mock:
                respx.post(URL).respond(307, headers={"location": fetch})
                respx.post(fetch).respond(json=said)
                by_httpx("POST", URL, VALID, follow_redirects=True)
        else:
            with needed("responses").RequestsMock() as mocked:
                mocked.add("POST", URL, status=307, headers={"location": fetch})
                mocked.add("POST", fetch, json=said)
                by_requests("POST", URL, VALID)

    assert guard.calls == [f"POST {SUBMIT}", "POST /api/v6/image_editing/fetch/{id}"]


def test_streams_and_files_are_sent_whole() -> None:
    """A body that a generator or a file gives is judged, and still arrives."""
    data = json.dumps(VALID).encode()

    def pieces() -> Iterator[bytes]:
        yield data[:10]
        yield data[10:]

    got: list[bytes] = []

    def answer(request: httpx.Request) -> httpx.Response:
        got.append(request.content)
        return httpx.Response(200, json=GOOD)

    with (
        guarded(BUNDLED) as guard,
        httpx.Client(transport=httpx.MockTransport(answer)) as client,
        respx.mock,
    ):
        client.post(URL, content=pieces(), headers=JSON)
        with needed("responses").RequestsMock() as mocked:
            mocked.add("POST", URL, json=GOOD)
            requests.post(URL, data=io.BytesIO(data), headers=JSON, timeout=5)
            got.append(mocked.calls[0].request.body)

    assert (got, guard.calls) == ([data, data], [f"POST {SUBMIT}"] * 2)


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/api/v6/image_editing/flux_headshots",
        "https://modelslab.com/generations/1.png",
        "https://modelslab.com:8443/api/v6/x",
        "https://modelslab.com/api/v4/other/call",
        "https://[",
        "",
    ],
)
def test_calls_to_elsewhere_are_not_judged(url: str) -> None:
    """Other hosts, ports and APIs, pictures, and what is no URL at all are none of the guard's
    business.
    """
    assert Guard(BUNDLED).wants(url) is False


@pytest.mark.parametrize(
    "url, meant",
    [
        ("https://modelslab.com/image_editing/flux_headshot", SUBMIT),
        ("https://modelslab.com/api/v5/image_editing/flux_headshot", SUBMIT),
        ("https://modelslab.com/api/v6/image_editing/fetch", "/api/v6/image_editing/fetch/{id}"),
        (
            "https://modelslab.com/api/v6/api/v6/image_editing/fetch/5",
            "/api/v6/image_editing/fetch/{id}",
        ),
        ("http://127.0.0.1:9/image_editing/flux_headshot", SUBMIT),
    ],
)
def test_a_wrong_base_path_is_an_unknown_path(url: str, meant: str) -> None:
    """A call that ends like one of the document's is meant for it, and the finding names what was
    meant.
    """
    (finding,) = caught(
        lambda: by_requests("POST", url, VALID),
        guard=Guard(BUNDLED, lambda: ["http://127.0.0.1:9"]),
    )

    assert (finding.rule, finding.message.partition("did you mean ")[2]) == (
        "unknown-path",
        f"{meant}?",
    )


@pytest.mark.parametrize(
    "name, meant",
    [
        ("guidence_scale", "guidance_scale"),
        ("guidanceScale", "guidance_scale"),
        ("negativeprompt", "negative_prompt"),
        ("inference_steps", "num_inference_steps"),
        ("Width", "width"),
        ("size", None),
        ("negative_prompt", None),
        ("safety_checker_type", None),
        ("prompt_2", None),
        ("enhance_prompt", None),
        ("seeds", None),  # the seed is there
        ("x" * 5_000, None),
    ],
)
def test_only_misspelt_fields_are_found(name: str, meant: str | None) -> None:
    """An undeclared field is the client's own business unless it looks like one that is missing."""
    with respx.mock:
        respx.post(URL).respond(json=GOOD)
        guard = Guard(BUNDLED)
        with watching(guard), contextlib.suppress(GuardError):
            by_httpx("POST", URL, {**VALID, name: 1})

    told = [finding.message.partition("did you mean ")[2] for finding in guard.findings]
    assert told == ([] if meant is None else [f"{meant}?"])


@pytest.mark.parametrize(
    "code, content, count",
    [
        (200, b'{"status":"error","message":"m"}', 0),
        (401, b'{"status":"error","message":"m"}', 0),
        (200, b"<html>", 1),
        (200, b"[]", 1),
        (200, b"{}", 1),
        (422, b'{"errors":[]}', 1),
        (422, b"<html>", 0),
        (404, b"[]", 0),
        (302, b"", 0),
        (503, b"<html>", 0),
        (503, b'{"detail":"x"}', 0),
        (503, b'{"status":"done"}', 1),
    ],
)
def test_replies_are_judged_by_what_the_api_says(code: int, content: bytes, count: int) -> None:
    """The envelope holds for errors too; what a gateway says does not come from the API."""
    call = WatchedCall("POST", URL, {}, json.dumps(VALID).encode())

    assert (
        len(list(reply_findings(BUNDLED, call, SUBMIT, HttpResponse(code, {}, content)))) == count
    )


def test_the_key_is_nowhere() -> None:
    """In a URL, a path, another field or an echo, the key is not repeated."""
    for send in (
        lambda: by_requests("POST", f"https://modelslab.com/api/v6/{KEY}?key={KEY}", VALID),
        lambda: by_requests("POST", URL, {**VALID, "width": KEY, "seed": f"x{KEY}"}),
        lambda: by_requests("POST", URL, {**VALID, f"{KEY}prompt": 1, "key": 5}),
    ):
        caught(send)
    plain = "letmeinplease"  # that does not look like a key
    (unknown,) = [
        one
        for one in caught(lambda: by_requests("POST", f"{URL}/{plain}", {"key": plain}))
        if one.rule == "unknown-path"
    ]
    with respx.mock:
        respx.post(URL).respond(json={**GOOD, "output": f"x{KEY}"})
        (finding,) = caught(lambda: by_httpx("POST", URL, VALID))

    assert (finding.message, plain in str(unknown)) == ("output breaks type.", False)


def test_what_was_swallowed_is_raised_at_the_end() -> None:
    """`guarded` raises once more, with all that was found once; the error survives a pickle."""

    def careless() -> None:
        with guarded(BUNDLED):
            for body in ({**VALID, "seed": None}, {**VALID, "guidance_scale": 99}) * 2:
                with contextlib.suppress(AssertionError):
                    by_requests("POST", URL, body)

    with pytest.raises(GuardError) as error:
        careless()

    assert [finding.field for finding in error.value.findings] == ["seed", "guidance_scale"]
    again = pickle.loads(pickle.dumps(error.value))  # noqa: S301 # our own
    assert again.findings == error.value.findings


def test_a_finding_has_one_advice() -> None:
    """What is to be done with a value takes the place of what is to be done in general."""
    (finding,) = caught(lambda: by_httpx("POST", URL, {**VALID, "width": "1024"}))

    assert str(finding).partition("\n")[0] == (
        'request-violation: width must be an integer, not the text "1024". Send the number 1024,'
        " without quotes."
    )


def test_a_guard_may_warn_only() -> None:
    """Nothing is raised, neither at the call nor at the end; the findings say what is wrong."""
    with respx.mock, guarded(BUNDLED, warn_only=True) as guard:
        respx.post(URL).respond(json=LIE)
        reply = by_httpx("POST", URL, {**VALID, "width": 1025})

    assert reply.json() == LIE
    assert [finding.rule for finding in guard.findings] == ["request-violation", "reply-violation"]
    with pytest.raises(GuardError):
        guard.assert_ok()


def test_rules_are_waived_with_a_reason() -> None:
    """By the rule, or for one field; what is waived goes through and stays on record."""
    guard = Guard(BUNDLED, waive={"request-violation:seed": "coerced"})
    with needed("responses").RequestsMock() as mocked, watching(guard):
        mocked.add("POST", URL, json=LIE)
        guard.waive("reply-violation", "old recording")
        by_requests("POST", URL, {**VALID, "seed": None})
        with pytest.raises(GuardError) as error:
            by_requests("POST", URL, {**VALID, "seed": None, "width": 5_000})
        guard.waive("request-violation", "all of them")
        by_requests("POST", URL, {**VALID, "width": 6_000})

    assert [finding.field for finding in error.value.findings] == ["width"]
    assert [(finding.rule, finding.field, finding.waived) for finding in guard.waived][:2] == [
        ("request-violation", "seed", "coerced"),
        ("reply-violation", "output", "old recording"),
    ]


@pytest.mark.parametrize(
    "rule, reason, message",
    [
        (
            "no-such-thing",
            "why",
            "no rule is called 'no-such-thing'; there are request-violation, ",
        ),
        ("reply-violations", "why", "did you mean reply-violation or request-violation?"),
        ("reply-violation:id", " ", "waive 'reply-violation:id' with a reason; this one is blank"),
    ],
)
def test_a_waiver_needs_a_rule_and_a_reason(rule: str, reason: str, message: str) -> None:
    """An unknown rule is refused with the nearest ids, and a blank reason is refused."""
    with pytest.raises(ValueError, match=re.escape(message)):
        Guard(BUNDLED).waive(rule, reason)
    with pytest.raises(ValueError, match=re.escape(message)):
        Guard(BUNDLED, waive={rule: reason})


def test_a_guard_is_a_report_like_the_others() -> None:
    """`is_ok`, `worst`, `str()` and `as_dict()` tell what was found until now."""
    guard = Guard(BUNDLED)
    assert (guard.is_ok, guard.worst, str(guard)) == (True, None, "0 calls judged: no findings")
    (finding,) = caught(lambda: by_requests("GET", URL), guard=guard)

    assert (guard.is_ok, guard.worst) == (False, "error")
    assert str(guard) == f"1 call judged: 1 error\n  {finding}"
    assert guard.as_dict() == {
        "is_ok": False,
        "worst": "error",
        "findings": [asdict(finding)],
        "waived": [],
        "unused_waivers": [],
        "gone": [],
        "calls": [f"GET {SUBMIT}"],
    }
    with pytest.raises(GuardError) as error:
        guard.assert_ok()
    assert error.value.findings == (finding,)
    Guard(BUNDLED).assert_ok("note")


def test_what_a_baseline_knows_does_not_stop_a_call() -> None:
    """It is sent, and kept aside; what was not found so far is named."""
    first = Guard(BUNDLED)
    caught(lambda: by_requests("POST", URL, {**VALID, "seed": None}), guard=first)
    guard = Guard(BUNDLED).against(first.as_baseline())
    unmet = guard.gone

    with needed("responses").RequestsMock() as mocked, watching(guard):
        mocked.add(
            "POST",
            URL,
            json={"status": "processing", "id": 7, "eta": 2, "fetch_result": f"{URL}/7"},
        )
        by_requests("POST", URL, {**VALID, "seed": None})

    assert (guard.is_ok, [one.waived for one in guard.waived]) == (True, ["in the baseline"])
    assert (len(unmet), guard.gone) == (1, ())


@pytest.mark.parametrize("name", [*SCENARIOS, *FAULTS])
def test_good_clients_meet_no_finding(name: str) -> None:
    """Our client, sync and async, httpx and requests go through every scenario and fault of the
    mock under the guard.
    """
    mock = Mock(Settings(clock="auto", eta=1.0), document=BUNDLED)
    mock.scenario(name) if name in SCENARIOS else mock.fault(name)
    wish: dict[str, Any] = {
        "prompt": "p",
        "face_image": "https://example.com/f.png",
        "seed": 1,
        "width": 8,
        "height": 8,
    }
    failures = (fc.FauxlabError, httpx.HTTPError, requests.RequestException)

    async def later() -> None:
        async with fc.AsyncClient(
            KEY, timeout_s=20, sleep=lambda _: asyncio.sleep(0), now=mock.clock.now
        ) as client:
            await client.generate(**wish)

    with intercepted(mock), guarded(BUNDLED) as guard:
        with (
            contextlib.suppress(*failures),
            fc.Client(KEY, timeout_s=20, sleep=mock.clock.advance, now=mock.clock.now) as client,
        ):
            client.generate(**wish)
        for send in (by_httpx, by_requests):
            with contextlib.suppress(*failures):
                send("POST", URL, {"key": KEY, **wish})
        mock.forget_rules()
        with contextlib.suppress(*failures):
            asyncio.run(later())

    assert len(guard.calls) >= 4
