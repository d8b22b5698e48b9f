"""Icons: the symbols of the sprite `static/icons.svg`, which every declaration of a kind may use by their ids."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

SPRITE = Path(__file__).resolve().parents[1] / "static" / "icons.svg"


@cache
def icon_names() -> frozenset[str]:
    return frozenset(re.findall(r'<symbol id="([^"]+)"', SPRITE.read_text()))


def require_icon(name: str) -> None:
    """Raises ValueError, naming the icons there are."""
    if name not in icon_names():
        raise ValueError(f"there is no icon {name!r}; there are: {', '.join(sorted(icon_names()))}")
