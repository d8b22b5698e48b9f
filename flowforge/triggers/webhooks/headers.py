"""Names of headers, as configs have them."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator

from flowforge.sentences import sentence

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")
"""RFC 9110, section 5.1."""


def _header_name(text: str) -> str:
    if not _TOKEN.fullmatch(text):
        raise ValueError(sentence("must be the name of a header, such as X-Api-Key"))
    return text


HeaderName = Annotated[str, AfterValidator(_header_name)]
