"""Small deterministic pictures, and the size of a face image that came as base64."""

from __future__ import annotations

import base64
import binascii
import hashlib
import io
from functools import lru_cache
from typing import Any

from PIL import Image

__all__ = ["DEFAULT_SIZE", "face_size", "picture", "size_of"]

DEFAULT_SIZE = 512
MAX_SIZE = 1024


@lru_cache(maxsize=256)
def picture(inputs: tuple[Any, ...], width: int, height: int, file_format: str = "PNG") -> bytes:
    """A picture of exactly width × height whose bytes depend on `inputs` alone."""
    noise = hashlib.shake_256(repr(inputs).encode()).digest(64 + 48)
    tiles = Image.frombytes("P", (8, 8), bytes(value % 16 for value in noise[:64]))
    tiles.putpalette(noise[64:])
    image = tiles.resize((width, height), Image.Resampling.NEAREST)
    file = io.BytesIO()
    (image.convert("RGB") if file_format == "JPEG" else image).save(file, file_format)
    return file.getvalue()


@lru_cache(maxsize=64)
def face_size(face: str) -> tuple[int, int] | None:
    """Width and height of a face image that came as its bytes in base64; None for a link or
    anything else.
    """
    text = face.partition(",")[2] if face.startswith("data:") else face
    try:
        with Image.open(io.BytesIO(base64.b64decode(text, validate=True))) as image:
            return image.size
    except (binascii.Error, ValueError, OSError, SyntaxError, Image.DecompressionBombError):
        return None


def size_of(fields: dict[str, Any], default: int = DEFAULT_SIZE) -> tuple[int, int]:
    """Width and height that a request asks for: given, else the face image's, else the default; at
    least one pixel.
    """
    width, height = face_size(fields["face_image"]) or (default, default)
    asked = fields.get("width", min(width, MAX_SIZE)), fields.get("height", min(height, MAX_SIZE))
    # a mutant may have let more in
    return min(max(1, asked[0]), 4 * MAX_SIZE), min(max(1, asked[1]), 4 * MAX_SIZE)
