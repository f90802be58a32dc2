"""`fauxlab check-client`: what it prints and writes, and its mistakes in one sentence."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from fauxlab.cli.main import main

CLIENT = """
import httpx


class Shop:
    @staticmethod
    def make(base_url, key):
        return lambda prompt: None


def naive(base_url, key):
    def generate(prompt, face_image, seed):
        body = {"key": key, "prompt": prompt, "face_image": face_image, "seed": seed}
        return httpx.post(f"{base_url}/image_editing/flux_headshot", json=body).json()["output"]

    return generate


def deaf(base_url, key):
    return naive("https://modelslab.example/api/v6", key)


def raising(base_url, key):
    raise RuntimeError("no configuration")
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a module of clients, which Python forgets afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    (tmp_path / "some_clients.py").write_text(CLIENT)
    (tmp_path / "broken_syntax.py").write_text("def make(:\n")
    for name in ("some_clients", "broken_syntax"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return tmp_path


def test_it_prints_and_writes_what_was_found(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A line for each finding; JSON and JUnit have a test for each trial."""
    words = ["some_clients:naive", "--trials", "no_credits, instant,", "--verbose"]

    code = main(["check-client", *words, "--report", "r.json", "--report", "r.xml"])

    out = capsys.readouterr().out
    assert code == 1
    assert out.startswith("fauxlab check-client: 1 finding about the client, in 2 trials\n")
    assert "  1. crashed  no_credits: KeyError: 'output', raised at some_clients.py:" in out
    assert "last    POST /api/v6/image_editing/flux_headshot" in out
    told = json.loads((folder / "r.json").read_text())
    assert [one["rule"] for one in told["findings"]] == ["crashed"]
    root = ET.parse(folder / "r.xml").getroot()  # noqa: S314 # ours
    cases = root.findall(".//testcase")
    assert [case.get("name") for case in cases if float(case.get("time", 0)) == 0] == []
    assert {case.get("name"): case.find("failure") is None for case in cases} == {
        "instant": True,
        "no_credits": False,
    }


def test_known_findings_do_not_fail(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A waiver by its trial, and a baseline, whose findings are only counted."""
    words = ["check-client", "some_clients:naive", "--trials", "no_credits"]

    codes = [
        main([*words, "--waive", "crashed@no_credits=we know"]),
        main([*words, "--write-baseline", "known.json"]),
        main([*words, "--baseline", "known.json"]),
        main([*words]),
    ]

    assert codes == [0, 0, 0, 1]
    assert "the client behaved well, but for what is waived, in 1 trial" in capsys.readouterr().out
    main([*words, "--baseline", "known.json"])
    first, *_, last = capsys.readouterr().out.splitlines()
    assert first == "fauxlab check-client: nothing new about the client, in 1 trial"
    assert last == "in the baseline: 1 finding"


def test_a_client_of_which_no_request_came_is_not_judged(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It may ignore `base_url`: exit code 2, for nothing is known."""
    assert main(["check-client", "some_clients:deaf", "--trials", "success,failed"]) == 2

    out = capsys.readouterr().out
    assert out.startswith("fauxlab check-client: nothing was judged: no request came to base_url,")
    assert "which make is given; instead: a connection to modelslab.example" in out


def test_a_factory_may_be_a_member_and_a_module_a_file(folder: Path) -> None:
    """`module:Class.method`, and a path that ends in .py."""
    assert main(["check-client", "./some_clients.py:Shop.make", "--trials", "failed"]) == 2


@pytest.mark.parametrize(
    "words, sentence",
    [
        ("some_clients", "'some_clients' is not module:factory, such as myapp.images:make"),
        ("some_client:naive", "there is no module 'some_client', from "),
        ("some_clients:niave", "some_clients has no 'niave'; did you mean naive?"),
        ("some_clients:httpx", "some_clients:httpx: the first argument must be make(base_url"),
        ("some_clients:raising", "raised RuntimeError: no configuration"),
        ("broken_syntax:make", "broken_syntax cannot be imported: SyntaxError: invalid syntax"),
        ("nothing.py:make", "nothing.py is no file"),
        ("some_clients:naive --trials failde", "no trial 'failde'; did you mean failed or "),
        ("some_clients:naive --trials qqq", "trials are in docs/check_client.md"),
        ("some_clients:naive --trials ,", "--trials ',' names no trial"),
        ("some_clients:naive --report r.pdf", "--report r.pdf: the ending must be one of .txt"),
        ("some_clients:naive --waive crash=x", "--waive: no rule is called 'crash'"),
    ],
)
def test_a_mistake_is_one_sentence(
    folder: Path, capsys: pytest.CaptureFixture[str], words: str, sentence: str
) -> None:
    """Exit code 2, and what was probably meant."""
    code = main(["check-client", *words.split()])

    out, err = capsys.readouterr()
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith("fauxlab: ")
    assert sentence in err
