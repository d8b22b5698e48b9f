"""Command lines of curl, read into the request that they send (https://curl.se/docs/manpage.html).

Quotes are those of POSIX shells, with `$'…'`, of Windows' cmd (`^`), and of PowerShell as far as lines go on by a
backtick. Reading takes time linear in the length, which is bounded.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from urllib.parse import quote_plus, urlsplit

from flowforge.errors import Invalid
from flowforge.sentences import Count, sentence

LONGEST = 300_000
MOST_WORDS = 2_000
_START = re.compile(r"\s*(?:\$\s+)?curl(?:\.exe)?\s", re.IGNORECASE)
_CONTINUATIONS = re.compile(r"[\\^`][ \t]*\r?\n")
_OF_CMD = re.compile(r'\^[\r\n"]')
_CARET = re.compile(r"\^([\s\S])")
_ENDS_THE_COMMAND = "|;&<>\n\r"
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v", "e": "\x1b", "E": "\x1b"}
_NUMBER = re.compile(r"x([0-9a-fA-F]{1,2})|u([0-9a-fA-F]{1,4})|U([0-9a-fA-F]{1,8})|([0-7]{1,3})")
_JSON = "application/json"
_FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class CurlCall:
    method: str
    query: str
    """Of the URL, without the question mark."""
    headers: tuple[tuple[str, str], ...]
    """In the order in which they are sent, the media type of the body among them."""
    body: str


def is_curl(text: str) -> bool:
    """Whether the text is, or wants to be, a command line of curl."""
    return _START.match(text) is not None


def read_curl(text: str) -> CurlCall:
    """Read a command line. Raises Invalid with a sentence that says what of it is not understood."""
    if len(text) > LONGEST:
        raise _refuse(sentence("has more than %(most)s characters", most=Count(LONGEST)))
    _, *words = _words(text)
    command = _Command()
    remaining = iter(words)
    for word in remaining:
        _take(command, word, remaining)
    return command.call()


@dataclass(slots=True)
class _Command:
    """The options that were read so far."""

    urls: list[str] = field(default_factory=list)
    method: str = ""
    headers: list[tuple[str, str]] = field(default_factory=list)
    data: list[str] = field(default_factory=list)
    is_json: bool = False
    data_in_query: bool = False
    is_head: bool = False

    def call(self) -> CurlCall:
        if len(self.urls) != 1:
            raise _refuse(sentence("names no URL") if not self.urls else sentence("names several URLs"))
        joined = "".join(self.data) if self.is_json else "&".join(self.data)
        query, body = _query_of(self.urls[0]), joined
        if self.data_in_query:
            query, body = "&".join(filter(None, (query, joined))), ""
        usual = "HEAD" if self.is_head else "POST" if body else "GET"
        return CurlCall((self.method or usual).upper(), query, tuple(self._all_headers(body)), body)

    def _all_headers(self, body: str) -> Iterator[tuple[str, str]]:
        yield from self.headers
        if body and not any(name.lower() == "content-type" for name, _ in self.headers):
            yield "Content-Type", _JSON if self.is_json or body.lstrip()[:1] in ("{", "[") else _FORM


def _refuse(what: str) -> Invalid:
    return Invalid.at("/body", sentence("is a curl command that cannot be used: it %(what)s", what=what))


def _query_of(url: str) -> str:
    try:
        return urlsplit(url if "//" in url else f"http://{url}").query
    except ValueError:
        raise _refuse(sentence("has a URL that cannot be read")) from None


def _take(command: _Command, word: str, remaining: Iterator[str]) -> None:
    """Read one word of the command, with the value that belongs to it."""
    if word.startswith("--"):
        _apply(command, word, lambda: _next(word, remaining))
    elif word.startswith("-") and len(word) > 1:
        _take_short(command, word, remaining)
    else:
        command.urls.append(word)


def _take_short(command: _Command, word: str, remaining: Iterator[str]) -> None:
    """Read letters behind one dash, such as `-sXPOST`: what follows a letter that takes a value is the value."""
    for index, letter in enumerate(word[1:], 2):
        option, rest = _LONG.get(letter), word[index:]
        if option is None:
            raise _refuse(sentence("has the option -%(letter)s, which is not supported", letter=letter))
        if option in _VALUES or option in _IGNORED_WITH_VALUE:
            return _apply(command, option, partial(_own_or_next, rest, f"-{letter}", remaining))
        _apply(command, option, str)
    return None


def _own_or_next(rest: str, option: str, remaining: Iterator[str]) -> str:
    return rest or _next(option, remaining)


def _next(option: str, remaining: Iterator[str]) -> str:
    value = next(remaining, None)
    if value is None:
        raise _refuse(sentence("ends after %(option)s, which needs a value", option=option))
    return value


def _apply(command: _Command, option: str, value: Callable[[], str]) -> None:
    if option in _REFUSED:
        raise _refuse(_REFUSED[option])
    if option in _VALUES:
        _VALUES[option](command, value())
    elif option in _SWITCHES:
        _SWITCHES[option](command)
    elif option in _IGNORED_WITH_VALUE:
        value()
    elif option not in _IGNORED and not option.startswith("--no-"):
        raise _refuse(sentence("has the option %(option)s, which is not supported", option=option[:40]))


def _add_header(command: _Command, written: str) -> None:
    """`Name: value`; `Name;` sends an empty one, `Name:` none."""
    name, colon, value = written.partition(":")
    is_empty = not colon and name.endswith(";")
    if not colon and not is_empty:
        raise _refuse(sentence("has the header “%(written)s”, which has no colon", written=written[:60]))
    if value.strip() or is_empty:
        command.headers.append((name.removesuffix(";").strip(), value.strip()))


def _add_data(command: _Command, written: str) -> None:
    if written.startswith("@"):
        raise _refuse(sentence("sends a file (@); put its content here instead"))
    command.data.append(written)


def _add_encoded(command: _Command, written: str) -> None:
    name, equals, value = written.partition("=")
    if "@" in name:
        raise _refuse(sentence("sends a file (@); put its content here instead"))
    command.data.append(f"{name}={quote_plus(value)}" if equals and name else quote_plus(value if equals else written))


def _add_json(command: _Command, written: str) -> None:
    _add_data(command, written)
    command.is_json = True


def _set(name: str, value: object) -> Callable[[_Command], None]:
    return lambda command: setattr(command, name, value)


def _header(name: str, make: Callable[[str], str] = str) -> Callable[[_Command, str], None]:
    return lambda command, value: command.headers.append((name, make(value)))


_VALUES: dict[str, Callable[[_Command, str], None]] = {
    "--request": lambda command, value: setattr(command, "method", value),
    "--url": lambda command, value: command.urls.append(value),
    "--header": _add_header,
    "--data": _add_data,
    "--data-ascii": _add_data,
    "--data-binary": _add_data,
    "--data-raw": lambda command, value: command.data.append(value),
    "--data-urlencode": _add_encoded,
    "--json": _add_json,
    "--user-agent": _header("User-Agent"),
    "--referer": _header("Referer"),
    "--cookie": _header("Cookie"),
    "--user": _header("Authorization", lambda user: f"Basic {base64.b64encode(user.encode()).decode()}"),
    "--oauth2-bearer": _header("Authorization", lambda token: f"Bearer {token}"),
}
_SWITCHES: dict[str, Callable[[_Command], None]] = {
    "--get": _set("data_in_query", True),
    "--head": _set("is_head", True),
}
_REFUSED = {
    "--form": sentence("sends a form with files (-F); send JSON, or fields with -d"),
    "--form-string": sentence("sends a form with files (-F); send JSON, or fields with -d"),
    "--upload-file": sentence("sends a file (-T); put its content here instead"),
    "--next": sentence("makes several requests (--next)"),
    "--config": sentence("reads its options from a file (-K)"),
}
_IGNORED = frozenset({
    "--silent", "--show-error", "--insecure", "--location", "--location-trusted", "--include", "--verbose",
    "--fail", "--fail-with-body", "--compressed", "--http1.0", "--http1.1", "--http2", "--http2-prior-knowledge",
    "--http3", "--globoff", "--path-as-is", "--raw", "--tlsv1.2", "--tlsv1.3", "--ipv4", "--ipv6", "--progress-bar",
    "--remote-name", "--basic", "--digest", "--anyauth", "--tcp-nodelay",
})  # fmt: skip
_IGNORED_WITH_VALUE = frozenset({
    "--output", "--max-time", "--connect-timeout", "--retry", "--retry-delay", "--retry-max-time", "--proxy",
    "--cacert", "--capath", "--cert", "--key", "--write-out", "--resolve", "--connect-to", "--cookie-jar",
    "--interface", "--limit-rate", "--max-redirs", "--dump-header", "--noproxy", "--ciphers", "--trace",
    "--trace-ascii", "--stderr", "--range", "--time-cond",
})  # fmt: skip
_LONG = {
    "X": "--request", "H": "--header", "d": "--data", "G": "--get", "I": "--head", "A": "--user-agent",
    "e": "--referer", "b": "--cookie", "u": "--user", "F": "--form", "T": "--upload-file", "K": "--config",
    "s": "--silent", "S": "--show-error", "k": "--insecure", "L": "--location", "i": "--include", "v": "--verbose",
    "f": "--fail", "0": "--http1.0", "g": "--globoff", "4": "--ipv4", "6": "--ipv6", "#": "--progress-bar",
    "O": "--remote-name", "o": "--output", "m": "--max-time", "x": "--proxy", "w": "--write-out", "c": "--cookie-jar",
    "D": "--dump-header", "E": "--cert", "r": "--range", "z": "--time-cond",
}  # fmt: skip


def _words(text: str) -> list[str]:
    """Split the command as a shell does, up to a pipe or the end of the command."""
    text = text.strip().removeprefix("$").lstrip()
    if _OF_CMD.search(text):
        text = _CARET.sub(lambda escaped: "" if escaped[1] in "\r\n" else escaped[1], text.replace("\r\n", "\n"))
    reader = _Words(_CONTINUATIONS.sub(" ", text))
    words = reader.read()
    if len(words) > MOST_WORDS:
        raise _refuse(sentence("has more than %(most)s words", most=Count(MOST_WORDS)))
    return words


class _Words:
    """A reader that stands somewhere in the text."""

    def __init__(self, text: str) -> None:
        self._text, self._at = text, 0

    def read(self) -> list[str]:
        words: list[str] = []
        while (start := self._skip_blanks()) is not None and len(words) <= MOST_WORDS:
            if start in _ENDS_THE_COMMAND:
                break
            words.append("".join(self._word()))
        return words

    def _skip_blanks(self) -> str | None:
        """Go to where the next word begins; its first character, or None at the end."""
        while self._at < len(self._text) and self._text[self._at] in " \t":
            self._at += 1
        return self._text[self._at] if self._at < len(self._text) else None

    def _word(self) -> Iterator[str]:
        while self._at < len(self._text) and (char := self._text[self._at]) not in f" \t{_ENDS_THE_COMMAND}":
            self._at += 1
            if char == "'":
                yield self._until("'")
            elif char == '"':
                yield from self._in_double_quotes()
            elif char == "$" and self._text[self._at : self._at + 1] == "'":
                self._at += 1
                yield from self._in_ansi_quotes()
            elif char == "\\":
                yield self._escaped()
            else:
                yield char

    def _until(self, end: str) -> str:
        found = self._text.find(end, self._at)
        if found < 0:
            raise _refuse(sentence("has a quote that does not end"))
        start, self._at = self._at, found + 1
        return self._text[start:found]

    def _escaped(self) -> str:
        char = self._text[self._at : self._at + 1]
        self._at += 1
        return "" if char == "\n" else char

    def _in_double_quotes(self) -> Iterator[str]:
        for char in self._quoted('"'):
            if char == "\\" and self._text[self._at : self._at + 1] in ('"', "\\", "$", "`", "\n"):
                yield self._escaped()
            else:
                yield char

    def _in_ansi_quotes(self) -> Iterator[str]:
        for char in self._quoted("'"):
            yield self._ansi_escape() if char == "\\" else char

    def _quoted(self, end: str) -> Iterator[str]:
        """The characters up to the quote that ends them; whoever takes them may go on further."""
        while self._at < len(self._text):
            char = self._text[self._at]
            self._at += 1
            if char == end:
                return
            yield char
        raise _refuse(sentence("has a quote that does not end"))

    def _ansi_escape(self) -> str:
        number = _NUMBER.match(self._text, self._at)
        if number is None:
            char = self._escaped()
            return _ESCAPES.get(char, char)
        self._at = number.end()
        hexadecimal, octal = number[1] or number[2] or number[3], number[4]
        code = int(hexadecimal, 16) if hexadecimal else int(octal, 8)
        return chr(code) if code < 0x110000 and not 0xD800 <= code < 0xE000 else "�"
