"""`fauxlab audit` and `fauxlab diff`: what they print and how they exit."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from documents import SAMPLE_CONTRADICTIONS, sound_document
from fauxlab.cli.main import main
from fauxlab_contract.openapi.document import bundled_path

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
DOCUMENT = str(bundled_path())


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    """A file with a document that has nothing to find."""
    path = tmp_path / "sound.json"
    path.write_text(json.dumps(sound_document()))
    return path


def test_audit_explains_the_six_contradictions_of_the_published_sample(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Without arguments `audit` prints the bundled document's contradictions, and exits with 1."""
    code = main(["audit"])

    captured = capsys.readouterr()
    assert (code, captured.err) == (1, "")
    assert captured.out.startswith("openapi.yaml: 6 errors, ")
    assert {
        message for message in SAMPLE_CONTRADICTIONS if f"  - {message}\n" in captured.out
    } == SAMPLE_CONTRADICTIONS


def test_audit_judges_sample_files(capsys: pytest.CaptureFixture[str]) -> None:
    """Findings of --samples name the file and the place inside it."""
    code = main(["audit", "--samples", str(EXAMPLES / "vendor_sample.json"), "--format", "json"])

    found = json.loads(capsys.readouterr().out)
    assert (code, found["errors"], found["is_ok"]) == (1, 6, False)
    places = {
        finding["places"][-1] for finding in found["findings"] if finding["severity"] == "error"
    }
    assert places == {
        f"{EXAMPLES / 'vendor_sample.json'}#/{name}"
        for name in ("width", "height", "num_inference_steps", "seed", "webhook", "track_id")
    }


@pytest.mark.parametrize("is_json", [True, False])
def test_a_document_among_the_samples_is_told_where_to_stand(
    is_json: bool, sound: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A DOCUMENT behind the files of --samples is not taken for one of them."""
    document = str(sound) if is_json else DOCUMENT
    code = main(["audit", "--samples", str(EXAMPLES / "vendor_sample.json"), document])

    assert (code, capsys.readouterr()) == (
        2,
        (
            "",
            f"fauxlab: {document} is an OpenAPI document, and no sample; DOCUMENT stands before"
            " --samples, or behind another option\n",
        ),
    )


def test_audit_of_a_sound_document_exits_with_0(
    sound: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing to find is said, and notes alone are no failure."""
    clean_code = main(["audit", str(sound)])
    said = capsys.readouterr().out
    tree = sound_document()
    tree["components"] = {"schemas": {"Unused": {}}}
    sound.write_text(json.dumps(tree))

    assert (clean_code, said) == (0, f"{sound}: nothing to find\n")
    assert (main(["audit", str(sound)]), "1 note\n" in capsys.readouterr().out) == (0, True)


def test_audit_takes_the_operation_of_the_samples(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With --operation a body is judged by that operation alone."""
    body = tmp_path / "body.json"
    body.write_text('{"key": "k"}')
    fits = main(["audit", "--samples", str(body), "--format", "json"])
    by_itself = capsys.readouterr().out
    named = main(["audit", "--samples", str(body), "--operation", "/image_editing/flux_headshot"])

    assert (fits, named) == (1, 1)
    assert str(body) not in by_itself
    assert "The prompt field is required." in capsys.readouterr().out


def test_diff_of_a_document_with_itself_exits_with_0(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing changes for clients."""
    assert main(["diff", DOCUMENT, DOCUMENT]) == 0
    assert capsys.readouterr().out == f"{DOCUMENT} -> {DOCUMENT}: nothing changes for clients\n"


@pytest.mark.parametrize(
    "old, new, code, count", [("26", "20", 1, "breaking"), ("26", "30", 0, "harmless")]
)
def test_diff_exits_with_1_when_something_breaks(
    old: str, new: str, code: int, count: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A lower maximum is breaking, a higher one harmless; text and JSON say so."""
    text = Path(DOCUMENT).read_text(encoding="utf-8")
    changed = tmp_path / "new.yaml"
    changed.write_text(
        text.replace(f"maximum: {old}", f"maximum: {new}").replace(
            "num_inference_steps: 26", "num_inference_steps: 20"
        )
    )

    codes = [main(["diff", DOCUMENT, str(changed), *more]) for more in ((), ("--format", "json"))]

    out = capsys.readouterr().out
    values = json.loads(out[out.index("\n{") :])
    assert codes == [code, code]
    assert f"{changed}: 1 {count} change\n" in out
    assert f"num_inference_steps: the maximum goes from {old} to {new}." in out
    assert (values[count], values["is_breaking"]) == (1, code == 1)


def test_diff_of_a_callback_that_cannot_be_read_exits_with_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What loading does not look at is still one sentence, with its place."""
    text = Path(DOCUMENT).read_text(encoding="utf-8")
    broken = tmp_path / "broken.yaml"
    broken.write_text(
        text.replace(
            "x-fauxlab: {required: [status, id, message]}", "x-fauxlab: {required: status}"
        )
    )

    code = main(["diff", DOCUMENT, str(broken)])

    line = text[: text.index("    WebhookFailed:")].count("\n") + 1
    said = (
        f"fauxlab: {broken}:{line}:5: at /components/schemas/WebhookFailed: x-fauxlab beside a"
        " schema must be {required: [names]}\n"
    )
    assert (code, capsys.readouterr().err) == (2, said)


@pytest.fixture
def fastapi(tmp_path: Path) -> str:
    """A file with an operation that declares 200 and 422 with a schema, and 401 without one."""

    def answered(**properties: str) -> dict[str, object]:
        members = {name: {"type": kind} for name, kind in properties.items()}
        schema = {"type": "object", "required": [*properties], "properties": members}
        return {"description": "", "content": {"application/json": {"schema": schema}}}

    responses = {
        "200": answered(ok="boolean"),
        "401": {"description": ""},
        "422": answered(detail="string"),
    }
    tree = {
        "openapi": "3.1.0",
        "info": {"title": "t", "version": "1"},
        "paths": {"/a": {"post": {"responses": responses}}},
    }
    path = tmp_path / "fastapi.json"
    path.write_text(json.dumps(tree))
    return str(path)


@pytest.mark.parametrize(
    "code, exit_code, told",
    [
        ("422", 0, "valid as a reply of POST /a with HTTP 422"),
        ("200", 1, "1 violation as a reply of POST /a with HTTP 200:"),
        ("401", 2, "--code 401: POST /a declares no JSON schema for it, so the reply is not judged;"
         " it has schemas for 200, 422"),
        ("500", 2, "--code 500: POST /a declares no such code, so the reply is not judged;"
         " it has schemas for 200, 422"),
        ("", 1, "1 violation as a reply of POST /a:"),
    ],
)  # fmt: skip
def test_validate_judges_a_reply_by_its_code(
    code: str,
    exit_code: int,
    told: str,
    fastapi: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A code has a schema of its own; where there is none, nothing is judged."""
    body = tmp_path / "body.json"
    body.write_text('{"detail": "x"}')
    chosen = ["--code", code] if code else []

    args = ["--document", fastapi, "--operation", "/a", "--response", *chosen]
    came = main(["validate", str(body), *args])

    captured = capsys.readouterr()
    assert came == exit_code
    assert told in captured.out + captured.err


def test_a_code_is_of_a_reply(fastapi: str, capsys: pytest.CaptureFixture[str]) -> None:
    """--code without --response is a misunderstanding."""
    assert main(["validate", "-", "--document", fastapi, "--code", "422"]) == 2
    assert "--code is of a reply; give --response as well" in capsys.readouterr().err
