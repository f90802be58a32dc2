"""Save a picture: where it may come from, what it must be, how it lands on the disk. No I/O over
the network here.
"""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

from fauxlab_client._errors import DownloadError, ValidationError

__all__ = ["DOWNLOAD_HEADERS", "MAX_PICTURE_BYTES", "MAX_REDIRECTS", "file_for", "next_url", "save"]

MAX_PICTURE_BYTES = 64 * 2**20
MAX_REDIRECTS = 3
# nothing to inflate, so nothing that inflates without end
DOWNLOAD_HEADERS = {"accept": "image/*", "accept-encoding": "identity"}
_MAGIC = {b"\x89PNG\r\n\x1a\n": ".png", b"\xff\xd8\xff": ".jpg", b"RIFF": ".webp"}


def file_for(url: str, folder: str | os.PathLike[str], name: str | None) -> Path:
    """The file that a link is saved as: `name`, or the last part of the link; always directly
    inside `folder`.
    """
    place = Path(folder)
    if not place.is_dir():
        raise ValidationError(f"folder {str(place)!r} is no folder.", field="folder")
    if name is not None and (
        Path(name).name != name or name in ("", ".", "..") or not name.isprintable()
    ):
        raise ValidationError("name must be a plain file name, without folders.", field="name")
    last = unquote(urlsplit(url).path).rpartition("/")[2]
    return place / (name or re.sub(r"[^A-Za-z0-9._-]", "_", last)[-100:].lstrip(".") or "picture")


def next_url(url: str, location: str | None, hops: int) -> str:
    """Where a redirect leads; raises `DownloadError` when it is one too many, or leads nowhere."""
    if not location or hops >= MAX_REDIRECTS:
        raise DownloadError("The link redirects too often, or to nowhere.")
    try:
        return urljoin(url, location)
    except ValueError:
        raise DownloadError("The link redirects to what is no address.") from None


def save(data: bytes, file: Path) -> Path:
    """Write a picture in one step: the file is whole or not there. Raises `DownloadError` for what
    is no PNG, JPEG or WebP.
    """
    if not any(data.startswith(magic) for magic in _MAGIC) or (
        data.startswith(b"RIFF") and data[8:12] != b"WEBP"
    ):
        raise DownloadError("What came is no PNG, JPEG or WebP picture.")
    handle, part = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
        os.chmod(part, 0o644)  # mkstemp's own 0600 would lock other users of the folder out
        os.replace(part, file)
    except BaseException:
        os.unlink(part)
        raise
    return file
