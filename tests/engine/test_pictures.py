"""Pictures: size, determinism, faces."""

from __future__ import annotations

import base64
import io
from dataclasses import replace

import pytest
from PIL import Image

from fauxlab_mock.engine.pictures import FaceError, Picture, draw, face_size

PICTURE = Picture("studio portrait in soft light", 7, "face", 96, 64)


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


def encoded(width: int, height: int, form: str) -> str:
    out = io.BytesIO()
    Image.new("RGB", (width, height)).save(out, form)
    return base64.b64encode(out.getvalue()).decode()


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (39, 39), (40, 40), (96, 64), (1024, 1024)])
def test_a_picture_is_a_png_of_exactly_the_size(size: tuple[int, int]) -> None:
    """Whatever the size, a PNG of just that many pixels is drawn."""
    image = opened(draw(replace(PICTURE, width=size[0], height=size[1])))

    assert (image.format, image.size) == ("PNG", size)


def test_the_same_inputs_give_the_same_bytes() -> None:
    """A picture depends on nothing but its inputs."""
    assert draw(PICTURE) == draw(replace(PICTURE))


@pytest.mark.parametrize(
    "other", [{"seed": 8}, {"prompt": "another prompt"}, {"face": "other"}, {"width": 97}]
)
def test_any_other_input_gives_another_picture(other: dict[str, int | str]) -> None:
    """Seed, prompt, face and size each change what is seen, not only what is written beside it."""
    first, second = opened(draw(PICTURE)), opened(draw(replace(PICTURE, **other)))  # type: ignore[arg-type] # one field each

    assert first.convert("RGB").tobytes() != second.convert("RGB").tobytes()


def test_text_is_drawn_where_there_is_room_for_it() -> None:
    """The prompt is really visible: another prompt changes pixels of the band at the foot and of
    nothing above the portrait.
    """
    wide = replace(PICTURE, width=400, height=400)
    band = (0, 340, 400, 400)
    with_text = opened(draw(wide)).convert("L").crop(band)
    white = sum(1 for value in with_text.tobytes() if value > 240)

    assert white > 200


@pytest.mark.parametrize(
    "prompt", ["", "日本語", "naïve café", "x" * 5_000, "a\nb\x00c\u202e", "word " * 500, "🙂"]
)
def test_any_prompt_can_be_drawn(prompt: str) -> None:
    """Empty, endless, foreign and unprintable prompts are drawn without an error."""
    assert opened(draw(replace(PICTURE, prompt=prompt, width=200, height=120))).size == (200, 120)


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize(
    "prefix", ["", "data:image/png;base64,", "DATA:image/png;base64,", "Data:image/png;Base64,"]
)
def test_the_size_of_a_face_is_read_from_base64(form: str, prefix: str) -> None:
    """PNG, JPEG and WebP in base64 or a data URI give their size, with line breaks in the base64
    too.
    """
    text = encoded(30, 20, form)

    assert face_size(prefix + text[:40] + "\n" + text[40:], 1_000) == (30, 20)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "https://example.com/a.png",
        "not base64!",
        "aGVsbG8=",
        "data:image/png,raw",
        encoded(3, 2, "GIF"),
        "data:;base64,*",
    ],
)
def test_whatever_is_no_such_picture_has_no_size(text: str) -> None:
    """Links, garbage and other formats are no error: their size is simply not known."""
    assert face_size(text, 1_000) is None


def test_a_truncated_face_still_gives_its_size() -> None:
    """Only the header is read, so a picture cut short still says how large it is."""
    data = base64.b64decode(encoded(30, 20, "PNG"))[:60]

    assert face_size(base64.b64encode(data).decode(), 1_000) == (30, 20)


def test_a_face_at_the_limit_is_taken_and_one_past_it_refused() -> None:
    """The limit counts pixels; the error says what came and what is allowed."""
    assert face_size(encoded(30, 20, "PNG"), 600) == (30, 20)

    with pytest.raises(FaceError, match="30 x 20 pixels; 599 pixels are allowed"):
        face_size(encoded(30, 20, "PNG"), 599)


def test_a_bomb_is_refused_without_being_decompressed() -> None:
    """A header that claims 60,000 x 60,000 pixels is refused from the header alone."""
    data = bytearray(base64.b64decode(encoded(30, 20, "PNG")))
    data[16:24] = (60_000).to_bytes(4, "big") * 2
    import zlib

    data[29:33] = zlib.crc32(bytes(data[12:29])).to_bytes(4, "big")

    with pytest.raises(FaceError, match="too many pixels"):
        face_size(base64.b64encode(bytes(data)).decode(), 2**24)
