"""The exit codes of every command, as docs/cli.md has them: 0 fine, 1 findings, 2 not done."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from documents import sound_document
from driving import SUBMIT, VALID
from fauxlab.cli.main import main, parsers
from fauxlab_contract.openapi.document import bundled_path
from fauxlab_mock.runtime.mock import Mock
from fauxlab_mock.server.serving import serve
from serving import post_json

# `serve` ends with 0 after a signal: tests/server/test_server.py
CODES = {
    "validate": [("good.json", 0), ("bad.json", 1), ("nothing.json", 2)],
    "routes": [("", 0), ("nothing.json", 2)],
    "verdict": [("URL", 0), ("BAD-URL", 1), ("http://127.0.0.1:9", 2)],
    "check": [
        ("URL --key any --any-key --only examples", 0),
        ("BAD-URL --key any --any-key --only examples", 1),
        ("http://127.0.0.1:9 --key any", 2),
    ],
    "check-client": [
        ("clients.py:good --trials success", 0),
        ("clients.py:bad --trials success", 1),
        ("clients.py:bod", 2),
    ],
    "audit": [("sound.json", 0), ("", 1), ("nothing.json", 2)],
    "diff": [("sound.json sound.json", 0), ("sound.json bundled.yaml", 1), ("sound.json x", 2)],
    "scenarios": [("", 0), ("--format", 2)],
    "document": [("", 0), ("-o nowhere/x", 2)],
    "serve": [("nothing.json", 2), ("--port", 2)],
}


CLIENTS = """
import time
import httpx


def good(base_url, key):
    def generate(prompt, face_image, seed):
        body = {"key": key, "prompt": prompt, "face_image": face_image, "seed": seed}
        job = httpx.post(f"{base_url}/image_editing/flux_headshot", json=body).json()
        time.sleep(job["eta"])
        url = f"{base_url}/image_editing/fetch/{job['id']}"
        return httpx.post(url, json={"key": key}).json()["output"]

    return generate


def bad(base_url, key):
    return lambda prompt: httpx.head(base_url)
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the files of the table are."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "clients.py").write_text(CLIENTS)
    (tmp_path / "good.json").write_text(json.dumps(VALID))
    (tmp_path / "bad.json").write_text("{}")
    (tmp_path / "sound.json").write_text(json.dumps(sound_document()))
    (tmp_path / "bundled.yaml").write_bytes(bundled_path().read_bytes())
    return tmp_path


@pytest.fixture
def mocks() -> Iterator[dict[str, Mock]]:
    """A mock with a good client, and one that breaks the contract, with a bad client."""
    with serve() as good, serve(scenario="string_id") as bad:
        post_json(good.public_url + SUBMIT, VALID)
        post_json(bad.public_url + SUBMIT, VALID | {"width": "wide"})
        yield {"URL": good, "BAD-URL": bad}


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    "command, arguments, code",
    [(command, *case) for command, cases in CODES.items() for case in cases],
)
def test_each_command_has_its_exit_codes(
    command: str, arguments: str, code: int, mocks: dict[str, Mock]
) -> None:
    """CI reads nothing but the code."""
    words = [mocks[word].url if word in mocks else word for word in arguments.split()]
    try:
        came = main([command, *words])
    except SystemExit as ended:  # wrong usage
        came = int(ended.code or 0)

    assert came == code


def test_the_table_has_every_command() -> None:
    """A new command gets its row."""
    assert sorted(CODES) == sorted(parsers()[1].choices)
