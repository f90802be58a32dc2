"""Whatever bytes arrive at the socket: a clear answer within a second, no key in any log, and the
server goes on.
"""

from __future__ import annotations

import base64
import contextlib
import json
import socket
import struct
import sys
import zlib
from collections.abc import Iterator
from typing import Any

import pytest

from driving import KEY, SUBMIT, VALID
from fauxlab_mock.server import protocol, uvicorn_server
from fauxlab_mock.server.app import LINGER_S
from fauxlab_mock.settings import Limits
from serving import (
    Answer,
    Running,
    chunked,
    connected,
    is_closed,
    raw,
    read_all,
    read_answer,
    request,
    serving,
    written,
)

TIP = "Send a POST with Content-Type: application/json and one valid JSON object."
BAD_FRAMING = {"status": "error", "message": "Invalid HTTP request"}
TOO_LARGE_HEAD = {"status": "error", "message": "The headers are larger than this mock accepts."}
TOO_LARGE_BODY = {"status": "error", "message": "The body is larger than this mock accepts."}
BODY = json.dumps(VALID).encode()
HEADER_BYTES = 64 * 2**10  # the default limits
BODY_BYTES = 10 * 2**20


@pytest.fixture(scope="module", params=["httptools", "h11"])
def server(request: pytest.FixtureRequest) -> Iterator[Running]:
    """A mock with the default settings behind each of the two parsers."""
    with contextlib.ExitStack() as stack:
        # for the start only: other servers of this module want httptools
        with pytest.MonkeyPatch.context() as patch:
            if request.param == "h11":
                patch.setitem(sys.modules, "uvicorn.protocols.http.httptools_impl", None)
            running = stack.enter_context(serving())
        yield running


@pytest.fixture(scope="module")
def status_server() -> Iterator[Running]:
    """A mock that answers errors with their own HTTP codes."""
    with serving(errors="status") as running:
        yield running


@pytest.fixture(scope="module")
def fast_server() -> Iterator[Running]:
    """A mock behind httptools, where the parser makes no difference."""
    with serving() as running:
        yield running


@pytest.fixture(scope="module", params=["envelope", "status"])
def small_server(request: pytest.FixtureRequest) -> Iterator[Running]:
    """A mock that takes 1,000 bytes of body, in each error profile."""
    with serving(errors=request.param, limits=Limits(body_bytes=1_000)) as running:
        yield running


@pytest.fixture(autouse=True)
def stderr_is_empty(capfd: pytest.CaptureFixture[str]) -> Iterator[None]:
    """Nothing but the log is ever written: no traceback, no warning of uvicorn."""
    yield
    assert capfd.readouterr().err == ""


def answered(server: Running, data: bytes, *, timeout_s: float = 1) -> Answer:
    """The answer to `data`; it has left no key behind, and a valid request is answered after it."""
    log_before, number = len(server.log.getvalue()), server.mock.counts()["requests"]
    answer = raw(server.address, data, timeout_s=timeout_s)
    new = server.log.getvalue()[log_before:] + repr(
        [exchange for exchange in server.mock.requests if exchange.number > number]
    )
    assert KEY not in new
    assert raw(server.address, request()).json["status"] == "processing"
    return answer


def extra(text: str) -> bytes:
    """A valid body with one more member, whose value is `text`."""
    return BODY[:-1] + b', "extra": ' + text.encode() + b"}"


def padded(size: int) -> bytes:
    """A valid body of `size` bytes."""
    return BODY + b" " * (size - len(BODY))


# Bodies


