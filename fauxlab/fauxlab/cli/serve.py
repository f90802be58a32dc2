"""`fauxlab serve` starts the mock."""

from __future__ import annotations

import argparse
import contextlib
import gc
import os
import sys
import textwrap
from typing import TYPE_CHECKING

import fauxlab_mock.settings as settings_module
from fauxlab.cli.command import UsageError, add_document, load, warn_of_errors
from fauxlab.cli.parser import Commands, add_command
from fauxlab.cli.ready import forget_stale, ready_file
from fauxlab_contract.core.text import counted, nearest
from fauxlab_mock.settings import ENVIRONMENT_PREFIX, Settings

if TYPE_CHECKING:
    from collections.abc import Callable
    from dataclasses import Field
    from socket import socket
    from typing import Any

__all__ = ["add_serve"]

MOST_WARNINGS = 10  # about replies that cannot be made


def add_serve(commands: Commands) -> None:
    """Add `fauxlab serve`, with one flag for each setting."""
    parser = add_command(
        commands,
        "serve",
        _serve,
        "start the mock",
        example="serve --eta 1 --scenario failed",
        variables=_variables(),
    )
    add_document(parser)
    for option in settings_module.options():
        parser.add_argument(
            _flag(option),
            metavar=option.metadata["metavar"],
            dest=option.name,
            help=option.metadata["help"] + _default(option),
        )


def _variable_names() -> list[str]:
    return [ENVIRONMENT_PREFIX + option.name.upper() for option in settings_module.options()]


def _variables() -> str:
    """Return the names of all settings in the environment, and what wins."""
    said = f"{', '.join(_variable_names())}: each for the option of this name; the option wins"
    return textwrap.fill(said, 76)


def _flag(option: Field[Any]) -> str:
    return "--" + option.name.replace("_", "-")


def _default(option: Field[Any]) -> str:
    """Return the default for --help; "" where there is none to show."""
    if option.default in (None, frozenset()) or option.name == "limits":
        return ""
    return f" (default: {option.default})"


def _serve(parsed: argparse.Namespace) -> int:
    forget_stale(parsed.ready_file or os.environ.get(ENVIRONMENT_PREFIX + "READY_FILE"))
    settings = _settings(parsed)
    _check_safe(settings)
    # the port first: a start that fails for want of it must leave another's ready file alone
    with (
        contextlib.closing(_listener(settings)) as listener,
        ready_file(settings.ready_file, listener.getsockname()[1]) as announce,
    ):
        return _run(settings, listener, announce)


def _run(settings: Settings, listener: socket, announce: Callable[[str], None]) -> int:
    document = load(settings.document, is_served=True)
    if settings.document is not None:
        warn_of_errors(document)
    from fauxlab_mock.runtime.journal import Log
    from fauxlab_mock.runtime.mock import Mock
    from fauxlab_mock.server.uvicorn_server import Server, origin_of

    try:
        mock = Mock(
            settings,
            document=document,
            public_url=settings.public_url or origin_of(listener),
            on_exchange=Log(settings.log_format, conventions=document.conventions),
        )
    except ValueError as error:  # of a rule that can never act
        raise UsageError(f"--rules: {error}") from None
    url = origin_of(listener) + document.base_path
    _warn(mock.unmakeable())
    # modules and the document live for ever, so the collector need not look through them again
    # and again when the mock is full of jobs
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)

    def tell() -> None:
        announce(url)
        print(f"fauxlab listening on {url}", flush=True)

    Server(mock, listener, on_ready=tell).run()
    mock.close()
    if mock.generations and settings.log_format == "text":
        cost = counted(mock.generations, "generations")
        with contextlib.suppress(BrokenPipeError):  # nobody reads the log any more
            print(
                f"fauxlab: this run (seed {settings.seed}) would have cost {cost}", file=sys.stderr
            )
    return 0


def _warn(sentences: list[str]) -> None:
    """Say on stderr what the mock will not be able to do."""
    left = len(sentences) - MOST_WARNINGS
    more = [f"and {counted(left, 'operations')} more"] if left > 0 else []
    for sentence in (*sentences[:MOST_WARNINGS], *more):
        print(f"fauxlab: warning: {sentence}", file=sys.stderr)


def _settings(parsed: argparse.Namespace) -> Settings:
    """Return the settings of the flags and, where a flag is not given, of the environment."""
    try:
        values = settings_module.from_environment(os.environ)
        for option in settings_module.options():
            text = getattr(parsed, option.name)
            if text is not None:
                values[option.name] = settings_module.read_option(option, text, _flag(option))
    except ValueError as error:
        raise UsageError(str(error)) from None
    for name in settings_module.unknown_names(os.environ):
        near = nearest(name, _variable_names())
        hint = (
            f"did you mean {near[0]}?" if near else f"settings are named {_variable_names()[0]}, …"
        )
        print(f"fauxlab: warning: {name} is not a setting; {hint}", file=sys.stderr)
    return Settings(document=parsed.document, **values)


def _check_safe(settings: Settings) -> None:
    """Raise UsageError for a mock that other machines could control without a token."""
    from fauxlab_contract.core.hosts import is_local

    if settings.admin_token is None and not is_local(settings.host):
        raise UsageError(
            f"{settings.host} can be reached from other machines, so the control API needs an"
            " --admin-token"
        )


def _listener(settings: Settings) -> socket:
    """Return a socket that listens where the settings say."""
    from errno import EADDRNOTAVAIL
    from socket import gaierror

    from fauxlab_mock.server.uvicorn_server import bind

    try:
        return bind(settings.host, settings.port)
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or error
        is_of_host = isinstance(error, (gaierror, UnicodeError)) or error.errno == EADDRNOTAVAIL
        advice = "--host" if is_of_host else "--port, or 0 for any"
        raise UsageError(
            f"cannot listen on {settings.host}:{settings.port}: {reason}; choose another {advice}"
        ) from None
