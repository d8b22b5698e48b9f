"""Texts in the reader's language. Names in them are `%(name)s`; a percent sign that is meant is written twice."""

from __future__ import annotations

from functools import lru_cache
from gettext import NullTranslations

from markupsafe import Markup, escape

from flowforge.sentences import Count, Sentence, message_of
from webapp.translation import language
from webapp.translation.catalogues import translations
from webapp.translation.formats import number

_MOST_KEPT = 10_000


def gettext(text: str, **values: object) -> str:
    """The text in the reader's language, with values for the names in it."""
    return look_up(text) % values


def ngettext(one: str, many: str, count: int, **values: object) -> str:
    """The form of the text for so many, in the reader's language. `%(count)s` stands for the number."""
    return look_up_plural(one, many, count) % {"count": number(count), **values}


class LazyText(str):
    """A text that is put into the reader's language when it is shown: a template that prints it, an f-string and
    `str()` do. Compared or looked up, it is the English text."""

    __slots__ = ()

    def __str__(self) -> str:
        return gettext(self[:])

    def __format__(self, specification: str) -> str:
        return format(str(self), specification)

    def __html__(self) -> Markup:
        return escape(str(self))


def lazy(text: str) -> str:
    """Marks a text of a module or class, where no reader is known yet."""
    return LazyText(text)


def translated(text: str) -> str:
    """The text of a declaration in the reader's language: a title, a label, a help. It holds no names."""
    return translations(language.current(), "declared").gettext(text) if text else text


def gettext_in_template(text: str, /, **values: object) -> Markup:
    """The text for templates, where it is HTML and values are escaped."""
    return Markup(look_up(text)) % values if values else _plain(_messages(), text)  # noqa: S704  (as below)


@lru_cache(_MOST_KEPT)
def _plain(messages: NullTranslations, text: str) -> Markup:
    """A text without values; kept, since a list shows the same few in each of its rows."""
    return Markup(messages.gettext(text)) % {}  # noqa: S704  (texts are ours, not people's)


def said(text: str) -> str:
    """A sentence of the core (`flowforge.sentences`) in the reader's language; what the catalogues lack as it is."""
    if isinstance(text, Sentence) and text.values:
        return look_up(text.template) % {name: _said_value(value) for name, value in text.values.items()}
    return look_up(text) if text else text


def said_by(error: Exception) -> str:
    """What the error says (`flowforge.sentences.message_of`) in the reader's language."""
    return said(message_of(error))


def _said_value(value: object) -> object:
    if isinstance(value, Sentence):
        return said(value)
    return number(int(value)) if isinstance(value, Count) else value


def ngettext_in_template(one: str, many: str, count: int, **values: object) -> Markup:
    """The same for a number; `num` is Jinja's name for it."""
    shown = {"count": number(count), "num": number(count), **values}
    return Markup(look_up_plural(one, many, count)) % shown  # noqa: S704  (texts are ours, not people's)


def look_up(text: str) -> str:
    return _messages().gettext(text)


def look_up_plural(one: str, many: str, count: int) -> str:
    return _messages().ngettext(one, many, count)


def _messages() -> NullTranslations:
    return translations(language.current(), "messages")
