"""The documentation is true: its code runs, its tables are complete, its printed output is what is
printed.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from dataclasses import fields
from pathlib import Path

import pytest

from fauxlab.cli.main import main
from fauxlab_client import _contract
from fauxlab_contract.audit.rules import RULES as AUDIT_RULES
from fauxlab_contract.check.rules import RULES as CHECK_RULES
from fauxlab_contract.diff.kinds import KINDS
from fauxlab_contract.guard.rules import RULES as GUARD_RULES
from fauxlab_contract.verdict.rules import RULES
from fauxlab_mock.behaviour.faults import FAULTS
from fauxlab_mock.behaviour.refusals import REFUSALS
from fauxlab_mock.behaviour.scenarios import SCENARIOS
from fauxlab_mock.client_check.check import SPECIAL_TRIALS
from fauxlab_mock.client_check.demands.servers import TRIALS
from fauxlab_mock.client_check.report import CLIENT_RULES
from fauxlab_mock.client_check.webhook_handler import HANDLER_TRIALS
from fauxlab_mock.runtime.mock import Mock
from fauxlab_mock.settings import Limits, load_rules, options
from rooms import ROOMS
from serving import serving

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
SERVE = (ROOT / "docs" / "serve.md").read_text(encoding="utf-8")
CHECK = (ROOT / "docs" / "check.md").read_text(encoding="utf-8")
CONTRACT = (ROOT / "docs" / "contract.md").read_text(encoding="utf-8")


def block(text: str, marker: str) -> str:
    """The fenced block behind a marker comment."""
    found = re.search(rf"<!-- {marker} -->\n```\w*\n(.*?)```", text, re.DOTALL)
    assert found, marker
    return found[1]


def page(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def behind(text: str, marker: str) -> tuple[str, str]:
    """The first two fenced blocks behind a marker comment: code, and what it prints."""
    _, _, rest = text.partition(f"<!-- {marker} -->")
    code, printed = re.findall(r"```(?:python)?\n(.*?)```", rest, re.DOTALL)[:2]
    return code, printed


def test_the_pytest_examples_pass(tmp_path: Path) -> None:
    """The test files shown on the pages pass as they stand, with the installed plugin."""
    pages = ["README.md", "docs/guard.md", "docs/pytest.md", "docs/verdict.md"]
    for name in pages:
        file = tmp_path / f"test_{Path(name).stem}.py"
        file.write_text(block(page(name), "run: pytest"))
    # a process of its own: the plugin is found by its entry point, with no configuration of ours
    command = [sys.executable, "-m", "pytest", "-v", "-p", "no:cacheprovider"]

    result = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=120, cwd=tmp_path
    )

    passed = set(re.findall(r"^test_(\w+)\.py::.* PASSED", result.stdout, re.MULTILINE))
    assert (result.returncode, passed) == (0, {Path(name).stem for name in pages}), result.stdout


RUN_FILES = """
import runpy, sys

for name in sys.argv[1:]:
    print(f"# {name}")
    runpy.run_path(name, run_name="__main__")
"""


def test_the_python_of_the_pages_prints_what_they_say(tmp_path: Path) -> None:
    """Each example prints just the lines below it; the client's example saves a picture."""
    client_check = page("docs/check_client.md")
    serve = block(SERVE.replace("eta=2.0", "eta=0.0"), "run: serve")
    shown = {
        "contract.py": behind(f"<!-- top -->{CONTRACT}", "top"),
        "check_client.py": behind(client_check, "run: check_client"),
        "handler.py": behind(client_check, "run: handler"),
        "asgi_handler.py": behind(client_check, "run: asgi handler"),
        "check.py": behind(CHECK, "run: check"),
        "check_in_process.py": behind(CHECK, "run: check-in-process"),
        "mock_rules.py": behind(page("docs/mock.md"), "run: mock-rules"),
        "mock_jobs.py": behind(page("docs/mock.md"), "run: mock-jobs"),
        "serve.py": (serve, "100000001 ['/api/v6/image_editing/flux_headshot']\n"),
        "client.py": (block(page("docs/client.md"), "run: client"), "{picture}\n"),
    }
    with serving(eta=0.0) as running:
        for name, (code, _) in shown.items():
            address = running.mock.public_url
            (tmp_path / name).write_text(code.replace("http://127.0.0.1:4010", address))
        # a process of its own: nothing of this suite is imported before an example's first line
        result = subprocess.run(
            [sys.executable, "-c", RUN_FILES, *shown],
            capture_output=True,
            text=True,
            check=True,
            timeout=120,
            cwd=tmp_path,
        )

    (picture,) = tmp_path.glob("*.png")
    expected = [f"# {name}\n{printed}" for name, (_, printed) in shown.items()]
    assert result.stdout == "".join(expected).replace("{picture}", picture.name)
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_the_fields_of_generate_are_those_of_the_contract() -> None:
    """docs/client.md has a row for each field that the client takes, with its type and bounds."""
    shown = set(
        re.findall(r"^\| `(\w+)` \| (\w+) \| (.*?) ?\|$", page("docs/client.md"), re.MULTILINE)
    )
    source = Path(str(_contract.__file__)).read_text(encoding="utf-8").partition("TypedDict, ")[2]
    real = set()
    for name, annotation, bounds in re.findall(
        r"^    (\w+): (\S+).*?(?:# (.*))?$", source, re.MULTILINE
    ):
        needed = annotation.startswith("Required")
        kind = annotation.removeprefix("Required[").rstrip("]")
        real.add((name, kind, "required" if needed else bounds))

    assert shown == real