BAD_BODIES = {
    "empty": (b"", "The body is empty; send a JSON object."),
    "blank": (b" \n", "The body is empty; send a JSON object."),
    "array": (
        json.dumps([KEY]).encode(),
        "The body must be a JSON object, not an array with 1 item.",
    ),
    "text": (json.dumps(KEY).encode(), "The body must be a JSON object, not a text."),
    "null": (b"null", "The body must be a JSON object, not null."),
    "number": (b"5", "The body must be a JSON object, not a number."),
    "not-json": (
        b"key=" + KEY.encode(),
        "The body is not JSON: Expecting value at line 1 column 1.",
    ),
    "cut": (
        BODY[:-1],
        f"The body is not JSON: Expecting ',' delimiter at line 1 column {len(BODY)}.",
    ),
    "two-values": (
        BODY + b"{}",
        f"The body is not JSON: Extra data at line 1 column {len(BODY) + 1}.",
    ),
    "duplicate-key": (BODY[:-1] + b', "key": "x"}', "The key 'key' appears twice in one object."),
    "duplicate-key-inside": (extra('{"a": 1, "a": 1}'), "The key 'a' appears twice in one object."),
    "depth-65": (extra("[" * 64 + "]" * 64), "The JSON may be nested at most 64 levels deep."),
    "depth-100000": (
        extra("[" * 100_000 + "]" * 100_000),
        "The JSON may be nested at most 64 levels deep.",
    ),
    "keys-1001": (
        json.dumps(VALID | {str(i): 0 for i in range(997)}).encode(),
        "An object may have at most 1000 keys, not 1001.",
    ),
    "number-65-chars": (
        extra("0." + "1" * 63),
        "A number may have at most 64 characters, not 65.",
    ),
    "number-5000-digits": (
        extra("1" * 5_000),
        "A number may have at most 64 characters, not 5000.",
    ),
    "2^63": (extra(str(2**63)), f"The integer '{2**63}' does not fit into 64 bits."),
    "-2^63-1": (
        extra(str(-(2**63) - 1)),
        f"The integer '{-(2**63) - 1}' does not fit into 64 bits.",
    ),
    "1e400": (extra("1e400"), "The number '1e400' is beyond the range of a double."),
    "NaN": (extra("NaN"), "NaN is not JSON."),
    "Infinity": (extra("Infinity"), "Infinity is not JSON."),
    "-Infinity": (extra("-Infinity"), "-Infinity is not JSON."),
    "lone-surrogate": (
        extra(r'"\ud800"'),
        r"A \u escape is half of a surrogate pair; send whole characters.",
    ),
    "lone-surrogate-name": (
        extra(r'{"\udc00": 1}'),
        r"A \u escape is half of a surrogate pair; send whole characters.",
    ),
    "not-utf-8": (BODY + b"\xff", f"The body is not UTF-8 at byte {len(BODY)}."),
    "overlong-utf-8": (BODY + b"\xc0\x80", f"The body is not UTF-8 at byte {len(BODY)}."),
    "bom": (b"\xef\xbb\xbf" + BODY, "The body starts with a byte order mark; send plain UTF-8."),
    "utf-16": (BODY.decode().encode("utf-16"), "The body is not UTF-8 at byte 0."),
}


@pytest.mark.parametrize("body, tip", BAD_BODIES.values(), ids=BAD_BODIES)
def test_a_body_that_must_not_travel_is_malformed(
    fast_server: Running, body: bytes, tip: str
) -> None:
    """A body that is no JSON object within the limits is answered with the envelope and a tip, as
    HTTP 200.
    """
    answer = answered(fast_server, request(body))

    assert (answer.code, answer.json) == (
        200,
        {"status": "error", "message": "Invalid API Request", "tip": f"{tip} {TIP}"},
    )


@pytest.mark.parametrize("body, tip", BAD_BODIES.values(), ids=BAD_BODIES)
def test_a_malformed_body_is_400_in_the_status_profile(
    status_server: Running, body: bytes, tip: str
) -> None:
    """In the status profile the same envelope comes as HTTP 400."""
    answer = answered(status_server, request(body))

    assert (answer.code, answer.json) == (
        400,
        {"status": "error", "message": "Invalid API Request", "tip": f"{tip} {TIP}"},
    )


GOOD_BODIES = {
    "depth-64": extra("[" * 63 + "]" * 63),
    "keys-1000": json.dumps(VALID | {str(i): 0 for i in range(996)}).encode(),
    "number-64-chars": extra("0." + "1" * 62),
    "2^63-1": extra(str(2**63 - 1)),
    "-2^63": extra(str(-(2**63))),
    "surrogate-pair": extra(r'"\ud83d\ude00"'),
    "brackets-in-text": extra(json.dumps("[" * 200)),
}


@pytest.mark.parametrize("body", GOOD_BODIES.values(), ids=GOOD_BODIES)
def test_a_body_at_a_limit_is_taken(fast_server: Running, body: bytes) -> None:
    """Each limit itself is still allowed."""
    assert answered(fast_server, request(body)).json["status"] == "processing"


