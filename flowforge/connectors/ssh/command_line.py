"""Commands as people write them for a shell (POSIX.1-2024, Shell Command Language), with expressions whose values no
shell reads: each goes in as a variable, quoted."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from itertools import count
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, WithJsonSchema

from flowforge import jsonio
from flowforge.connectors.config import Separated
from flowforge.sentences import sentence

HOLE = "\0"
"""Stands for an expression."""
_MISPLACED = sentence(
    "an expression stands inside %(place)s: write it outside, where its value is one word, or give the value to a"
    ' variable of the environment and write "$NAME"'
)
_PLACES = {
    "#": sentence("a comment"),
    "<": sentence("a here-document"),
    "(": "((…))",
    "\\": sentence("a word with a backslash before it"),
}
_QUOTES = sentence("quotes")
_TOKEN = re.compile(
    r"""\\.                           # quotes a character
      | \$'(?:\\.|[^'\\])*'?
      | '[^']*'?
      | "(?:\\.|[^"\\])*"?
      | (?<![^\s;&|()])\#[^\n]*       # a comment, to the end of the line
      | <<<
      | <<.*                          # here-documents: whatever follows may belong to one
      | \(\((?:[^)]|\)(?!\)))*
      | .""",
    re.DOTALL | re.VERBOSE,
)
_ALONE = re.compile(rf"(?<![^\s;&|()<>`])(?<!\\.){HOLE}(?![^\s;&|()<>`])", re.DOTALL)
"""An expression that is a word of its own."""
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def split_command(masked: str) -> list[str]:
    """The text before the first expression, that expression, the text up to the next one, ...; each is a NUL in
    `masked`. Raises ValueError for one whose value would be read by a shell."""
    if masked.strip() == HOLE:
        raise ValueError(sentence("one expression is one word: write sh -c {{ … }} for a script that is computed"))
    for token in tokens_of(masked):
        if HOLE in token and token != HOLE:
            raise ValueError(_MISPLACED.with_values(place=_PLACES.get(token[0], _QUOTES)))
    return re.split(f"({HOLE})", masked)


def tokens_of(command: str) -> list[str]:
    """The command taken apart as a shell reads it: what is quoted or commented out, and single characters."""
    return _TOKEN.findall(command)


def _parts(value: Any) -> list[Any]:
    """A text without expressions is one part."""
    parts = list(value) if isinstance(value, list | tuple) else [value]
    if not parts or not all(isinstance(text, str) for text in parts[::2]):
        raise ValueError(sentence("has to be a text"))
    return parts


def _require_text(parts: tuple[Any, ...]) -> tuple[Any, ...]:
    if len(parts) == 1 and not parts[0].strip():
        raise ValueError(sentence("is empty"))
    return parts


CommandLine = Annotated[
    tuple[Any, ...],
    Separated(split_command),
    BeforeValidator(_parts),
    AfterValidator(_require_text),
    WithJsonSchema({"type": "string"}),
]
"""A command: every other part of it is the value of an expression, as `split_command` has it."""


def _names(environment: Mapping[str, str]) -> Mapping[str, str]:
    for name in environment:
        if not _NAME.fullmatch(name):
            raise ValueError(
                sentence("%(name)s cannot be the name of a variable: letters, digits and _", name=repr(name[:50]))
            )
    return environment


Environment = Annotated[dict[str, str], AfterValidator(_names)]


def script(command: tuple[Any, ...], environment: Mapping[str, str], folder: str) -> str:
    """What a shell is given. Raises ValueError for a value that no command can hold."""
    _require_lists_alone(command)
    numbers = count(1)
    values = [{f"_value{next(numbers)}": word for word in _words(value)} for value in command[1::2]]
    lines = [f"export {name}={shlex.quote(value)}" for name, value in environment.items()]
    lines += [f"cd -- {shlex.quote(folder)} || exit"] if folder else []
    lines += [f"{name}={shlex.quote(word)}" for named in values for name, word in named.items()]
    written = "\n".join([*lines, "".join(_with_names(command, values))])
    if HOLE in written:
        raise ValueError(sentence("the values of a command hold no NUL: give such data as its input"))
    return written


def _require_lists_alone(command: tuple[Any, ...]) -> None:
    """The words of a list that touches others would be something else: after NAME= the second one is a command, and a
    folder before one that is empty stands there alone."""
    masked = HOLE.join(command[::2])
    for hole, value in zip(re.finditer(HOLE, masked), command[1::2], strict=True):
        if isinstance(value, list) and not _ALONE.match(masked, hole.start()):
            raise ValueError(
                sentence("a list is several words: write spaces around its expression, or join it to one text")
            )


def _with_names(command: tuple[Any, ...], values: list[dict[str, str]]) -> Iterator[str]:
    """The texts of a command, with the names of the variables between them."""
    yield command[0]
    for named, text in zip(values, command[2::2], strict=True):
        yield " ".join(f'"${name}"' for name in named)
        yield text


def _words(value: Any) -> list[str]:
    """A list is several words, or none."""
    return [_word(member) for member in value] if isinstance(value, list) else [_word(value)]


def _word(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else jsonio.dumps(value).decode()
