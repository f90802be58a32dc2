"""Where webhooks may go, by the address that is dialled, and what receivers may do to us."""

from __future__ import annotations

import ipaddress
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme

from driving import VALID, make_mock, submit
from fauxlab_mock.runtime.mock import Mock
from fauxlab_mock.webhooks.delivery import DeliveryOutcome, WebhookDestinations, post
from tls import ca_file, https_mock

ANYWHERE = WebhookDestinations()


@pytest.mark.parametrize(
    "host, address, objection",
    [
        ("localhost", "127.0.0.1", ""),
        ("localhost", "::1", ""),
        ("named.example", "192.0.2.7", ""),
        ("NAMED.example", "192.0.2.7", ""),
        ("named.example", "127.0.0.1", ""),
        ("named.example", "169.254.169.254", "link-local"),
        ("named.example", "fe80::1", "link-local"),
        ("named.example", "::ffff:169.254.169.254", "link-local"),
        ("named.example", "64:ff9b::a9fe:a9fe", "metadata"),
        ("named.example", "64:ff9b:1::a9fe:a9fe", "metadata"),
        ("named.example", "2002:a9fe:a9fe::1", "metadata"),
        ("named.example", "100.100.100.200", "metadata"),
        ("named.example", "::ffff:100.100.100.200", "metadata"),
        ("named.example", "fd00:ec2::254", "metadata"),
        ("localhost", "::ffff:127.0.0.1", ""),
        ("NAMED.example.", "192.0.2.7", ""),
        ("other.example", "64:ff9b::7f00:1", "not among the hosts of --webhooks"),
        ("other.example", "2002:7f00:1::", "not among the hosts of --webhooks"),
        ("named.example", "224.0.0.1", "multicast"),
        ("named.example", "0.0.0.0", "unspecified"),
        ("other.example", "192.0.2.7", "not among the hosts of --webhooks"),
        ("other.example", "10.0.0.7", "not among the hosts of --webhooks"),
    ],
)
def test_targets(host: str, address: str, objection: str) -> None:
    """This machine and named hosts; never link-local, multicast, unspecified or metadata addresses,
    whatever the name and the spelling.
    """
    why = WebhookDestinations.named("named.example, second.example", frozenset).objection(
        host, 80, ipaddress.ip_address(address)
    )

    assert (objection in why, bool(why)) == (True, bool(objection))


def test_off_means_nowhere() -> None:
    """With --webhooks off even this machine is not dialled; the log says so."""
    mock = make_mock(webhooks="off", eta=1.0)
    submit(mock, webhook="http://127.0.0.1:9/")
    mock.clock.advance(1)

    assert [(attempt.suppressed, attempt.error) for attempt in mock.webhooks] == [
        (True, "webhooks are switched off")
    ]


@pytest.mark.fauxlab(clock="manual", eta=1)
def test_never_the_mock_itself(fauxlab_server: Mock) -> None:
    """A webhook that names the mock's own port is suppressed, and told."""
    submit(fauxlab_server, webhook=f"{fauxlab_server.url}/image_editing/fetch/1")
    fauxlab_server.clock.advance(1)

    assert [
        (attempt.suppressed, "the mock's own" in attempt.error)
        for attempt in fauxlab_server.webhooks
    ] == [(True, True)]


def test_other_machines_are_suppressed_unless_named() -> None:
    """A host elsewhere is not dialled, nor tried again."""
    mock = make_mock(eta=1.0)
    submit(mock, webhook="http://192.0.2.7/hook")
    mock.clock.advance(1_000)

    assert [(attempt.suppressed, attempt.attempt) for attempt in mock.webhooks] == [(True, 1)]


