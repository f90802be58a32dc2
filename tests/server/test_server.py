"""`fauxlab serve` as a process: ready line, settings, signals, and both parsers."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from PIL import Image

from driving import KEY, SUBMIT, VALID, post
from fauxlab_contract.core.records import Exchange
from fauxlab_mock.runtime.journal import Log
from fauxlab_mock.runtime.mock import Mock
from fauxlab_mock.server.uvicorn_server import Server, bind
from fauxlab_mock.settings import Limits, Settings
from serving import (
    ANSWER_S,
    Address,
    chunked,
    connected,
    is_closed,
    raw,
    read_all,
    read_answer,
    request,
    serving,
)

SERVE = [sys.executable, "-m", "fauxlab", "serve"]
WITHOUT_HTTPTOOLS = (
    "import sys; sys.modules['httptools'] = None; from fauxlab.cli.main import main;"
    " sys.exit(main())"
)
SERVE_BY_H11 = [sys.executable, "-c", WITHOUT_HTTPTOOLS, "serve"]
DEADLINE_S = 20  # for a process to start or to end; far more than it takes
STOP_S = 2  # within which a server must have stopped
CLEAN = {name: value for name, value in os.environ.items() if not name.startswith("FAUXLAB_")}


@dataclass
class Process:
    """A running `fauxlab serve`; `end` returns (exit code, the rest of stdout, stderr, seconds that
    it took).
    """

    popen: subprocess.Popen[str]
    ready_line: str
    address: Address = field(init=False)

    def __post_init__(self) -> None:
        url = urlsplit(self.ready_line.removeprefix("fauxlab listening on "))
        self.address = (url.hostname or "", url.port or 0)

    def end(self, number: int = signal.SIGTERM) -> tuple[int, str, str, float]:
        started = time.monotonic()
        self.popen.send_signal(number)
        out, err = self.popen.communicate(timeout=DEADLINE_S)
        return self.popen.returncode, out, err, time.monotonic() - started


@contextlib.contextmanager
def started(*flags: str, command: list[str] = SERVE, **environment: str) -> Iterator[Process]:
    """A server on a free port, which has said that it is ready; whatever happens, it is gone at the
    end.
    """
    flags = (
        ("--port", "0", *flags)
        if "--port" not in flags and "FAUXLAB_PORT" not in environment
        else flags
    )
    with subprocess.Popen(
        [*command, *flags],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=CLEAN | environment,
    ) as popen:
        try:
            assert popen.stdout is not None
            yield Process(popen, popen.stdout.readline())
        finally:
            if popen.poll() is None:
                popen.kill()


def run(*flags: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A server that is expected to end by itself."""
    return subprocess.run(
        [*SERVE, *flags],
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
        env=CLEAN | environment,
    )


# Start


