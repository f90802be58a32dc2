"""`fauxlab check-client`: judge a client in Python by driving it."""

from __future__ import annotations

import argparse
import contextlib
import importlib
import importlib.util
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fauxlab.cli.command import UsageError, load
from fauxlab.cli.gate import Gate, add_gate
from fauxlab.cli.parser import Commands, Parser, add_command
from fauxlab.cli.report_files import ReportFiles, add_report, add_verbose
from fauxlab_contract.core.text import counted, cut, did_you_mean, nearest

if TYPE_CHECKING:
    from types import ModuleType

    from fauxlab_mock.client_check.check import Progress
    from fauxlab_mock.client_check.report import ClientReport

__all__ = ["add_check_client"]

Make = Callable[[str, str], Any]
_CALLED = "module:factory, such as myapp.images:make or clients/images.py:make"


def add_check_client(commands: Commands) -> None:
    """Add `fauxlab check-client`."""
    parser = add_command(
        commands,
        "check-client",
        _check_client,
        "judge a client in Python by driving it past servers that misbehave",
        example="check-client myapp.images:make",
    )
    parser.add_argument(
        "factory",
        metavar="MODULE:FACTORY",
        help="where make(base_url, key) is, which returns a callable that does one generation",
    )
    _add_choices(parser)
    _add_limits(parser)
    add_report(parser, ".json, .xml (JUnit) or .txt")
    add_verbose(parser, "all trials of each finding, and its last requests and replies")
    add_gate(parser, "warning", "TRIAL")


def _add_choices(parser: Parser) -> None:
    add = parser.add_argument
    add("--document", metavar="DOCUMENT", help="OpenAPI document (default: the bundled one)")
    add(
        "--operation",
        metavar="PATH",
        help="path of the operation (default: the first that starts jobs)",
    )
    add("--trials", metavar="TRIAL,…", help="trials to run (default: all)")
    add(
        "--wrong-types",
        action="store_true",
        help="give parameters with an annotation values of other types, too",
    )


def _add_limits(parser: Parser) -> None:
    for flag, what, kind, default in (
        ("--max-calls", "requests that one call may make", "N", 1_000),
        ("--max-virtual-s", "seconds that one call may sleep, on the mock's clock", "S", 3_600),
        ("--max-real-s", "real seconds that one call may take", "S", 20),
    ):
        parser.add_argument(
            flag, metavar=kind, type=_positive, default=default, help=f"{what} (default: {default})"
        )


def _positive(text: str) -> float:
    with contextlib.suppress(ValueError):
        value = float(text)
        if 0 < value < 1e6:
            return int(value) if value.is_integer() else value
    raise argparse.ArgumentTypeError(f"{text[:80]!a} is not a number above 0")


def _check_client(parsed: argparse.Namespace) -> int:
    """Check the client and print the report; return 1 if --fail-on says so, 2 if nothing came."""
    from fauxlab_contract.forms.junit import junit
    from fauxlab_contract.forms.text import text
    from fauxlab_mock.client_check.report import CLIENT_RULES, as_json, sheet_of

    gate = Gate(parsed, CLIENT_RULES)
    writers: Mapping[str, Callable[[ClientReport], str]] = {
        ".txt": lambda report: text(sheet_of(report, gate.fail_on), verbose=True),
        ".json": as_json,
        ".xml": lambda report: junit(sheet_of(report, gate.fail_on)),
    }
    files = ReportFiles(parsed.report, writers)
    report = gate.apply(_report(parsed))
    print(text(sheet_of(report, gate.fail_on), verbose=parsed.verbose), end="")
    files.write(report)
    return gate.exit_code(report) if report.is_judged else 2


def _report(parsed: argparse.Namespace) -> ClientReport:
    from fauxlab_mock.client_check.check import check_client

    make = _named(parsed.factory)
    document = load(parsed.document, is_quiet=True, is_served=True)
    trials = _trials(parsed.trials)
    with _progress() as progress:
        try:
            return check_client(
                _told_once(parsed.factory, make),
                trials=trials,
                document=document,
                operation=parsed.operation,
                wrong_types=parsed.wrong_types,
                max_calls=int(parsed.max_calls),
                max_virtual_s=parsed.max_virtual_s,
                max_real_s=parsed.max_real_s,
                progress=progress,
            )
        except (ValueError, TypeError) as error:
            raise UsageError(f"{parsed.factory}: {error}") from None


