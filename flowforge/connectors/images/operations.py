"""The operations of IMAGE, in the order in which forms offer them. Lengths are pixels, from the upper left corner."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from flowforge.connectors.config import ConnectorConfig
from flowforge.connectors.files import File
from flowforge.fields import field
from flowforge.sentences import sentence

_FAR = 30_000
LONGEST_TEXT = 5_000

Length = Annotated[float, Field(ge=1, le=_FAR, allow_inf_nan=False)]
Offset = Annotated[float, Field(ge=-_FAR, le=_FAR, allow_inf_nan=False)]
_HEXADECIMAL = re.compile(r"#[0-9A-Fa-f]{3,4}|#([0-9A-Fa-f]{2}){3,4}")


def _require_color(text: str) -> str:
    color = text.strip()
    if not _HEXADECIMAL.fullmatch(color) and not _is_name(color):
        raise ValueError(sentence("%(text)s is no colour: #cc0000, #cc000080 or red", text=repr(text[:50])))
    return color


def _is_name(color: str) -> bool:
    from PIL import ImageColor  # takes its time to load, and most colours are not named

    return color.lower() in ImageColor.colormap


Color = Annotated[str, AfterValidator(_require_color)]
"""`#rrggbb`, with `aa` for how opaque it is; or a name of CSS."""
_COLOR = "Such as #cc0000, red, or #cc000080, which is half transparent."


class ImageOperation(ConnectorConfig):
    """One change of an image. Each has the field `do`, its name."""


class Resize(ImageOperation):
    do: Literal["resize"] = field(title="Operation")
    width: Length | None = field(None, title="Width")
    height: Length | None = field(None, title="Height", description="Of one that is empty, as the other demands.")
    unit: Literal["pixels", "percent"] = field("pixels", title="In", labels={"pixels": "Pixels", "percent": "Percent"})
    fit: Literal["inside", "cover", "exact"] = field(
        "inside",
        title="Fit",
        labels={"inside": "Whole image inside", "cover": "Filled, the rest cut off", "exact": "Distorted to it"},
    )
    only: Literal["any", "smaller", "larger"] = field(
        "any", title="Make it", labels={"any": "Fit", "smaller": "Only smaller", "larger": "Only larger"}
    )

    @model_validator(mode="after")
    def _require_a_side(self) -> Resize:
        if self.width is None and self.height is None:
            raise ValueError(sentence("width or height is needed"))
        return self


class Crop(ImageOperation):
    do: Literal["crop"] = field(title="Operation")
    left: Offset = field(0, title="Left")
    top: Offset = field(0, title="Top")
    width: Length = field(title="Width")
    height: Length = field(title="Height")


class Rotate(ImageOperation):
    do: Literal["rotate"] = field(title="Operation")
    degrees: float = field(title="Degrees", description="Clockwise.", ge=-360, le=360, allow_inf_nan=False)
    color: Color = field("#ffffff00", title="Colour of the corners", description=_COLOR)


class Flip(ImageOperation):
    do: Literal["flip"] = field(title="Operation")
    axis: Literal["horizontal", "vertical"] = field(
        "horizontal", title="Swap", labels={"horizontal": "Left and right", "vertical": "Top and bottom"}
    )


class Text(ImageOperation):
    do: Literal["text"] = field(title="Operation")
    text: str = field(title="Text", max_length=LONGEST_TEXT, multiline=True)
    left: Offset = field(0, title="Left")
    top: Offset = field(0, title="Top")
    size: float = field(18, title="Size", ge=1, le=1_000, allow_inf_nan=False)
    color: Color = field("black", title="Colour", description=_COLOR)
    line_length: int = field(
        0,
        title="Longest line",
        description="Characters, after which a line is broken; 0: none is.",
        ge=0,
        le=LONGEST_TEXT,
    )
    font: File | None = field(
        None, title="Font", description="A file, TrueType or OpenType. Empty: a plain sans serif."
    )


class Draw(ImageOperation):
    do: Literal["draw"] = field(title="Operation")
    shape: Literal["rectangle", "ellipse", "line"] = field(
        "rectangle", title="Shape", labels={"rectangle": "Rectangle", "ellipse": "Ellipse", "line": "Line"}
    )
    left: Offset = field(0, title="Left", description="For a line, where it begins.")
    top: Offset = field(0, title="Top")
    right: Offset = field(title="Right", description="For a line, where it ends.")
    bottom: Offset = field(title="Bottom")
    color: Color = field("black", title="Colour", description=_COLOR)
    radius: float = field(0, title="Round corners", description="Of a rectangle.", ge=0, le=_FAR)
    thickness: float = field(1, title="Thickness", description="Of a line.", ge=1, le=1_000)


class Composite(ImageOperation):
    do: Literal["composite"] = field(title="Operation")
    image: File = field(title="Image", description="Put upon the other.")
    left: Offset = field(0, title="Left")
    top: Offset = field(0, title="Top")


class Blur(ImageOperation):
    do: Literal["blur"] = field(title="Operation")
    radius: float = field(5, title="Radius", ge=0, le=500, allow_inf_nan=False)


class Border(ImageOperation):
    do: Literal["border"] = field(title="Operation")
    width: float = field(10, title="Left and right", ge=0, le=_FAR, allow_inf_nan=False)
    height: float = field(10, title="Top and bottom", ge=0, le=_FAR, allow_inf_nan=False)
    color: Color = field("black", title="Colour", description=_COLOR)


class Transparent(ImageOperation):
    do: Literal["transparent"] = field(title="Operation")
    color: Color = field("white", title="Colour that becomes transparent")
    tolerance: int = field(0, title="Tolerance", description="How far a colour may be from it, of 255.", ge=0, le=255)


class Create(ImageOperation):
    do: Literal["create"] = field(title="Operation")
    width: Length = field(title="Width")
    height: Length = field(title="Height")
    color: Color = field("white", title="Colour", description=_COLOR)


AnyImageOperation = Annotated[
    Resize | Crop | Rotate | Flip | Text | Draw | Composite | Blur | Border | Transparent | Create,
    Field(discriminator="do", title="Operation"),
]
