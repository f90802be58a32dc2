"""The ready file: it is there while the mock listens, and at no other time."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from urllib.parse import urlsplit

from fauxlab.cli.command import UsageError

__all__ = ["forget_stale", "ready_file"]

PROBE_S = 1.0
HEALTH, MOST_BYTES = "/__admin/health", 10_000


def forget_stale(name: str | None) -> None:
    """Remove the file that an earlier run left, unless its mock still runs.

    For a start that may fail for many reasons: whoever waits for the file must not take an old one
    for that of this run.
    """
    if name and not _listens(_address(_read(Path(name)))):
        with contextlib.suppress(OSError, ValueError):
            Path(name).unlink(missing_ok=True)


@contextlib.contextmanager
def ready_file(name: str | None, port: int) -> Iterator[Callable[[str], None]]:
    """Give the block a function that writes the mock's URL into the file.

    Enter it once the mock has its `port`: what an earlier run left is removed then, so that nobody
    takes it for this one. At the end the file is removed, unless another mock has written its own
    URL meanwhile; what it took from a mock that still listens elsewhere is put back. Raises
    UsageError for a file that cannot be written. Without a name nothing is written.
    """
    if not name:
        yield lambda _: None
        return
    file = Path(name)
    before = _read(file)
    other = _address(before)
    is_taken = other is not None and other[1] != port and _listens(other)
    _check(file)
    written = ""

    def write(url: str) -> None:
        nonlocal written
        written = url + "\n"
        _replace(file, written)

    try:
        yield write
    finally:
        if _read(file) == written:  # both are "" where there is none
            with contextlib.suppress(OSError):
                if is_taken and _listens(other):
                    _replace(file, before)
                else:
                    file.unlink(missing_ok=True)


def _read(file: Path) -> str:
    """Return the text of the file; "" where there is none to read."""
    with contextlib.suppress(OSError, ValueError):
        return file.read_text(encoding="utf-8")
    return ""


def _replace(file: Path, text: str) -> None:
    part = _part(file)
    part.write_text(text, encoding="utf-8")
    part.replace(file)  # a reader never sees half a line


def _part(file: Path) -> Path:
    return Path(f"{file}.part")


def _address(line: str) -> tuple[str, int] | None:
    """`http://127.0.0.1:4010/api/v6` -> `("127.0.0.1", 4010)`; None for what is no such URL."""
    with contextlib.suppress(ValueError):
        parts = urlsplit(line.strip())
        if parts.hostname and parts.port:
            return parts.hostname, parts.port
    return None


def _listens(address: tuple[str, int] | None) -> bool:
    """Return True if a mock answers at an address; another program there is none."""
    if address is None:
        return False
    connection = HTTPConnection(*address, timeout=PROBE_S)
    with contextlib.suppress(OSError, ValueError, HTTPException):
        with contextlib.closing(connection):
            connection.request("GET", HEALTH)
            text = connection.getresponse().read(MOST_BYTES).decode()
        # the second is said by a mock with a token
        return '"generations"' in text or "--admin-token" in text
    return False


def _check(file: Path) -> None:
    """Remove what an earlier run left; raise UsageError unless the file can be written."""
    if file.is_dir():
        raise UsageError(f"--ready-file {file} is a folder")
    try:
        file.unlink(missing_ok=True)
        _part(file).touch()
        _part(file).unlink()
    except OSError as error:
        reason = error.strerror or error
        raise UsageError(f"--ready-file {file} cannot be written: {reason}") from None
    except ValueError as error:  # a null character
        raise UsageError(f"--ready-file {str(file)!a} cannot be written: {error}") from None
