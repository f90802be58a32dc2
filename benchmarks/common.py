"""Start a server, talk to it with as little work as possible, stop it. Loopback only."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PATH = "/api/v6/image_editing/flux_headshot"
BODY = {
    "key": "benchmark-key-0123456789",
    "prompt": "studio portrait in soft light",
    "face_image": "https://example.com/face.png",
    "seed": 7,
    "width": 512,
    "height": 512,
    "num_inference_steps": 20,
    "guidance_scale": 7.5,
    "webhook": "http://127.0.0.1:9/hook",
    "track_id": 4,
}
FAUXLAB = [sys.executable, "-m", "fauxlab", "serve", "--port", "0"]
BARE = [sys.executable, str(Path(__file__).with_name("bare_app.py"))]


def request(body: dict[str, object]) -> bytes:
    """One HTTP/1.1 POST with keep-alive, as bytes."""
    content = json.dumps(body).encode()
    head = (
        f"POST {PATH} HTTP/1.1\r\nhost: localhost\r\ncontent-type:"
        f" application/json\r\ncontent-length: {len(content)}\r\n\r\n"
    )
    return head.encode() + content


REQUEST = request(BODY)


@contextlib.contextmanager
def running(command: list[str]) -> Iterator[tuple[int, int]]:
    """Run a server that prints its URL when it is ready; yield (port, process id).

    Its log goes to the null device.
    """
    # as users start it
    environment = {
        name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"
    }
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment
    )
    try:
        assert process.stdout is not None
        yield int(process.stdout.readline().rpartition(":")[2].partition("/")[0]), process.pid
    finally:
        process.terminate()
        process.communicate(timeout=10)


def connect(port: int) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port), timeout=10)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def read_reply(connection: socket.socket) -> bytes:
    """One whole reply; both servers send a Content-Length."""
    data = b""
    while True:
        data += connection.recv(65_536)
        end = data.find(b"\r\n\r\n")
        if end > 0:
            start = data.index(b"content-length: ") + 16
            if len(data) >= end + 4 + int(data[start : data.index(b"\r", start)]):
                return data


def check(reply: bytes, word: bytes = b'"processing"') -> None:
    assert reply.startswith(b"HTTP/1.1 200"), reply[:300]
    assert word in reply, reply[:300]