@pytest.mark.parametrize(
    "header, tip",
    [
        pytest.param(
            "X-Nothing: 1", "Content-Type is missing; send application/json.", id="missing"
        ),
        pytest.param(
            "Content-Type: ", "Content-Type must be application/json, not ''.", id="empty"
        ),
        pytest.param(
            "Content-Type: text/plain",
            "Content-Type must be application/json, not 'text/plain'.",
            id="other",
        ),
        pytest.param(
            "Content-Type: application/x-www-form-urlencoded",
            "Content-Type must be application/json, not 'application/x-www-form-urlencoded'.",
            id="form",
        ),
        pytest.param(
            "Content-Type: application/json; charset=utf-16",
            "The charset must be utf-8, not 'utf-16'.",
            id="charset",
        ),
        pytest.param(
            "Content-Type: application/json\r\nContent-Type: text/html",
            "Content-Type must be application/json, not 'application/json, text/html'.",
            id="two",
        ),
    ],
)
def test_another_media_type_is_malformed(fast_server: Running, header: str, tip: str) -> None:
    """Only application/json in UTF-8 is read."""
    data = request().replace(b"Content-Type: application/json", header.encode())

    answer = answered(fast_server, data)

    assert (answer.code, answer.json["tip"]) == (200, f"{tip} {TIP}")


@pytest.mark.parametrize(
    "value",
    [
        "application/json;charset=UTF-8",
        'Application/JSON ; charset="utf-8"',
        "application/json; profile=x",
    ],
)
def test_spellings_of_json_are_taken(fast_server: Running, value: str) -> None:
    """Case, spaces, quotes and further parameters of the media type do not matter."""
    assert (
        answered(fast_server, request(headers=[f"Content-Type: {value}"])).json["status"]
        == "processing"
    )


# The size of bodies


@pytest.mark.parametrize("framed", [request, chunked], ids=["content-length", "chunked"])
def test_a_body_at_the_limit_is_taken(small_server: Running, framed: Any) -> None:
    """A body of exactly the limit is read whole."""
    assert answered(small_server, framed(padded(1_000))).json["status"] == "processing"


@pytest.mark.parametrize("framed", [request, chunked], ids=["content-length", "chunked"])
def test_a_body_past_the_limit_is_413(small_server: Running, framed: Any) -> None:
    """One byte more is refused with 413 in both profiles, and the connection is closed."""
    answer = answered(small_server, framed(padded(1_001)))

    assert (answer.code, answer.headers["connection"], answer.json) == (
        413,
        "close",
        TOO_LARGE_BODY,
    )


@pytest.mark.parametrize("framed", [request, chunked], ids=["content-length", "chunked"])
@pytest.mark.parametrize(
    "size, code", [(BODY_BYTES, 200), (BODY_BYTES + 1, 413)], ids=["at", "past"]
)
def test_ten_mebibytes_are_the_default_limit(
    fast_server: Running, framed: Any, size: int, code: int
) -> None:
    """Without further settings a body may have 10 MiB, and the client of a larger one still reads
    the answer.
    """
    assert answered(fast_server, framed(padded(size)), timeout_s=5).code == code


def test_a_client_that_sends_first_and_reads_later_gets_its_413(server: Running) -> None:
    """The connection is not reset under a client that is still sending."""
    with connected(server.address, request(padded(BODY_BYTES + 1)), timeout_s=5) as connection:
        assert read_answer(connection).code == 413


def test_a_late_byte_past_the_limit_is_413(small_server: Running) -> None:
    """A body that has reached the limit is still read to its end."""
    data = chunked(padded(1_001), size=1_000)
    cut = data.index(b"\r\n1\r\n") + 2
    with connected(small_server.address, data[:cut]) as connection:
        raw(small_server.address, request())  # by now the first 1,000 bytes have been read
        connection.sendall(data[cut:])

        assert read_answer(connection).code == 413


@pytest.mark.parametrize("expect", [[], ["Expect: 100-continue"]], ids=["plain", "expect"])
def test_a_body_announced_too_large_is_refused_before_it_comes(
    server: Running, expect: list[str]
) -> None:
    """Content-Length alone is enough for a 413; nobody waits for the body or asks for it."""
    with connected(
        server.address, request(b"", headers=["Content-Length: 99999999", *expect])
    ) as connection:
        first = connection.recv(1_000)

    assert first.startswith(b"HTTP/1.1 413 ")


def test_an_endless_body_is_cut_off(small_server: Running) -> None:
    """A client that goes on sending after its 413 is disconnected."""
    with connected(small_server.address, chunked(b"x" * 10_000)[:-5], timeout_s=5) as connection:
        answer = read_answer(connection)

        assert (answer.code, is_closed(connection)) == (413, True)


def test_expect_100_continue_is_answered(server: Running) -> None:
    """A client that waits for permission gets it, and then its answer."""
    head, _, body = request(headers=["Expect: 100-continue"]).partition(b"\r\n\r\n")
    with connected(server.address, head + b"\r\n\r\n") as connection:
        interim = connection.recv(1_000)
        connection.sendall(body)

        assert (interim.split(b"\r\n")[0], read_answer(connection).code) == (
            b"HTTP/1.1 100 Continue",
            200,
        )


