"""The `fauxlab` command: its parser, its subcommands and its exit codes.

0 fine · 1 findings · 2 could not be done: wrong usage, unreadable input, or an address that cannot
be used · 130 interrupted · 141 the reader of the output left before the result was known.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from fauxlab.cli.check import add_check
from fauxlab.cli.check_client import add_check_client
from fauxlab.cli.command import UsageError
from fauxlab.cli.documents import add_audit, add_diff, add_validate
from fauxlab.cli.parser import Commands, Parser, command_list, parse
from fauxlab.cli.routes import add_routes
from fauxlab.cli.serve import add_serve
from fauxlab.cli.tables import add_document_command, add_scenarios
from fauxlab.cli.verdict import add_verdict
from fauxlab_contract._parts import CONTRACT, IN_PROCESS, SERVER, not_installed, require

__all__ = ["main", "parsers"]

COMMANDS = (  # in the order of --help
    add_serve,
    add_validate,
    add_routes,
    add_verdict,
    add_check,
    add_check_client,
    add_audit,
    add_diff,
    add_scenarios,
    add_document_command,
)
NEEDS = {  # command -> modules without which it does not begin
    "serve": SERVER,
    "validate": CONTRACT,
    "routes": CONTRACT,
    "check": (*CONTRACT, "httpx"),
    "check-client": (*IN_PROCESS, "h11"),  # below httpx, which is half imported without it
    "audit": CONTRACT,
    "diff": CONTRACT,
    "document": CONTRACT,
    "verdict": CONTRACT,
}
FAILED, INTERRUPTED, BROKEN_PIPE = 2, 130, 141  # the last two are 128 and the signal, as in shells


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; without `arguments` those of the process."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # whatever the terminal cannot show
    code = BROKEN_PIPE
    try:
        try:
            parsed = parse(*parsers(), sys.argv[1:] if arguments is None else arguments)
            require(f"fauxlab {parsed.command}", NEEDS.get(parsed.command, ()))
            code = parsed.run(parsed)
        except SystemExit as ended:  # --help, --version, wrong usage
            code = int(ended.code or 0)
            raise
        finally:
            if sys.stdout is not None:
                sys.stdout.flush()  # here, where a failure can still be told
    except UsageError as error:
        return _failed(str(error))
    except ModuleNotFoundError as error:
        return _failed(_lacks(error))
    except KeyboardInterrupt:
        print("fauxlab: interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        _write_nowhere()
    except OSError as error:
        if error.filename is not None:  # not of a write
            raise
        _write_nowhere()
        return _failed(f"standard output cannot be written: {error.strerror or error}")
    return code


def _lacks(error: ModuleNotFoundError) -> str:
    """Return what is said of a module that is not installed; raise `error` if it is ours."""
    module = (error.name or "").partition(".")[0]
    if " needs " in str(error):  # said by `require`
        return str(error)
    if not module or module.startswith("fauxlab"):
        raise error
    return str(not_installed("fauxlab", [module]))  # what is below our packages


def _failed(sentence: str) -> int:
    print(f"fauxlab: {sentence}", file=sys.stderr)
    return FAILED


def _write_nowhere() -> None:
    """Say nothing more on stdout, not even when Python flushes it at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class _Version(argparse.Action):
    """Print the version; it is looked up only now, for that takes longer than the rest."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        from importlib.metadata import PackageNotFoundError, version

        try:
            print(f"fauxlab {version('fauxlab')}")
        except PackageNotFoundError:
            print("fauxlab (not installed)")
        parser.exit()


def parsers() -> tuple[Parser, Commands]:
    """Return the parser of the whole command, and those of its commands."""
    parser = Parser(
        prog="fauxlab",
        description=(
            "An offline stand-in for an asynchronous image API, driven by its OpenAPI\ndocument."
        ),
        usage="fauxlab [-h] [--version] COMMAND [ARGUMENTS]",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version and exit")
    commands: Commands = parser.add_subparsers(
        prog="fauxlab", dest="command", required=True, metavar="COMMAND", help=argparse.SUPPRESS
    )
    for add in COMMANDS:
        add(commands)
    parser.epilog = command_list(commands)
    return parser, commands
