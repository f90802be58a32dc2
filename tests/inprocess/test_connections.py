"""http.client and all that is built on it, answered in process as a server would answer them."""

from __future__ import annotations

import http.client
import io
import json
import ssl
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest
import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from driving import KEY, VALID
from fauxlab_mock.behaviour.quirks import ELSEWHERE
from fauxlab_mock.clock.clock import Clock
from fauxlab_mock.inprocess.interception import intercepted
from fauxlab_mock.runtime.mock import Mock
from fauxlab_mock.server.serving import attach_server
from fauxlab_mock.settings import Settings

BASE = "https://modelslab.com/api/v6"
PATH = "/image_editing/flux_headshot"
BODY = json.dumps(VALID).encode()
JSON = {"Content-Type": "application/json"}
DOORS = ["in process", "on a server"]
FAULTS = [
    "EMPTY_RESPONSE",
    "CONNECTION_RESET_BY_PEER",
    "RANDOM_DATA_THEN_CLOSE",
    "MALFORMED_RESPONSE_CHUNK",
    "TRUNCATED_JSON",
]


@pytest.fixture(params=DOORS)
def mock(request: pytest.FixtureRequest) -> Iterator[Mock]:
    """A mock with the status profile; its `url` leads to it by the door of the test."""
    mock = Mock(Settings(errors="status", clock="auto"))
    with ExitStack() as stack:
        if request.param == "in process":
            stack.enter_context(intercepted(mock))
        else:
            stack.enter_context(attach_server(mock))
        yield mock
    mock.close()


def session(**policy: Any) -> requests.Session:
    """Return a session that retries as told, without pauses."""
    made = requests.Session()
    retry = Retry(backoff_factor=0, allowed_methods=None, **policy)
    for scheme in ("http://", "https://"):
        made.mount(scheme, HTTPAdapter(max_retries=retry))
    return made


def submit(mock: Mock, **policy: Any) -> str:
    """Return what came of one submit: the reply's status, or the class of the exception."""
    with session(**policy) as client:
        try:
            return str(client.post(mock.url + PATH, json=VALID, timeout=5).json()["status"])
        except requests.RequestException as error:
            return type(error).__name__


@pytest.mark.parametrize(
    "times, policy, end, count",
    [
        (1, {"total": 3, "status_forcelist": [503]}, "processing", 2),
        (9, {"total": 2, "status_forcelist": [503]}, "RetryError", 3),
        (9, {"total": 2, "status_forcelist": [503], "raise_on_status": False}, "error", 3),
        (9, {"total": 0, "status_forcelist": [503]}, "RetryError", 1),
        (9, {"total": 5, "status_forcelist": [500]}, "error", 1),
    ],
)
def test_a_retry_policy_sends_as_often_as_on_a_server(
    mock: Mock, times: int, policy: dict[str, Any], end: str, count: int
) -> None:
    """urllib3's retries are the client's own: as many requests, and the same end, at both doors."""
    mock.scenario("unavailable", times=times)

    assert (submit(mock, **policy), len(mock.requests)) == (end, count)


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("policy", [{"total": 0}, {"total": 2}, {"total": 2, "read": False}])
def test_faults_end_as_on_a_server(fault: str, policy: dict[str, Any]) -> None:
    """What goes wrong on the wire is tried again, or raised, just as for a real connection."""
    ends = []
    for door in (intercepted, attach_server):
        mock = Mock(Settings(clock="auto"))
        mock.fault(fault, times=2)
        with door(mock):
            ends.append((submit(mock, **policy), len(mock.requests)))
        mock.close()

    assert ends[0] == ends[1]


def test_the_pauses_of_a_policy_pass_on_the_mocks_clock(fauxlab: Mock, fauxlab_time: Clock) -> None:
    """`Retry-After` is waited for by urllib3 itself, for free with `fauxlab_time`."""
    fauxlab.fault("EMPTY_RESPONSE", times=3)
    began = fauxlab_time.now()
    with requests.Session() as client:
        retry = Retry(total=3, backoff_factor=1, allowed_methods=None)
        client.mount("https://", HTTPAdapter(max_retries=retry))
        reply = client.post(BASE + PATH, json=VALID, timeout=5)

    assert (reply.json()["status"], fauxlab_time.now() - began) == ("processing", 0 + 2 + 4)