# Routes and methods


@pytest.mark.parametrize(
    "method", ["GET", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "PROPFIND"]
)
@pytest.mark.parametrize(
    "path", [SUBMIT, "/api/v6/image_editing/fetch/100000001"], ids=["submit", "fetch"]
)
def test_a_wrong_method_is_405(fast_server: Running, method: str, path: str) -> None:
    """A known path asked with another method names the right one in Allow."""
    answer = answered(fast_server, request(method=method, path=path))

    assert (answer.code, answer.headers["allow"], answer.json) == (
        405,
        "POST",
        {"status": "error", "message": "This path answers POST only."},
    )


def test_a_wrong_method_is_405_in_the_status_profile(status_server: Running) -> None:
    """405 is the same in both profiles."""
    answer = answered(status_server, request(method="PUT"))

    assert (answer.code, answer.headers["allow"]) == (405, "POST")


def test_head_is_405_without_a_body(server: Running) -> None:
    """HEAD of an operation says in headers what GET would say."""
    answer = answered(server, request(b"", method="HEAD"))

    assert (answer.code, answer.headers["allow"], int(answer.headers["content-length"]) > 0) == (
        405,
        "POST",
        True,
    )


def test_an_invented_method_is_refused(server: Running) -> None:
    """A method that nobody knows is either no HTTP (httptools) or not allowed (h11)."""
    answer = answered(server, request(method="BREW"))

    assert (answer.code, answer.json["status"]) in [(400, "error"), (405, "error")]


NO_ROUTES = {
    "root": "/",
    "asterisk": "*",
    "other": "/api/v6/images",
    "other-version": SUBMIT.replace("v6", "v7"),
    "case": SUBMIT.upper(),
    "double-slash": "/" + SUBMIT,
    "dots": "/api/v6/x/../image_editing/flux_headshot",
    "nul": "/api/%00v6",
    "nul-at-end": SUBMIT + "%00",
    "newline": "/api%0d%0aX-Injected:%201",
    "not-utf-8": "/%ff%fe",
    "almost-admin": "/__administration/health",
    "key": f"/api/v6/{KEY}/flux_headshot",
    "no-link": "/generations/../../etc/passwd",
}


@pytest.mark.parametrize("path", NO_ROUTES.values(), ids=NO_ROUTES)
def test_an_unknown_path_is_404(server: Running, path: str) -> None:
    """A path that the document does not have is answered with 404 and the envelope."""
    answer = answered(server, request(b"", method="GET", path=path))

    assert (answer.code, answer.headers["content-type"], answer.json["status"]) == (
        404,
        "application/json",
        "error",
    )
    assert "x-injected" not in answer.headers


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("http://evil.test" + SUBMIT, id="absolute-form"),
        pytest.param("https://evil.test:99" + SUBMIT, id="absolute-form-https"),
        pytest.param(SUBMIT.replace("flux", "%66lux"), id="percent-encoded"),
        pytest.param(SUBMIT + "/", id="trailing-slash"),
        pytest.param(SUBMIT + "?key=" + KEY, id="key-in-query"),
        pytest.param(SUBMIT + "?", id="empty-query"),
    ],
)
def test_other_spellings_of_a_path_are_understood(server: Running, path: str) -> None:
    """Absolute targets, escapes, a trailing slash and a query lead to the same operation, and no
    query is written down.
    """
    answer = answered(server, request(path=path))

    assert (answer.code, answer.json["status"]) == (200, "processing")
    assert server.mock.requests[-2].path.rstrip("/") == SUBMIT


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(request(headers=["Host: evil.test"]), id="host"),
        pytest.param(
            request(headers=["X-Forwarded-Host: evil.test", "Forwarded: host=evil.test"]),
            id="forwarded",
        ),
        pytest.param(request(path="http://evil.test" + SUBMIT), id="target"),
    ],
)
def test_links_never_repeat_what_a_client_claims(server: Running, data: bytes) -> None:
    """Links point at the mock's own address, whatever host a client names."""
    answer = answered(server, data)

    origin = f"http://127.0.0.1:{server.address[1]}"
    assert answer.json["fetch_result"].startswith(f"{origin}/api/v6/image_editing/fetch/")
    assert b"evil.test" not in answer.body


