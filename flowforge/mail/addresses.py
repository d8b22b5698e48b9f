"""Mail addresses, as people write them and as mails carry them (RFC 5322, section 3.4), in one pass over the text.

    read_list('"Doe, Jane" <jane@example.org>, ann@example.org')

Read leniently: a comma in a name that nobody has quoted stays part of the name, semicolons separate as commas do, and
of a group its members count.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import idna

from flowforge.sentences import sentence

_TOKEN = re.compile(
    r'(?P<separator>[,;]) | "(?:[^"\\]++|\\.)*"? | <[^<>]*+>? | \((?:[^()\\]++|\\.)*\)? | [^"<(,;]++',
    re.DOTALL | re.VERBOSE,
)
_GROUP = re.compile(r'[^:"<>@\x00-\x08\x0a-\x1f\x85\u2028\u2029]*+:')
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_NEEDS_QUOTES = re.compile(r'[()<>\[\]:;@\\,"]')
_CONTROL = re.compile("[\x00-\x08\x0a-\x1f\x7f\x85\u2028\u2029]")
_LOCAL = re.compile(r"[^\s\"(),:;<>@\[\\\]\x00-\x1f\x7f]{1,64}+")
_QUOTED_LOCAL = re.compile(r'"(?:[^"\\\x00-\x1f\x7f]|\\[\x20-\x7e]){0,62}"')
_DOMAIN = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}+(?:\.[A-Za-z0-9_-]{1,63}+)*", re.ASCII)
_LITERAL = re.compile(r"\[[0-9A-Za-z:.]{2,60}\]", re.ASCII)
_LONGEST_DOMAIN = 253
_LONGEST = 1_000
_LONGEST_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Address:
    """A person's name, often empty, and a mailbox, whose domain is in ASCII, as mail servers know it."""

    name: str
    local: str
    domain: str

    @property
    def mailbox(self) -> str:
        return f"{self.local}@{self.domain}"

    def __str__(self) -> str:
        return written(self.name, self.mailbox)


def read_list(text: str) -> list[Address]:
    """All addresses of the text. Raises ValueError, which names the piece that is none."""
    return [read(piece) for piece in split(text)]


def read(text: str) -> Address:
    """The one address that the text is. Raises ValueError."""
    name, mailbox = name_and_mailbox(text)
    local, _, domain = mailbox.rpartition("@")
    domain = _ascii_domain(domain)
    is_local = _LOCAL.fullmatch(local) or _QUOTED_LOCAL.fullmatch(local)
    if not is_local or not domain or _CONTROL.search(name) or len(text) > _LONGEST:
        raise ValueError(sentence("%(text)s is not a mail address", text=repr(text[:_LONGEST_SHOWN])))
    return Address(name, local, domain)


def read_or_none(text: str) -> Address | None:
    """The one address that the text is; None where it is none."""
    try:
        return read(text)
    except ValueError:
        return None


def split(text: str) -> Iterator[str]:
    """The text of each address in a list of them, whether or not it can be used."""
    names: list[str] = []
    for piece in _between_separators(text):
        if "@" not in piece and "<" not in piece:
            names.append(piece)
        elif piece.endswith(">"):
            yield ", ".join((*names, piece))
            names = []
        else:
            yield from (*names, piece)
            names = []
    yield from names


def name_and_mailbox(text: str) -> tuple[str, str]:
    """Takes one address apart, whether or not it can be used: `Name <mailbox>`, `mailbox (Name)`, `mailbox`."""
    text, comment = text.strip(), ""
    if text.endswith(")"):
        text, _, comment = text[:-1].rpartition("(")
        text = text.rstrip()
    if text.endswith(">") and "<" in text:
        name, _, mailbox = text[:-1].rpartition("<")
        return _unquoted(name), mailbox.strip()
    return comment.strip(), text


def written(name: str, mailbox: str) -> str:
    """An address as people read it, and as `read` takes it."""
    if not name or not mailbox:
        return name or mailbox
    return f"{quoted(name) if _NEEDS_QUOTES.search(name) else name} <{mailbox}>"


def quoted(name: str) -> str:
    """A name as a quoted string (RFC 5322, section 3.2.4)."""
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _between_separators(text: str) -> Iterator[str]:
    """The pieces that are not empty, without the names of groups."""
    begin = 0
    for token in _TOKEN.finditer(text):
        if token["separator"]:
            yield from _piece(text[begin : token.start()])
            begin = token.end()
    yield from _piece(text[begin:])


def _piece(text: str) -> Iterator[str]:
    text = text.strip()
    group = _GROUP.match(text)
    piece = text[group.end() :].strip() if group else text
    if piece:
        yield piece


def _unquoted(name: str) -> str:
    name = name.strip()
    if not name.startswith('"'):
        return name
    return _ESCAPED.sub(r"\1", name[1:].removesuffix('"')).strip()


def _ascii_domain(domain: str) -> str:
    """Empty where it is none. Names in other scripts are written in ASCII as IDNA says (RFC 5891)."""
    if _LITERAL.fullmatch(domain):
        return domain
    if not domain.isascii() and len(domain) <= _LONGEST_DOMAIN:
        try:
            domain = idna.encode(domain, uts46=True).decode("ascii")
        except UnicodeError:
            return ""
    return domain if len(domain) <= _LONGEST_DOMAIN and _DOMAIN.fullmatch(domain) else ""