@pytest.mark.fauxlab(clock="manual")
def test_retry_after_is_waited_for(fauxlab: Mock, fauxlab_time: Clock) -> None:
    """A `Retry-After` header makes urllib3 pause as long; the pause passes on the mock's clock."""
    fauxlab.scenario("maintenance_html", times=1)
    began = fauxlab_time.now()

    status = submit(fauxlab, total=1, status_forcelist=[503])

    assert (status, fauxlab_time.now() - began) == ("processing", 120)


def test_a_redirect_is_followed_by_the_library(fauxlab: Mock) -> None:
    """requests and urllib3 follow a redirect themselves, here to a host that is refused."""
    job = requests.post(BASE + PATH, json=VALID, timeout=5).json()
    fauxlab.scenario("redirecting_fetch")
    url, body = job["fetch_result"], {"key": KEY}
    kept = requests.post(url, json=body, timeout=5, allow_redirects=False)
    with pytest.raises(requests.ConnectionError, match=f"a call to {ELSEWHERE} is not mocked"):
        requests.post(url, json=body, timeout=5)
    with urllib3.PoolManager() as pool, pytest.raises(urllib3.exceptions.MaxRetryError):
        pool.request("POST", url, body=json.dumps(body).encode(), headers=JSON)

    assert (kept.status_code, len(fauxlab.requests)) == (307, 4)


def test_an_error_of_requests_names_no_path_that_was_not_asked_for(fauxlab: Mock) -> None:
    """Where a connection is opened, the path is not known."""
    with pytest.raises(requests.ConnectionError, match=r"url: https://elsewhere\.example:443/… "):
        requests.get("https://elsewhere.example/services/abc", timeout=5)


def by_urllib(url: str) -> Any:
    with urllib.request.urlopen(urllib.request.Request(url, BODY, JSON), timeout=5) as reply:
        return json.load(reply)


def by_http_client(url: str) -> Any:
    parts = urllib3.util.parse_url(url)
    kinds = {"http": http.client.HTTPConnection, "https": http.client.HTTPSConnection}
    connection = kinds[str(parts.scheme)](str(parts.host), parts.port, timeout=5)
    connection.request("POST", parts.request_uri, BODY, JSON)
    with connection.getresponse() as reply:
        data = json.load(reply)
    connection.close()
    return data


def by_http_client_in_chunks(url: str) -> Any:
    parts = urllib3.util.parse_url(url)
    kinds = {"http": http.client.HTTPConnection, "https": http.client.HTTPSConnection}
    connection = kinds[str(parts.scheme)](str(parts.host), parts.port)
    pieces = iter([BODY[:10], BODY[10:]])
    connection.request("POST", parts.request_uri, pieces, JSON, encode_chunked=True)
    with connection.getresponse() as reply:
        data = json.load(reply)
    connection.close()
    return data


def by_urllib3(url: str) -> Any:
    with urllib3.PoolManager() as pool:
        return json.loads(pool.request("POST", url, body=BODY, headers=JSON).data)


def by_requests_with_a_file(url: str) -> Any:
    return requests.post(url, data=io.BytesIO(BODY), headers=JSON, timeout=5).json()


def by_requests_with_a_generator(url: str) -> Any:
    return requests.post(url, data=iter([BODY[:10], BODY[10:]]), headers=JSON, timeout=5).json()


@pytest.mark.parametrize(
    "call",
    [
        by_urllib,
        by_http_client,
        by_http_client_in_chunks,
        by_urllib3,
        by_requests_with_a_file,
        by_requests_with_a_generator,
    ],
)
def test_every_library_on_http_client_is_answered(mock: Mock, call: Callable[[str], Any]) -> None:
    """The standard library, urllib3 and requests get the same answers at both doors."""
    reply = call(mock.url + PATH)

    assert (reply["status"], [exchange.code for exchange in mock.requests]) == ("processing", [200])


def test_error_codes_are_the_librarys_own_errors(mock: Mock) -> None:
    """urllib raises HTTPError for a 503, with the reply as its body."""
    mock.scenario("unavailable")
    with pytest.raises(urllib.error.HTTPError) as raised:
        by_urllib(mock.url + PATH)

    assert (raised.value.code, json.load(raised.value)["status"]) == (503, "error")
    raised.value.close()


def test_a_streamed_picture_arrives_in_pieces(mock: Mock) -> None:
    """`stream=True`, `iter_content` and `response.raw` read what a server would have sent."""
    headers = {"Prefer": "eta=0"}
    job = requests.post(mock.url + PATH, json=VALID, headers=headers, timeout=5).json()
    link = job["output"][0]
    with requests.get(link, stream=True, timeout=5) as streamed:
        first, *rest = streamed.iter_content(100)
    with requests.get(link, stream=True, timeout=5) as streamed:
        raw = streamed.raw.read(100)
    head = requests.head(link, timeout=5)

    assert (first, raw, head.content) == (first, first, b"")
    assert len(first) + sum(map(len, rest)) == int(head.headers["content-length"])