def test_a_long_path_costs_no_time(fast_server: Running) -> None:
    """A path of 20,000 letters is answered as fast as any other."""
    assert raw(fast_server.address, request(b"", method="GET", path="/" + "a" * 20_000)).code == 404


# Framing


def head(*lines: str) -> bytes:
    return "\r\n".join(
        [
            f"POST {SUBMIT} HTTP/1.1",
            "Host: mock.test",
            "Content-Type: application/json",
            *lines,
            "",
            "",
        ]
    ).encode("latin-1")


SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: mock.test\r\n\r\n"
BROKEN = {
    "garbage": b"\x00\x01\x02 garbage\r\n\r\n",
    "words": b"hello world\r\n\r\n",
    "tls-client-hello": bytes.fromhex("160301007a010000760303") + bytes(110),
    "bad-version": b"GET / HTTP/x.y\r\nHost: a\r\n\r\n",
    "no-host": b"GET / HTTP/1.1\r\n\r\n",
    "two-hosts": b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    "same-host-twice": b"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
    "nul-in-target": b"GET /\x00 HTTP/1.1\r\nHost: a\r\n\r\n",
    "high-byte-in-target": b"GET /\xff HTTP/1.1\r\nHost: a\r\n\r\n",
    "nul-in-header": b"GET / HTTP/1.1\r\nHost: a\r\nX: a\x00b\r\n\r\n",
    "no-colon": b"GET / HTTP/1.1\r\nHost: a\r\nfoo\r\n\r\n",
    "space-before-colon": b"GET / HTTP/1.1\r\nHost: a\r\nX : 1\r\n\r\n",
    "bare-cr": b"GET / HTTP/1.1\rHost: a\r\r\r\n\r\n",
    "length-negative": head("Content-Length: -1"),
    "length-plus": head("Content-Length: +5") + b"hello",
    "length-hex": head("Content-Length: 0x5") + b"hello",
    "length-text": head("Content-Length: many"),
    "length-empty": head("Content-Length: "),
    "length-huge": head("Content-Length: " + "9" * 30),
    "lengths-differ": head("Content-Length: 5", "Content-Length: 6") + b"hello!",
    "lengths-in-one": head("Content-Length: 5, 6") + b"hello!",
    "length-and-chunked": (
        head("Content-Length: 5", "Transfer-Encoding: chunked") + b"0\r\n\r\n" + SMUGGLED
    ),
    "chunked-and-length": (
        head("Transfer-Encoding: chunked", "Content-Length: 5") + b"0\r\n\r\n" + SMUGGLED
    ),
    "chunked-with-a-space": head("Transfer-Encoding : chunked") + b"0\r\n\r\n" + SMUGGLED,
    "chunked-with-a-tab": head("Transfer-Encoding:\x0bchunked") + b"0\r\n\r\n" + SMUGGLED,
    "xchunked": head("Transfer-Encoding: xchunked") + b"0\r\n\r\n" + SMUGGLED,
    "chunked-then-gzip": head("Transfer-Encoding: chunked, gzip") + b"0\r\n\r\n" + SMUGGLED,
    "chunked-twice": (
        head("Transfer-Encoding: chunked", "Transfer-Encoding: chunked") + b"0\r\n\r\n" + SMUGGLED
    ),
    "identity": head("Transfer-Encoding: identity", "Content-Length: 5") + b"hello" + SMUGGLED,
    "chunk-size-negative": (
        head("Transfer-Encoding: chunked") + b"-5\r\nhello\r\n0\r\n\r\n" + SMUGGLED
    ),
    "chunk-size-text": head("Transfer-Encoding: chunked") + b"zz\r\nhello\r\n0\r\n\r\n" + SMUGGLED,
    "chunk-size-prefixed": (
        head("Transfer-Encoding: chunked") + b"0x5\r\nhello\r\n0\r\n\r\n" + SMUGGLED
    ),
    "chunk-too-long": head("Transfer-Encoding: chunked") + b"2\r\nhello\r\n0\r\n\r\n" + SMUGGLED,
}


@pytest.mark.parametrize("data", BROKEN.values(), ids=BROKEN)
def test_broken_framing_is_400_and_ends_the_connection(server: Running, data: bytes) -> None:
    """What cannot be told apart for sure is refused, and nothing behind it is read as another
    request.
    """
    with connected(server.address, data, timeout_s=2 * LINGER_S) as connection:
        answer = read_answer(connection)
        rest = read_all(connection)

    assert (answer.code, answer.headers["connection"], answer.json, rest) == (
        400,
        "close",
        BAD_FRAMING,
        b"",
    )
    assert [exchange.code for exchange in server.mock.requests][-1] == 400
    assert "smuggled" not in written(server)
    assert raw(server.address, request()).code == 200