@pytest.mark.parametrize("webhooks", ["loopback", "off", "named.example"])
@pytest.mark.parametrize("host", ["api.example", "192.0.2.7", "[2001:db8::7]", "0xc0000207"])
def test_what_is_not_allowed_is_not_even_looked_up(
    webhooks: str, host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The name alone decides; no question about it leaves this machine, and the reason says which
    setting would send it.
    """
    asked: list[Any] = []
    monkeypatch.setattr(
        "fauxlab_mock.webhooks.delivery.socket.getaddrinfo", lambda *args, **_: asked.append(args)
    )
    targets = WebhookDestinations.named(webhooks, frozenset)
    outcome = post(f"https://{host}/hook", b"{}", targets, 5)
    plain = host.strip("[]")
    reason = (
        "webhooks are switched off"
        if webhooks == "off"
        else f"{plain} is not this machine, and not among the hosts of --webhooks; the setting"
        f' webhooks="{plain}" would send it'
    )

    assert (outcome, asked) == (DeliveryOutcome(None, reason, suppressed=True, reached=False), [])


def own_address() -> str:
    """Return an address of this machine that is not loopback; nothing is sent to find it."""
    with socket.socket(type=socket.SOCK_DGRAM) as asker:
        try:
            asker.connect(("203.0.113.1", 9))
        except OSError:
            pytest.skip("this machine has no address but loopback")
        return str(asker.getsockname()[0])


def test_this_machines_own_address_is_this_machine() -> None:
    """A receiver at 0.0.0.0 is reached by the machine's own address, without a setting."""
    with socket.create_server(("0.0.0.0", 0)) as server:
        server.settimeout(10)
        own, port = own_address(), server.getsockname()[1]
        outcomes: list[DeliveryOutcome] = []

        def send() -> None:
            outcomes.append(post(f"http://{own}:{port}/", b"{}", ANYWHERE, 10))

        thread = threading.Thread(target=send)
        thread.start()
        connection, _ = server.accept()
        with connection:
            connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            thread.join(10)

    assert [outcome.code for outcome in outcomes] == [200]


def test_never_the_mock_itself_by_the_machines_own_address() -> None:
    """The mock's own port is its own, by whatever address."""
    own = own_address()
    targets = WebhookDestinations(own=lambda: {4010})

    assert targets.objection(own, 4010, ipaddress.ip_address(own)) == "port 4010 is the mock's own"


class Listener:
    """A raw receiver that answers each connection with `answer`, byte by byte if that is asked for,
    or never.
    """

    def __init__(self, answer: bytes | None) -> None:
        self.answer, self.received = answer, b""
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}/hook?a=b"
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.over = threading.Event()
        self.thread.start()

    def _serve(self) -> None:
        connection, _ = self.socket.accept()
        with connection:
            while b"}" not in self.received:
                self.received += connection.recv(65_536)
            if self.answer is None:
                self.over.wait(10)
            else:
                connection.sendall(self.answer)

    def close(self) -> None:
        self.over.set()
        self.thread.join(10)
        self.socket.close()


@pytest.fixture
def listen() -> Iterator[Any]:
    made: list[Listener] = []

    def start(answer: bytes | None) -> Listener:
        made.append(Listener(answer))
        return made[-1]

    yield start
    for one in made:
        one.close()


