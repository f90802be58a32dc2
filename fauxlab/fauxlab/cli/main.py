"""The `fauxlab` command. Exit codes: 0 fine, 1 findings, 2 usage, unreadable input or an address
that cannot be had.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

import fauxlab_mock.settings as settings_module
from fauxlab.cli.check import add_check, run_check
from fauxlab.cli.documents import add_audit, add_diff, run_audit, run_diff
from fauxlab_mock.behaviour.scenarios import SCENARIOS
from fauxlab_mock.settings import ENVIRONMENT_PREFIX, Settings

__all__ = ["main"]


class UsageError(Exception):
    """Ends the command with exit code 2 and this sentence."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    parsed = _parser().parse_args(arguments)
    try:
        code: int = parsed.run(parsed)
    except UsageError as error:
        print(f"fauxlab: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        # the reader has left; say nothing at exit either
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return code


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="fauxlab",
        description=(
            "An offline stand-in for an asynchronous image API, driven by its OpenAPI document."
        ),
    )
    parser.add_argument("--version", action="version", version=f"fauxlab {_version()}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    serve = _command(commands, "serve", _serve, "start the mock")
    _document_argument(serve)
    for option in settings_module.options():
        default = (
            ""
            if option.default in (None, frozenset()) or option.name == "limits"
            else f" (default {option.default})"
        )
        flag = "--" + option.name.replace("_", "-")
        serve.add_argument(
            flag,
            metavar=option.metadata["metavar"],
            dest=option.name,
            help=option.metadata["help"] + default,
        )
    validate = _command(commands, "validate", _validate, "judge a JSON body by the contract")
    validate.add_argument(
        "file",
        nargs="?",
        default="-",
        metavar="FILE",
        help="file with one JSON body; - is standard input (default)",
    )
    validate.add_argument(
        "--document", metavar="DOCUMENT", help="OpenAPI document (default: the bundled one)"
    )
    validate.add_argument(
        "--operation",
        metavar="PATH",
        help="path of the operation (default: the only one that starts jobs)",
    )
    validate.add_argument(
        "--response", action="store_true", help="the body is a reply, not a request"
    )
    routes = _command(commands, "routes", _routes, "list what a document makes the mock answer")
    _document_argument(routes)
    verdict = _command(
        commands,
        "verdict",
        _verdict,
        "judge the client of a running mock by what the mock has seen",
    )
    verdict.add_argument(
        "url",
        nargs="?",
        default="http://127.0.0.1:4010",
        metavar="URL",
        help="address of the mock (default: %(default)s)",
    )
    verdict.add_argument(
        "--token",
        metavar="TOKEN",
        help="the mock's --admin-token (default: the variable FAUXLAB_ADMIN_TOKEN)",
    )
    verdict.add_argument(
        "--waive",
        metavar="RULE=REASON",
        action="append",
        default=[],
        help="do not mind the findings of a rule; may be given again",
    )
    add_check(_command(commands, "check", _check, "judge a running server by the contract"))
    add_audit(
        _command(
            commands,
            "audit",
            _audit,
            "say what is wrong with a document, and between it and sample bodies",
        )
    )
    add_diff(
        _command(
            commands, "diff", _diff, "say what changes for clients from one document to another"
        )
    )
    _command(commands, "scenarios", _scenarios, "list the scenarios and how to choose one")
    return parser


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}\nTry {self.prog} --help\n")


def _command(
    commands: Any, name: str, run: Callable[[argparse.Namespace], int], text: str
) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(
        name, help=text, description=text[0].upper() + text[1:] + "."
    )
    parser.set_defaults(run=run)
    return parser


def _document_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "document",
        nargs="?",
        metavar="DOCUMENT",
        help="OpenAPI document (default: the bundled one)",
    )


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("fauxlab")
    except PackageNotFoundError:
        return "(not installed)"


def _load(path: str | None, *, is_quiet: bool = False) -> Any:
    from fauxlab_contract.openapi.document import DocumentError, load_document

    try:
        document = load_document(path)
    except DocumentError as error:
        raise UsageError(str(error)) from None
    for notice in () if is_quiet else document.notices:
        print(f"fauxlab: warning: {notice}", file=sys.stderr)
    return document


