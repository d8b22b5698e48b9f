"""Addresses of a list whose filter and order stand in its address."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from flask import request


def asked_again(address: str, **changed: Any) -> str:
    """The address with all that this request asks by its query, some of it changed; what is empty is left out.

    A query may have any names, also those by which `url_for` takes arguments of its own.
    """
    wanted = {name: value for name, value in {**request.args.to_dict(), **changed}.items() if value}
    return f"{address}?{urlencode(wanted)}" if wanted else address
