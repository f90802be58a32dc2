"""A picture for people: prompt, seed, size and "mock" on a background that depends on the seed.

The same `Picture` gives the same bytes. Pillow is imported when the first picture is drawn or the
first face is measured.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import io
import unicodedata
import warnings
from colorsys import hls_to_rgb
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageFont import FreeTypeFont, ImageFont

__all__ = ["FaceError", "Picture", "draw", "face_size"]

MAX_PROMPT_CHARS = 300
_MIN_TEXT_SIDE = 40  # pixels; below, there is only the background
_SHADE, _WHITE = (16, 18, 28, 175), (255, 255, 255, 255)  # red, green, blue, opacity
_Color = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Picture:
    """Everything that a picture depends on.

    `face` is a digest of the face image; sizes are in pixels, at least 1.
    """

    prompt: str
    seed: int | float | str
    face: str
    width: int
    height: int


class FaceError(ValueError):
    """A face image over the limit; the text says its size and the limit."""


def face_size(text: str, most_pixels: int) -> tuple[int, int] | None:
    """Return (width, height) of a PNG, JPEG or WebP in base64 or a data URI.

    None for a link, and for anything else that is not such a picture. Only the header is read,
    nothing is decompressed. Raises `FaceError` for more than `most_pixels`.
    """
    data = _base64(text)
    if data is None:
        return None
    from PIL import Image, UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(data), formats=["PNG", "JPEG", "WEBP"]) as picture:
                width, height = picture.size
    except Image.DecompressionBombError:
        raise FaceError(f"The face image has too many pixels; {most_pixels} are allowed.") from None
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError):
        return None
    if width * height > most_pixels:
        raise FaceError(
            f"The face image is {width} x {height} pixels; {most_pixels} pixels are allowed."
        )
    return width, height


def _base64(text: str) -> bytes | None:
    if text[:5].lower() == "data:":  # RFC 2397 takes a scheme in any case
        header, _, text = text.partition(",")
        if not header.lower().endswith(";base64"):
            return None
    elif "://" in text[:40]:
        return None
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        return None


def draw(picture: Picture) -> bytes:
    """Return the PNG of a picture, of exactly its size. Takes 10 to 60 ms for 1024 x 1024."""
    from PIL.PngImagePlugin import PngInfo

    image = _background(picture)
    if min(picture.width, picture.height) >= _MIN_TEXT_SIDE:
        _write(image, picture)
    info = PngInfo()
    info.add_itxt(
        "Comment", f"fauxlab mock, seed {picture.seed}, {picture.width} x {picture.height}"
    )
    out = io.BytesIO()
    image.save(out, "PNG", pnginfo=info, compress_level=4)
    return out.getvalue()


def _digest(picture: Picture) -> bytes:
    parts = (picture.prompt, picture.seed, picture.face, picture.width, picture.height)
    return hashlib.sha256(repr(parts).encode()).digest()


def _color(hue: int, lightness: float, saturation: float) -> _Color:
    red, green, blue = hls_to_rgb(hue / 256, lightness, saturation)
    return round(red * 255), round(green * 255), round(blue * 255)


def _background(picture: Picture) -> Image:
    """Return a soft two-colour gradient with the outline of a head and shoulders."""
    from PIL import Image, ImageChops, ImageOps

    chance = _digest(picture)
    size = (picture.width, picture.height)
    down = Image.linear_gradient("L")
    across = down.rotate(90 if chance[0] & 1 else 270)
    gradient = ImageChops.blend(down, across, 0.2 + chance[1] / 512).resize(size)
    hue = chance[2]
    light = _color(hue, 0.72, 0.55)
    dark = _color(hue + 28 + chance[3] % 40, 0.38, 0.5)
    image = ImageOps.colorize(gradient, light, dark)
    side = min(size)
    place = ((picture.width - side) // 2, picture.height - side)
    skin = _color(hue + 120 + chance[4] % 40, 0.88, 0.6)
    mask = _portrait(chance).resize((side, side))
    image.paste(skin, place, mask)
    return image


def _portrait(chance: bytes) -> Image:
    """A square mask: shoulders, neck and head, a little different for each picture."""
    from PIL import Image, ImageDraw

    mask = Image.new("L", (1_000, 1_000), 0)
    pen = ImageDraw.Draw(mask)
    head = 150 + chance[5] % 24  # half its width
    middle = 480 + chance[6] % 65  # from the left
    shoulders = 300 + chance[7] % 80  # half their width
    chin = 150 + head * 2.4
    pen.ellipse((middle - shoulders, chin + 60, middle + shoulders, 1500), fill=150)
    pen.rectangle((middle - 70, chin - 80, middle + 70, chin + 120), fill=150)
    pen.ellipse((middle - head, 150, middle + head, chin), fill=190)
    return mask.resize((512, 512))


def _write(image: Image, picture: Picture) -> None:
    """Draw the band at the foot with prompt, seed and size, and the word mock in a corner."""
    from PIL import ImageDraw

    width, height = image.size
    text = max(9, min(width // 18, height // 14, 44))
    font = _font(text)
    small = _font(max(9, int(text * 0.72)))
    gap = text // 2
    inner = width - 2 * gap
    most = max(1, height // (3 * text))  # lines of prompt cover a third at most
    lines = _wrap(_printable(picture.prompt), font, inner, most)
    facts = _wrap(f"seed {picture.seed}  ·  {width} x {height}", small, inner, most=2)
    rows = [(line, font) for line in lines] + [(line, small) for line in facts]
    band = gap * 2 + round(len(rows) * text * 1.3)
    pen = ImageDraw.Draw(image, "RGBA")
    top = height - band
    pen.rectangle((0, top, width, height), fill=_SHADE)
    for i, (line, face) in enumerate(rows):
        y = top + gap + round(i * text * 1.3)
        pen.text((gap, y), line, font=face, fill=_WHITE)
    right = gap + small.getlength("mock") + gap
    bottom = gap + text * 1.2
    pen.rounded_rectangle((gap, gap, right, bottom), text // 3, fill=_SHADE)
    pen.text((gap * 1.5, gap + text * 0.18), "mock", font=small, fill=_WHITE)


def _font(size: int) -> FreeTypeFont | ImageFont:
    from PIL import ImageFont

    return ImageFont.load_default(size)


def _printable(text: str) -> str:
    """Return a text in ASCII, because the font has no more.

    Accents are dropped, other scripts are written as escapes (`\\u65e5`).
    """
    text = "".join(
        char
        for char in unicodedata.normalize("NFKD", text[: 4 * MAX_PROMPT_CHARS])
        if not unicodedata.combining(char)
    )
    text = " ".join(text.split())
    text = text.encode("ascii", "backslashreplace").decode()
    text = "".join(char if char.isprintable() else "?" for char in text)
    if len(text) <= MAX_PROMPT_CHARS:
        return text
    return text[:MAX_PROMPT_CHARS] + "..."


def _wrap(text: str, font: Any, width: int, most: int) -> list[str]:
    """Return a text in at most `most` lines of `width` pixels, broken between words if possible."""
    lines: list[str] = []
    while text and len(lines) < most:
        fits = _fitting(text, font, width)
        space = text.rfind(" ", 0, fits + 1)
        is_whole = fits == len(text) or space <= 0
        end = fits if is_whole else space
        lines.append(text[:end].strip())
        text = text[end:].strip()
    if text:
        kept = max(1, len(lines[-1]) - 3)
        lines[-1] = lines[-1][:kept] + "..."
    return lines or [""]


def _fitting(text: str, font: Any, width: int) -> int:
    """Return how many characters of a text fit into `width` pixels, at least one."""
    low, high = 1, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if font.getlength(text[:middle]) <= width:
            low = middle
        else:
            high = middle - 1
    return low
