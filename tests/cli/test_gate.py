"""--fail-on, --waive, --baseline and --write-baseline: which findings fail a command."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from documents import sound_document
from fauxlab.cli.documents import EFFECTS as WORDS
from fauxlab.cli.main import main
from fauxlab_contract.diff.kinds import EFFECTS


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with two documents: one has an unused schema, the other a server without host."""
    tree = sound_document()
    monkeypatch.chdir(tmp_path)
    tree["components"] = {"schemas": {"Unused": {}}}
    (tmp_path / "noted.json").write_text(json.dumps(tree))
    tree["servers"] = [{"url": "/v1"}]
    (tmp_path / "warned.json").write_text(json.dumps(tree))
    return tmp_path


def run(arguments: str) -> int:
    return main(arguments.split())


@pytest.mark.parametrize(
    "arguments, code",
    [
        ("audit noted.json", 0),
        ("audit noted.json --fail-on note", 1),
        ("audit warned.json", 1),
        ("audit warned.json --fail-on error", 0),
        ("audit noted.json --fail-on note --waive unused-schema=later", 0),
        ("audit noted.json --fail-on note --waive unused-schema@/components/schemas/Unused=x", 0),
        ("audit noted.json --fail-on note --waive unused-schema@/components/schemas/Other=x", 1),
        ("diff noted.json warned.json", 0),
        ("diff noted.json warned.json --fail-on risky", 1),
        ("diff noted.json warned.json --fail-on warning", 1),
        ("diff noted.json warned.json --fail-on risky --waive server-changed=planned", 0),
    ],
)
def test_options_decide_what_fails(arguments: str, code: int) -> None:
    """The severity from which on, and what is accepted by name."""
    assert run(arguments) == code


def test_the_words_of_a_diff_are_those_of_its_report() -> None:
    """They stand a second time for a command line that starts quickly."""
    assert tuple(EFFECTS.values()) == WORDS


def test_only_new_findings_fail_a_baseline(capsys: pytest.CaptureFixture[str]) -> None:
    """What is there is written once; then the same passes, and one more does not."""
    codes = [
        run("audit noted.json --fail-on note --write-baseline b.json"),
        run("audit noted.json --fail-on note --baseline b.json"),
        run("audit warned.json --fail-on note --baseline b.json"),
    ]

    said = capsys.readouterr()
    assert codes == [0, 0, 1]
    assert said.err == "fauxlab: wrote b.json: 1 finding\n"
    assert said.out.startswith(
        "noted.json: nothing else to find\n  in the baseline: 1 finding\n" * 2
        + "warned.json: 1 warning\n"
    )
    assert json.loads(Path("b.json").read_text())["findings"] == [
        {
            "rule": "unused-schema",
            "severity": "note",
            "field": "",
            "place": "/components/schemas/Unused",
        }
    ]


def test_what_was_mended_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    """So that the baseline is written anew."""
    run("audit warned.json --write-baseline b.json")
    code = run("audit noted.json --baseline b.json")

    line = "  in the baseline, and not found this time: no-server@/servers/0/url\n"
    assert (code, line in capsys.readouterr().out) == (0, True)


@pytest.mark.parametrize(
    "arguments, sentence",
    [
        (
            "audit --waive unused-shema=x",
            "--waive: no rule is called 'unused-shema'; did you mean unused-schema or",
        ),
        (
            "audit --waive unused-schema",
            "--waive: a waiver is RULE[:FIELD][@PLACE]=REASON, and 'unused-schema' has no reason",
        ),
        ("audit --baseline nothing.json", "--baseline nothing.json cannot be read: No such file"),
        ("audit --baseline noted.json", "--baseline: noted.json is no baseline that this fauxlab"),
        ("audit --write-baseline no/b.json", "--write-baseline no/b.json: there is no such folder"),
        ("audit --write-baseline .", "--write-baseline . is a folder"),
        ("audit noted.json --baseline diff.json", "--baseline: diff.json is a baseline of 'diff'"),
    ],
)
def test_a_gate_that_cannot_be_used_ends_with_2(
    arguments: str, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """In one sentence, before anything is judged."""
    Path("diff.json").write_text('{"fauxlab_baseline": 1, "judge": "diff", "findings": []}')

    code = run(arguments)

    said = capsys.readouterr()
    assert (code, said.out, said.err.startswith(f"fauxlab: {sentence}")) == (2, "", True), said.err


def test_a_wrong_severity_is_refused_in_the_words_of_the_command(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A diff speaks of breaking changes."""
    with pytest.raises(SystemExit) as ended:
        run("diff noted.json warned.json --fail-on brekaing")

    assert ended.value.code == 2
    assert "--fail-on: cannot be 'brekaing'; did you mean breaking?" in capsys.readouterr().err
