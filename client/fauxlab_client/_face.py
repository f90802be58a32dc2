"""Turn a face image into what the API takes: a link, or the bytes of a picture in base64.

A job is paid for whatever it is given, so what holds no picture is refused before it starts.
"""

from __future__ import annotations

import base64
import io
import sys
from collections.abc import Callable
from os import PathLike
from pathlib import Path
from typing import Any, cast
from urllib.parse import unquote_to_bytes

from fauxlab_client._errors import ValidationError
from fauxlab_client._urls import is_http_url

__all__ = ["encode_face"]

MAX_FACE_BYTES = 7 * 2**20  # its base64 is a third longer, and the API takes bodies of 10 MiB
MAX_FACE_CHARS = 2 * MAX_FACE_BYTES  # of a URL
# How files of pictures begin; the others have their kind a few bytes later.
BEGINNINGS = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF8", b"BM", b"II*\0", b"MM\0*")
BRANDS = (b"avif", b"avis", b"heic", b"heix", b"heim", b"heis", b"mif1", b"msf1")
KINDS = "PNG, JPEG, WebP, GIF, BMP, TIFF, HEIC or AVIF"
# Mode of a Pillow image -> the mode of a PNG that shows the same.
PNG_MODES = {
    **{mode: mode for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16", "I;16B")},
    **dict.fromkeys(("CMYK", "HSV", "RGBX", "YCbCr"), "RGB"),
    **dict.fromkeys(("PA", "RGBa"), "RGBA"),
}


def encode_face(face: Any) -> str:
    """Return a face image as the API takes it: a link unchanged, everything else as base64.

    Text that is neither an http(s) URL nor a data URL is taken as a path. Raises `ValidationError`
    for what cannot be read, and for what is no picture.
    """
    if isinstance(face, str) and len(face) > MAX_FACE_CHARS:
        raise _refused(f"may have {MAX_FACE_CHARS} characters at most, not {len(face)}.")
    if isinstance(face, str) and is_http_url(face):
        return face
    data = _bytes_of(face)
    if not 0 < len(data) <= MAX_FACE_BYTES:
        came = "more" if len(data) > MAX_FACE_BYTES else "none"
        raise _refused(
            f"must have 1 to {MAX_FACE_BYTES} bytes, not {came}; a link to a picture has no such"
            " limit."
        )
    if not _is_picture(data):
        raise _refused(f"must be a picture ({KINDS}); what came begins with {data[:8]!r}.")
    return base64.b64encode(data).decode()


def _refused(reason: str) -> ValidationError:
    return ValidationError(f"face_image {reason}", field="face_image")


def _is_picture(data: bytes) -> bool:
    is_webp = data.startswith(b"RIFF") and data[8:12] == b"WEBP"
    is_heif = data[4:8] == b"ftyp" and data[8:12] in BRANDS
    return is_webp or is_heif or data.startswith(BEGINNINGS)


def _bytes_of(face: Any) -> bytes:
    """Return the bytes of a data URL, a file, bytes, or a picture that can save itself."""
    if isinstance(face, str) and face[:5].lower() == "data:":
        return _data_url(face)
    if isinstance(face, (str, PathLike)):
        return _file(face)
    if isinstance(face, (bytes, bytearray, memoryview)):
        return bytes(face)
    if callable(getattr(face, "read", None)):
        return _tried("cannot be read", lambda: _read(face))
    if callable(getattr(face, "save", None)):
        return _tried("cannot be saved as a PNG", lambda: _png(face))
    raise _refused(
        f"must be a URL, a path, bytes, an open file or a picture, not {type(face).__name__}."
    )


def _tried(what: str, step: Callable[[], bytes]) -> bytes:
    """Do a step in an object of somebody else, which may raise anything."""
    try:
        return step()
    except ValidationError:
        raise
    except Exception as error:
        raise _refused(f"{what}: {type(error).__name__}: {str(error)[:200]}.") from error


def _data_url(url: str) -> bytes:
    """Return what a data URL holds (RFC 2397); it says nothing of its kind that could be trusted.

    `data:;base64,iVBORw0K…` and `data:image/png,%89PNG…` hold the same.
    """
    header, comma, text = url[5:].partition(",")
    if not comma:
        raise _refused("is a data URL without a comma, so it holds nothing.")
    data = unquote_to_bytes(text)
    if header.rpartition(";")[2].strip().lower() != "base64":
        return data
    compact = b"".join(data.split()).rstrip(b"=")
    try:
        return base64.b64decode(compact + b"=" * (-len(compact) % 4), validate=True)
    except ValueError:
        raise _refused("is a data URL whose base64 is broken.") from None


def _file(path: str | PathLike[str]) -> bytes:
    try:
        with Path(path).open("rb") as stream:
            return _read(stream)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise _refused(
            f"{str(path)[:80]!r} is not a URL and cannot be read as a file: {reason}."
        ) from None


def _read(stream: Any) -> bytes:
    """Read a stream from where it stands, to its end or just past the limit."""
    data = bytearray()
    while len(data) <= MAX_FACE_BYTES:
        chunk = stream.read(MAX_FACE_BYTES + 1 - len(data))
        if not isinstance(chunk, (bytes, bytearray)):
            raise _refused(f"must be a file of bytes; it gave {type(chunk).__name__}.")
        if not chunk:
            break
        data += chunk
    return bytes(data)


def _png(picture: Any) -> bytes:
    """Return a picture as a PNG that shows the same."""
    pillow = sys.modules.get("PIL.Image")
    if pillow is not None and isinstance(picture, pillow.Image):
        picture = _upright(picture)
    stream = io.BytesIO()
    picture.save(stream, "PNG")
    return stream.getvalue()


def _upright(picture: Any) -> Any:
    """Return a Pillow image as a PNG can hold it: turned as its EXIF says, in a mode of PNG.

    An animation is the frame that it stands at. Raises `ValidationError` for a mode whose colours
    are not known without more (F, LAB).
    """
    from PIL import ImageOps

    upright: Any = ImageOps.exif_transpose(picture)
    mode = PNG_MODES.get(upright.mode)
    if upright.mode == "I":  # 32 bits; a PNG has 16
        low, high = cast("tuple[int, int]", upright.getextrema())
        mode = "I;16" if low >= 0 and high < 2**16 else None
    if mode is None:
        raise _refused(
            f"has the mode {upright.mode}, which no PNG shows as it is; convert it to RGB or L."
        )
    if mode == upright.mode:
        return upright
    converted = upright.convert(mode)
    if upright.mode == "CMYK":
        converted.info.pop("icc_profile", None)  # it describes inks
    return converted
