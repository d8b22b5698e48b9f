"""Texts in the reader's language. Names in them are `%(name)s`; a percent sign that is meant is written twice."""

from __future__ import annotations

from markupsafe import Markup, escape

from webapp.translation import language
from webapp.translation.catalogues import translations
from webapp.translation.formats import number


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


def ngettext_in_template(one: str, many: str, count: int, **values: object) -> Markup:
    """The same for templates, where the text is HTML and values are escaped; `num` is Jinja's name for the number."""
    shown = {"count": number(count), "num": number(count), **values}
    return Markup(look_up_plural(one, many, count)) % shown  # noqa: S704  (texts are ours, not people's)


def look_up(text: str) -> str:
    return translations(language.current(), "messages").gettext(text)


def look_up_plural(one: str, many: str, count: int) -> str:
    return translations(language.current(), "messages").ngettext(one, many, count)
