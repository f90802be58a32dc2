"""docs/admin.md shows each call of the control API, with the members of its real replies."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from driving import make_mock as make
from driving import post, submit
from fauxlab_mock.admin import api, routes
from fauxlab_mock.admin.api import AdminCall, administer
from fauxlab_mock.admin.routes import ROUTES
from fauxlab_mock.runtime.mock import Mock
from receiving import receiving

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "admin.md").read_text(encoding="utf-8")
HEADERS = {"host": "127.0.0.1:4010", "content-type": "application/json"}
SECTIONS: dict[str, str] = dict(
    re.findall(r"^### (\w+ /\S+)\n(.*?)(?=^##|\Z)", PAGE, re.MULTILINE | re.DOTALL)
)


def named(pattern: str) -> str:
    return re.sub(r"\(.*\)", "{id}", pattern)


def found(text: str, pattern: str) -> str:
    match = re.search(pattern, text, re.MULTILINE | re.DOTALL)
    return match[1] if match else ""


@pytest.fixture
def mock() -> Iterator[Mock]:
    """The mock of the page: a job whose webhook has arrived, a wrong path, a wrong body."""
    with receiving() as receiver:
        mock = make(eta=5.0)
        submit(mock, webhook=receiver.url)
        post(mock, "/api/v6/image_editing/flux_headshots", {})
        submit(mock, width=5_000)
        mock.clock.advance(5)
        yield mock
        mock.close()


def ask(mock: Mock, heading: str, query: str = "", body: str = "") -> tuple[int, Any]:
    method, _, path = heading.partition(" ")
    answer = administer(mock, AdminCall(method, f"/__admin{path}", query, HEADERS, body.encode()))
    return answer.code, answer.body


def differences(shown: Any, real: Any, where: str) -> list[str]:
    """Where the page shows other members, or other kinds of values, than a real reply has."""
    if isinstance(shown, dict) and isinstance(real, dict):
        keys = shown.keys() - {"…"}
        missing = real.keys() - keys if "…" not in shown else set()
        wrong = [f"{where}/{key}" for key in (keys - real.keys()) | missing]
        both = [key for key in keys if key in real]
        return wrong + [
            line for key in both for line in differences(shown[key], real[key], f"{where}/{key}")
        ]
    if isinstance(shown, list) and isinstance(real, list):
        rows = [row for row in shown if row != "…"]
        if len(rows) > len(real) or (len(rows) < len(real) and "…" not in shown):
            return [f"{where}: {len(rows)} rows for {len(real)}"]
        pairs = enumerate(zip(rows, real, strict=False))
        return [line for at, pair in pairs for line in differences(*pair, f"{where}/{at}")]
    is_number = isinstance(shown, (int, float)) and isinstance(real, (int, float))
    return [] if type(shown) is type(real) or is_number else [f"{where}: {shown!r} for {real!r}"]


def test_the_page_has_each_call() -> None:
    """No route without a section, no section without a route."""
    assert sorted(SECTIONS) == sorted(f"{route.method} {named(route.pattern)}" for route in ROUTES)


@pytest.mark.parametrize("heading", SECTIONS)
def test_the_replies_on_the_page_have_the_members_of_real_ones(mock: Mock, heading: str) -> None:
    """The example of each call, done for real, is answered with the members that the page shows."""
    section = SECTIONS[heading]
    query, body = (found(section, rf"^{word}: `(.*?)`$") for word in ("Query", "Body"))
    shown = json.loads(found(section, r"```json\n(.*?)```"))
    is_about_a_running_job = "/jobs/{id}/" in heading
    job_id = submit(mock).body["id"] if is_about_a_running_job else 100000001
    if heading == "GET /rules":
        mock.scenario("failed", times=2, kind="submit", body={"seed": 7})

    code, real = ask(mock, heading.replace("{id}", str(job_id)), query, body)

    assert (code, differences(shown, real, "")) == (200, [])


def test_errors_are_as_the_page_shows(mock: Mock) -> None:
    """An error has one member, and the table has each code that the control API gives."""
    shown = json.loads(found(PAGE, r"<!-- error -->\n```json\n(.*?)```"))
    source = "".join(Path(str(module.__file__)).read_text() for module in (api, routes))
    codes = {*re.findall(r"AdminError\(\s*(\d{3})", source), "415"}

    assert ask(mock, "GET /jobs/1") == (404, shown)
    assert set(re.findall(r"^\| (\d{3}) \|", PAGE, re.MULTILINE)) == codes
