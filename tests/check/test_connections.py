"""A connection that a server closes between two requests is no fault; one that it drops is."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from fauxlab_contract.check.target import HttpTarget
from fauxlab_contract.core.http import HttpRequest

ANSWER = b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n"
DEADLINE_S = 10


@contextmanager
def closing(answers: list[bytes]) -> Iterator[tuple[str, list[int]]]:
    """A server that gives each connection one of `answers`, and drops it at its next request.

    The second value holds the number of requests on each connection. The probe of the address by
    HEAD has a connection of its own.
    """
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(DEADLINE_S)
    requests: list[int] = []

    def serve() -> None:
        for answer in [ANSWER, *answers]:
            connection, _ = listener.accept()
            connection.settimeout(DEADLINE_S)
            requests.append(0)
            # the probe reads no answer to its end
            with connection, suppress(ConnectionError):
                for reply in (answer, b""):
                    if not connection.recv(2**16):
                        break
                    requests[-1] += 1
                    if not reply:
                        break
                    connection.sendall(reply)

    thread = threading.Thread(target=serve)
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}", requests
    thread.join(DEADLINE_S)
    listener.close()


def test_a_request_on_a_connection_that_was_just_closed_is_sent_again() -> None:
    """Where a server gives up a connection after an answer, the next request is not lost."""
    with closing([ANSWER, ANSWER]) as (url, requests):
        target = HttpTarget(url)
        request = HttpRequest("GET", url, {}, b"")

        came = [target.send(request, 5.0) for _ in range(2)]
        target.close()

    assert [(one.code, one.error) for one in came] == [(500, ""), (500, "")]
    assert requests == [1, 2, 1]


def test_a_request_that_is_dropped_on_a_new_connection_is_not_sent_again() -> None:
    """A server that answers nothing has failed; sending the request once more could cost twice."""
    with closing([ANSWER, b""]) as (url, requests):
        target = HttpTarget(url)
        request = HttpRequest("GET", url, {}, b"")

        came = [target.send(request, 5.0) for _ in range(2)]
        target.close()

    assert [one.code for one in came] == [500, 0]
    assert came[1].error
    assert requests == [1, 2, 1]
