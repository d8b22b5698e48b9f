"""Catalogues of translated texts, read when somebody first needs them."""

from __future__ import annotations

from functools import cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from flowforge.languages import TRANSLATIONS

if TYPE_CHECKING:
    from babel.messages import Catalog

Domain = Literal["messages", "declared"]
"""`messages` are the texts of pages: those of templates, scripts and views. `declared` are those that kinds declare:
titles, labels and helps of connectors, triggers, blocks, filters, connections and templates."""


@cache
def translations(language: str, domain: Domain) -> NullTranslations:
    """The compiled catalogue; texts that it lacks stay as they are."""
    catalog = read(language, domain)
    return compiled(catalog) if catalog else NullTranslations()


def read(language: str, domain: Domain) -> Catalog | None:
    """The catalogue as translators write it; None where there is none."""
    if not path_of(language, domain).exists():
        return None
    from babel import Locale  # 0.1 s, for those alone who use it
    from babel.messages.pofile import read_po

    with path_of(language, domain).open("rb") as file:
        return read_po(file, locale=Locale.parse(language, sep="-"), domain=domain)


def path_of(language: str, domain: Domain) -> Path:
    return TRANSLATIONS / language / "LC_MESSAGES" / f"{domain}.po"


def compiled(catalog: Catalog) -> GNUTranslations:
    from babel.messages.mofile import write_mo

    buffer = BytesIO()
    write_mo(buffer, catalog)
    buffer.seek(0)
    return GNUTranslations(buffer)
