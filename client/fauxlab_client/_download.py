"""Save a picture: under which name, of which kind, and in one step.

No network here; which addresses are allowed stands in `_urls`.
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
MAX_NAME_CHARS = 100
# nothing to inflate, so nothing that inflates without end
DOWNLOAD_HEADERS = {"accept": "image/*", "accept-encoding": "identity"}
PNG, JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"  # how such files begin


def file_for(url: str, folder: str | os.PathLike[str], name: str | None) -> Path:
    """Return the file to save a link as, directly inside `folder`: `name`, or one made of the link.

    `https://cdn.example/a/my%20face.png` -> `my_face.png`
    """
    place = Path(folder)
    if not place.is_dir():
        raise ValidationError(f"folder {str(place)!r} is not a folder.", field="folder")
    if name is not None:
        is_plain = Path(name).name == name and name not in ("", ".", "..")
        if not is_plain or not name.isprintable():
            raise ValidationError("name must be a plain file name, without folders.", field="name")
        return place / name
    _, _, last_part = unquote(urlsplit(url).path).rpartition("/")
    safe = re.sub(r"[^A-Za-z0-9._-]", "_", last_part)
    ending = safe[-MAX_NAME_CHARS:].lstrip(".")
    return place / (ending or "picture")


def next_url(url: str, location: str | None, hops: int) -> str:
    """Return where a redirect leads; raise `DownloadError` for one too many, or one to nowhere."""
    if not location or hops >= MAX_REDIRECTS:
        raise DownloadError("The link redirects too often, or to nowhere.")
    try:
        return urljoin(url, location)
    except ValueError:
        raise DownloadError("The link redirects to something that is not an address.") from None


def save(data: bytes, file: Path) -> Path:
    """Write a picture in one step, so that the file is whole or not there, and return the file.

    Raises `DownloadError` for anything but a PNG, JPEG or WebP.
    """
    is_webp = data.startswith(b"RIFF") and data[8:12] == b"WEBP"
    if not (is_webp or data.startswith((PNG, JPEG))):
        raise DownloadError("The download is not a PNG, JPEG or WebP picture.")
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
