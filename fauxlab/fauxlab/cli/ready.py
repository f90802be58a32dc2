"""The ready file: it is there while the mock listens, and at no other time."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

from fauxlab.cli.command import UsageError

__all__ = ["ready_file"]


@contextlib.contextmanager
def ready_file(name: str | None) -> Iterator[Callable[[str], None]]:
    """Give the block a function that writes the mock's URL into the file.

    What an earlier run left is removed at once, so that nobody takes it for this one; at the end
    the file is removed, unless another mock has written its own URL meanwhile. Raises UsageError
    for a file that cannot be written. Without a name nothing is written.
    """
    if not name:
        yield lambda _: None
        return
    file, part = Path(name), Path(name + ".part")
    written: list[str] = []
    _check(file, part)

    def write(url: str) -> None:
        written.append(url + "\n")
        part.write_text(url + "\n", encoding="utf-8")
        part.replace(file)  # a reader never sees half a line

    try:
        yield write
    finally:
        with contextlib.suppress(OSError, UnicodeDecodeError):
            if written and file.read_text(encoding="utf-8") == written[-1]:
                file.unlink()


def _check(file: Path, part: Path) -> None:
    """Remove what an earlier run left; raise UsageError unless the file can be written."""
    if file.is_dir():
        raise UsageError(f"--ready-file {file} is a folder")
    try:
        file.unlink(missing_ok=True)
        part.touch()
        part.unlink()
    except OSError as error:
        reason = error.strerror or error
        raise UsageError(f"--ready-file {file} cannot be written: {reason}") from None
    except ValueError as error:  # a null character
        raise UsageError(f"--ready-file {str(file)!a} cannot be written: {error}") from None
