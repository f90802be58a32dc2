"""How the command line is read: any order of arguments, and errors that say what to type."""

from __future__ import annotations

import argparse
import re
import textwrap
from collections.abc import Callable, Sequence
from typing import Any, NoReturn, Protocol

from fauxlab_contract.core.text import nearest, no_such, not_one_of

__all__ = ["Commands", "Parser", "add_choice", "add_command", "command_list", "parse"]

ALIKE = 0.7  # of difflib: --scenaro and --scenario are alike by 0.95, --nonsense and --response 0.6
# What argparse says -> how it is said here: without a value, which may be a key.
_SAID_OTHERWISE = {
    r"^argument ": "",
    r"^(\S+): ignored explicit argument .*": r"\1 takes no value",
}


class Parser(argparse.ArgumentParser):
    """A parser that takes options, by their whole names, and positionals in any order.

    Its errors end with exit code 2, and name the help of the command that was meant. Without any
    argument, a command that needs one shows its help before.
    """

    summary = ""  # one line for the list of commands
    is_bare = False  # called without any argument
    _help = ""  # made before parsing, which hides the positionals from it meanwhile

    def __init__(self, **options: Any) -> None:
        super().__init__(allow_abbrev=False, **options)

    def format_help(self) -> str:
        return self._help or super().format_help()

    def parse(self, arguments: Sequence[str]) -> argparse.Namespace:
        """Return the values of the arguments behind the command's name."""
        self._help = self.format_help()
        self.is_bare = not arguments
        if "--" in arguments:  # which intermixed parsing does not know
            parsed, unknown = self.parse_known_args(arguments)
        else:
            parsed, unknown = self.parse_known_intermixed_args(arguments)
        if unknown:
            self.error(self.unknown(unknown))
        return parsed

    def error(self, message: str) -> NoReturn:
        if self.is_bare:
            self.print_help()
            print(flush=True)
        for pattern, instead in _SAID_OTHERWISE.items():
            message = re.sub(pattern, instead, message, flags=re.DOTALL)
        self.exit(2, f"fauxlab: {message}\nTry {self.prog} --help\n")

    def unknown(self, arguments: Sequence[str]) -> str:
        """`["--scenaro"]` -> `there is no option --scenaro; did you mean --scenario?`"""
        name = next((one for one in arguments if one.startswith("-") and one != "-"), None)
        if name is None:
            return f"there is no place for the argument {arguments[0][:200]!a}"
        name = name.partition("=")[0][:200]
        options = self._option_string_actions
        longer = [option for option in options if option.startswith(name) and name != "--"]
        near = longer or nearest(name, options, ALIKE, most=2)
        hint = f"; did you mean {' or '.join(near)}?" if near else ""
        return f"there is no option {name}{hint}"


class Commands(Protocol):
    """What `add_subparsers` returns, as far as it is used here."""

    choices: dict[str, Parser]

    def add_parser(self, name: str, **options: Any) -> Parser: ...


def parse(parser: Parser, commands: Commands, arguments: Sequence[str]) -> argparse.Namespace:
    """Return the values of a whole command line; exit with 2 if it names no command."""
    if not arguments:
        parser.is_bare = True
        parser.error("name a COMMAND")
    name, *others = arguments
    if name == "help":  # as other programs have it: `fauxlab help serve`
        name, *others = [*others[:1], "--help"]
    if name in commands.choices:
        return commands.choices[name].parse(others)
    if not name.startswith("-"):
        parser.error(no_such("command", name, commands.choices))
    if name not in parser._option_string_actions:
        parser.error(parser.unknown([name]))
    return parser.parse_args([name, *others])


def command_list(commands: Commands) -> str:
    """Return the commands with their summaries, for 80 columns."""
    width = max(map(len, commands.choices))
    lines = ["commands:"]
    for name, parser in commands.choices.items():
        start = f"  {name:{width}}  "
        lines += textwrap.wrap(
            parser.summary, 78, initial_indent=start, subsequent_indent=" " * len(start)
        )
    return "\n".join([*lines, "", "fauxlab COMMAND --help tells about one command."])


def add_command(
    commands: Commands,
    name: str,
    run: Callable[[argparse.Namespace], int],
    summary: str,
    *,
    example: str,
    variables: str = "",
) -> Parser:
    """Add the command `name`: `run` gets its arguments and returns the exit code.

    `example` is a command line, without `fauxlab`; `variables` has a line for each environment
    variable that is read.
    """
    epilog = f"example:\n  fauxlab {example}"
    if variables:
        epilog += "\n\nenvironment variables:\n  " + variables.replace("\n", "\n  ")
    parser = commands.add_parser(
        name,
        description=summary[0].upper() + summary[1:] + ".",
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.summary = summary
    parser.set_defaults(run=run, command=name)
    return parser


def add_choice(parser: Parser, flag: str, names: Sequence[str], help_text: str) -> None:
    """Add an option that takes one of `names`, by default the first."""

    def read(text: str) -> str:
        if text not in names:
            raise argparse.ArgumentTypeError(not_one_of(text, names))
        return text

    parser.add_argument(
        flag,
        metavar="{" + ",".join(names) + "}",
        type=read,
        default=names[0],
        help=f"{help_text} (default: {names[0]})",
    )
