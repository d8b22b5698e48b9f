"""`make translations`: extracts the texts that pages show, and brings the catalogues of all languages up to date.

Translations of texts that are gone leave with them. `--check` writes nothing: it names the texts that are not
translated, per language, and fails where there are any.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from babel import Locale
from babel.messages import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import write_po

from flowforge.languages import ENGLISH, languages
from flowforge.n8n.nodes.services import notes as notes_of_services
from scripts.declared_texts import declared_texts
from webapp.translation.catalogues import Domain, path_of, read

_ROOT = Path(__file__).resolve().parents[1]
_KEYWORDS: Mapping[str, Any] = {"gettext": None, "ngettext": (1, 2), "lazy": None, "_": None, "sentence": None}
_METHODS = {
    "templates": [("**.html", "jinja2.ext:babel_extract")],
    "webapp": [("**.py", "python")],
    "flowforge": [("**.py", "python")],
    "static": [("vendor/**", "ignore"), ("**.js", "javascript")],
}
"""Folders, and how their files are read."""
_OPTIONS = {"**.html": {"trimmed": "true", "silent": "false"}}
_WIDTH = 120


def main() -> None:
    is_check, is_complete = "--check" in sys.argv, True
    for language in languages():
        for template in () if language == ENGLISH else (messages(), declared()):
            merged = _merged(language, template)
            missing = _untranslated(merged)
            done = len(merged) - len(missing)
            sys.stdout.write(f"{language} {merged.domain}: {done} of {len(merged)} texts are translated\n")
            if is_check:
                sys.stdout.writelines(f"  {text!r}\n" for text in missing)
                is_complete = is_complete and not missing
            else:
                _write(language, merged)
    sys.exit(0 if is_complete else 1)


def untranslated(language: str, template: Catalog) -> list[str]:
    """The texts of `messages()` or `declared()` that the language's catalogue does not translate."""
    return _untranslated(_merged(language, template))


def messages() -> Catalog:
    """The texts of templates, scripts, views and sentences, and the notes in the tables of n8n's nodes."""
    found = Catalog(domain="messages", charset="utf-8")
    for folder, methods in _METHODS.items():
        extracted = extract_from_dir(_ROOT / folder, methods, _OPTIONS, _KEYWORDS)
        for name, line, text, comments, context in sorted(extracted, key=lambda one: (one[0], one[1])):
            found.add(text, locations=[(f"{folder}/{name}", line)], auto_comments=comments, context=context)
    for service, note in notes_of_services():
        found.add(note, locations=[(f"n8n:{service}", 0)])
    return found


def declared() -> Catalog:
    """The texts that kinds declare."""
    found = Catalog(domain="declared", charset="utf-8")
    for text, name in declared_texts().items():
        found.add(text, locations=[(name.replace(" ", ":"), 0)])
    return found


def _merged(language: str, template: Catalog) -> Catalog:
    """The template's texts with the translations that there are."""
    domain: Domain = "messages" if template.domain == "messages" else "declared"
    merged = read(language, domain) or Catalog(Locale.parse(language, sep="-"), domain)
    merged.update(template, no_fuzzy_matching=True, update_creation_date=False)
    merged.obsolete.clear()
    return merged


def _write(language: str, merged: Catalog) -> None:
    domain: Domain = "messages" if merged.domain == "messages" else "declared"
    with path_of(language, domain).open("wb") as file:
        write_po(file, merged, width=_WIDTH, sort_output=True, include_lineno=False, omit_header=True)


def _untranslated(catalog: Catalog) -> list[str]:
    return [_text(message) for message in catalog if message.id and not _is_translated(message)]


def _is_translated(message: Message) -> bool:
    return all(message.string if message.pluralizable else [message.string])


def _text(message: Message) -> str:
    return message.id if isinstance(message.id, str) else message.id[0]


if __name__ == "__main__":
    main()