def test_broken_framing_is_the_same_in_the_status_profile(status_server: Running) -> None:
    """400 and the envelope in both profiles."""
    answer = answered(status_server, BROKEN["garbage"])

    assert (answer.code, answer.json) == (400, BAD_FRAMING)


def test_http_1_0_needs_no_host(server: Running) -> None:
    """A request of HTTP/1.0 without Host is answered, and its connection closed."""
    data = request(version="1.0").replace(b"Host: mock.test\r\n", b"")

    with connected(server.address, data) as connection:
        answer = read_answer(connection)
        rest = read_all(connection)

    assert (answer.code, answer.json["status"], rest) == (200, "processing", b"")


@pytest.mark.parametrize("protocol", ["websocket", "h2c", "TLS/1.3"])
def test_an_upgrade_is_not_done_but_the_request_is(server: Running, protocol: str) -> None:
    """A client that offers another protocol (Java's offers h2c) is answered in this one, and its
    body is read.
    """
    upgrade = [
        "Connection: Upgrade, HTTP2-Settings",
        f"Upgrade: {protocol}",
        "HTTP2-Settings: AAMAAABk",
    ]

    answer = answered(server, request(headers=upgrade))

    assert (answer.code, answer.json["status"]) == (200, "processing")


def test_a_connection_goes_on_after_an_upgrade_was_not_done(server: Running) -> None:
    """The next request on the connection is read as one."""
    offer = request(headers=["Connection: Upgrade", "Upgrade: h2c"])
    with connected(server.address, offer[:-20], offer[-20:] + request(path="/next")) as connection:
        codes = read_answer(connection).code, read_answer(connection).code

    assert codes == (200, 404)


@pytest.mark.parametrize(
    "trailer", ["Host: b", "Content-Type: text/plain", "Prefer: scenario=instant"]
)
def test_trailers_have_no_say(server: Running, trailer: str) -> None:
    """Fields behind a chunked body change nothing."""
    answer = answered(server, chunked(BODY, trailers=trailer.encode() + b"\r\n"))

    assert (answer.code, answer.json["status"]) == (200, "processing")


@pytest.mark.parametrize("size", [1, 7, 1_000])
def test_chunks_of_any_size_make_one_body(server: Running, size: int) -> None:
    """How a body is cut does not matter."""
    assert answered(server, chunked(BODY, size=size)).json["status"] == "processing"


def test_a_request_may_come_byte_by_byte(server: Running) -> None:
    """Nor does how a request is cut."""
    data = request()
    with connected(server.address, *(data[i : i + 1] for i in range(len(data)))) as connection:
        assert read_answer(connection).json["status"] == "processing"


# Heads


def head_of(size: int) -> bytes:
    """A valid request whose request line and headers take `size` bytes."""
    room = size - (request(headers=["X: "]).index(b"\r\n\r\n") + 4)
    return request(headers=["X: " + "a" * room])


def test_a_head_at_the_limit_is_taken(server: Running) -> None:
    """Request line and headers may have 64 KiB."""
    assert answered(server, head_of(HEADER_BYTES)).json["status"] == "processing"


TOO_LARGE_HEADS = {
    "one-past": head_of(HEADER_BYTES + 1),
    "one-header": request(headers=["X: " + "a" * 100_000]),
    "many-headers": request(headers=["X: " + "a" * 100] * 1_000),
    "long-name": request(headers=["X" * 100_000 + ": 1"]),
    "endless-header": request(headers=["X: " + "a" * 2_000_000])[:2_000_000],
    "endless-url": b"GET /" + b"a" * 2_000_000,
    "endless-trailer": chunked(BODY)[:-2] + b"X: " + b"a" * 500_000,
}


@pytest.mark.parametrize("data", TOO_LARGE_HEADS.values(), ids=TOO_LARGE_HEADS)
def test_a_head_past_the_limit_is_431(server: Running, data: bytes) -> None:
    """More is refused with 431 and the envelope as soon as it is seen, finished or not."""
    answer = answered(server, data)

    assert (answer.code, answer.headers["connection"], answer.json) == (
        431,
        "close",
        TOO_LARGE_HEAD,
    )


def test_a_url_past_the_limit_is_431(fast_server: Running) -> None:
    """A long URL counts as a long head."""
    answer = answered(fast_server, request(b"", method="GET", path="/" + "a" * 100_000))

    assert (answer.code, answer.json) == (431, TOO_LARGE_HEAD)