def test_the_members_of_a_mock_are_on_their_page() -> None:
    """The tables of docs/mock.md name each public member of `Mock`, and nothing else."""
    cells = re.findall(r"^\| (`.*?) \|", page("docs/mock.md"), re.MULTILINE)
    names = [name for cell in cells for name in re.findall(r"`(\w+)", cell)]
    mock = Mock()
    mock.close()

    assert sorted(names) == sorted(name for name in dir(mock) if not name.startswith("_"))


def test_the_curl_of_the_readme_works() -> None:
    """The README's curl command, with this server's address, is answered with processing."""
    with serving() as running:
        command = shlex.split(
            block(README, "run: curl")
            .replace("\\\n", "")
            .replace("http://127.0.0.1:4010", running.mock.public_url)
        )
        result = subprocess.run(
            [*command, "--silent"], capture_output=True, text=True, check=True, timeout=30
        )

    assert result.stdout.startswith('{"status":"processing"')


def test_the_commands_of_the_readme_do_what_it_says(tmp_path: Path) -> None:
    """They end as the README says: nothing found, six violations, defects of the document."""
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    with serving(eta=0.0) as running:
        lines = block(README, "run: prove").replace(
            "http://127.0.0.1:4010", running.mock.public_url
        )
        ends = []
        for line in lines.splitlines():
            command = [sys.executable, "-m", *shlex.split(line)]
            result = subprocess.run(
                command, capture_output=True, text=True, check=False, timeout=120, cwd=tmp_path
            )
            ends.append((result.returncode, result.stdout))

    codes, outputs = zip(*ends, strict=True)
    assert codes == (0, 1, 1)
    assert outputs[0].startswith("fauxlab check: the contract is kept; ")
    assert outputs[1].startswith("6 violations")
    assert (tmp_path / "report.html").is_file()