def _settings(parsed: argparse.Namespace) -> Settings:
    try:
        values = settings_module.from_environment(os.environ)
        for option in settings_module.options():
            text = getattr(parsed, option.name)
            if text is not None:
                values[option.name] = settings_module.read_option(
                    option, text, "--" + option.name.replace("_", "-")
                )
    except ValueError as error:
        raise UsageError(str(error)) from None
    for name in settings_module.unknown_names(os.environ):
        print(
            f"fauxlab: warning: {name} is not a setting; they are {ENVIRONMENT_PREFIX}PORT and"
            " so on",
            file=sys.stderr,
        )
    return Settings(document=parsed.document, **values)


def _serve(parsed: argparse.Namespace) -> int:
    settings = _settings(parsed)
    document = _load(settings.document)
    from fauxlab_contract.core.hosts import is_local
    from fauxlab_mock.runtime.journal import Log
    from fauxlab_mock.runtime.mock import Mock
    from fauxlab_mock.server.uvicorn_server import Server, bind

    if settings.admin_token is None and not is_local(settings.host):
        raise UsageError(
            f"{settings.host} can be reached from other machines, so the control API needs an"
            " --admin-token"
        )
    if settings.ready_file:
        _check_writable(settings.ready_file)
    try:
        listener = bind(settings.host, settings.port)
    except OSError as error:
        raise UsageError(
            f"cannot listen on {settings.host}:{settings.port}: {error.strerror or error}; choose"
            " another --port, or 0 for any"
        ) from None
    mock = Mock(
        settings,
        document=document,
        public_url=settings.public_url or _origin(listener),
        on_exchange=Log(settings.log_format, conventions=document.conventions),
    )
    local = _origin(listener) + document.base_path
    # modules and the document stay for ever; a mock full of jobs must not look through them again
    # and again
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
    Server(mock, listener, on_ready=lambda: _announce(local, settings.ready_file)).run()
    mock.close()
    if mock.generations and settings.log_format == "text":
        print(
            f"fauxlab: this run (seed {settings.seed}) would have cost {counted(mock.generations)}",
            file=sys.stderr,
        )
    return 0


def _verdict(parsed: argparse.Namespace) -> int:
    waive = {}
    for text in parsed.waive:
        name, _, reason = text.partition("=")
        waive[name] = reason
    reply = _asked(
        parsed.url,
        "/verdict",
        {"waive": waive},
        parsed.token or os.environ.get(f"{ENVIRONMENT_PREFIX}ADMIN_TOKEN"),
    )
    print(reply["text"])
    return 0 if reply["is_ok"] else 1


def _asked(url: str, path: str, body: dict[str, Any], token: str | None) -> Any:
    """The control API's answer to a POST."""
    import json
    import urllib.error
    import urllib.request
    from urllib.parse import urlsplit

    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise UsageError(f"{url[:200]!a} is no http address of a mock")
    headers = {"Content-Type": "application/json"} | (
        {"Authorization": f"Bearer {token}"} if token else {}
    )
    address = f"{parts.scheme}://{parts.netloc}/__admin{path}"
    request = urllib.request.Request(address, json.dumps(body).encode(), headers)  # noqa: S310 # http only, see above
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(
            request, timeout=30
        ) as reply:
            return json.load(reply)
    except urllib.error.HTTPError as error:
        with error:
            said = error.read(10_000).decode("utf-8", "replace")
        with contextlib.suppress(ValueError, KeyError, TypeError):
            said = json.loads(said)["error"]
        raise UsageError(f"{parts.netloc} answered {error.code}: {said[:500]}") from None
    except (OSError, ValueError) as error:
        raise UsageError(
            f"{parts.netloc} cannot be asked: {getattr(error, 'reason', error)}"
        ) from None


def counted(generations: int) -> str:
    return f"{generations} generation{'' if generations == 1 else 's'}"


