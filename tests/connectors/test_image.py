"""IMAGE: images as people have them, and as they are made to harm."""

from __future__ import annotations

import base64
import io
import struct
import zlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any, get_args

import pytest
from PIL import Image, ImageDraw

from flowforge.connectors.catalog import load_catalog
from flowforge.connectors.programs.image_program import _DO
from flowforge.connectors.sdk import AnyImageOperation, StepContext
from tests.connectors.kept_files import KeptFiles
from tests.connectors.running import failing, run

MakeContext = Callable[..., StepContext]
RED, BLUE, WHITE, CLEAR = (255, 0, 0, 255), (0, 0, 255, 255), (255, 255, 255, 255), (0, 0, 0, 0)


@pytest.fixture
def files() -> KeptFiles:
    return KeptFiles()


@pytest.fixture
def change(make_context: MakeContext, files: KeptFiles) -> Callable[..., dict[str, Any]]:
    def run_step(*operations: dict[str, Any], **config: Any) -> dict[str, Any]:
        context = replace(make_context(seconds=30), files=files)
        return run("IMAGE", {"operations": list(operations), **config}, context)

    return run_step


@pytest.fixture
def pixels(change: Callable[..., dict[str, Any]], files: KeptFiles) -> Callable[..., Image.Image]:
    """The image that is made."""

    def made(*operations: dict[str, Any], **config: Any) -> Image.Image:
        change(*operations, **config)
        return Image.open(io.BytesIO(list(files.contents.values())[-1])).convert("RGBA")

    return made


def inline(content: bytes, name: str = "photo.png") -> dict[str, Any]:
    return {"name": name, "type": "image/png", "base64": base64.b64encode(content).decode()}


def greys(mode: str, format_: str, *values: float) -> dict[str, Any]:
    """A row of grey pixels, with more bits than other images have."""
    image = Image.new(mode, (len(values), 1))
    image.putdata(values)
    target = io.BytesIO()
    image.save(target, format_)
    return inline(target.getvalue(), f"scan.{format_.lower()}")


