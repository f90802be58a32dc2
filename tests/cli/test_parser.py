"""How the command line is read: orders, slips, and what the help of each command tells."""

from __future__ import annotations

import shlex
from itertools import permutations

import pytest

from fauxlab.cli.main import main, parsers
from fauxlab.cli.parser import Parser

COMMANDS: dict[str, Parser] = parsers()[1].choices


@pytest.mark.parametrize(
    "command, groups, expected",
    [
        (
            "check",
            (["http://x"], ["d.yaml"], ["--key", "k"], ["--any-key"]),
            {"url": "http://x", "document": "d.yaml", "key": "k", "any_key": True},
        ),
        (
            "serve",
            (["d.yaml"], ["--eta", "1"], ["--scenario", "slow"]),
            {"document": "d.yaml", "eta": "1", "scenario": "slow"},
        ),
        (
            "validate",
            (["-"], ["--response"], ["--operation", "/x"]),
            {"file": "-", "response": True, "operation": "/x"},
        ),
        (
            "verdict",
            (["http://x"], ["--waive", "a=b"], ["--token", "t"]),
            {"url": "http://x", "waive": ["a=b"], "token": "t"},
        ),
        (
            "audit",
            (["d.yaml"], ["--operation", "/x"], ["--format", "json"]),
            {"document": "d.yaml", "operation": "/x", "format": "json"},
        ),
        (
            "diff",
            (["a"], ["b"], ["--format", "json"]),
            {"old": "a", "new": "b", "format": "json"},
        ),
    ],
)
def test_options_and_positionals_come_in_any_order(
    command: str, groups: tuple[list[str], ...], expected: dict[str, object]
) -> None:
    """Wherever the options stand, the values are the same; positionals keep their own order."""
    bare = [group for group in groups if not group[0].startswith("--")]
    for order in permutations(groups):
        if [group for group in order if group in bare] == bare:
            parsed = vars(COMMANDS[command].parse([word for group in order for word in group]))

            assert {name: parsed[name] for name in expected} == expected


def test_a_document_may_follow_the_options_behind_samples() -> None:
    """Several files end at the next option."""
    parsed = COMMANDS["audit"].parse(["--samples", "a", "b", "--format", "json", "d.yaml"])

    assert (parsed.samples, parsed.format, parsed.document) == (["a", "b"], "json", "d.yaml")


def test_what_begins_with_a_dash_can_be_named_behind_two_dashes() -> None:
    """`--` ends the options, also in front of a positional that may be left out."""
    assert COMMANDS["validate"].parse(["--response", "--", "-odd.json"]).file == "-odd.json"