def _origin(listener: Any) -> str:
    host, port = listener.getsockname()[:2]
    reached_at = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 # not where to bind
    host = reached_at.get(host, host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _announce(url: str, ready_file: str | None) -> None:
    if ready_file:
        part = Path(ready_file + ".part")
        part.write_text(url + "\n", encoding="utf-8")
        part.replace(ready_file)  # a reader never sees half a line
    print(f"fauxlab listening on {url}", flush=True)


def _check_writable(ready_file: str) -> None:
    part = Path(ready_file + ".part")
    if Path(ready_file).is_dir():
        raise UsageError(f"--ready-file {ready_file} is a folder")
    try:
        part.touch()
        part.unlink()
    except OSError as error:
        raise UsageError(
            f"--ready-file {ready_file} cannot be written: {error.strerror or error}"
        ) from None


def _validate(parsed: argparse.Namespace) -> int:
    from fauxlab_contract.validation.bodies import request_violations, response_violations

    document = _load(parsed.document)
    operation = _operation(document, parsed.operation)
    body = _read_body(parsed.file)
    violations = (response_violations if parsed.response else request_violations)(operation, body)
    what = f"a {'reply' if parsed.response else 'request'} of {operation.name}"
    if not violations:
        print(f"valid as {what}")
        return 0
    print(f"{len(violations)} violation{'s' if len(violations) > 1 else ''} as {what}:")
    for violation in violations:
        print(
            f"  {violation.pointer or '/'}:"
            f" {violation}{' ' + violation.hint if violation.hint else ''}"
        )
    return 1


def _check(parsed: argparse.Namespace) -> int:
    try:
        return run_check(parsed, _load(parsed.document, is_quiet=True))
    except ValueError as error:
        raise UsageError(str(error)) from None


def _audit(parsed: argparse.Namespace) -> int:
    document = _load(parsed.document, is_quiet=True)  # its notices are among the findings
    operation = _operation(document, parsed.operation) if parsed.operation else None
    try:
        return run_audit(document, operation, parsed.samples, parsed.format)
    except ValueError as error:
        raise UsageError(str(error)) from None


def _diff(parsed: argparse.Namespace) -> int:
    old, new = _load(parsed.old, is_quiet=True), _load(parsed.new, is_quiet=True)
    try:
        return run_diff(old, new, parsed.format)
    except ValueError as error:
        raise UsageError(str(error)) from None


def _operation(document: Any, path: str | None) -> Any:
    if path is None:
        found = [operation for operation in document.operations if operation.kind == "submit"]
    else:
        found = [
            operation
            for operation in document.operations
            if path in (operation.path, operation.name, document.base_path + operation.path)
        ]
    if len(found) != 1:
        names = ", ".join(operation.path for operation in document.operations)
        raise UsageError(f"name one operation with --operation; the document has {names}")
    return found[0]


def _read_body(file: str) -> Any:
    from fauxlab_contract.core.strict_json import DEFAULT_LIMITS, WireError, read_json

    try:
        if file == "-":
            data = sys.stdin.buffer.read(DEFAULT_LIMITS.body_bytes + 1)
        else:
            with open(file, "rb") as stream:
                data = stream.read(DEFAULT_LIMITS.body_bytes + 1)
        return read_json(data)
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror or error}") from None
    except WireError as error:
        raise UsageError(f"{'standard input' if file == '-' else file}: {error}") from None


def _routes(parsed: argparse.Namespace) -> int:
    document = _load(parsed.document)
    print(
        f"{document.title or document.source}, OpenAPI {document.version}, base path"
        f" {document.base_path or '/'}"
    )
    width = max(len(operation.path) for operation in document.operations)
    for operation in document.operations:
        fields = ", ".join(operation.request.required) if operation.request else "no body"
        words = ", ".join(operation.variants) or "one shape"
        print(
            f"  {operation.method:6} {operation.path:{width}}  {operation.kind:6}  takes {fields};"
            f" answers {words}"
        )
    return 0


def _scenarios(_: argparse.Namespace) -> int:
    width = max(map(len, SCENARIOS))
    for scenario in SCENARIOS.values():
        print(
            f"{scenario.name:{width}} "
            f" {scenario.summary}{' (breaks the contract)' if scenario.breaks_contract else ''}"
        )
    print(
        "\nChoose one with the header `Prefer: scenario=NAME`, the API key `mock_NAME`, a rule, or"
        " `fauxlab serve --scenario NAME`."
    )
    return 0
