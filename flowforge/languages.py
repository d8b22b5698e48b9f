"""The languages that there are: English, and one for each folder of translations (docs/translations.md)."""

from __future__ import annotations

from functools import cache
from pathlib import Path

TRANSLATIONS = Path(__file__).resolve().parents[1] / "translations"
ENGLISH = "en"


@cache
def languages() -> tuple[str, ...]:
    """Their BCP 47 tags, English first."""
    return (ENGLISH, *sorted(path.parents[1].name for path in TRANSLATIONS.glob("*/LC_MESSAGES/messages.po")))