def test_a_head_past_the_limit_is_431_in_the_status_profile(status_server: Running) -> None:
    """431 is the same in both profiles."""
    answer = answered(status_server, TOO_LARGE_HEADS["one-past"])

    assert (answer.code, answer.json) == (431, TOO_LARGE_HEAD)


# Connections


def test_a_connection_is_kept(server: Running) -> None:
    """A second request on the same connection is answered, also after a refusal of the first."""
    with connected(server.address) as connection:
        codes = []
        for data in (
            request(),
            request(b"x"),
            request(method="GET"),
            request(b"", method="HEAD"),
            request(path="/"),
            request(),
        ):
            connection.sendall(data)
            codes.append(read_answer(connection, head_only=data.startswith(b"HEAD")).code)

    assert codes == [200, 200, 405, 405, 404, 200]


def test_connection_close_is_obeyed(server: Running) -> None:
    """A client that asks for it finds its connection closed after the answer."""
    with connected(server.address, request(headers=["Connection: close"])) as connection:
        answer = read_answer(connection)

        assert (answer.code, answer.headers["connection"], is_closed(connection)) == (
            200,
            "close",
            True,
        )


def test_pipelined_requests_are_answered_in_order(server: Running) -> None:
    """Requests sent at once are answered one after the other."""
    with connected(
        server.address, request() + request(method="GET") + request(path="/") + request()
    ) as connection:
        codes = [read_answer(connection).code for _ in range(4)]

    assert codes == [200, 405, 404, 200]


def test_garbage_behind_a_request_does_not_take_its_answer(server: Running) -> None:
    """The request before is answered first, then the garbage is refused."""
    with connected(server.address, request() + request(path="/") + BROKEN["garbage"]) as connection:
        answers = [read_answer(connection) for _ in range(3)]

        assert [answer.code for answer in answers] == [200, 404, 400]
        assert (answers[0].json["status"], answers[2].json, is_closed(connection)) == (
            "processing",
            BAD_FRAMING,
            True,
        )


def test_a_client_that_has_sent_everything_may_say_so(server: Running) -> None:
    """A half-closed connection (as by `nc -N`) still gets its answers, and is then closed."""
    with connected(server.address, request() + request(path="/")) as connection:
        connection.shutdown(socket.SHUT_WR)
        codes = read_answer(connection).code, read_answer(connection).code

        assert (codes, is_closed(connection)) == ((200, 404), True)


@pytest.mark.parametrize(
    "part",
    [b"", b"POST", request()[:60], request()[:-10], chunked(BODY)[:-5]],
    ids=["silent", "method", "half-a-head", "half-a-body", "half-a-chunk"],
)
def test_a_client_that_leaves_midway_is_forgotten(server: Running, part: bytes) -> None:
    """A request that ends early leaves no trace, and the next client is served."""
    before = server.mock.requests
    with connected(server.address, part) as connection:
        connection.shutdown(socket.SHUT_WR)
        rest = read_all(connection)

    assert (rest, server.mock.requests) == (b"", before)
    assert raw(server.address, request()).code == 200


