"""The commands that answer and end; `serve` is tested as a process in tests/server."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import httpx
import pytest

from driving import VALID
from fauxlab.cli import verdict as verdict_module
from fauxlab.cli.main import main
from fauxlab_contract.openapi.document import bundled_path
from fauxlab_contract.verdict.rules import RULES
from fauxlab_mock.behaviour.scenarios import SCENARIOS
from fauxlab_mock.runtime.mock import Mock
from fauxlab_mock.server.serving import serve

GOOD = {"key": "secret-key-123", "prompt": "p", "face_image": "https://x.example/f.png", "seed": 1}


@pytest.fixture
def body(tmp_path: Path) -> Path:
    return tmp_path / "body.json"


def test_validate_says_that_a_request_is_valid(
    body: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A valid request body exits with 0 and says as what it is valid."""
    body.write_text(json.dumps(GOOD))

    code = main(["validate", str(body)])

    assert (code, capsys.readouterr().out) == (
        0,
        "valid as a request of POST /image_editing/flux_headshot\n",
    )


def test_validate_lists_every_violation_without_the_key(
    body: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An invalid body exits with 1 and lists each violation with its place and hint."""
    body.write_text(json.dumps(GOOD | {"width": "1024", "prompt": 5, "track_id": "secret-key-123"}))

    code = main(["validate", str(body)])

    assert (code, capsys.readouterr().out.splitlines()) == (
        1,
        [
            "3 violations as a request of POST /image_editing/flux_headshot:",
            '  /prompt: prompt must be a string, not 5. Send the text "5", in quotes.',
            "  /track_id: track_id must be an integer, not a value with the key in it.",
            (
                '  /width: width must be an integer, not the text "1024". Send the number 1024,'
                " without quotes."
            ),
        ],
    )


def test_validate_judges_replies(body: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With --response the body is judged by the branch that its status names."""
    body.write_text(json.dumps({"status": "success", "id": "1", "output": []}))

    code = main(["validate", "--response", "--operation", "/image_editing/fetch/{id}", str(body)])

    assert code == 1
    assert "/id: id must be an integer" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments, said",
    [
        (["validate", "/nonexistent"], "/nonexistent cannot be read: No such file or directory"),
        (
            ["validate", "--document", "/nonexistent", "x"],
            "/nonexistent: it cannot be read: No such file or directory",
        ),
        (
            ["validate", "--operation", "/nothing", "x"],
            "--operation: there is no operation '/nothing'; there are /image_editing/",
        ),
        (
            ["validate", "--operation", "/image_editing/flux_headsot", "x"],
            (
                "--operation: there is no operation '/image_editing/flux_headsot'; did you mean"
                " /image_editing/flux_headshot?"
            ),
        ),
        (
            ["verdict", "--waive", "hasty-poll"],
            "--waive: a waiver is RULE[:FIELD][@PLACE]=REASON, and 'hasty-poll' has no reason",
        ),
        (
            ["routes", "https://x.example/y.yaml"],
            "https://x.example/y.yaml: nothing is ever fetched",
        ),
        (["serve", "/dev/null"], "/dev/null: it is empty"),
        (["serve", "--scenario", "fial"], "--scenario cannot be 'fial'; did you mean failed?"),
        (["serve", "--clock", "manul"], "--clock cannot be 'manul'; did you mean manual?"),
        (
            ["serve", "--port", "70000"],
            "--port must be a whole number from 0 to 65535, not '70000'",
        ),
        (["serve", "--scenario", "x"], "--scenario must be one of success, "),
        (["serve", "/nonexistent"], "/nonexistent: it cannot be read"),
        (
            ["serve", "--port", "0", "--host", "256.0.0.1", "--admin-token", "secret-token"],
            "cannot listen on 256.0.0.1:0: ",
        ),
        *(
            (
                ["serve", "--port", "0", "--host", host],
                (
                    f"{host} can be reached from other machines, so the control API needs an"
                    " --admin-token"
                ),
            )
            for host in ("0.0.0.0", "::", "192.0.2.1", "mock.example")
        ),
        (
            ["serve", "--port", "0", "--ready-file", "/nonexistent/x"],
            "--ready-file /nonexistent/x cannot be written: ",
        ),
        (["document", "-o", "/nonexistent/x"], "/nonexistent/x cannot be written: No such file"),
        (["routes", "/nonexistent"], "/nonexistent: it cannot be read"),
        (["audit", "/nonexistent"], "/nonexistent: it cannot be read"),
        (
            ["audit", "--samples", "/nonexistent"],
            "/nonexistent cannot be read: No such file or directory",
        ),
        (["audit", "--samples", __file__], f"{__file__}:1:3: The body is not JSON"),
        (
            ["audit", "--operation", "/nothing"],
            "--operation: there is no operation '/nothing'; there are /image_editing/",
        ),
        (["diff", "/nonexistent", "/nonexistent"], "/nonexistent: it cannot be read"),
    ],
)
def test_unusable_input_exits_with_2_and_one_sentence(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """What cannot be read or understood ends with exit code 2 and one line that says why."""
    code = main(arguments)

    captured = capsys.readouterr()
    assert (code, captured.out, captured.err.count("\n")) == (2, "", 1)
    assert captured.err.startswith(f"fauxlab: {said}")


@pytest.mark.parametrize(
    "text, said",
    [
        ("", "is empty"),
        ("{", ":1:2: The body is not JSON: Expecting property name enclosed in double quotes.\n"),
        ('{"a":1,"a":2}', "appears twice"),
        ("NaN", "is not JSON"),
    ],
)
def test_a_body_that_is_no_json_exits_with_2(
    text: str, said: str, body: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file that is not one JSON body is unusable input, not a finding."""
    body.write_text(text)

    assert (main(["validate", str(body)]), said in capsys.readouterr().err) == (2, True)


@pytest.mark.parametrize(
    "arguments", [[], ["nonsense"], ["serve", "--nonsense"], ["serve", "--port"]]
)
def test_bad_usage_exits_with_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Unknown commands and flags exit with 2 and point at the help."""
    with pytest.raises(SystemExit) as caught:
        main(arguments)

    assert (caught.value.code, "--help" in capsys.readouterr().err) == (2, True)


def test_routes_lists_operations(capsys: pytest.CaptureFixture[str]) -> None:
    """`routes` shows method, path, kind, required fields and status words of each operation."""
    code = main(["routes"])

    assert (code, capsys.readouterr().out.splitlines()) == (
        0,
        [
            "ModelsLab Image Editing API, OpenAPI 3.1, base path /api/v6",
            "",
            "POST /image_editing/flux_headshot (submit)",
            "  needs key, prompt, face_image, seed",
            "  answers success, processing, error",
            "",
            "POST /image_editing/fetch/{id} (fetch)",
            "  needs key",
            "  answers success, processing, failed, error",
        ],
    )


def test_routes_says_why_nothing_has_a_lifecycle(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A field that looks like the status is named, with what to write into the document."""
    branches = [{"properties": {"state": {"enum": [word]}}} for word in ("queued", "done")]
    reply = {"content": {"application/json": {"schema": {"oneOf": branches}}}, "description": ""}
    paths = {"/avatars": {"post": {"responses": {"200": reply}}}}
    file = tmp_path / "api.json"
    file.write_text(json.dumps({"openapi": "3.1.0", "paths": paths}))

    code = main(["routes", str(file)])

    assert (code, capsys.readouterr().out.splitlines()[2:]) == (
        0,
        [
            "POST /avatars (plain)",
            "  needs nothing",
            "  answers in 2 shapes, which no status tells apart",
            "",
            "no operation has a lifecycle: nothing is submitted, fetched and done",
            "  no reply has a field status that says processing and success",
            "  state looks like the status; to say so, write at the top of the document",
            "    x-fauxlab: {fields: {status: state}, words: {processing: queued, success: done}}",
            "  docs/contract.md (Roles) lists the other roles, such as key, id and output",
            "  nothing fetches a job: no path ends with /fetch/{id}",
        ],
    )


def test_routes_says_how_many_errors_an_audit_names(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`routes` shows where an operation is, and what only the audit looks at in one sentence."""
    file = tmp_path / "d.json"
    tree = {
        "openapi": "3.1.0",
        "info": {"title": "t", "version": "1"},
        "servers": [{"url": "https://a.example/v1"}],
        "paths": {
            path: {
                "servers": [{"url": "https://up.example/v9"}],
                "get": {"operationId": "same", "responses": {"204": {"description": "done"}}},
            }
            for path in ("/a", "/b")
        },
    }
    file.write_text(json.dumps(tree))

    code = main(["routes", str(file)])

    out, err = capsys.readouterr()
    assert (code, err.splitlines()[-1]) == (
        0,
        f"fauxlab: warning: {file}: fauxlab audit names 1 error in it",
    )
    assert "GET /a (plain), below /v9" in out


@pytest.mark.parametrize(
    "command, code, said",
    [
        ("routes", 0, "no operations, so there is nothing to serve"),
        ("audit", 0, "nothing to find"),
        ("serve --port 0", 2, "it has no operations, so there is nothing to serve"),
        ("validate --document", 2, "it has no operations, so there is nothing to serve"),
    ],
)
def test_a_document_of_webhooks_alone_is_read(
    command: str, code: int, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is listed and audited; only where an operation is needed, that is said."""
    file = tmp_path / "d.json"
    hook = {"done": {"post": {"responses": {"200": {"description": "ok"}}}}}
    file.write_text(json.dumps({"openapi": "3.1.0", "info": {}, "webhooks": hook}))

    ended = main([*command.split(), str(file)])

    assert (ended, said in "".join(capsys.readouterr())) == (code, True)


def test_scenarios_lists_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    """`scenarios` shows each scenario with its sentence, in 80 columns."""
    code = main(["scenarios"])

    lines = capsys.readouterr().out.splitlines()
    out = " ".join(" ".join(lines).split())
    assert (code, [line for line in lines if len(line) > 80]) == (0, [])
    assert all(
        f"{scenario.name} " in out and scenario.summary in out for scenario in SCENARIOS.values()
    )


@pytest.fixture
def served_mock() -> Iterator[Mock]:
    with serve(clock="manual", admin_token="secret-token") as mock:
        yield mock


def test_verdict_judges_a_running_mock(
    served_mock: Mock, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`fauxlab verdict URL` exits with 1 for findings, and with 0 without any or waived ones, and
    with 2 where there was no call: CI whose client went elsewhere must not be green.

    The token may come from the environment.
    """
    url = served_mock.url
    unseen = main(["verdict", url, "--token", "secret-token"])
    httpx.post(f"{url}/image_editing/flux_headshot", json=VALID)
    clean = main(["verdict", url, "--token", "secret-token"])
    httpx.post(f"{url}/image_editing/flux_headshot", json={**VALID, "width": 5_000})
    monkeypatch.setenv("FAUXLAB_ADMIN_TOKEN", "secret-token")
    found = main(["verdict", url])
    waived = main(["verdict", url, "--waive", "request-violation=the width is wrong on purpose"])

    assert (unseen, clean, found, waived) == (2, 0, 1, 0)
    said, told = capsys.readouterr()
    assert told.startswith(f"fauxlab: no call was seen by {url[7:].partition('/')[0]}, so nothing")
    assert "  judged: 1 call, 1 job\n1 finding about the client\n" in said
    assert "width must be at most 1024, not 5000." in said
    assert "(waived: the width is wrong on purpose)" in said


def test_a_verdict_is_written_for_other_programs(served_mock: Mock, tmp_path: Path) -> None:
    """JSON as the control API tells it, and JUnit with a test for each rule, judged or not."""
    url, ask = served_mock.url, ["verdict", served_mock.url, "--token", "secret-token"]
    httpx.post(f"{url}/image_editing/flux_headshot", json={**VALID, "width": 5_000})
    files = [str(tmp_path / f"verdict{ending}") for ending in (".json", ".xml", ".txt")]

    code = main([*ask, *(word for file in files for word in ("--report", file))])

    told = json.loads(Path(files[0]).read_text())
    expected = {"format": "fauxlab-verdict/1", **served_mock.verdict().as_dict()}
    assert (code, told) == (1, json.loads(json.dumps(expected)))
    cases = ET.parse(files[1]).getroot().findall(".//testcase")  # noqa: S314 # ours
    outcomes = {case.get("name"): [child.tag for child in case] for case in cases}
    assert outcomes["request-violation"] == ["failure"]
    assert outcomes["polled-too-fast"] == ["skipped"]  # the clock stands
    assert [name for name in outcomes if name in RULES] == [*RULES]
    assert len(outcomes) == len(RULES)
    assert Path(files[2]).read_text().startswith("fauxlab verdict: 1 finding about the client\n1 c")


def test_a_verdict_with_a_file_that_cannot_be_written_is_refused(
    served_mock: Mock, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before the mock is asked."""
    assert main(["verdict", served_mock.url, "--report", "verdict.html"]) == 2
    told = "fauxlab: --report verdict.html: the ending must be one of .txt, .json, .xml"
    assert capsys.readouterr().err.startswith(told)


def test_a_verdict_fails_for_what_is_new_and_serious(
    served_mock: Mock, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """The gate is that of every judge: --fail-on, --baseline and --write-baseline."""
    url, file = served_mock.url, str(tmp_path / "known.json")
    ask = ["verdict", url, "--token", "secret-token"]
    httpx.post(f"{url}/image_editing/flux_headshot", json=VALID)
    served_mock.clock.advance(1_000)  # the job is abandoned: a warning

    codes = [
        main([*ask, *options])
        for options in (
            [],
            ["--fail-on", "error"],
            ["--write-baseline", file],
            ["--baseline", file],
        )
    ]
    httpx.post(f"{url}/image_editing/flux_headshot", content=b"{}")
    codes.append(main([*ask, "--baseline", file]))

    assert codes == [1, 0, 0, 0, 1]
    assert "  in the baseline: 1 finding\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments, said",
    [
        (["ftp://x"], "'ftp://x' is not the http address of a mock"),
        (["ftp://me:secret-token@x"], "'ftp://x' is not the http address of a mock"),
        (["http://127.0.0.1:9"], "127.0.0.1:9 does not answer: "),
        (["http://me:secret-token@127.0.0.1:9"], "fauxlab: 127.0.0.1:9 does not answer: "),
        (["URL"], "answered 401: Send the token of --admin-token"),
        (
            ["URL", "--token", "secret-token", "--waive", "nonsense=x"],
            "fauxlab: --waive: no rule is called 'nonsense'; there are ",
        ),
    ],
)
def test_a_verdict_that_cannot_be_had(
    served_mock: Mock, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    """No mock there, no token, an unknown rule: exit code 2 and one sentence."""
    code = main(["verdict", *[served_mock.url if one == "URL" else one for one in arguments]])

    err = capsys.readouterr().err
    assert (code, said in err, err.count("\n"), "secret-token" in err) == (2, True, 1, False)


@pytest.mark.parametrize(
    "reply", [{}, [], {"text": "t", "is_ok": True}, {"text": 1, "findings": []}]
)
def test_an_answer_that_is_no_verdict_is_a_usage_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], reply: Any
) -> None:
    """Another server's JSON is exit code 2 and one sentence, not a traceback."""
    monkeypatch.setattr(verdict_module, "_post", lambda *_: reply)

    code = main(["verdict", "http://127.0.0.1:9"])

    assert (code, capsys.readouterr().err) == (
        2,
        "fauxlab: 127.0.0.1:9 answered something that is not a verdict; is it a fauxlab mock?\n",
    )


def test_the_package_can_be_run() -> None:
    """`python -m fauxlab --version` prints the version of the installed package."""
    result = subprocess.run(
        [sys.executable, "-m", "fauxlab", "--version"],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )

    assert result.stdout == f"fauxlab {version('fauxlab')}\n"


def test_scenarios_are_grouped_by_what_acts(capsys: pytest.CaptureFixture[str]) -> None:
    """As JSON, each scenario says what acts; all stand there once."""
    code = main(["scenarios", "--format", "json"])

    rows = json.loads(capsys.readouterr().out)["scenarios"]
    acting = {row["name"]: row["acts_on"] for row in rows}
    assert (code, sorted(acting), len(rows)) == (0, sorted(SCENARIOS), len(SCENARIOS))
    assert {
        name: acting[name]
        for name in (
            "stuck",
            "late_links",
            "webhook_twice",
            "string_id",
            "queue_full",
            "no_credits",
        )
    } == {
        "stuck": "job",
        "late_links": "links",
        "webhook_twice": "webhook",
        "string_id": "reply",
        "queue_full": "submit",
        "no_credits": "call",
    }
    assert acting["redirecting_fetch"] == "fetch"


def test_document_prints_the_bundled_document(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """To stdout or into a file, it is the bundled document to the letter."""
    file = tmp_path / "openapi.yaml"

    codes = main(["document"]), main(["document", "-o", str(file)])

    text = bundled_path().read_text(encoding="utf-8")
    assert (codes, capsys.readouterr().out) == ((0, 0), text)
    assert file.read_text(encoding="utf-8") == text


@pytest.mark.parametrize("name", ["sead", "seet", "sede"])
def test_validate_names_a_slip_in_a_short_name(
    body: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    """Beside the field that is missing because of it."""
    body.write_text(json.dumps({**{n: GOOD[n] for n in GOOD if n != "seed"}, name: 1}))

    assert main(["validate", str(body)]) == 1
    assert f"{name} is not a field of this operation; did you mean seed?" in capsys.readouterr().out


def test_validate_names_misspelt_fields(body: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A body that is valid may still not say what was meant: that is a finding."""
    body.write_text(json.dumps(GOOD | {"guidence_scale": 3, "note": "mine"}))

    code = main(["validate", str(body)])

    assert (code, capsys.readouterr().out.splitlines()) == (
        1,
        [
            "1 misspelt field as a request of POST /image_editing/flux_headshot:",
            (
                "  /guidence_scale: guidence_scale is not a field of this operation; did you mean"
                " guidance_scale?"
            ),
        ],
    )


def test_a_body_that_is_no_json_is_told_with_its_line_and_column(
    body: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The place stands where editors and terminals look for it."""
    body.write_text('{"key": "k",\n "prompt": }')

    main(["validate", str(body)])

    assert capsys.readouterr().err.startswith(f"fauxlab: {body}:2:12: The body is not JSON: ")


@pytest.mark.parametrize(
    "text, said",
    [
        ("- scenaro: failed\n", ": rule 1: a rule has no member scenaro; did you mean scenario?"),
        ("- a: [\n", ":2:1: it is neither JSON nor YAML: while parsing a flow node"),
    ],
)
def test_a_file_of_rules_is_named_once_with_its_place(
    text: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The sentence names the file and the line, and does not end with the file again."""
    file = tmp_path / "rules.yaml"
    file.write_text(text)

    code = main(["serve", "--rules", str(file)])

    err = capsys.readouterr().err
    assert (code, err.count(str(file))) == (2, 1)
    assert err.startswith(f"fauxlab: --rules must name a file with rules: {file}{said}")
