"""The request for one page, as far as it differs from the others."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urljoin

from flowforge import jsonio
from flowforge.connectors.answer_paths import AnswerPath
from flowforge.connectors.http_client.parameters import Pair, without_parameters
from flowforge.jsonio import JsonObject

_LINK = re.compile(r'<([^<>]*)>((?:\s*;\s*[^,;"\s=]+(?:\s*=\s*(?:"[^"]*"|[^,;"\s]*))?)*)')
_REL = re.compile(r';\s*rel\s*=\s*(?:"([^"]*)"|([^,;"\s]*))', re.IGNORECASE)
_LONGEST_QUOTE = 200


@dataclass(frozen=True, slots=True)
class Page:
    """The request for one page, as far as it differs from the others: a link, or a parameter."""

    link: str = ""
    parameter: str = ""
    value: str | int | None = None
    sent_in: Literal["query", "body"] = "query"

    def url(self, own: str) -> str:
        """The address, where that of the step is `own`; the parameter is sent once, though it stands there."""
        if self.link:
            return urljoin(own.strip(), self.link)
        return without_parameters(own, {self.parameter}) if self.parameter and self.sent_in == "query" else own

    def query(self, own: Sequence[Pair]) -> Sequence[Pair]:
        """The parameters, where those of the step are `own`; a link has all that it needs."""
        if self.link:
            return ()
        if not self.parameter or self.sent_in == "body":
            return own
        return [*(pair for pair in own if pair[0] != self.parameter), (self.parameter, str(self.value))]

    def body(self, own: Any) -> Any:
        """The body, where that of the step is `own`."""
        if not self.parameter or self.sent_in == "query":
            return own
        return AnswerPath.read(self.parameter).replaced_in(own, self.value)

    @property
    def identity(self) -> str:
        """Tells it from others."""
        return jsonio.dumps([self.link, self.value]).decode()

    @property
    def shown(self) -> str:
        """The link, or the value, as a message shows it."""
        return str(self.link or self.value)[:_LONGEST_QUOTE]

    def as_json(self) -> JsonObject:
        return {"link": self.link, "parameter": self.parameter, "value": self.value, "sent_in": self.sent_in}


ONLY_PAGE = Page()
"""The request as the step has it."""


def next_in_header(sent: str | list[str]) -> str | None:
    """The link to the next page in a header Link, which may have come several times (RFC 8288, 3)."""
    for target, parameters in _LINK.findall(", ".join(sent) if isinstance(sent, list) else sent):
        relations = _REL.search(parameters)
        if relations and "next" in (relations[1] or relations[2]).lower().split():
            return str(target)
    return None
