"""APIs as people and clients request them, read from their JSON."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import urlsplit, urlunsplit

from flowforge.errors import Problem, raise_any
from flowforge.field_reader import FieldReader
from flowforge.sentences import sentence

LONGEST_ADDRESS = 2_000
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
_WRONG_NAME = sentence("must be small letters, digits, _ and -, at most 63 of them, and begin with a letter or digit")


@dataclass(frozen=True, slots=True)
class DescriptionSource:
    """Where a description comes from: an address, or a file with its content."""

    address: str = ""
    file: bytes = b""
    file_name: str = ""

    @property
    def place(self) -> str:
        """The address without what may be secret in it: relative addresses in the file start there."""
        parts = urlsplit(self.address)
        return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))

    @classmethod
    def read(cls, raw: Mapping[str, Any]) -> Self:
        """Raises Invalid."""
        fields = FieldReader(raw)
        source = cls.taken(fields)
        raise_any(fields.problems)
        return source

    @classmethod
    def taken(cls, fields: FieldReader) -> Self:
        """The source as `fields` have it, which also keeps what is wrong with it."""
        address = fields.take(
            "address", str, sentence("must be a text of at most %(most)s characters", most=LONGEST_ADDRESS), _is_short
        )
        file = fields.take("file", str, sentence("must be the text of the file"))
        name = fields.take(
            "fileName", str, sentence("must be a text of at most 200 characters"), lambda text: len(text) <= 200
        )
        if bool(address and address.strip()) == bool(file):
            fields.problems.append(Problem("/address", sentence("give either the address of a description, or a file")))
        return cls((address or "").strip(), (file or "").encode("utf-8", "surrogatepass"), name or "")


@dataclass(frozen=True, slots=True)
class NewApi:
    source: DescriptionSource
    name: str = ""
    """Empty: made from the title."""

    @classmethod
    def read(cls, raw: Mapping[str, Any]) -> Self:
        """Raises Invalid."""
        fields = FieldReader(raw)
        name = fields.take("name", str, _WRONG_NAME, lambda text: not text or is_name(text))
        source = DescriptionSource.taken(fields)
        raise_any(fields.problems)
        return cls(source, name or "")


@dataclass(frozen=True, slots=True)
class ChosenActions:
    """The ids of the operations that are offered as actions, in place of those before."""

    ids: tuple[str, ...]

    @classmethod
    def read(cls, raw: Mapping[str, Any]) -> Self:
        """Raises Invalid."""
        fields = FieldReader(raw)
        ids = fields.require("actions", list, sentence("must be a list of ids of operations"))
        if ids is not None and not all(isinstance(each, str) for each in ids):
            fields.problems.append(Problem("/actions", sentence("must be a list of ids of operations")))
        raise_any(fields.problems)
        return cls(tuple(dict.fromkeys(ids or ())))


def is_name(text: str) -> bool:
    """Whether steps can call an API by it."""
    return _NAME.fullmatch(text) is not None


def name_from(title: str) -> str:
    """A name made from a title: `petstore` from `Swagger Petstore - OpenAPI 3.0`, say, is left to people."""
    slug = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")[:40].strip("-")
    return slug or "api"


def _is_short(text: str) -> bool:
    return len(text) <= LONGEST_ADDRESS
