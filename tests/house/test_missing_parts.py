"""What happens where a package is not installed, or pytest is not: each documented command, the
fixtures, and the packages that need little.
"""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from driving import submit
from fauxlab.cli.main import NEEDS
from fauxlab_contract._parts import IN_PROCESS, PACKAGES, SERVER
from serving import Running, serving

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
# What else a plain install may bring, and what only some environments have.
BELOW = ("h11", "check")  # httpx needs it
OTHERS = ("h11", "httptools", "pytest", "time_machine", "uvloop")
RUN = """
import contextlib, io, json, os, signal, sys, threading, time
hidden, commands = json.loads(sys.argv[1])
sys.modules.update(dict.fromkeys(hidden))  # None: an import fails, as of what is not installed
from fauxlab.cli.main import main

def stop_when_ready(file):
    while not os.path.exists(file):
        time.sleep(0.01)
    os.kill(os.getpid(), signal.SIGTERM)

said = []
for arguments in commands:
    if "--ready-file" in arguments:
        threading.Thread(target=stop_when_ready, args=arguments[-1:], daemon=True).start()
    err = io.StringIO()
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(err):
        try:
            code = main(arguments)
        except SystemExit as ended:
            code = ended.code
    said.append([code, err.getvalue()])
print(json.dumps(said))
"""


def documented() -> list[str]:
    """Every `fauxlab …` of README.md and docs/, in blocks and in lines, without its remarks."""
    found: set[str] = set()
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for block in re.findall(r"```\w*\n(.*?)```", text, re.DOTALL):
            found.update(re.findall(r"^(fauxlab [a-z].*?)(?:  +#.*)?$", block, re.MULTILINE))
        lines = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
        found.update(re.findall(r"`(fauxlab [a-z][^`]*)`", lines))
    table = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8").partition("## ")[0]
    found.update(
        f"fauxlab {name}" for name in re.findall(r"^\| `([a-z-]+)` \|", table, re.MULTILINE)
    )
    return sorted(line for line in found if line.split()[1].strip(":") in COMMANDS)


COMMANDS = {*NEEDS, "scenarios"}


def arguments_of(line: str, url: str, folder: Path) -> list[str]:
    """`fauxlab check http://127.0.0.1:4010/api/v6 --key KEY [DOCUMENT]` -> what a user types."""
    line = re.sub(r"\[[^\]]*\]", "", line.replace("\\|", "|"))
    words = shlex.split(line)[1:]
    known = {"KEY": "any", "URL": url, "OLD": str(ROOT / "openapi.yaml"), "body.json": ""}
    known |= {"NEW": known["OLD"], "DOCUMENT": known["OLD"], "FILE": "", "PATH": ""}
    for name in ("bundled.yaml", "newest.yaml", "openapi.yaml", "old.yaml", "new.yaml"):
        (folder / name).write_bytes((ROOT / "openapi.yaml").read_bytes())
    for judge in ("audit", "check", "check-client", "verdict"):
        baseline = folder / f"{judge}.baseline.json"
        baseline.write_text(f'{{"fauxlab_baseline": 1, "judge": "{judge}", "findings": []}}')
    body = folder / "body.json"
    body.write_text('{"key": "any", "prompt": "p", "face_image": "https://e.com/f", "seed": 1}')
    words = [known.get(word, word) or str(body) for word in words]
    words = [url if word.startswith("http://127.0.0.1:4010") else word for word in words]
    words = [str(ROOT / word) if word.startswith("examples/") else word for word in words]
    match words[0]:
        case "serve":
            ready = tempfile.mktemp(dir=folder)  # noqa: S306 # it tells that there is a server
            words += ["--port", "0", "--log-format", "off", "--ready-file", ready]
        case "check":
            words = ["check", url, "--key", "any", "--any-key", *words[1:]]
            words = list(dict.fromkeys(words)) if words.count(url) > 1 else words
            words += ["--only", "examples", "--max-calls", "3"]
        case "check-client":
            (folder / "clients.py").write_text(
                "from urllib.request import urlopen\n"
                "def make(base_url, key):\n    return lambda: urlopen(base_url)\n"
            )
            words = ["check-client", "clients.py:make", "--trials", "failed"]
        case "diff" if len(words) == 1:
            words += [known["OLD"], known["NEW"]]
        case "validate" if len(words) == 1:
            words += [str(body)]
        case "verdict":
            words = ["verdict", url]
    return words


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    with serving() as running:
        submit(running.mock)  # for `verdict`, which is of no use where no call was seen
        yield running


def run(hidden: list[str], commands: list[list[str]], folder: Path) -> list[Any]:
    """[exit code, stderr] of each command, in a process in which `hidden` are not installed."""
    result = subprocess.run(
        [sys.executable, "-c", RUN, json.dumps([hidden, commands])],
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
        cwd=folder,
    )
    assert result.returncode == 0, result.stderr
    said: list[Any] = json.loads(result.stdout)
    return said


def test_the_walk_meets_every_command() -> None:
    """README.md and docs/ show each command of `fauxlab`, so a walk along them forgets none."""
    assert {line.split()[1] for line in documented()} == COMMANDS


