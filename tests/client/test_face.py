"""What `face_image` takes, and what becomes of it: the same picture arrives, or nothing is sent."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote_from_bytes

import pytest
from PIL import Image, ImageCms, ImageOps

from fauxlab_client import ValidationError
from fauxlab_client._face import MAX_FACE_BYTES, encode_face

SIZE = (3, 2)


def gradient(mode: str) -> Image.Image:
    """A small picture in which no two neighbours, and no two corners, are alike."""
    colours = Image.new("RGB", SIZE)
    colours.putdata(
        [(250, 10, 10), (10, 250, 10), (10, 10, 250), (0, 0, 0), (99, 9, 200), (9,) * 3]
    )
    if mode in ("La", "RGBa"):
        return gradient({"La": "LA", "RGBa": "RGBA"}[mode]).convert(mode)
    if mode == "PA":
        return colours.convert("P").convert("PA")
    if mode.startswith("I;16") or mode == "I":
        return colours.convert("I").point(lambda value: value * 256).convert(mode)
    return colours.convert(mode)


def arrived(face: Any) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(encode_face(face))))


def pixels(picture: Image.Image, mode: str = "RGBA") -> bytes:
    if picture.mode == "CMYK":  # Pillow goes to RGBA in two steps only
        picture = picture.convert("RGB")
    return picture.convert(mode).tobytes()


def saved(picture: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, kind, **options)
    return stream.getvalue()


PNG = saved(gradient("RGB"))


@pytest.mark.parametrize(
    "mode", ["1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr", "HSV"]
)
def test_the_same_picture_arrives(mode: str) -> None:
    """A Pillow image of a mode with known colours arrives with the same pixels."""
    picture = gradient(mode)

    assert pixels(arrived(picture)) == pixels(picture)


@pytest.mark.parametrize("mode", ["I", "I;16"])
def test_sixteen_bits_arrive_whole(mode: str) -> None:
    """Grey values up to 65,535 are not cut to 255."""
    picture = gradient(mode)

    assert pixels(arrived(picture), "I") == pixels(picture, "I")


@pytest.mark.parametrize(
    "picture",
    [
        pytest.param(Image.new("F", SIZE, 0.5), id="F"),
        pytest.param(Image.new("LAB", SIZE), id="LAB"),
        pytest.param(Image.new("I", SIZE, 70_000), id="I over 16 bits"),
        pytest.param(Image.new("I", SIZE, -1), id="I below 0"),
        pytest.param(Image.new("RGB", (0, 0)), id="no pixels"),
    ],
)
def test_a_picture_that_would_arrive_as_another_is_refused(picture: Image.Image) -> None:
    """Where no PNG shows the same, the client says so before a job is paid for."""
    with pytest.raises(ValidationError) as caught:
        encode_face(picture)

    assert caught.value.field == "face_image"


def test_transparency_arrives() -> None:
    """A palette with a transparent colour, and one with an alpha for each, keep it."""
    one = gradient("P")
    one.info["transparency"] = one.getpixel((0, 0))
    each = gradient("P")
    each.info["transparency"] = bytes(range(0, 250, 25))

    assert [pixels(arrived(face)) for face in (one, each)] == [pixels(one), pixels(each)]


@pytest.mark.parametrize("turn", range(1, 9))
def test_a_photo_arrives_upright(turn: int) -> None:
    """What EXIF says about the way a camera was held is done, for a PNG does not keep it."""
    exif = Image.Exif()
    exif[0x0112] = turn
    photo = Image.open(io.BytesIO(saved(gradient("RGB"), "JPEG", quality=100, exif=exif)))

    came = arrived(photo)
    assert (came.size, came.getexif().get(0x0112, 1)) == (SIZE if turn < 5 else SIZE[::-1], 1)
    assert pixels(came) == pixels(ImageOps.exif_transpose(photo))


def test_an_animation_arrives_as_the_frame_it_stands_at() -> None:
    """One still picture is sent: the frame that the caller chose."""
    frames = [Image.new("RGB", SIZE, colour) for colour in ("red", "blue")]
    film = Image.open(io.BytesIO(saved(frames[0], "GIF", save_all=True, append_images=frames[1:])))
    film.seek(1)

    assert arrived(film).convert("RGB").getpixel((0, 0)) == (0, 0, 255)


def test_the_profile_of_inks_is_not_given_to_a_screen() -> None:
    """A CMYK image loses its profile with its inks; an RGB image keeps its own."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    inks, screen = gradient("CMYK"), gradient("RGB")
    inks.info["icc_profile"] = screen.info["icc_profile"] = profile

    assert [arrived(face).info.get("icc_profile") for face in (inks, screen)] == [None, profile]