def test_a_session_from_before_reaches_the_mock_and_then_leaves_it() -> None:
    """A kept connection to the real address is not used while a mock is active, nor its wire after.

    The real address is a server of this test, on loopback.
    """

    class Answering(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            content = b'{"status": "real"}'
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None: ...

    real = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    real.daemon_threads = True
    threading.Thread(target=real.serve_forever, daemon=True).start()
    origin = f"http://127.0.0.1:{real.server_port}"
    mock = Mock(Settings(clock="auto"), public_url=origin)
    connection = http.client.HTTPConnection("127.0.0.1", real.server_port, timeout=5)

    def post() -> Any:
        connection.request("POST", f"/api/v6{PATH}", BODY, JSON)
        return json.load(connection.getresponse())["status"]

    def poll(client: requests.Session) -> Any:
        return client.post(f"{origin}/api/v6{PATH}", json=VALID, timeout=5).json()["status"]

    with requests.Session() as client:
        seen = [post(), poll(client)]
        with intercepted(mock):
            seen += [post(), poll(client), post(), poll(client)]
        seen += [post(), poll(client)]
    connection.close()
    real.shutdown()
    real.server_close()

    assert seen == ["real"] * 2 + ["processing"] * 4 + ["real"] * 2


def test_a_proxy_and_an_adapter_of_the_users_own_change_nothing(fauxlab: Mock) -> None:
    """Calls by an explicit proxy end in the mock too; a mounted adapter still does its work."""

    class Stamping(HTTPAdapter):
        def add_headers(self, request: requests.PreparedRequest, **_: Any) -> None:
            request.headers["Prefer"] = "eta=0"

    with requests.Session() as client:
        client.mount("https://", Stamping())
        proxies = {"https": "http://proxy.example:3128"}
        reply = client.post(BASE + PATH, json=VALID, proxies=proxies, timeout=5).json()

    assert reply["status"] == "success"


def test_an_unverified_certificate_is_warned_of_as_in_production(fauxlab: Mock) -> None:
    """`verify=False` gets urllib3's warning; a context of the user's own that verifies does not."""
    with pytest.warns(urllib3.exceptions.InsecureRequestWarning):
        requests.post(BASE + PATH, json=VALID, verify=False, timeout=5)  # noqa: S501
    with urllib3.PoolManager(ssl_context=ssl.create_default_context()) as pool:
        status = pool.request("POST", BASE + PATH, body=BODY, headers=JSON).status

    assert status == 200


def test_a_read_timeout_is_the_clients(fauxlab: Mock) -> None:
    """A hanging answer ends at the client's own timeout, at once in real time."""
    fauxlab.fault("HANG")
    with pytest.raises(requests.ReadTimeout, match=r"read timeout=0\.5"):
        requests.post(BASE + PATH, json=VALID, timeout=(3, 0.5))
    with pytest.raises(TimeoutError):
        by_http_client(BASE + PATH)


def test_a_refused_call_is_not_tried_again(fauxlab: Mock) -> None:
    """A host that is not mocked is refused at once, whatever the retry policy."""
    with pytest.raises(
        requests.ConnectionError, match=r"a call to https://elsewhere\.example is not mocked"
    ):
        session(total=5).get("https://elsewhere.example/", timeout=5)

    assert list(fauxlab.blocked) == ["a call to https://elsewhere.example"]
    assert KEY not in str(fauxlab.blocked)


@pytest.mark.parametrize("timeout_s, passes_s", [(None, 3), (5, 3), (1, 1)])
@pytest.mark.fauxlab(clock="manual")
def test_a_delay_passes_on_the_mocks_clock(
    fauxlab: Mock, timeout_s: float | None, passes_s: float
) -> None:
    """A late answer costs no real time; a client that gives up before has waited its timeout."""
    began = fauxlab.clock.now()
    calls: list[Callable[..., Any]] = [requests.post, httpx.post]
    for call in calls:
        with suppress(requests.ReadTimeout, httpx.ReadTimeout):
            call(BASE + PATH, json=VALID, headers={"Prefer": "delay=3"}, timeout=timeout_s)

    assert fauxlab.clock.now() - began == 2 * passes_s