def test_serve_prints_what_the_readme_says(tmp_path: Path) -> None:
    """The first line of `fauxlab serve` is the README's, on the port that was free."""
    command, _, printed = block(README, "run: serve").partition("# prints: ")
    process = subprocess.Popen(
        [sys.executable, "-m", *shlex.split(command), "--port", "0"],
        stdout=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
    finally:
        process.terminate()
        process.communicate(timeout=10)

    assert re.sub(r":\d+/", ":4010/", line) == printed


def test_every_block_of_the_readme_is_tried() -> None:
    """Each block of code is run by a test, but for the two lines that install."""
    blocks = re.findall(r"(<!-- run: [a-z]+ -->)?\n```\w*\n(.+?)```", README, re.DOTALL)

    assert [text.split()[0] for marker, text in blocks if not marker] == ["pip"]


def test_the_pictures_of_the_readme_are_there() -> None:
    """Each is a PNG of at most 150 KB, told in words for those who do not see it."""
    pictures = re.findall(r'<img src="(.*?)" width="\d+" alt=".+?">', README)
    files = [ROOT / name for name in pictures]

    assert len(pictures) == README.count("<img ") == 2
    assert {file.read_bytes()[:4] for file in files} == {b"\x89PNG"}
    assert max(file.stat().st_size for file in files) <= 150_000


def test_the_demo_prints_what_is_shown(tmp_path: Path) -> None:
    """`make demo` prints CONTRIBUTING.md's text (times aside) and leaves a PNG, whatever proxy the
    environment names.
    """
    result = subprocess.run(
        [sys.executable, ROOT / "examples" / "demo.py"],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        cwd=tmp_path,
        env={**os.environ, "http_proxy": "http://127.0.0.1:9"},
    )

    def without_times(text: str) -> list[str]:
        return [
            re.sub(r"\d+ KiB", "n KiB", line)
            for line in text.splitlines()
            if not re.search(r"\d s  (processing|success)", line)
        ]

    assert without_times(result.stdout) == without_times(block(page("CONTRIBUTING.md"), "demo"))
    assert (tmp_path / "demo-100000001.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("option", [option.name for option in options()])
def test_every_option_is_documented(option: str) -> None:
    """docs/serve.md has a row for each option, with its variable."""
    assert f"`--{option.replace('_', '-')} " in SERVE
    assert f"`FAUXLAB_{option.upper()}`" in SERVE


def test_the_scenario_table_is_the_real_one() -> None:
    """docs/serve.md lists the scenarios with their sentences, all of them and no other."""
    rows = re.findall(
        r"^\| (\w+) \| (.*) \|$",
        SERVE.partition("| scenario |")[2].partition("## Rules")[0],
        re.MULTILINE,
    )

    assert rows == [(scenario.name, scenario.summary) for scenario in SCENARIOS.values()]


def test_the_fault_table_is_the_real_one() -> None:
    """docs/serve.md lists the faults with their sentences."""
    rows = re.findall(r"^\| ([A-Z_]+) \| (.*) \|$", SERVE, re.MULTILINE)

    assert dict(rows) == FAULTS


def test_the_verdicts_rules_are_documented() -> None:
    """docs/verdict.md lists the rules with severity and sentence."""
    rows = re.findall(
        r"^\| `([a-z-]+)` \| (\w+) \| (.*) \|$",
        (ROOT / "docs" / "verdict.md").read_text(encoding="utf-8"),
        re.MULTILINE,
    )

    assert rows == [(rule.id, rule.severity, rule.summary) for rule in RULES.values()]


def test_the_tables_of_the_client_check_are_the_real_ones() -> None:
    """docs/check_client.md lists its own rules with severity and sentence, the trials and what they
    do.
    """
    page = (ROOT / "docs" / "check_client.md").read_text(encoding="utf-8")
    rules = re.findall(r"^\| `([a-z-]+)` \| (error|warning|note) \| (.*) \|$", page, re.MULTILINE)
    trials = re.findall(r"^\| `([^`=]+)` \| ([^|]*) \|$", page, re.MULTILINE)

    assert rules == [
        (rule.id, rule.severity, rule.summary)
        for rule in CLIENT_RULES.values()
        if rule.id not in RULES
    ]
    assert trials == [
        *((one.name, one.summary) for one in TRIALS.values()),
        *SPECIAL_TRIALS.items(),
        *HANDLER_TRIALS.items(),
    ]


def test_the_guards_rules_are_documented() -> None:
    """docs/guard.md lists the rules with severity and sentence."""
    rows = re.findall(
        r"^\| `([a-z-]+)` \| (\w+) \| ([^|]*) \|",
        (ROOT / "docs" / "guard.md").read_text(encoding="utf-8"),
        re.MULTILINE,
    )

    assert rows == [(rule.id, rule.severity, rule.summary) for rule in GUARD_RULES.values()]


def test_the_audits_rules_and_the_kinds_of_change_are_documented() -> None:
    """docs/audit.md lists the rules with severity and sentence, and the kinds of change with both
    severities.
    """
    page = (ROOT / "docs" / "audit.md").read_text(encoding="utf-8")
    rules, kinds = (
        re.findall(rf"^\| `([a-z-]+)` \|{cells}$", page, re.MULTILINE)
        for cells in (" (\\w+) \\| ([^|]*) \\|", " (\\S+) \\| (\\S+) \\| (.*) \\|")
    )

    assert rules == [(rule.id, rule.severity, rule.summary) for rule in AUDIT_RULES.values()]
    assert kinds == [
        (kind.id, kind.request or "–", kind.reply or "–", kind.summary) for kind in KINDS.values()
    ]


def test_the_audit_prints_what_its_page_shows(capsys: pytest.CaptureFixture[str]) -> None:
    """docs/audit.md begins as `fauxlab audit` does."""
    main(["audit"])

    assert capsys.readouterr().out.startswith(block(page("docs/audit.md"), "audit"))


def test_the_checkers_rules_are_documented() -> None:
    """docs/check.md lists the rules with severity and sentence."""
    rows = re.findall(r"^\| `([a-z-]+)` \| (\w+) \| (.*) \|$", CHECK, re.MULTILINE)

    assert rows == [(rule.id, rule.severity, rule.summary) for rule in CHECK_RULES.values()]


def help_of(command: str, capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit):
        main([command, "--help"])
    return capsys.readouterr().out


def test_every_option_of_the_checker_is_documented(capsys: pytest.CaptureFixture[str]) -> None:
    """docs/check.md has a row for each option that `fauxlab check --help` shows."""
    text = help_of("check", capsys)
    options = set(re.findall(r"(--[a-z][a-z-]+)", text)) - {"--help"}

    assert {option for option in options if f"| `{option}" not in CHECK} == set()


def test_the_rules_of_the_page_are_rules(tmp_path: Path) -> None:
    """The file shown in docs/serve.md is read, and is the one among the examples."""
    (tmp_path / "rules.yaml").write_text(block(SERVE, "rules"))

    assert load_rules(str(tmp_path / "rules.yaml")) == load_rules(
        str(ROOT / "examples" / "rules.yaml")
    )
    assert [rule.scenario or rule.fault for rule in load_rules(str(tmp_path / "rules.yaml"))] == [
        "no_credits",
        "CONNECTION_RESET_BY_PEER",
        "unavailable",
    ]


@pytest.mark.parametrize("name", ["fauxlab", "fauxlab_guard", "fauxlab_server", "fauxlab_time"])
def test_every_fixture_is_documented(name: str) -> None:
    """docs/pytest.md has a row for each fixture of the plugin."""
    assert f"| `{name}` |" in (ROOT / "docs" / "pytest.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("limit", [limit.name for limit in fields(Limits)])
def test_every_limit_is_documented_with_its_default(limit: str) -> None:
    """Each limit stands in docs/serve.md or docs/contract.md with its default."""
    rows = [
        line
        for line in (SERVE + CONTRACT).splitlines()
        if line.startswith("|") and f"`{limit}`" in line
    ]
    default = getattr(Limits(), limit)

    assert len(rows) == 1
    assert any(
        form in rows[0] for form in (f"{default:,}", str(default), f"{default // 2**20} MiB")
    )


def test_every_code_of_the_refusal_table_is_documented() -> None:
    """docs/serve.md names each HTTP code that a refusal can have."""
    codes = {str(refusal.code) for refusal in REFUSALS.values()}

    assert {code for code in codes if code not in SERVE} == set()


def test_help_names_every_option(capsys: pytest.CaptureFixture[str]) -> None:
    """`fauxlab serve --help` shows each option."""
    text = help_of("serve", capsys)

    assert [
        option.name for option in options() if f"--{option.name.replace('_', '-')} " not in text
    ] == []


def test_every_dependency_is_explained() -> None:
    """docs/dependencies.md names each package that pyproject.toml, dev.in or test.in asks for."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = [
        *project["dependencies"],
        *(item for extra in project["optional-dependencies"].values() for item in extra),
    ]
    asked += [
        line
        for name in ("dev.in", "test.in")
        for line in page(f"requirements/{name}").splitlines()
        if line and line[0] not in "#-"
    ]
    names = {re.split(r"[<>=;\[ ]", item)[0].lower() for item in asked}
    text = page("docs/dependencies.md").lower()

    assert {name for name in names if name not in text and not name.startswith("types-")} == set()


def test_the_changelog_begins_with_what_is_not_released_and_has_this_version() -> None:
    """CHANGELOG.md starts with Unreleased; the newest release below it is pyproject's version."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    headings = re.findall(r"^## \[(.+?)\]", text, re.MULTILINE)

    assert headings[:2] == ["Unreleased", project["version"]]


def test_the_architecture_page_names_every_room() -> None:
    """The table of rooms in docs/architecture.md has a row for each room of tools/rooms.py."""
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    flat = {"client", "cli", "pytest_plugin"}  # told in the rows of their packages

    assert [room for room in ROOMS if room not in flat] == re.findall(
        r"^\| `(\w+)` \|", page.partition("## Rooms")[2].partition("## Words")[0], re.MULTILINE
    )


def test_every_page_can_be_reached_from_the_readme() -> None:
    """README.md links each page of docs/, and each link in README.md and docs/ leads to a file."""
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
    links = {
        (page, link.partition("#")[0])
        for page in pages
        for link in re.findall(r"\]\(([^)]+)\)", page.read_text(encoding="utf-8"))
        if "://" not in link and not link.startswith("#")
    }
    linked = {(page.parent / link).resolve() for page, link in links if page.name == "README.md"}

    assert {page for page in pages[1:] if page not in linked} == set()
    assert [link for page, link in sorted(links) if not (page.parent / link).exists()] == []