def _trials(text: str | None) -> list[str] | None:
    """Return the names between the commas, None for all; raise UsageError if there are none."""
    if text is None:
        return None
    names = [name.strip() for name in text.split(",")]
    if not any(names):
        raise UsageError(f"--trials {text[:80]!a} names no trial")
    return [name for name in names if name]


def _told_once(name: str, make: Make) -> Make:
    """Return `make`; when its first call fails, the command ends with one sentence."""
    import inspect

    if not callable(make) or inspect.iscoroutinefunction(make):
        return make  # check_client says what is wrong with it
    calls: list[None] = []

    def made(base_url: str, key: str) -> Any:
        calls.append(None)
        try:
            return make(base_url, key)
        except Exception as error:
            if len(calls) > 1:
                raise
            raise UsageError(f"{name}(base_url, key) raised {_in_short(error)}") from None

    with contextlib.suppress(ValueError, TypeError):  # of a callable in C: calling it will tell
        made.__signature__ = inspect.signature(make)  # type: ignore[attr-defined] # looked at
    made.__qualname__ = getattr(make, "__qualname__", name)
    return made


def _named(text: str) -> Make:
    """Return what `module:factory` or `path/to/file.py:factory` names."""
    place, colon, name = text.rpartition(":")
    if not colon or not place or not name:
        raise UsageError(f"{text[:80]!a} is not {_CALLED}")
    module = _module(place)
    found: Any = module
    for part in name.split("."):
        if not hasattr(found, part):
            known = [each for each in dir(found) if callable(getattr(found, each, None))]
            own = [each for each in known if not each.startswith("_")]
            hint = did_you_mean(part, own) if own else "nothing in it can be called"
            raise UsageError(f"{place} has no {part[:80]!a}; {hint}")
        found = getattr(found, part)
    return found  # type: ignore[no-any-return] # check_client looks at what it is


def _module(place: str) -> ModuleType:
    sys.path.insert(0, str(Path.cwd()))  # as `python -m` does
    try:
        if place.endswith(".py"):
            return _from_file(Path(place))
        return importlib.import_module(place)
    except ModuleNotFoundError as error:
        if error.name and (place == error.name or place.startswith(f"{error.name}.")):
            raise UsageError(_no_module(place)) from None
        raise UsageError(f"{place} cannot be imported: {_in_short(error)}") from None
    except UsageError:
        raise
    except (Exception, SystemExit) as error:  # it is somebody else's program
        raise UsageError(f"{place} cannot be imported: {_in_short(error)}") from None


def _from_file(path: Path) -> ModuleType:
    if not path.is_file():
        raise UsageError(f"{path} is no file")
    name = f"client_under_test_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise UsageError(f"{path} is no module of Python's")
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _no_module(place: str) -> str:
    near = nearest(place, [path.stem for path in Path.cwd().glob("*.py")])
    hint = f"; did you mean {near[0]}?" if near else ""
    return f"there is no module {place[:80]!a}, from {Path.cwd()}{hint}"


def _in_short(error: BaseException) -> str:
    said = " ".join(str(error).split())
    return f"{type(error).__name__}: {cut(said, 200)}" if said else type(error).__name__


@contextlib.contextmanager
def _progress() -> Iterator[Progress | None]:
    """Give what shows progress: on a terminal one line, written again and again, then wiped."""
    stream = sys.stderr

    def write(line: str) -> None:
        stream.write(f"\r{line:70}\r")
        stream.flush()

    def show(trial: str, done: int, total: int, findings: int) -> None:
        write(f"{trial}: {done} of {total} trials, {counted(findings, 'observations')}")

    if not stream.isatty():
        yield None
        return
    try:
        yield show
    finally:
        write("")
