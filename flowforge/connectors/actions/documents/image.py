"""IMAGE: what image a file holds, and another one made of it."""

from __future__ import annotations

from pathlib import PurePath
from typing import Literal, Self

from pydantic import model_validator

from flowforge.connectors.sdk import (
    AnyImageOperation,
    ConnectorConfig,
    File,
    StepContext,
    child,
    connector,
    field,
    first_of,
    foreign_files,
)
from flowforge.file_values import AnyFile
from flowforge.jsonio import JsonObject
from flowforge.sentences import sentence

_IMAGES = child.Program("image_program", memory=1024 * 1024 * 1024, work="the work on the image")
_FILES = ("image", "font")


class Config(ConnectorConfig):
    file: File | None = field(None, title="Image", description="Empty where the first operation is create.")
    operations: list[AnyImageOperation] = field(
        [],
        title="Operations",
        description="Done one after another. With none, and no format, the step only tells what image it is.",
        max_length=50,
    )
    format: Literal["", "png", "jpeg", "webp"] = field(
        "", title="Format", labels={"": "As it is", "png": "PNG", "jpeg": "JPEG", "webp": "WebP"}
    )
    quality: int = field(85, title="Quality", description="Of JPEG and WebP.", ge=1, le=100)
    name: str = field("", title="File name", description="Empty: that of the image.", max_length=200)

    @model_validator(mode="after")
    def _require_an_image(self) -> Self:
        if self.file is None and not (self.operations and self.operations[0].do == "create"):
            raise ValueError(sentence("file is required, unless the first operation is create"))
        return self


@connector(
    "IMAGE",
    Config,
    title="Image",
    help="Resizes, crops, rotates, draws and writes on an image, puts two together, or tells its size.",
    icon="apis",
    keywords=("picture", "photo", "resize", "crop", "png", "jpeg", "webp", "watermark", "thumbnail", "convert"),
    summary=first_of("name", "file"),
    repeatable=True,
)
def image(config: Config, context: StepContext) -> JsonObject:
    operations, others = _numbered(config)
    request = {"operations": operations, "format": config.format, "quality": config.quality}
    with foreign_files.making(_IMAGES, context, request, config.file, others) as ((about,), path):
        if not path.exists():
            return dict(about)
        with path.open("rb") as made:
            kept = context.files.keep(made, _name(config, about["format"]), f"image/{about['format']}")
    return {**about, "file": kept.as_json()}


def _numbered(config: Config) -> tuple[list[JsonObject], list[AnyFile]]:
    """The operations with numbers in place of their files, and these files."""
    operations: list[JsonObject] = []
    others: list[AnyFile] = []
    for operation in config.operations:
        files = {key: file for key in _FILES if (file := getattr(operation, key, None)) is not None}
        numbers = {key: len(others) + number for number, key in enumerate(files)}
        operations.append(operation.model_dump(by_alias=True, exclude=set(_FILES)) | numbers)
        others += files.values()
    return operations, others


def _name(config: Config, format_: str) -> str:
    suffix = {"jpeg": "jpg"}.get(format_, format_)
    return config.name or f"{PurePath(config.file.name if config.file else 'image').stem}.{suffix}"
