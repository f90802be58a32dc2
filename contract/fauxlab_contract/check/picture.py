"""What a link serves: whether it is a picture, its size, and a digest to compare it with others."""

from __future__ import annotations

import base64
import hashlib
import struct
import zlib
from dataclasses import dataclass
from typing import Any

__all__ = ["FACE", "FACE_SIDES", "SeenPicture", "grey_png", "seen_picture"]

_PNG, _END = b"\x89PNG\r\n\x1a\n", b"IEND\xaeB`\x82"
_OTHERS = (b"\xff\xd8\xff", b"RIFF")  # JPEG, WebP: taken for pictures, not measured


FACE_SIDES = (48, 40)  # pixels


def grey_png(width: int, height: int) -> bytes:
    """Return a whole PNG, all grey."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        size = struct.pack(">I", len(data))
        checksum = struct.pack(">I", zlib.crc32(kind + data))
        return size + kind + data + checksum

    rows = (b"\0" + b"\x80" * width) * height
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    pixels = chunk(b"IDAT", zlib.compress(rows, 9))
    return _PNG + head + pixels + chunk(b"IEND", b"")


FACE = base64.b64encode(grey_png(*FACE_SIDES)).decode()


@dataclass(frozen=True, slots=True)
class SeenPicture:
    """What was behind a link.

    `size` is (width, height) in pixels of a whole PNG, else None; `digest` is that of the bytes.
    """

    digest: str
    size: tuple[int, int] | None
    is_picture: bool
    bytes: int

    def problem_with(self, width: Any, height: Any) -> str:
        """Return what is wrong, given the requested size; empty if nothing is.

        A side that is missing or below 1 pixel is not compared.
        """
        if not self.is_picture:
            return f"its link serves {self.bytes} bytes that are not a whole picture."
        if self.size is None:
            return ""
        pairs = zip((width, height), self.size, strict=True)
        if all(not _is_length(side) or side == actual for side, actual in pairs):
            return ""
        actual_size = f"{self.size[0]} x {self.size[1]} pixels"
        return f"its picture is {actual_size}, requested were {width} x {height}."


def _is_length(side: Any) -> bool:
    return isinstance(side, int) and side > 0


def seen_picture(data: bytes) -> SeenPicture:
    """Look at the bytes behind a link."""
    has_both_ends = data.startswith(_PNG) and data.endswith(_END)
    is_png = has_both_ends and len(data) > 33 and _is_sound(data)
    size = struct.unpack(">II", data[16:24]) if is_png else None
    is_picture = is_png or data.startswith(_OTHERS)
    digest = hashlib.sha256(data).hexdigest()
    return SeenPicture(digest, size, is_picture, len(data))


def _is_sound(data: bytes) -> bool:
    """Return True if the first chunk is a whole header."""
    chunk = data[12:29]  # its kind and its content, without the length
    (checksum,) = struct.unpack(">I", data[29:33])
    return chunk.startswith(b"IHDR") and zlib.crc32(chunk) == checksum