@pytest.mark.slow
@pytest.mark.parametrize("part", ["nothing", *PACKAGES, *OTHERS])
def test_each_documented_command_works_or_says_what_it_lacks(
    running: Running, part: str, tmp_path: Path
) -> None:
    """Without a package, a command ends with 2 and one sentence if it needs it; else it works."""
    lines = documented()
    commands = [arguments_of(line, running.mock.url, tmp_path) for line in lines]

    said = run([] if part == "nothing" else [part], commands, tmp_path)

    package = PACKAGES.get(part, part)
    for line, [name, *_], [code, stderr] in zip(lines, commands, said, strict=True):
        if part in NEEDS.get(name, ()) or (part, name) == BELOW:
            what = "fauxlab" if (part, name) == BELOW else f"fauxlab {name}"
            expected = (
                f"fauxlab: {what} needs {package}, which is not installed; get it with pip"
                f" install {package}\n"
            )
            assert (line, code, stderr) == (line, 2, expected)
        else:
            # whose result is not what is tested here
            findings = name in ("audit", "verdict", "check-client") or "vendor_sample" in line
            assert (line, code in ((0, 1) if findings else (0,))) == (line, True), stderr
            assert "Traceback" not in stderr


def test_several_missing_packages_are_named_together(tmp_path: Path) -> None:
    """One sentence, and one command that installs them all."""
    said = run(["starlette", "uvicorn"], [["serve"]], tmp_path)

    assert said == [
        [
            2,
            "fauxlab: fauxlab serve needs starlette and uvicorn, which are not installed; get them"
            " with pip install starlette uvicorn\n",
        ]
    ]


def test_a_check_without_hypothesis_leaves_out_its_phase(running: Running, tmp_path: Path) -> None:
    """The other phases run, and the report says under "not covered" what to install."""
    report = tmp_path / "report.json"
    command = ["check", running.mock.url, "--key", "any", "--any-key"]
    command += ["--only", "examples,properties", "--report", str(report)]

    said = run(["hypothesis"], [command], tmp_path)

    assert said == [[0, ""]]
    shown = json.loads(report.read_text("utf-8"))
    assert [phase["name"] for phase in shown["phases"]] == ["examples"]
    assert shown["not_covered"][0] == (
        "properties: this phase needs hypothesis, which is not installed; get it with pip install"
        " hypothesis"
    )


def test_a_check_of_nothing_is_no_green_check(running: Running, tmp_path: Path) -> None:
    """With no phase that can run, `fauxlab check` ends with 2 before it sends anything."""
    before = len(running.mock.requests)
    command = ["check", running.mock.url, "--key", "any", "--only", "properties"]

    said = run(["hypothesis"], [command], tmp_path)

    assert said == [
        [
            2,
            "fauxlab: this phase needs hypothesis, which is not installed; get it with pip install"
            " hypothesis\n",
        ]
    ]
    assert len(running.mock.requests) == before


TESTS = """
import sys
sys.modules[{part!r}] = None

def test_in_process(fauxlab): pass
def test_on_loopback(fauxlab_server): pass
def test_for_all(fauxlab_session): pass
"""


@pytest.mark.parametrize("part", ["respx", "starlette", "hypothesis"])
def test_a_fixture_says_what_it_lacks(part: str, tmp_path: Path) -> None:
    """A test whose fixture needs a package gets one line and no traceback; others run."""
    (tmp_path / "test_it.py").write_text(TESTS.format(part=part))
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:randomly"]
    plugin = ["-p", "fauxlab.pytest_plugin.fixtures"]

    result = subprocess.run(
        [*command, *plugin, "-W", "error"],
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
        cwd=tmp_path,
        env={"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
    )

    lacking = {"fauxlab": IN_PROCESS, "fauxlab_server": SERVER, "fauxlab_session": IN_PROCESS}
    said = re.findall(r"^the fixture .*$", result.stdout, re.MULTILINE)
    assert said == [
        f"the fixture {name} needs {part}, which is not installed; get it with pip install {part}"
        for name, needs in lacking.items()
        if part in needs
    ], result.stdout + result.stderr
    assert "Traceback" not in result.stdout + result.stderr


CLIENT = """
import sys
sys.modules.update(dict.fromkeys({hidden!r}))
from fauxlab_client import Client

with Client("any", base_url={url!r}) as client:
    result = client.generate(prompt="p", face_image="https://example.com/f.jpg", seed=1)
print(result.id, "fauxlab_mock" in sys.modules, "fauxlab_contract" in sys.modules)
"""


def test_the_client_needs_httpx_alone(tmp_path: Path) -> None:
    """It generates with nothing of the server, the contract or the tests installed."""
    hidden = {*PACKAGES, *OTHERS, "fauxlab_contract", "fauxlab_mock", "fauxlab"} - {"httpx", "h11"}
    with serving(clock="auto") as running:
        code = CLIENT.format(hidden=sorted(hidden), url=running.mock.url)
        result = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60
        )

    assert (result.stdout, result.stderr) == ("100000001 True True\n", "")


CONTRACT_CODE = """
import sys
sys.modules.update(dict.fromkeys({hidden!r}))
import fauxlab_contract as contract

document = contract.load_document()
[operation] = [one for one in document.operations if one.kind == "submit"]
print(*contract.request_violations(operation, {{"width": 2000}})[-1:])
print(len(list(contract.boundary_requests(operation, key="any"))) > 50)
print(contract.audit_document(document).is_ok, contract.compare_documents(document, document).is_ok)
with contract.guarded(document) as guard:
    pass
"""


def test_the_contract_needs_nothing_of_the_mock() -> None:
    """It judges bodies and documents with no server, client, picture or test library installed."""
    hidden = {*PACKAGES, *OTHERS, "fauxlab_client", "fauxlab_mock", "fauxlab"}
    hidden -= {"jsonschema", "jsonschema_rs", "referencing", "rfc3986_validator", "yaml"}

    result = subprocess.run(
        [sys.executable, "-c", CONTRACT_CODE.format(hidden=sorted(hidden))],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert (result.stdout.splitlines(), result.stderr) == (
        ["width must be at most 1024, not 2000.", "True", "False True"],
        "",
    )
