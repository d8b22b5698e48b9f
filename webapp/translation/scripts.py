"""The texts of scripts (`static/texts.js`), which a page carries with it; in English they need none."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

from markupsafe import Markup

from flowforge import jsonio
from webapp.translation import language
from webapp.translation.catalogues import read, translations

if TYPE_CHECKING:
    from babel.messages.catalog import Message

_SCRIPTS = "static/"
_NUMBERS = range(200)
"""All plural categories of a language have a number below."""


def texts() -> Markup:
    """JSON of the texts of scripts in the reader's language; empty where they are said as they are written. A text with
    plural forms has one by each category of CLDR that the language knows, as `Intl.PluralRules` names them."""
    return _texts(language.current())


@cache
def _texts(tag: str) -> Markup:
    catalog = read(tag, "messages")
    messages = [one for one in catalog or () if any(path.startswith(_SCRIPTS) for path, _ in one.locations)]
    found = {_ids(message)[0]: _translated(message, tag) for message in messages if message.string}
    text = jsonio.dumps(found).decode().replace("<", "\\u003c")
    return Markup(text if found else "")  # noqa: S704  (no tag is in it)


def _translated(message: Message, tag: str) -> object:
    if not message.pluralizable:
        return message.string
    from babel import Locale

    one, many = _ids(message)
    category_of = Locale.parse(tag, sep="-").plural_form
    return {category_of(number): translations(tag, "messages").ngettext(one, many, number) for number in _NUMBERS}


def _ids(message: Message) -> Sequence[str]:
    """The text, and its plural where it has one."""
    return (message.id,) if isinstance(message.id, str) else message.id
