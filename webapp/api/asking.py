"""Query parameters, read strictly."""

from __future__ import annotations

from flask import request

from flowforge.errors import Invalid


def flag(name: str, default: bool = False) -> bool:
    """Raises Invalid for anything but true and false."""
    text = request.args.get(name, str(default)).lower()
    if text not in ("true", "false"):
        raise Invalid.at(f"/{name}", "must be true or false")
    return text == "true"