@pytest.mark.parametrize(
    "part, answer",
    [
        pytest.param(b"", b"", id="silent"),
        pytest.param(request()[:60], b"HTTP/1.1 408 Request Timeout", id="half-a-head"),
        pytest.param(request()[:-10], b"HTTP/1.1 408 Request Timeout", id="half-a-body"),
        pytest.param(request(), b"HTTP/1.1 200 OK", id="idle-after-an-answer"),
    ],
)
@pytest.mark.parametrize("parser", ["httptools", "h11"])
def test_a_slow_client_is_not_waited_for(
    parser: str, part: bytes, answer: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Head, body and the next request each have a deadline; after it the connection is refused or
    closed.
    """
    if parser == "h11":
        monkeypatch.setitem(sys.modules, "uvicorn.protocols.http.httptools_impl", None)
    monkeypatch.setattr(protocol, "HEAD_S", 0.05)
    monkeypatch.setattr(protocol, "BODY_S", 0.05)
    monkeypatch.setattr(uvicorn_server, "KEEP_ALIVE_S", 0.05)

    with serving() as server, connected(server.address, part, timeout_s=5) as connection:
        received = read_all(connection)

    assert received.split(b"\r\n")[0] == answer


# Keys and faces


LEAKS = {
    "unknown-field": request(VALID | {"extra": KEY}),
    "prompt": request(VALID | {"prompt": f"my key is {KEY}"}),
    "wrong-type": request(VALID | {"seed": KEY}),
    "wrong-format": request(VALID | {"webhook": f"no uri {KEY}"}),
    "field-name": request(VALID | {KEY: 1}),
    "query": request(path=f"{SUBMIT}?key={KEY}"),
    "query-of-404": request(path=f"/x?key={KEY}"),
    "authorization": request(headers=[f"Authorization: Bearer {KEY}"]),
    "prefer": request(headers=[f"Prefer: scenario={KEY}"]),
    "track-id": request(VALID | {"track_id": [KEY]}),
    "cookie": request(headers=[f"Cookie: {KEY}"]),
}


@pytest.mark.parametrize("data", LEAKS.values(), ids=LEAKS)
def test_the_key_is_written_down_nowhere(fast_server: Running, data: bytes) -> None:
    """Wherever a client puts its key, no log line and no journal entry holds it."""
    answer = answered(fast_server, data)

    assert answer.headers["content-type"] in ("application/json", "application/problem+json")
    assert KEY not in str(answer)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(request({"api_key": KEY, "prompt": "x"}), id="misnamed-field"),
        pytest.param(request(f'{{"{KEY}": 1, "{KEY}": 1}}'.encode()), id="name-twice"),
        pytest.param(
            request({"key": "other-secret-1"}, path=f"/api/v6/image_editing/fetch/{KEY}"),
            id="fetch-path",
        ),
        pytest.param(request(b"", method="GET", path=f"/generations/{KEY}"), id="link-path"),
        pytest.param(request(headers=[f"Content-Type: {KEY}"]), id="media-type"),
        pytest.param(
            request(headers=[f"Content-Type: application/json; charset={KEY}"]), id="charset"
        ),
    ],
)
def test_a_misplaced_key_is_written_down_nowhere(fast_server: Running, data: bytes) -> None:
    """Not even when a client puts it where no key belongs."""
    assert answered(fast_server, data).headers["content-type"] == "application/json"


def png(width: int, height: int, data: bytes = b"") -> str:
    """A PNG in base64 that claims a size; its contents are as long as `data`."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content))
            + name
            + content
            + struct.pack(">I", zlib.crc32(name + content))
        )

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    whole = (
        b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")
    )
    return base64.b64encode(whole).decode()


@pytest.mark.parametrize(
    "face, message",
    [
        pytest.param(
            png(4_097, 4_096),
            "The face image is 4097 x 4096 pixels; 16777216 pixels are allowed.",
            id="one-past",
        ),
        pytest.param(
            png(60_000, 60_000),
            "The face image has too many pixels; 16777216 are allowed.",
            id="claims-huge",
        ),
        pytest.param(
            "data:image/png;base64," + png(8_000, 8_000, bytes(64_000_000)),
            "The face image is 8000 x 8000 pixels; 16777216 pixels are allowed.",
            id="bomb",
        ),
    ],
)
def test_a_face_over_the_limit_is_refused(fast_server: Running, face: str, message: str) -> None:
    """The size that a picture claims is judged before anything is unpacked."""
    answer = answered(fast_server, request(VALID | {"face_image": face}))

    assert (answer.code, answer.json) == (200, {"status": "error", "message": message})


def test_a_face_over_the_limit_is_400_in_the_status_profile(status_server: Running) -> None:
    """The same as HTTP 400."""
    assert answered(status_server, request(VALID | {"face_image": png(4_097, 4_096)})).code == 400


@pytest.mark.parametrize(
    "face, size",
    [
        pytest.param(png(4_096, 4_096), (4_096, 4_096), id="at-the-limit"),
        pytest.param("data:image/png;base64," + png(30, 20), (30, 20), id="data-uri"),
        pytest.param("data:image/png," + png(30, 20), (512, 512), id="data-uri-without-base64"),
        pytest.param("!!! not base64 !!!", (512, 512), id="base64-garbage"),
        pytest.param(base64.b64encode(b"no picture").decode(), (512, 512), id="no-picture"),
        pytest.param(png(30, 20)[:40], (512, 512), id="cut"),
        pytest.param("", (512, 512), id="empty"),
        pytest.param("\x00" * 100, (512, 512), id="nuls"),
    ],
)
def test_any_text_is_a_face(fast_server: Running, face: str, size: tuple[int, int]) -> None:
    """The document asks for a text only; a readable picture gives its size, anything else the
    default size.
    """
    answer = answered(fast_server, request(VALID | {"face_image": face}))

    assert (
        answer.json["status"],
        (answer.json["meta"]["width"], answer.json["meta"]["height"]),
    ) == ("processing", size)