@pytest.mark.parametrize(
    "answer, code, error",
    [
        (b"HTTP/1.1 204 No Content\r\n\r\n", 204, ""),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", 200, ""),
        (
            (
                b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nX: y\r\n\r\nHTTP/1.1 500"
                b" No\r\n\r\n"
            ),
            500,
            "answered 500",
        ),
        (b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:9/\r\n\r\n", 302, "answered 302"),
        (b"", None, "ValueError: closed without an answer"),
        (
            b"HTTP/1.1 200 OK\r\nX:",
            None,
            "ValueError: the answer ended before the end of its headers",
        ),
        (b"SSH-2.0-OpenSSH\r\n\r\n", None, "ValueError: the answer is not HTTP"),
        (
            b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000,
            None,
            "ValueError: the answer's headers are over 65536 bytes",
        ),
        (None, None, "no answer within 0.2 s"),
    ],
)
def test_what_receivers_may_answer(
    listen: Any, answer: bytes | None, code: int | None, error: str
) -> None:
    """A status, redirects that are not followed, nothing, nonsense, too much, too late: each is
    told as what it is.
    """
    listener = listen(answer)
    outcome = post(listener.url, b'{"a":1}', ANYWHERE, 0.2 if answer is None else 5)

    assert (outcome.code, outcome.error, outcome.suppressed) == (code, error, False)


def test_what_is_sent(listen: Any) -> None:
    """One POST with the JSON, the receiver's own path and query, and nothing of the mock's key."""
    listener = listen(b"HTTP/1.1 200 OK\r\n\r\n")
    assert post(listener.url, b'{"a":1}', ANYWHERE, 5).delivered
    head, _, body = listener.received.partition(b"\r\n\r\n")

    assert (head.splitlines()[0], body) == (b"POST /hook?a=b HTTP/1.1", b'{"a":1}')
    assert b"Content-Type: application/json" in head.splitlines()
    assert VALID["key"].encode() not in listener.received


def resolving_to(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    """Every name, as opposed to an address, resolves to these addresses, in this order."""
    really = socket.getaddrinfo

    def resolve(host: str, port: int, *args: Any, **options: Any) -> list[Any]:
        if not host.endswith((".example", "localhost")):
            return list(really(host, port, *args, **options))
        return [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses
        ]

    monkeypatch.setattr("fauxlab_mock.webhooks.delivery.socket.getaddrinfo", resolve)


def dialled(
    monkeypatch: pytest.MonkeyPatch, *outcomes: Exception | None
) -> list[tuple[str, float]]:
    """(address, seconds that it gets) of every connection, which ends as the next of `outcomes`
    says; None: nobody speaks HTTP.
    """
    seen: list[tuple[str, float]] = []
    left = list(outcomes)

    def connect(address: tuple[str, int], timeout: float) -> socket.socket:
        seen.append((address[0], round(timeout, 1)))
        if (failure := left.pop(0)) is not None:
            raise failure
        ours, theirs = socket.socketpair()
        with theirs:
            theirs.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        return ours

    monkeypatch.setattr("fauxlab_mock.webhooks.delivery.socket.create_connection", connect)
    return seen


REFUSED = ConnectionRefusedError(111, "Connection refused")


def test_the_next_address_is_tried(listen: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name with two addresses reaches the receiver that listens on the second alone."""
    listener = listen(b"HTTP/1.1 200 OK\r\n\r\n")
    resolving_to(monkeypatch, "127.0.0.2", "127.0.0.1")

    assert post(listener.url.replace("127.0.0.1", "localhost"), b'{"a":1}', ANYWHERE, 5).code == 200


def test_only_allowed_addresses_are_dialled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every address is checked: those that may not be dialled are left out, the others are tried
    until one connects.
    """
    resolving_to(monkeypatch, "fe80::1%lo0", "::1", "169.254.169.254", "192.0.2.7", "127.0.0.1")
    seen = dialled(monkeypatch, REFUSED, REFUSED)

    assert (
        post("http://localhost/", b"{}", ANYWHERE, 4).error
        == "ConnectionRefusedError: Connection refused"
    )
    assert [address for address, _ in seen] == ["::1", "127.0.0.1"]


def test_a_name_without_an_allowed_address_is_suppressed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A named host that resolves to metadata addresses alone is never dialled."""
    resolving_to(monkeypatch, "100.100.100.200", "64:ff9b::a9fe:a9fe")
    seen = dialled(monkeypatch)
    outcome = post(
        "http://named.example/", b"{}", WebhookDestinations.named("named.example", frozenset), 4
    )

    assert (outcome.suppressed, "metadata" in outcome.error, seen) == (True, True, [])


def test_the_addresses_share_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """An address that swallows everything leaves time for the next; the deadline is one for all."""
    resolving_to(monkeypatch, "127.0.0.2", "127.0.0.1")
    seen = dialled(monkeypatch, TimeoutError(), TimeoutError())

    assert post("http://localhost/", b"{}", ANYWHERE, 4).error == "no answer within 4 s"
    assert seen == [("127.0.0.2", 2.0), ("127.0.0.1", 4.0)]


def test_whose_failure_it_is(listen: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody listens on this machine, or a receiver talks nonsense: its own. A name that does not
    resolve, a machine that is not reached, a guard that refuses: nobody's.
    """
    named = WebhookDestinations.named("named.example", frozenset)
    with socket.create_server(("127.0.0.1", 0)) as free:
        closed = f"http://127.0.0.1:{free.getsockname()[1]}/"
    nonsense = listen(b"SSH-2.0-OpenSSH\r\n\r\n").url
    reached = [post(url, b'{"a":1}', ANYWHERE, 5).reached for url in (closed, nonsense)]

    resolving_to(monkeypatch, "192.0.2.7")
    for failure in (REFUSED, TimeoutError(), OSError(101, "unreachable"), RuntimeError("guard")):
        dialled(monkeypatch, failure)
        reached.append(post("http://named.example/", b"{}", named, 5).reached)
    resolving_to(monkeypatch)
    reached.append(post("http://named.example/", b"{}", named, 5).reached)

    assert reached == [True, True, False, False, False, False, False]


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:99999/", "http://[::1/", "ftp://127.0.0.1/", "http://"]
)
def test_addresses_that_are_none(url: str) -> None:
    """What cannot be dialled is a failed attempt, not a crash."""
    assert post(url, b"{}", ANYWHERE, 1).code is None


def test_an_outcome_knows_whether_it_was_delivered() -> None:
    """2xx alone counts."""
    assert [DeliveryOutcome(code=code).delivered for code in (None, 199, 200, 299, 300, 500)] == [
        False,
        False,
        True,
        True,
        False,
        False,
    ]


def test_a_receiver_by_https_needs_a_ca_that_is_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A certificate of one's own is trusted by SSL_CERT_FILE alone, and the log says so."""
    ca = trustme.CA()
    monkeypatch.delenv("SSL_CERT_DIR", raising=False)
    outcomes = []

    with https_mock(ca) as url:
        for file in ("", ca_file(ca, tmp_path), "/nowhere.pem"):
            monkeypatch.setenv("SSL_CERT_FILE", file)
            outcomes.append(post(url, b"{}", ANYWHERE, 10))

    assert [outcome.reached for outcome in outcomes] == [False, True, False]
    assert [(outcome.code, outcome.error) for outcome in outcomes] == [
        (
            None,
            "its certificate cannot be verified (unable to get local issuer certificate); the"
            " variable SSL_CERT_FILE names certificates to trust",
        ),
        (404, "answered 404"),
        (
            None,
            "ValueError: SSL_CERT_FILE is '/nowhere.pem', which cannot be read: No such file or"
            " directory; name a PEM file, or unset it.",
        ),
    ]
