"""Images: the node Edit Image, whose operations are those of IMAGE."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from flowforge.jsonio import JsonObject
from flowforge.n8n.asking import Asked, Left, Result
from flowforge.n8n.data import Data, Output
from flowforge.n8n.nodes import node
from flowforge.sentences import sentence

_WITH_ALPHA = re.compile(r"#[0-9A-Fa-f]{8}")
_FORMATS = ("png", "jpeg", "webp")
_RESIZED: Mapping[str, JsonObject] = {
    "maximumArea": {},
    "ignoreAspectRatio": {"fit": "exact"},
    "onlyIfLarger": {"only": "smaller"},
    "onlyIfSmaller": {"only": "larger"},
    "percent": {"unit": "percent", "fit": "exact"},
}


@node("editImage")
def edit_image(asked: Asked) -> Result:
    operation = asked.choice("operation", "border")
    if operation == "information":
        return _information(asked)
    many = operation == "multiStep"
    rows = asked.rows("operations.operations") if many else [{**asked.node.parameters, "operation": operation}]
    operations = [_operation(asked, row) for row in rows]
    config: JsonObject = {"operations": asked.needed(operations, sentence("the operations"), [{"do": "blur"}])}
    if not operations or operations[0]["do"] != "create":
        config = {"file": _file(asked), **config}
    return Output(asked.given.item, any_file=f"{asked.step('IMAGE', config | _written(asked))}.file")


def _information(asked: Asked) -> Output:
    """n8n's `size` holds width and height."""
    path = asked.step("IMAGE", {"file": _file(asked)})
    return Output(Data(path, {"size": path}), files=asked.given.files, any_file=asked.given.any_file)


def _file(asked: Asked) -> str:
    return asked.file(asked.text("dataPropertyName", "data"))


def _written(asked: Asked) -> JsonObject:
    format_, name = asked.text("options.format"), asked.text("options.fileName")
    if format_ and format_ not in _FORMATS:
        asked.note(sentence("it becomes a PNG: %(format)s is not written", format=format_))
        format_ = "png"
    given = {"format": format_, "name": name, "quality": asked.number("options.quality", 0)}
    return {key: value for key, value in given.items() if value}


def _operation(asked: Asked, row: JsonObject) -> JsonObject:
    name = str(row.get("operation", ""))
    if name not in _READ:
        raise Left(sentence("the operation '%(name)s' of images has no counterpart", name=name))
    return _READ[name](_Row(asked, row))


class _Row:
    """The parameters of one operation, with n8n's defaults where they are missing."""

    def __init__(self, asked: Asked, row: JsonObject) -> None:
        self.asked = asked
        self._row = row

    def word(self, key: str, default: str) -> str:
        return str(self._row.get(key) or default)

    def number(self, key: str, default: float) -> Any:
        return self.asked.number_of(self._row.get(key), default)

    def text(self, key: str) -> str:
        return self.asked.text_of(self._row.get(key))

    def color(self, key: str, default: str) -> str:
        """n8n's last two digits say how transparent it is, ours how opaque."""
        written = self.asked.text_of(self._row.get(key) or default)
        return f"{written[:7]}{255 - int(written[7:], 16):02x}" if _WITH_ALPHA.fullmatch(written) else written


def _resize(row: _Row) -> JsonObject:
    option = row.word("resizeOption", "maximumArea")
    if option not in _RESIZED:
        raise Left(sentence("the way '%(option)s' to resize an image has no counterpart", option=option))
    if option == "maximumArea":
        row.asked.note(sentence("the image fits into width and height: n8n gives it that many pixels"))
    return {"do": "resize", "width": row.number("width", 500), "height": row.number("height", 500), **_RESIZED[option]}


def _crop(row: _Row) -> JsonObject:
    size = {"width": row.number("width", 500), "height": row.number("height", 500)}
    return {"do": "crop", "left": row.number("positionX", 0), "top": row.number("positionY", 0), **size}


def _rotate(row: _Row) -> JsonObject:
    color = row.color("backgroundColor", "#ffffffff")
    return {"do": "rotate", "degrees": row.number("rotate", 0), "color": color}


def _text(row: _Row) -> JsonObject:
    """n8n's place is that of the first line's foot."""
    top, size = row.number("positionY", 50), row.number("fontSize", 18)
    if isinstance(top, int | float) and isinstance(size, int | float):
        top -= size
    row.asked.note(sentence("the font is a plain one, unless the operation names a file with another"))
    return {
        "do": "text",
        "text": row.asked.needed(row.text("text"), sentence("the text"), "Text"),
        "left": row.number("positionX", 50),
        "top": top,
        "size": size,
        "color": row.color("fontColor", "#000000"),
        "lineLength": row.number("lineLength", 80),
    }


def _draw(row: _Row) -> JsonObject:
    shape = {"circle": "ellipse"}.get(row.word("primitive", "rectangle"), row.word("primitive", "rectangle"))
    if shape == "ellipse":
        row.asked.note(sentence("a circle fills the box of its two points: n8n's is drawn around the first"))
    return {
        "do": "draw",
        "shape": shape,
        "left": row.number("startPositionX", 50),
        "top": row.number("startPositionY", 50),
        "right": row.number("endPositionX", 250),
        "bottom": row.number("endPositionY", 250),
        "color": row.color("color", "#ff000000"),
        "radius": row.number("cornerRadius", 0),
    }


def _composite(row: _Row) -> JsonObject:
    if row.word("operator", "Over") != "Over":
        raise Left(sentence("the images are put together by a rule other than 'Over'"))
    image = row.asked.file(row.text("dataPropertyNameComposite") or "data")
    return {
        "do": "composite",
        "image": image,
        "left": row.number("positionX", 0),
        "top": row.number("positionY", 0),
    }


def _border(row: _Row) -> JsonObject:
    size = {"width": row.number("borderWidth", 10), "height": row.number("borderHeight", 10)}
    return {"do": "border", **size, "color": row.color("borderColor", "#000000")}


def _create(row: _Row) -> JsonObject:
    size = {"width": row.number("width", 50), "height": row.number("height", 50)}
    return {"do": "create", **size, "color": row.color("backgroundColor", "#ffffff00")}


_READ: Mapping[str, Callable[[_Row], JsonObject]] = {
    "resize": _resize,
    "crop": _crop,
    "rotate": _rotate,
    "text": _text,
    "draw": _draw,
    "composite": _composite,
    "blur": lambda row: {"do": "blur", "radius": row.number("sigma", 2)},
    "border": _border,
    "transparent": lambda row: {"do": "transparent", "color": row.color("color", "#ff0000")},
    "create": _create,
}
