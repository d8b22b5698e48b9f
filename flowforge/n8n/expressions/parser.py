"""Parse an expression in JavaScript: the subset that people write between `{{` and `}}` (ECMA-262, section 13)."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from flowforge.n8n.expressions.lexer import NotRead, Token, backtick_parts, tokens_of
from flowforge.n8n.expressions.tree import (
    Arrow,
    Binary,
    Call,
    Choice,
    Fields,
    Joined,
    Listing,
    Literal,
    Member,
    Name,
    Pattern,
    Tree,
    Unary,
)

MAX_LENGTH = 20_000
MAX_DEPTH = 60
_BINDING = {
    "??": 1, "||": 2, "&&": 3, "==": 7, "!=": 7, "===": 7, "!==": 7,
    "<": 8, ">": 8, "<=": 8, ">=": 8, "in": 8, "+": 10, "-": 10, "*": 11, "/": 11, "%": 11, "**": 12,
}  # fmt: skip
_WORDS: dict[str, bool | None] = {"true": True, "false": False, "null": None, "undefined": None}
_KEYWORDS = {"function", "return", "var", "let", "const", "if", "for", "while", "async", "await", "class", "this"}


@lru_cache(maxsize=2_000)
def parse(source: str) -> Tree:
    """Nothing is undefined. Raises NotRead where it is no expression, or holds what is not read, such as statements."""
    if not source.strip():
        return Literal(None)
    if len(source) > MAX_LENGTH:
        raise NotRead(f"it has more than {MAX_LENGTH:,} characters")
    parser = _Parser(tokens_of(source))
    tree = parser.expression()
    parser.skip(";")
    parser.expect_end()
    return tree


class _Parser:
    def __init__(self, tokens: list[Token], depth: int = 0) -> None:
        self._tokens = tokens
        self._at = 0
        self._depth = depth

    # -- tokens

    @property
    def _next(self) -> Token:
        return self._tokens[self._at]

    def _take(self) -> Token:
        token = self._next
        self._at += 1
        return token

    def _is(self, mark: str) -> bool:
        return self._next.kind == "mark" and self._next.text == mark

    def skip(self, mark: str) -> bool:
        if self._is(mark):
            self._at += 1
            return True
        return False

    def _expect(self, mark: str) -> None:
        if not self.skip(mark):
            raise NotRead(f"{mark!r} is missing")

    def expect_end(self) -> None:
        if self._next.kind != "end":
            raise NotRead(f"{self._next.text!r} is not expected")

    # -- expressions

    def expression(self) -> Tree:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise NotRead("it is nested too deeply")
        tree = self._arrow() or self._choice()
        self._depth -= 1
        return tree

    def _choice(self) -> Tree:
        test = self._binary(0)
        if not self.skip("?"):
            return test
        then = self.expression()
        self._expect(":")
        return Choice(test, then, self.expression())

    def _binary(self, least: int) -> Tree:
        left = self._unary()
        while (binding := self._binding()) > least:
            operator = self._take().text
            right = self._binary(binding - 1 if operator == "**" else binding)
            left = Binary(operator, left, right)
        return left

    def _binding(self) -> int:
        token = self._next
        is_operator = token.kind == "mark" or token.text == "in"
        return _BINDING.get(token.text, 0) if is_operator and token.kind in ("mark", "name") else 0

    def _unary(self) -> Tree:
        token = self._next
        if (token.kind == "mark" and token.text in ("!", "-", "+")) or (token.kind, token.text) == ("name", "typeof"):
            self._at += 1
            self._depth += 1
            if self._depth > MAX_DEPTH:
                raise NotRead("it is nested too deeply")
            tree = Unary(token.text, self._unary())
            self._depth -= 1
            return tree
        return self._postfix(self._primary())

    def _postfix(self, tree: Tree) -> Tree:
        while True:
            if self.skip("?."):
                if self._is("(") or self._is("["):
                    continue
                tree = Member(tree, Literal(self._name_after_dot()))
            elif self.skip("."):
                tree = Member(tree, Literal(self._name_after_dot()))
            elif self.skip("["):
                tree = Member(tree, self.expression())
                self._expect("]")
            elif self.skip("("):
                tree = Call(tree, self._arguments(")"))
            else:
                return tree

    def _name_after_dot(self) -> str:
        token = self._take()
        if token.kind != "name":
            raise NotRead("a name is missing after the dot")
        return token.text

    def _arguments(self, end: str) -> tuple[Tree, ...]:
        found: list[Tree] = []
        while not self.skip(end):
            if self._is("..."):
                raise NotRead("'...' is not read")
            found.append(self.expression())
            if not self._is(end):
                self._expect(",")
        return tuple(found)

    def _primary(self) -> Tree:
        token = self._take()
        read: dict[str, Callable[[str], Tree]] = {
            "number": _number,
            "text": Literal,
            "backtick": self._joined,
            "pattern": _pattern,
            "name": self._name,
        }
        if token.kind in read:
            return read[token.kind](token.text)
        if token.text == "(":
            tree = self.expression()
            self._expect(")")
            return tree
        if token.text == "[":
            return Listing(self._arguments("]"))
        if token.text == "{":
            return self._fields()
        raise NotRead(f"{token.text!r} is not expected" if token.kind != "end" else "the expression has no end")

    def _name(self, name: str) -> Tree:
        if name in _WORDS:
            return Literal(_WORDS[name])
        if name == "new":
            return self._new()
        if name in _KEYWORDS:
            raise NotRead(f"'{name}' is not read")
        return Name(name)

    def _new(self) -> Tree:
        made: Tree = Name(self._name_after_dot())
        return Call(made, self._arguments(")") if self.skip("(") else (), new=True)

    def _joined(self, content: str) -> Tree:
        return Joined(tuple(self._part(is_value, text) for is_value, text in backtick_parts(content)))

    def _part(self, is_value: bool, text: str) -> Tree:
        if not is_value:
            return Literal(text)
        inner = _Parser(tokens_of(text), self._depth)
        tree = inner.expression()
        inner.expect_end()
        return tree

    def _fields(self) -> Tree:
        pairs: list[tuple[Tree, Tree]] = []
        while not self.skip("}"):
            key = self._key()
            if self.skip(":"):
                pairs.append((key, self.expression()))
            elif isinstance(key, Literal) and isinstance(key.value, str):
                pairs.append((key, Name(key.value)))
            if not self._is("}"):
                self._expect(",")
        return Fields(tuple(pairs))

    def _key(self) -> Tree:
        token = self._take()
        if token.kind in ("name", "text", "number"):
            return Literal(token.text)
        if token.text == "[" and token.kind == "mark":
            tree = self.expression()
            self._expect("]")
            return tree
        raise NotRead(f"{token.text!r} is no name of a field")

    # -- functions

    def _arrow(self) -> Tree | None:
        parameters = self._parameters()
        if parameters is None:
            return None
        self._at += max(len(parameters) * 2 + 2, 3) if self._is("(") else 2
        if self._is("{"):
            raise NotRead("a function of several statements is not read")
        return Arrow(parameters, self.expression())

    def _parameters(self) -> tuple[str, ...] | None:
        """The names before `=>`; None where there is no function here."""
        if self._next.kind == "name":
            return (self._next.text,) if self._text_at(1) == "=>" else None
        if not self._is("("):
            return None
        names: list[str] = []
        position = 1
        while self._tokens[self._at + position].kind == "name":
            names.append(self._text_at(position))
            position += 1
            if self._text_at(position) != ",":
                break
            position += 1
        is_function = self._text_at(position) == ")" and self._text_at(position + 1) == "=>"
        return tuple(names) if is_function and (names or position == 1) else None

    def _text_at(self, offset: int) -> str:
        position = self._at + offset
        return self._tokens[position].text if position < len(self._tokens) else ""


def _number(text: str) -> Tree:
    plain = text.replace("_", "")
    if plain[:2].lower() == "0x":
        return Literal(int(plain, 16))
    value = float(plain)
    return Literal(int(value) if value.is_integer() and abs(value) < 1e15 and plain.isdecimal() else value)


def _pattern(text: str) -> Tree:
    source, _, flags = text[1:].rpartition("/")
    return Pattern(source, flags)