@pytest.mark.parametrize(
    "arguments, said",
    [
        (
            ["srve"],
            "fauxlab: there is no command 'srve'; did you mean serve?\nTry fauxlab --help\n",
        ),
        (
            ["serve", "--scenaro", "failed"],
            "fauxlab: there is no option --scenaro; did you mean --scenario?\n"
            "Try fauxlab serve --help\n",
        ),
        (
            ["validate", "--nonsense=5", "x.json"],
            "fauxlab: there is no option --nonsense\nTry fauxlab validate --help\n",
        ),
        (
            ["routes", "a.yaml", "b.yaml"],
            "fauxlab: there is no place for the argument 'b.yaml'\nTry fauxlab routes --help\n",
        ),
        (
            ["serve", "--port"],
            "fauxlab: --port: expected one argument\nTry fauxlab serve --help\n",
        ),
        (
            ["--verson"],
            "fauxlab: there is no option --verson; did you mean --version?\nTry fauxlab --help\n",
        ),
        (
            ["check", "http://127.0.0.1:9", "--seed", "x"],
            "fauxlab: --seed: 'x' is not a whole number\nTry fauxlab check --help\n",
        ),
        (
            ["check", "--o=secret-key", "http://127.0.0.1:9"],
            (
                "fauxlab: there is no option --o; did you mean --other-key or --only?\n"
                "Try fauxlab check --help\n"
            ),
        ),
        (
            ["check", "http://127.0.0.1:9", "--max-call", "5"],
            "fauxlab: there is no option --max-call; did you mean --max-calls?\n"
            "Try fauxlab check --help\n",
        ),
        (
            ["check", "--any-key=secret-key", "http://127.0.0.1:9"],
            "fauxlab: --any-key takes no value\nTry fauxlab check --help\n",
        ),
        (
            ["check", "--kye=secret-key", "http://127.0.0.1:9"],
            (
                "fauxlab: there is no option --kye; did you mean --yes or --key?\n"
                "Try fauxlab check --help\n"
            ),
        ),
        (
            ["audit", "--format", "jsn"],
            "fauxlab: --format: cannot be 'jsn'; did you mean json?\nTry fauxlab audit --help\n",
        ),
        (
            ["check", "--profile", "x", "http://127.0.0.1:9"],
            "fauxlab: --profile: must be one of strict, as-written, not 'x'\n"
            "Try fauxlab check --help\n",
        ),
    ],
)
def test_a_slip_names_what_was_meant_and_the_help_of_its_command(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """An unknown command or option exits with 2, with its neighbour and the help that lists it."""
    with pytest.raises(SystemExit) as caught:
        main(arguments)

    assert (caught.value.code, capsys.readouterr()) == (2, ("", said))


@pytest.mark.parametrize(
    "arguments, missing",
    [
        ([], "fauxlab: name a COMMAND\nTry fauxlab --help\n"),
        (
            ["check"],
            "fauxlab: the following arguments are required: URL\nTry fauxlab check --help\n",
        ),
        (
            ["diff"],
            "fauxlab: the following arguments are required: OLD, NEW\nTry fauxlab diff --help\n",
        ),
    ],
)
def test_without_arguments_the_help_is_shown(
    arguments: list[str], missing: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Help on stdout, what is missing on stderr, and exit code 2: nothing was done."""
    with pytest.raises(SystemExit) as caught:
        main(arguments)

    captured = capsys.readouterr()
    assert (caught.value.code, captured.err) == (2, missing)
    assert captured.out.startswith(f"usage: {' '.join(['fauxlab', *arguments])} ")


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_each_command_has_an_example_that_works(name: str) -> None:
    """The example is a command line that the parser takes; no line is wider than 80 columns."""
    text = COMMANDS[name].format_help()
    (example,) = [line.strip() for line in text.splitlines() if line.startswith("  fauxlab ")]
    program, command, *arguments = shlex.split(example)

    assert (program, command) == ("fauxlab", name)
    assert COMMANDS[name].parse(arguments).run
    assert [line for line in text.splitlines() if len(line) > 80] == []


def test_the_help_names_the_environment_variables() -> None:
    """Each command lists the variables that it reads."""
    shown = {
        name: {word.strip(",:)") for word in parser.format_help().split() if word[:4] == "FAUX"}
        for name, parser in COMMANDS.items()
    }

    assert {name: len(found) for name, found in shown.items() if found} == {
        "serve": 21,
        "check": 2,
        "verdict": 1,
    }


@pytest.mark.parametrize("name", ["", *COMMANDS])
def test_help_is_shown_whichever_way_it_is_asked_for(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """`help COMMAND`, `COMMAND --help` and `COMMAND -h` show the whole help, and exit with 0;
    without a command, the help of all. Asked as a user does: parsing changes what argparse knows.
    """
    whole = (COMMANDS[name] if name else parsers()[0]).format_help()
    command = [name] if name else []

    for arguments in (["help", *command], [*command, "--help"], [*command, "-h"]):
        with pytest.raises(SystemExit) as caught:
            main(arguments)
        assert (caught.value.code, capsys.readouterr()) == (0, (whole, ""))


def test_the_list_of_commands_shows_all(capsys: pytest.CaptureFixture[str]) -> None:
    """`fauxlab --help` has a line for each command, no line is wider than 80 columns."""
    with pytest.raises(SystemExit):
        main(["--help"])

    lines = capsys.readouterr().out.splitlines()
    assert {name for name in COMMANDS if not any(f"  {name} " in line for line in lines)} == set()
    assert [line for line in lines if len(line) > 80] == []
