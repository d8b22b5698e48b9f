"""Texts of pages in the reader's language (docs/translations.md). What is written in the code is English; catalogues in
`translations/` say it in other languages. Answers of the API are always in English."""

from __future__ import annotations

from flask import Flask

from webapp.translation import formats, language, scripts, texts


def install(app: Flask) -> None:
    """Gives templates `_`, `ngettext` and `{% trans %}`, the filter `translated`, and what the layouts need."""
    environment = app.jinja_env
    environment.add_extension("jinja2.ext.i18n")
    environment.policies["ext.i18n.trimmed"] = True
    environment.install_gettext_callables(texts.look_up, texts.look_up_plural, newstyle=True)  # type: ignore[attr-defined]
    environment.globals["_"] = environment.globals["gettext"] = texts.gettext_in_template
    environment.globals["ngettext"] = texts.ngettext_in_template
    environment.filters |= {
        "translated": texts.translated,
        "number": formats.number,
        "percent": formats.percent,
        "filesizeformat": formats.size,
    }
    environment.globals |= {
        "language": language.current,
        "text_direction": language.direction,
        "script_texts": scripts.texts,
    }
