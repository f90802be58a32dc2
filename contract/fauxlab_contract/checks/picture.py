"""What a link serves, as far as a check needs to know: is it a picture, how large, and the same as another?"""

from __future__ import annotations

import hashlib
import struct
import zlib
from dataclasses import dataclass
from typing import Any

__all__ = ["Seen", "seen_picture"]

_PNG, _END = b"\x89PNG\r\n\x1a\n", b"IEND\xaeB`\x82"
_OTHERS = (b"\xff\xd8\xff", b"RIFF")  # JPEG, WebP: taken for pictures, not measured


@dataclass(frozen=True, slots=True)
class Seen:
    """`size` is (width, height) in pixels of a whole PNG, None for what is none; `digest` of the bytes."""

    digest: str
    size: tuple[int, int] | None
    is_picture: bool
    bytes: int

    def problem_with(self, width: Any, height: Any) -> str:
        """What is wrong with it, given the size that was asked for; empty when nothing is. Below 1 pixel nothing can be asked."""
        if not self.is_picture:
            return f"its link serves {self.bytes} bytes that are no whole picture."
        wanted = tuple(side if isinstance(side, int) and side > 0 else None for side in (width, height))
        if self.size is None or all(side in (None, is_) for side, is_ in zip(wanted, self.size, strict=True)):
            return ""
        return f"its picture is {self.size[0]} x {self.size[1]} pixels, asked for was {width} x {height}."


def seen_picture(data: bytes) -> Seen:
    """Look at the bytes behind a link."""
    is_png = data.startswith(_PNG) and data.endswith(_END) and len(data) > 33 and _is_sound(data)
    size = struct.unpack(">II", data[16:24]) if is_png else None
    return Seen(hashlib.sha256(data).hexdigest(), size, is_png or data.startswith(_OTHERS), len(data))


def _is_sound(data: bytes) -> bool:
    """Does the first chunk say what it measures?"""
    return data[12:16] == b"IHDR" and zlib.crc32(data[12:29]) == struct.unpack(">I", data[29:33])[0]