def halves(width: int = 40, height: int = 20, format_: str = "PNG", **options: Any) -> dict[str, Any]:
    """Red on the left, blue on the right."""
    image = Image.new("RGB", (width, height), "red")
    ImageDraw.Draw(image).rectangle((width // 2, 0, width, height), "blue")
    target = io.BytesIO()
    image.save(target, format_, **options)
    return inline(target.getvalue(), f"photo.{format_.lower()}")


def bomb(width: int, height: int) -> dict[str, Any]:
    """A PNG (W3C, Portable Network Graphics) that says it is that large, with nothing in it."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return inline(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 9)) + chunk(b"IEND", b"")
    )


def test_every_operation_of_the_form_is_one_of_the_program() -> None:
    (union, *_) = get_args(AnyImageOperation)
    assert {get_args(model.model_fields["do"].annotation)[0] for model in get_args(union)} == set(_DO)


def test_without_operations_it_tells_what_image_it_is(change: Any, files: KeptFiles) -> None:
    assert change(file=halves(format_="JPEG")) == {
        "width": 40,
        "height": 20,
        "format": "jpeg",
        "transparent": False,
        "frames": 1,
    }
    assert not files.contents


def test_a_photo_of_an_upright_camera_stands_upright(change: Any, pixels: Any) -> None:
    exif = Image.Exif()
    exif[274] = 6
    photo = halves(format_="JPEG", exif=exif)
    assert (change(file=photo)["width"], change(file=photo)["height"]) == (20, 40)
    assert pixels({"do": "blur", "radius": 0}, file=photo).size == (20, 40)


@pytest.mark.parametrize(
    ("asked", "size"),
    [
        ({"width": 20, "height": 20}, (20, 10)),
        ({"width": 20}, (20, 10)),
        ({"height": 5.4}, (11, 5)),
        ({"width": 20, "height": 20, "fit": "cover"}, (20, 20)),
        ({"width": 20, "height": 20, "fit": "exact"}, (20, 20)),
        ({"width": 50, "height": 100, "unit": "percent", "fit": "exact"}, (20, 20)),
        ({"width": 200, "unit": "percent"}, (80, 40)),
        ({"width": 80, "only": "smaller"}, (40, 20)),
        ({"width": 20, "only": "larger"}, (40, 20)),
        ({"width": 1, "height": 1}, (1, 1)),
    ],
)
def test_an_image_is_resized(pixels: Any, asked: dict[str, Any], size: tuple[int, int]) -> None:
    assert pixels({"do": "resize", **asked}, file=halves()).size == size


def test_an_image_is_cropped_turned_and_flipped(pixels: Any) -> None:
    assert pixels({"do": "crop", "left": 20, "width": 100, "height": 5}, file=halves()).getcolors() == [(100, BLUE)]
    turned = pixels({"do": "rotate", "degrees": 90}, file=halves())
    assert (turned.size, turned.getpixel((5, 5)), turned.getpixel((5, 35))) == ((20, 40), RED, BLUE)
    assert pixels({"do": "rotate", "degrees": 45}, file=halves()).getpixel((0, 0))[3] == 0
    assert pixels({"do": "flip"}, file=halves()).getpixel((0, 0)) == BLUE
    assert pixels({"do": "flip", "axis": "vertical"}, file=halves()).getpixel((0, 0)) == RED


def test_shapes_lie_upon_it_and_half_of_it_shines_through(pixels: Any) -> None:
    rectangle = {"do": "draw", "left": 0, "top": 0, "right": 9, "bottom": 9, "color": "#ffffff80"}
    assert pixels(rectangle, file=halves()).getpixel((5, 5)) == (255, 128, 128, 255)
    ellipse = {**rectangle, "shape": "ellipse", "color": "white"}
    assert [pixels(ellipse, file=halves()).getpixel(at) for at in ((0, 0), (5, 5))] == [RED, WHITE]
    line = {**rectangle, "shape": "line", "right": 39, "bottom": 0, "color": "white"}
    assert pixels(line, file=halves()).getpixel((30, 0)) == WHITE


def test_text_is_written_and_broken_into_lines(pixels: Any) -> None:
    def box(**text: Any) -> tuple[int, int, int, int]:
        made = pixels(
            {"do": "create", "width": 400, "height": 200, "color": "#0000"}, {"do": "text", "size": 20, **text}
        )
        found = made.getbbox()
        assert found is not None
        return found

    one, broken = box(text="Hello wide world", left=10, top=10), box(text="Hello wide world", lineLength=6)
    assert min(one[:2]) >= 10
    assert (broken[2] < one[2], broken[3] > one[3]) == (True, True)
    assert box(text="first\nsecond")[3] > box(text="first")[3]


def test_two_images_become_one(pixels: Any) -> None:
    made = pixels({"do": "composite", "image": halves(10, 10), "left": 30, "top": -5}, file=halves())
    assert (made.size, made.getpixel((31, 2)), made.getpixel((31, 6))) == ((40, 20), RED, BLUE)


def test_border_blur_and_transparency(pixels: Any, change: Any) -> None:
    made = pixels({"do": "border", "width": 2, "height": 3, "color": "white"}, file=halves())
    assert (made.size, made.getpixel((0, 0)), made.getpixel((2, 3))) == ((44, 26), WHITE, RED)
    assert pixels({"do": "blur"}, file=halves()).getpixel((20, 10))[0] not in (0, 255)
    see_through = {"do": "transparent", "color": "#f00"}
    assert [pixels(see_through, file=halves()).getpixel(at)[3] for at in ((0, 0), (39, 0))] == [0, 255]
    assert pixels({**see_through, "color": "#f00a00"}, file=halves()).getpixel((0, 0)) == RED
    assert pixels({**see_through, "color": "#f00a00", "tolerance": 16}, file=halves()).getpixel((0, 0))[3] == 0
    assert change(see_through, file=halves())["transparent"]


@pytest.mark.parametrize(("format_", "name"), [("png", "photo.png"), ("jpeg", "photo.jpg"), ("webp", "photo.webp")])
def test_it_is_written_in_the_format_that_is_asked_for(change: Any, format_: str, name: str) -> None:
    made = change(file=halves(format_="GIF"), format=format_)
    assert (made["format"], made["file"]["name"], made["file"]["type"]) == (format_, name, f"image/{format_}")


def test_what_is_transparent_is_white_in_a_jpeg(pixels: Any) -> None:
    clear = {"do": "create", "width": 9, "height": 9, "color": "#0000"}
    assert pixels(clear, format="jpeg").getpixel((4, 4)) == WHITE


def test_quality_costs_bytes(change: Any) -> None:
    noise = io.BytesIO()
    Image.effect_noise((200, 200), 90).save(noise, "PNG")
    sizes = [change(file=inline(noise.getvalue()), format="jpeg", quality=q)["file"]["size"] for q in (10, 95)]
    assert sizes[0] * 3 < sizes[1]


def test_it_keeps_its_format_where_none_is_asked_for(change: Any) -> None:
    blur = {"do": "blur"}
    assert [change(blur, file=halves(format_=one))["format"] for one in ("JPEG", "WEBP", "BMP")] == [
        "jpeg",
        "webp",
        "png",
    ]


@pytest.mark.parametrize(
    ("file", "operations", "text"),
    [
        (inline(b"%PDF-1.4 nothing"), [{"do": "flip"}], "no image that can be read: PNG, JPEG"),
        (inline(b""), [], "no image that can be read"),
        (inline(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n"), [], "no image that can be read"),
        (inline(b"<svg xmlns='http://www.w3.org/2000/svg'/>"), [], "no image that can be read"),
        (bomb(30_000, 30_000), [], "30,000 × 30,000 are more than 40,000,000 pixels"),
        (bomb(6_000, 6_000), [{"do": "flip"}], "broken, or cut off"),
        (halves(), [{"do": "resize", "width": 30_000}], "pixels"),
        (halves(), [{"do": "border", "width": 20_000, "height": 20_000}], "pixels"),
        (halves(), [{"do": "create", "width": 20_000, "height": 20_000}], "pixels"),
        (halves(), [{"do": "composite", "image": bomb(30_000, 30_000)}], "pixels"),
        (halves(), [{"do": "crop", "left": 100, "width": 5, "height": 5}], "nothing is left by crop"),
        (halves(), [{"do": "text", "text": "a", "color": "reddish"}], "reddish"),
        (halves(), [{"do": "text", "text": "a", "font": halves()}], "no file of TrueType"),
        (halves(), [{"do": "text", "text": "w" * 5_000, "size": 1_000}], ""),
    ],
)
def test_what_cannot_be_done_is_told(change: Any, file: Any, operations: list[Any], text: str) -> None:
    error = failing(change, *operations, file=file)
    assert (text in str(error), error.permanent) == (True, True)


@pytest.mark.parametrize(
    ("config", "text"),
    [
        ({}, "file is required"),
        ({"operations": [{"do": "resize"}]}, "width or height"),
        ({"operations": [{"do": "blur", "radius": 501}]}, "operations.0.radius"),
        ({"operations": [{"do": "text", "text": "a", "color": "#12"}]}, "operations.0.color"),
        ({"operations": [{"do": "melt"}]}, "must be one of resize, crop"),
        ({"operations": [{"do": "flip"}], "quality": 0}, "quality"),
    ],
)
def test_what_is_wrong_is_named(change: Any, config: dict[str, Any], text: str) -> None:
    file = {"file": halves()} if config else {}
    assert text in str(failing(change, *config.pop("operations", []), **file, **config))


def test_a_broken_end_is_told(change: Any) -> None:
    whole = base64.b64decode(halves(400, 400, "JPEG")["base64"])
    assert "broken, or cut off" in str(failing(change, {"do": "flip"}, file=inline(whole[: len(whole) // 2])))


@pytest.mark.parametrize(
    "scan",
    [
        greys("I;16", "PNG", 0, 32_768, 65_535),
        greys("I;16", "TIFF", 0, 32_768, 65_535),
        greys("I", "TIFF", -5_000, 0, 5_000),
        greys("F", "TIFF", 0.0, 0.5, 1.0),
    ],
)
def test_greys_of_many_bits_stay_grey(pixels: Callable[..., Image.Image], scan: dict[str, Any]) -> None:
    made = pixels(file=scan, format="png")
    black, grey, white = (made.getpixel((x, 0))[0] for x in range(3))
    assert (black, white) == (0, 255)
    assert 126 <= grey <= 129


@pytest.mark.parametrize(("format_", "width"), [("webp", 16_386), ("jpeg", 29_000 * 3)])
def test_sides_that_a_format_cannot_have_are_told(
    change: Callable[..., dict[str, Any]], format_: str, width: int
) -> None:
    third = width // 3
    operations = [{"do": "create", "width": third, "height": 1}, {"do": "border", "width": third, "height": 0}]
    assert f"a side in {format_} has at most" in str(failing(change, *operations, format=format_))


@pytest.mark.parametrize(("color", "is_one"), [("Red", True), (" #0c0 ", True), ("nocolour", False), ("#12345", False)])
def test_a_colour_that_is_none_is_told_on_saving(color: str, is_one: bool) -> None:
    operation = {"do": "create", "width": 1, "height": 1, "color": color}
    found = load_catalog().get("IMAGE").problems({"operations": [operation]}, "")
    told = [problem.message for problem in found]
    assert told == ([] if is_one else [f"{color!r} is no colour: #cc0000, #cc000080 or red"])