def test_the_ready_line_and_the_ready_file_name_the_url(tmp_path: Path) -> None:
    """One line on stdout and the file say where the mock listens; nothing else ever comes on
    stdout.
    """
    file = tmp_path / "ready"
    with started("--ready-file", str(file)) as process:
        ready = file.read_text()
        names = [path.name for path in tmp_path.iterdir()]
        raw(process.address, request())
        _, rest, _, _ = process.end()

    assert re.fullmatch(
        r"fauxlab listening on http://127\.0\.0\.1:[1-9][0-9]*/api/v6\n", process.ready_line
    )
    assert (f"fauxlab listening on {ready}", rest) == (process.ready_line, "")
    assert names == ["ready"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_ready_file_is_there_only_while_the_mock_listens(tmp_path: Path, number: int) -> None:
    """A stale file is gone as soon as a mock starts, and a mock takes its own file with it."""
    file = tmp_path / "ready"
    file.write_text("http://127.0.0.1:1/api/v6\n")
    with started("--ready-file", str(file)) as process:
        written = file.read_text()
        process.end(number)

    assert f"fauxlab listening on {written}" == process.ready_line
    assert [*tmp_path.iterdir()] == []


def test_a_start_that_fails_leaves_no_ready_file(tmp_path: Path) -> None:
    """Nobody takes the file of an earlier run for that of this one."""
    file = tmp_path / "ready"
    file.write_text("http://127.0.0.1:1/api/v6\n")

    result = run("--port", "0", "--ready-file", str(file), "/nonexistent.yaml")

    assert (result.returncode, [*tmp_path.iterdir()]) == (2, [])


@pytest.mark.parametrize("flags", [["--clock", "frozen"], ["--host", "0.0.0.0"], ["--port"]])
def test_whatever_fails_at_a_start_leaves_no_stale_ready_file(
    tmp_path: Path, flags: list[str]
) -> None:
    """The file of an earlier run is gone first, also where another program has its port now."""
    file = tmp_path / "ready"
    with socket.create_server(("127.0.0.1", 0)) as other:
        other.listen()
        port = str(other.getsockname()[1])
        file.write_text(f"http://127.0.0.1:{port}/api/v6\n")
        if flags == ["--port"]:
            flags = ["--port", port]

        result = run(*flags, "--ready-file", str(file))

    assert (result.returncode, [*tmp_path.iterdir()]) == (2, [])


def test_the_ready_file_of_another_mock_stays(tmp_path: Path) -> None:
    """A mock that ends removes its own file, not that of the mock that came after it."""
    file = tmp_path / "ready"
    flags = ("--ready-file", str(file))
    with started(*flags) as first, started(*flags) as second:
        first.end()
        left = file.read_text()
        second.end()

    assert f"fauxlab listening on {left}" == second.ready_line


def test_a_start_without_its_port_leaves_the_ready_file_alone(tmp_path: Path) -> None:
    """Who starts the same mock twice by mistake takes nothing from the first."""
    file = tmp_path / "ready"
    with started("--ready-file", str(file)) as first:
        before = file.read_text()
        port = str(first.address[1])
        code = run("--port", port, "--ready-file", str(file)).returncode

        assert (code, file.read_text(), [*tmp_path.iterdir()]) == (2, before, [file])


@pytest.mark.parametrize("document", [[], ["/nonexistent.yaml"]])
def test_a_ready_file_is_given_back(tmp_path: Path, document: list[str]) -> None:
    """A mock at another port that ends, or cannot start, leaves the file to the one that runs."""
    file = tmp_path / "ready"
    flags = ("--port", "0", "--ready-file", str(file), *document)
    with started("--ready-file", str(file)):
        before = file.read_text()
        if document:
            run(*flags)
        else:
            with started(*flags) as second:
                taken = file.read_text()
                second.end()
            assert taken != before

        assert (file.read_text(), [*tmp_path.iterdir()]) == (before, [file])


@pytest.mark.parametrize("host", ["::1", "[::1]"])
def test_an_ipv6_address_may_have_the_brackets_that_it_has_in_urls(host: str) -> None:
    """--host takes an IPv6 address with and without brackets."""
    with started("--host", host) as process:
        code = raw(process.address, request()).code

    assert (process.ready_line[:28], code) == ("fauxlab listening on http://", 200)
    assert process.address[0] == "::1"


@pytest.mark.parametrize(
    "host, said",
    [
        ("no-such-host.invalid", "; choose another --host\n"),
        ("192.0.2.1", "; choose another --host\n"),
        (
            "",
            "fauxlab: --host must be a host name or an address such as 127.0.0.1 or ::1, not ''\n",
        ),
    ],
)
def test_a_host_that_is_not_this_machine_is_named(host: str, said: str) -> None:
    """The advice is about the option that is wrong."""
    result = run("--port", "0", "--host", host, "--admin-token", "secret-token")

    assert (result.returncode, result.stderr.endswith(said)) == (2, True)


def test_links_point_at_the_port_that_was_found() -> None:
    """With --port 0, links carry the port that the mock really listens on."""
    with started() as process:
        answer = raw(process.address, request())

    origin = f"http://127.0.0.1:{process.address[1]}"
    assert answer.json["fetch_result"] == f"{origin}/api/v6/image_editing/fetch/{answer.json['id']}"


def test_a_public_url_is_for_links_only() -> None:
    """--public-url is where links point; the ready line still says where the mock listens."""
    with started("--public-url", "http://mock.test:4010/") as process:
        answer = raw(process.address, request())

    assert answer.json["fetch_result"].startswith("http://mock.test:4010/api/v6/")
    assert process.ready_line.startswith("fauxlab listening on http://127.0.0.1:")


def test_a_port_in_use_is_a_sentence() -> None:
    """A port that somebody has ends the command with exit code 2 and the way out."""
    listener = bind("127.0.0.1", 0)
    port = listener.getsockname()[1]
    with listener:
        ended = run("--port", str(port))

    assert (ended.returncode, ended.stdout) == (2, "")
    assert re.fullmatch(
        rf"fauxlab: cannot listen on 127\.0\.0\.1:{port}: .+; choose another --port, or 0 for"
        r" any\n",
        ended.stderr,
    )


@pytest.mark.parametrize(
    "flags, environment, said",
    [
        pytest.param(
            ["--port", "70000"],
            {},
            "--port must be a whole number from 0 to 65535, not '70000'",
            id="flag",
        ),
        pytest.param(
            [],
            {"FAUXLAB_ETA": "soon"},
            "FAUXLAB_ETA must be a number of seconds from 0 to 86400, not 'soon'",
            id="variable",
        ),
        pytest.param(
            ["--keys", "@/nonexistent/secret"],
            {},
            "--keys must name a file that can be read (No such file or directory)",
            id="keys",
        ),
    ],
)
def test_a_bad_value_is_named_with_its_rule(
    flags: list[str], environment: dict[str, str], said: str
) -> None:
    """A bad flag or variable ends the command with exit code 2 and one sentence."""
    ended = run(*flags, **environment)

    assert (ended.returncode, ended.stdout, ended.stderr) == (2, "", f"fauxlab: {said}\n")


# Settings


def test_variables_are_obeyed_and_flags_win() -> None:
    """FAUXLAB_* variables set options, and a flag wins over its variable."""
    with started(
        "--eta", "7", FAUXLAB_PORT="0", FAUXLAB_ETA="3", FAUXLAB_ERRORS="status"
    ) as process:
        eta = raw(process.address, request()).json["eta"]
        code = raw(process.address, request(b"x")).code

    assert (eta, code) == (7, 400)


def test_a_wrong_path_of_the_control_api_is_no_error_of_the_api() -> None:
    """What was perhaps meant is said in the mock's own name; the verdict says it of the test."""
    mock = Mock()

    answers = [post(mock, path, {}) for path in ("/_admin/reset", "/__admin", "/admin/reset")]

    assert [answer.code for answer in answers] == [404] * 3
    assert [answer.body["detail"] for answer in answers] == [
        "There is no /_admin/reset; did you mean /__admin/reset?",
        "There is no /__admin; did you mean /__admin/health?",
        "There is no /admin/reset; did you mean /__admin/reset?",
    ]
    assert {finding.rule for finding in mock.verdict().findings} == {"misused-mock"}


def test_an_unknown_variable_is_warned_about() -> None:
    """A misspelt variable is named, and the server starts."""
    with started(FAUXLAB_PROT="4") as process:
        code, _, err, _ = process.end()

    assert (code, err) == (
        0,
        "fauxlab: warning: FAUXLAB_PROT is not a setting; did you mean FAUXLAB_PORT?\n",
    )


def test_keys_are_never_printed() -> None:
    """Neither the accepted keys nor the ones that clients send are printed."""
    with started("--keys", f"{KEY},other-secret-1", "--log-format", "text") as process:
        answers = [
            raw(process.address, request(VALID | {"key": key})).json["status"]
            for key in (KEY, "wrong-secret-1")
        ]
        raw(process.address, request(path=f"{SUBMIT}?key={KEY}"))
        raw(process.address, request(method="GET", path=f"/x?key={KEY}"))
        _, out, err, _ = process.end()

    assert answers == ["processing", "error"]
    assert err.count("\n") == 5
    assert not any(
        secret in out + err + process.ready_line
        for secret in (KEY, "other-secret-1", "wrong-secret-1")
    )


def test_the_text_log_has_a_line_for_each_exchange() -> None:
    """A line says method, path, code, outcome, and the job or what was wrong."""
    with started() as process:
        raw(process.address, request())
        raw(process.address, request(VALID | {"width": "1024", "seed": 0.5}))
        raw(process.address, request(b"", method="GET", path="/x"))
        raw(process.address, b"\x00\r\n\r\n")
        _, _, err, _ = process.end()

    *lines, cost = err.splitlines()
    found = [re.fullmatch(r"\d\d:\d\d:\d\d\.\d{3} (.*) in \d+\.\d ms", line) for line in lines]
    assert [line and line[1] for line in found] == [
        f"POST {SUBMIT} -> 200 processing job 100000001",
        f"POST {SUBMIT} -> 200 error 2 violations: seed, width",
        "GET /x -> 404 error",
        "- - -> 400 error",
    ]
    assert cost == "fauxlab: this run (seed 0) would have cost 1 generation"


def test_the_json_log_has_an_object_for_each_exchange() -> None:
    """With --log-format json, each line is one object with the same names."""
    with started("--log-format", "json") as process:
        raw(process.address, request())
        raw(process.address, request(VALID | {"width": "1024"}))
        _, _, err, _ = process.end()

    rows = [json.loads(line) for line in err.splitlines()]
    names = [
        "time",
        "number",
        "at",
        "took_ms",
        "method",
        "path",
        "code",
        "outcome",
        "job",
        "scenario",
        "fault",
        "violations",
        "hint",
    ]
    assert [list(row) for row in rows] == [names, names]
    assert all(datetime.fromisoformat(row["time"]).tzinfo == UTC for row in rows)
    assert [(row["number"], row["outcome"], row["job"], row["violations"]) for row in rows] == [
        (1, "processing", 100000001, []),
        (2, "error", None, ["/width"]),
    ]


def test_replies_that_cannot_be_made_are_told_at_the_start(tmp_path: Path) -> None:
    """Before the first call, on stderr."""
    reply = {"type": "object", "required": ["a"], "properties": {"a": {"not": {}}}}
    media = {"application/json": {"schema": reply}}
    tree = {
        "openapi": "3.1.0",
        "info": {"title": "t", "version": "1"},
        "paths": {
            f"/{number}": {"get": {"responses": {"200": {"description": "", "content": media}}}}
            for number in range(12)
        },
    }
    file = tmp_path / "t.json"
    file.write_text(json.dumps(tree))
    with started(str(file)) as process:
        _, _, err, _ = process.end()

    *told, more = err.splitlines()
    assert len(told) == 10
    assert told[0].startswith(
        "fauxlab: warning: a reply of GET /0 cannot be made from the schema; give an example: a "
    )
    assert more == "fauxlab: warning: and 2 operations more"


def test_a_file_with_a_rule_that_can_never_act_is_refused(tmp_path: Path) -> None:
    """A kind of call that the document does not have ends the start with one line."""
    file = tmp_path / "rules.json"
    file.write_text('[{"fault": "HANG", "kind": "plain"}]')
    ended = run("--port", "0", "--rules", str(file))

    assert (ended.returncode, ended.stdout, ended.stderr) == (
        2,
        "",
        "fauxlab: --rules: the rule (fault 'HANG', kind 'plain') can never act: the document has no"
        " plain, only operations of the kind fetch or submit\n",
    )


def test_the_log_can_be_off() -> None:
    """With --log-format off nothing is written on stderr."""
    with started("--log-format", "off") as process:
        raw(process.address, request())
        _, out, err, _ = process.end()

    assert (out, err) == ("", "")


def test_a_log_that_nobody_reads_harms_no_client() -> None:
    """When the reader of stderr has gone, clients are answered as before."""
    with started() as process:
        assert process.popen.stderr is not None
        process.popen.stderr.close()
        answers = [raw(process.address, request()).json["status"] for _ in range(3)]
        process.popen.send_signal(signal.SIGTERM)
        code = process.popen.wait(DEADLINE_S)

    assert (answers, code) == (["processing"] * 3, 0)


def test_the_log_writes_pictures_too() -> None:
    """A picture has no status; its line says what it is."""
    stream = io.StringIO()

    Log("text", stream)(
        Exchange(1, 0.0, 0.0, "GET", "/generations/x.png", None, None, 0, 200, None, 7, "instant")
    )

    line = stream.getvalue().partition(" ")[2]
    assert line == "GET /generations/x.png -> 200 picture job 7 scenario instant in 0.0 ms\n"


# Signals


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_server_with_0(number: int) -> None:
    """SIGTERM and SIGINT are a clean end: exit code 0, no traceback, at once."""
    with started() as process:
        raw(process.address, request())
        code, out, err, took_s = process.end(number)

    assert (code, out, err.count("\n"), took_s < STOP_S) == (0, "", 2, True)


HALVES = {
    "silent": [],
    "half-a-head": [request()[:60]],
    "half-a-body": [request()[:-10]],
    "half-a-chunked-body": [chunked(json.dumps(VALID).encode())[:-5]],
    "half-a-second-head": [request(), request()[:60]],
    "half-a-second-body": [request(), request()[:-10]],
    "idle": [request()],
}


@pytest.mark.parametrize("parts", HALVES.values(), ids=HALVES)
@pytest.mark.parametrize("command", [SERVE, SERVE_BY_H11], ids=["httptools", "h11"])
def test_an_open_connection_does_not_hold_up_the_end(
    command: list[str], parts: list[bytes]
) -> None:
    """Idle connections and half-sent requests are closed when the server is told to stop."""
    with started(command=command) as process, connected(process.address) as connection:
        for i, part in enumerate(parts):
            connection.sendall(part)
            if i == 0 and part == request():
                read_answer(connection)
        raw(process.address, request())  # by now the server has seen what came before
        code, _, _, took_s = process.end()

        assert (code, took_s < STOP_S, is_closed(connection)) == (0, True, True)


def test_a_refused_client_that_stays_does_not_hold_up_the_end() -> None:
    """A client that keeps its connection open after a 400 is not waited for either."""
    with started() as process, connected(process.address, b"\x00\r\n\r\n") as connection:
        answer = read_answer(connection)
        code, _, _, took_s = process.end()

    assert (answer.code, code, took_s < STOP_S) == (400, 0, True)


def test_a_client_that_a_fault_leaves_hanging_does_not_hold_up_the_end() -> None:
    """There is no answer to wait for."""
    hanging = request(headers=["Prefer: fault=HANG"])
    with started() as process, connected(process.address, hanging) as connection:
        raw(process.address, request())  # by now the server has taken the first call
        code, _, _, took_s = process.end()

        assert (code, took_s < STOP_S, is_closed(connection)) == (0, True, True)


@pytest.mark.parametrize("command", [SERVE, SERVE_BY_H11], ids=["httptools", "h11"])
def test_an_answer_that_is_held_back_for_long_does_not_hold_up_the_end(command: list[str]) -> None:
    """Nobody waits for an answer that is due in a minute; its connection is closed, without an
    answer of the server's own.
    """
    delayed = request(headers=["Prefer: delay=60"])
    with started(command=command) as process, connected(process.address, delayed) as connection:
        raw(process.address, request())
        code, _, _, took_s = process.end()

        assert (code, took_s < STOP_S, read_all(connection)) == (0, True, b"")


@pytest.mark.parametrize("prefer", ["fault=HANG", "delay=60"])
def test_a_silence_that_begins_after_the_signal_ends_at_once(prefer: str) -> None:
    """A call that comes on an open connection while the server stops is not left hanging."""
    held = request(headers=["Prefer: delay=2"])
    with started() as process, contextlib.ExitStack() as stack:
        first = stack.enter_context(connected(process.address, held, timeout_s=5))
        raw(process.address, request())
        first.sendall(request(headers=[f"Prefer: {prefer}"]))  # begins when the first is answered
        code, _, _, took_s = process.end()

        assert (code, took_s < 2 + STOP_S) == (0, True)
        assert read_answer(first).code == 200
        assert read_all(first) == b""


def test_a_client_that_goes_during_a_delay_is_let_go() -> None:
    """Its connection ends with it, and its call is under way no longer."""
    with serving() as server:
        with connected(server.address, request(headers=["Prefer: delay=60"])):
            while not server.mock.requests:
                time.sleep(0.01)
        deadline = time.monotonic() + ANSWER_S
        while server.mock.traffic.is_busy() and time.monotonic() < deadline:
            time.sleep(0.01)

        assert not server.mock.traffic.is_busy()


def test_an_answer_that_is_held_back_is_sent_before_the_end() -> None:
    """A signal does not cut an answer that a delay keeps for a while."""
    delayed = request(headers=["Prefer: delay=0.5"])
    with started() as process, connected(process.address, delayed, timeout_s=5) as connection:
        raw(process.address, request())
        code, *_ = process.end()
        answer = read_answer(connection)

    assert (code, answer.json["status"]) == (0, "processing")


def test_the_port_is_free_after_the_end() -> None:
    """A stopped server can be started again on the same port at once."""
    with started() as process:
        raw(process.address, request())
        process.end()
    with started("--port", str(process.address[1])) as again:
        assert (again.address, raw(again.address, request()).code) == (process.address, 200)


# Without httptools


def test_it_serves_without_httptools() -> None:
    """Where httptools cannot be imported, h11 reads the requests."""
    with started(command=SERVE_BY_H11) as process:
        answer = raw(process.address, request())
        code, _, err, _ = process.end()

    assert (answer.code, answer.json["status"], code, err.count("\n")) == (200, "processing", 0, 2)


@pytest.mark.parametrize(
    "data, code, message",
    [
        pytest.param(b"\x00\r\n\r\n", 400, "Invalid HTTP request", id="garbage"),
        pytest.param(
            request(headers=["X: " + "a" * 100_000]),
            431,
            "The headers are larger than this mock accepts.",
            id="header",
        ),
        pytest.param(
            b"GET / HTTP/1.1\r\n" + b"X: 1\r\n" * 40_000,
            431,
            "The headers are larger than this mock accepts.",
            id="endless",
        ),
    ],
)
def test_refusals_are_envelopes_without_httptools(data: bytes, code: int, message: str) -> None:
    """What h11 itself refuses is answered with the envelope too."""
    with started(command=SERVE_BY_H11) as process:
        answer = raw(process.address, data)

    assert (answer.code, answer.json) == (code, {"status": "error", "message": message})


# Links


@pytest.mark.parametrize("width, height", [(64, 48), (1, 1), (1024, 1024)])
def test_a_link_is_404_and_then_a_png(width: int, height: int) -> None:
    """A link that was promised is 404 until the job has ended, and then a PNG of the size that was
    asked for.
    """
    with serving(eta=5.0) as server:
        link = raw(server.address, request(VALID | {"width": width, "height": height})).json[
            "future_links"
        ][0]
        get = request(b"", method="GET", path=urlsplit(link).path)
        early = raw(server.address, get)
        server.mock.clock.advance(5)
        late = raw(server.address, get, timeout_s=5)

    picture = Image.open(io.BytesIO(late.body))
    assert (early.code, early.json["status"]) == (404, "error")
    assert (late.code, late.headers["content-type"], picture.format, picture.size) == (
        200,
        "image/png",
        "PNG",
        (width, height),
    )


def test_head_of_a_link_says_what_get_sends() -> None:
    """HEAD has the headers of GET and no body, and the connection goes on."""
    with serving(eta=0.0) as server:
        link = urlsplit(
            raw(server.address, request(VALID | {"width": 64, "height": 64})).json["output"][0]
        ).path
        with connected(server.address, request(b"", method="HEAD", path=link)) as connection:
            head = read_answer(connection, head_only=True)
            connection.sendall(request(b"", method="GET", path=link))
            got = read_answer(connection)

    assert (head.code, head.headers["content-type"], int(head.headers["content-length"])) == (
        200,
        "image/png",
        len(got.body),
    )
    assert got.body.startswith(b"\x89PNG")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_a_link_takes_get_and_head_only(method: str) -> None:
    """Another method is 405 with Allow."""
    with serving(eta=0.0) as server:
        link = raw(server.address, request()).json["output"][0]
        answer = raw(server.address, request(b"", method=method, path=urlsplit(link).path))

    assert (answer.code, answer.headers["allow"]) == (405, "GET, HEAD")


def test_a_fetch_with_a_trailing_slash_is_a_fetch() -> None:
    """Integrators call the fetch path with a slash at its end; it is the same operation."""
    with serving() as server:
        job_id = raw(server.address, request()).json["id"]
        answer = raw(
            server.address, request({"key": KEY}, path=f"/api/v6/image_editing/fetch/{job_id}/")
        )

    assert (answer.code, answer.json["status"]) == (200, "processing")


# The thread


def test_a_stopped_server_leaves_nothing_behind() -> None:
    """After the end its port refuses connections."""
    with serving() as server:
        raw(server.address, request())

    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(server.address, timeout=1)


def test_a_connection_outlives_the_pause_of_a_poller() -> None:
    """A server keeps idle connections open for many times the default eta."""
    with contextlib.closing(bind("127.0.0.1", 0)) as listener:
        server = Server(Mock(), listener)

    assert server.config.timeout_keep_alive >= 10 * Settings().eta


def test_the_longest_idle_connection_makes_room() -> None:
    """Above the limit of idle connections the longest idle is closed; one with a call under way is
    not idle.
    """
    with (
        serving(limits=Limits(idle_connections=2)) as server,
        contextlib.ExitStack() as stack,
    ):
        busy, longest, other, new = (
            stack.enter_context(connected(server.address, timeout_s=5)) for _ in range(4)
        )
        busy.sendall(request(headers=["Prefer: delay=0.5"]))
        for connection in (other, longest, other, new):
            connection.sendall(request())
            read_answer(connection)

        assert is_closed(longest)
        read_answer(busy)
        assert is_closed(other)
        for connection in (busy, new):
            connection.sendall(request())
            assert read_answer(connection).code == 200


def test_a_server_without_files_says_so_once() -> None:
    """Where the system allows few open files, the server keeps fewer idle connections, and says
    once that there are too many.
    """
    few = ["bash", "-c", f"ulimit -n 40; exec {' '.join(SERVE)} --port 0"]
    with started(command=few) as process, contextlib.ExitStack() as stack:
        waiting = [stack.enter_context(connected(process.address, timeout_s=5)) for _ in range(60)]
        for connection in waiting:
            with contextlib.suppress(ConnectionError):
                connection.sendall(request(headers=["Prefer: delay=0.5"]))
        is_closed(waiting[0])  # or answered
        _, _, err, _ = process.end()

    assert err.count("fauxlab: warning: this process may have 40 files open") == 1
    assert "Traceback" not in err


def test_a_server_in_a_thread_closes_open_connections_at_its_end() -> None:
    """A connection that was idle reads its end."""
    with contextlib.ExitStack() as stack:
        with serving() as server:
            connection = stack.enter_context(connected(server.address, request()))
            read_answer(connection)

        assert read_all(connection) == b""
