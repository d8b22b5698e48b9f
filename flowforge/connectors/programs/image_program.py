"""Tells what image a file holds, and makes another one of it."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping
from typing import Any

from PIL import Image, ImageColor, ImageDraw, ImageFilter, ImageFont, ImageOps, UnidentifiedImageError

from flowforge.connectors.programs import limits

_FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "ICO", "AVIF")
_WRITTEN = ("png", "jpeg", "webp")
_LONGEST_SIDE = {"jpeg": 65_500, "webp": 16_383}
_FILES = ("image", "font")
_MOST_PIXELS = 40_000_000
_OPAQUE = 255
_HIGHEST_OF_16_BITS = 65_535
_WHITE = (255, 255, 255)

Step = dict[str, Any]

Image.MAX_IMAGE_PIXELS = None  # the size is looked at here


def work(request: dict[str, Any]) -> None:
    steps = [_with_paths(step, request["others"]) for step in request["operations"]]
    format_ = request["format"]
    source = _opened(request["path"]) if "path" in request else None
    if source is not None and not steps and not format_:
        limits.answer_each([_about(source, str(source.format).lower())])
        return
    image = None if source is None else _drawable(source)
    for step in steps:
        image = _DO[step["do"]](_required(image, step), step)
    name = format_ or (str(source.format).lower() if source is not None else "png")
    written = name if name in _WRITTEN else "png"
    made = _required(image, {})
    _save(made, request["target"], written, request["quality"])
    limits.answer_each([_about(made, written)])


def _with_paths(step: Step, paths: list[str]) -> Step:
    """Files are named by their numbers."""
    return step | {key: paths[step[key]] for key in _FILES if key in step}


def _about(image: Image.Image, format_: str) -> dict[str, Any]:
    width, height = _size(image)
    return {
        "width": width,
        "height": height,
        "format": format_,
        "transparent": _is_transparent(image),
        "frames": getattr(image, "n_frames", 1),
    }


def _is_transparent(image: Image.Image) -> bool:
    """Whether anything shines through; where that cannot be seen at once, whether it may."""
    if image.mode != "RGBA":
        return image.has_transparency_data
    return sum(image.getchannel("A").histogram()[:_OPAQUE]) > 0


def _size(image: Image.Image) -> tuple[int, int]:
    """As it is to be looked at: a camera may have been held upright (EXIF, tag 274)."""
    width, height = image.size
    return (height, width) if image.getexif().get(274, 1) > 4 else (width, height)


def _opened(path: str) -> Image.Image:
    """Nothing but its head is read before its size is known."""
    try:
        image = Image.open(path, formats=_FORMATS)
    except UnidentifiedImageError as error:
        raise ValueError(f"it is no image that can be read: {', '.join(_FORMATS)}") from error
    _require_size(*image.size)
    return image


def _drawable(image: Image.Image) -> Image.Image:
    """Its first picture, upright, in red, green, blue and how opaque."""
    try:
        return _eight_bits(ImageOps.exif_transpose(image)).convert("RGBA")
    except (OSError, SyntaxError) as error:
        raise ValueError("it is broken, or cut off") from error


def _eight_bits(image: Image.Image) -> Image.Image:
    """Greys with more bits than others have, as scanners and instruments write them: Pillow alone makes all of them
    white that are above 255."""
    if image.mode.startswith("I;16"):
        return _scaled(image.convert("I"), 0, _HIGHEST_OF_16_BITS)
    if image.mode in ("I", "F"):
        return _scaled(image, *image.getextrema())
    return image


def _scaled(image: Image.Image, low: Any, high: Any) -> Image.Image:
    factor = _OPAQUE / ((high - low) or 1)
    return image.convert("F").point(lambda value: value * factor - low * factor).convert("L")


def _require_size(width: int, height: int) -> None:
    if width * height > _MOST_PIXELS:
        raise ValueError(f"{width:,} × {height:,} are more than {_MOST_PIXELS:,} pixels")


def _required(image: Image.Image | None, step: Step) -> Image.Image:
    """`create` alone needs none."""
    if image is not None:
        return image
    if step.get("do") == "create":
        return Image.new("RGBA", (1, 1))
    raise ValueError("there is no file: the first operation has to be create")


def _save(image: Image.Image, path: str, format_: str, quality: int) -> None:
    longest = _LONGEST_SIDE.get(format_)
    if longest is not None and max(image.size) > longest:
        raise ValueError(f"{image.width:,} × {image.height:,}: a side in {format_} has at most {longest:,} pixels")
    if format_ == "jpeg":
        ground = Image.new("RGB", image.size, _WHITE)
        ground.paste(image, mask=image.getchannel("A"))
        image = ground
    image.save(path, format_, quality=quality)


def _color(written: str) -> tuple[int, ...]:
    return ImageColor.getcolor(written, "RGBA")  # type: ignore[return-value]


def _box(step: Step) -> tuple[int, int]:
    return round(step["left"]), round(step["top"])


# -- operations


def _resize(image: Image.Image, step: Step) -> Image.Image:
    width, height = _wanted(image, step)
    grows = width * height > image.width * image.height
    if (step["only"] == "smaller" and grows) or (step["only"] == "larger" and not grows):
        return image
    _require_size(width, height)
    if step["fit"] == "cover":
        return ImageOps.fit(image, (width, height))
    return image.resize((width, height))


def _wanted(image: Image.Image, step: Step) -> tuple[int, int]:
    by_width = _scale(step["width"], step["unit"], image.width)
    by_height = _scale(step["height"], step["unit"], image.height)
    if step["fit"] == "inside" or None in (by_width, by_height):
        by_width = by_height = min(scale for scale in (by_width, by_height) if scale is not None)
    return max(1, round(image.width * (by_width or 1))), max(1, round(image.height * (by_height or 1)))


def _scale(wanted: float | None, unit: str, given: int) -> float | None:
    if wanted is None:
        return None
    return wanted / (100 if unit == "percent" else given)


def _crop(image: Image.Image, step: Step) -> Image.Image:
    left, top = _box(step)
    width, height = round(step["width"]), round(step["height"])
    box = (max(0, left), max(0, top), min(image.width, left + width), min(image.height, top + height))
    if box[0] >= box[2] or box[1] >= box[3]:
        raise ValueError(f"nothing is left by crop: the image has {image.width} × {image.height} pixels")
    return image.crop(box)


def _rotate(image: Image.Image, step: Step) -> Image.Image:
    _require_size(*(2 * [round((image.width**2 + image.height**2) ** 0.5)]) if step["degrees"] % 90 else image.size)
    return image.rotate(-step["degrees"], Image.Resampling.BICUBIC, expand=True, fillcolor=_color(step["color"]))


def _flip(image: Image.Image, step: Step) -> Image.Image:
    return ImageOps.mirror(image) if step["axis"] == "horizontal" else ImageOps.flip(image)


def _text(image: Image.Image, step: Step) -> Image.Image:
    font: Any = _font(step.get("font"), step["size"])

    def draw(pen: ImageDraw.ImageDraw) -> None:
        pen.multiline_text(_box(step), _broken(step["text"], step["lineLength"]), _color(step["color"]), font)

    return _drawn(image, draw)


def _font(path: str | None, size: float) -> Any:
    if path is None:
        return ImageFont.load_default(size)
    try:
        return ImageFont.truetype(path, size)
    except OSError as error:
        raise ValueError("the font is no file of TrueType or OpenType") from error


def _broken(text: str, longest: int) -> str:
    lines = text.splitlines()
    return "\n".join("\n".join(textwrap.wrap(line, longest)) for line in lines) if longest else "\n".join(lines)


def _draw(image: Image.Image, step: Step) -> Image.Image:
    ends = [*_box(step), round(step["right"]), round(step["bottom"])]
    left, right = sorted(ends[::2])
    top, bottom = sorted(ends[1::2])
    color = _color(step["color"])

    def draw(pen: ImageDraw.ImageDraw) -> None:
        if step["shape"] == "line":
            pen.line(ends, color, round(step["thickness"]))
        elif step["shape"] == "ellipse":
            pen.ellipse((left, top, right, bottom), color)
        else:
            pen.rounded_rectangle((left, top, right, bottom), step["radius"], color)

    return _drawn(image, draw)


def _drawn(image: Image.Image, draw: Callable[[ImageDraw.ImageDraw], None]) -> Image.Image:
    """What is drawn lies upon the image: where it is half transparent, that shines through."""
    sheet = Image.new("RGBA", image.size)
    draw(ImageDraw.Draw(sheet))
    return Image.alpha_composite(image, sheet)


def _composite(image: Image.Image, step: Step) -> Image.Image:
    sheet = Image.new("RGBA", image.size)
    sheet.paste(_drawable(_opened(step["image"])), _box(step))
    return Image.alpha_composite(image, sheet)


def _blur(image: Image.Image, step: Step) -> Image.Image:
    return image.filter(ImageFilter.GaussianBlur(step["radius"]))


def _border(image: Image.Image, step: Step) -> Image.Image:
    width, height = round(step["width"]), round(step["height"])
    _require_size(image.width + 2 * width, image.height + 2 * height)
    return ImageOps.expand(image, (width, height), _color(step["color"]))


def _transparent(image: Image.Image, step: Step) -> Image.Image:
    """A pixel each of whose parts is near enough to that of the colour."""
    near = None
    for band, wanted in zip(image.split()[:3], _color(step["color"]), strict=False):
        fits = band.point([_OPAQUE * (abs(value - wanted) <= step["tolerance"]) for value in range(256)])
        near = fits if near is None else Image.composite(fits, Image.new("L", image.size), near)
    made = image.copy()
    made.putalpha(Image.composite(Image.new("L", image.size), image.getchannel("A"), near or image.getchannel("A")))
    return made


def _create(image: Image.Image, step: Step) -> Image.Image:
    del image
    size = round(step["width"]), round(step["height"])
    _require_size(*size)
    return Image.new("RGBA", size, _color(step["color"]))


_DO: Mapping[str, Callable[[Image.Image, Step], Image.Image]] = {
    "resize": _resize,
    "crop": _crop,
    "rotate": _rotate,
    "flip": _flip,
    "text": _text,
    "draw": _draw,
    "composite": _composite,
    "blur": _blur,
    "border": _border,
    "transparent": _transparent,
    "create": _create,
}


if __name__ == "__main__":
    limits.run(work)