BASE64 = base64.b64encode(PNG).decode()


@pytest.mark.parametrize(
    "url",
    [
        f"data:image/png;base64,{BASE64}",
        f"DATA:image/png;base64,{BASE64}",
        f"data:;base64,{BASE64}",
        f"data:application/octet-stream;base64,{BASE64}",
        f'data:image/png;charset=utf-8;name="a";BASE64,{BASE64}',
        f"data:image/png;base64,{BASE64.rstrip('=')}",
        f"data:image/png;base64,{BASE64[:40]}\n {BASE64[40:]}",
        f"data:image/png;base64,{BASE64.replace('+', '%2B').replace('/', '%2F')}",
        f"data:image/png,{quote_from_bytes(PNG)}",
        f"data:,{quote_from_bytes(PNG)}",
    ],
)
def test_data_urls_of_every_form_arrive(url: str) -> None:
    """RFC 2397: any case, any media type or none, parameters, base64 or percent-encoding."""
    assert encode_face(url) == BASE64


@pytest.mark.parametrize(
    "face",
    [
        pytest.param("data:image/png;base64", id="no comma"),
        pytest.param("data:image/png;base64,", id="nothing"),
        pytest.param("data:image/png;base64,!!!!", id="no base64"),
        pytest.param("data:image/png;base64,aGVsbG8=", id="no picture"),
        pytest.param("data:text/plain,hello", id="text"),
        pytest.param(b"hello", id="bytes of text"),
        pytest.param(base64.b64encode(PNG), id="base64 as bytes"),
        pytest.param(b"", id="no bytes"),
        pytest.param(PNG + bytes(MAX_FACE_BYTES), id="too many bytes"),
        pytest.param("/nowhere/face.png", id="no file"),
        pytest.param("x" * 5_000, id="no file name"),
        pytest.param("a\0b", id="no path"),
        pytest.param(Path("/"), id="a folder"),
        pytest.param(io.StringIO("hello"), id="a file of text"),
        pytest.param(io.BytesIO(), id="an empty file"),
        pytest.param(5, id="a number"),
    ],
)
def test_what_holds_no_picture_is_refused(face: Any) -> None:
    """Everything that is no picture, in whatever form, is a ValidationError of face_image."""
    with pytest.raises(ValidationError) as caught:
        encode_face(face)

    assert (caught.value.field, str(caught.value)[:10]) == ("face_image", "face_image")


@pytest.mark.parametrize("form", [io.BytesIO, bytearray, memoryview, bytes])
def test_bytes_of_every_form_arrive(form: Callable[[bytes], Any]) -> None:
    """An open file and anything that holds bytes is sent as it is."""
    assert encode_face(form(PNG)) == BASE64


def test_a_picture_that_cannot_be_read_is_refused() -> None:
    """A file cut short, a closed file and a broken picture give our error, with their reason."""
    closed = io.BytesIO(PNG)
    closed.close()
    short = Image.open(io.BytesIO(saved(Image.effect_noise((64, 64), 90))[:2_000]))

    for face in (closed, short):
        with pytest.raises(ValidationError, match="face_image cannot be"):
            encode_face(face)


@pytest.mark.parametrize("brand", [b"heic", b"avif", b"mif1"])
def test_a_photo_of_a_telephone_arrives(brand: bytes) -> None:
    """HEIC and AVIF have their kind behind the length of their first box; a film is none."""
    photo, film = (b"\0\0\0\x18ftyp" + kind + bytes(12) for kind in (brand, b"mp42"))

    assert base64.b64decode(encode_face(photo)) == photo
    with pytest.raises(ValidationError, match="must be a picture"):
        encode_face(film)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF"])
def test_a_file_of_every_kind_arrives_as_it_is(kind: str, tmp_path: Path) -> None:
    """The bytes of a file are not touched."""
    data = saved(gradient("RGB"), kind)
    (tmp_path / "face").write_bytes(data)

    assert base64.b64decode(encode_face(tmp_path / "face")) == data
