"""Expressions of n8n's, written as ours. What has no counterpart raises NotRead, and is left to a CODE step.

What is missing is undefined there and an error here, so that every path gets `| default(none)`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeAlias

from flowforge.n8n.data import Data, Output, mentions_item, quote
from flowforge.n8n.expressions.found import Found, Group, ItemOf, ItemsOf, NodeOf, PatternOf, Place
from flowforge.n8n.expressions.functions import call_function, make_date
from flowforge.n8n.expressions.lexer import NotRead
from flowforge.n8n.expressions.methods import call_method, call_of_items, call_of_pattern, match_of
from flowforge.n8n.expressions.roots import NULL, call_of_node, find_member, find_name
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
from flowforge.n8n.expressions.writing import (
    ADD,
    AND,
    ANY,
    CHOICE,
    COMPARE,
    FILTER,
    FLAG,
    FRACTION,
    JOIN,
    LIST,
    MULTIPLY,
    NOT,
    NUMBER,
    OBJECT,
    OR,
    PATH,
    TEXT,
    TIME,
    UNARY,
    Piece,
    listed,
    operated,
)
from flowforge.sentences import sentence


class Translation:
    """The translation of the expressions of one place; `notes` tell what is only nearly the same."""

    def __init__(self, place: Place) -> None:
        self.place: Place = place
        self.notes: list[str] = []
        self._bound: dict[str, Found] = {}

    def write(self, tree: Tree) -> Piece:
        """The expression as a value of ours. Raises NotRead."""
        return self._piece(self.find(tree))

    def note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)

    def find(self, tree: Tree) -> Found:
        """What the expression leads to, before it is taken for a value."""
        return _WRITERS[type(tree)](self, tree)

    def write_with(self, name: str, bound: Found, tree: Tree) -> Piece:
        """The body of a function whose parameter is bound to a value. Raises NotRead."""
        if self._bound:
            raise NotRead("functions inside functions are not read")
        self._bound = {name: bound}
        try:
            piece = self.write(tree).settled()
        finally:
            self._bound = {}
        if mentions_item(piece.text):
            raise NotRead("a function that uses the item around it is not read")
        return piece

    def condition(self, tree: Tree) -> Piece:
        return self.write(tree).settled()

    def uses(self, output: Output) -> Output:
        if output.why:
            self.note(output.why)
        return output

    def _piece(self, found: Found) -> Piece:
        match found:
            case Piece():
                return found
            case Data():
                return Piece(found.object, PATH if found.base is None else FILTER, OBJECT)
            case ItemOf():
                return Piece(f"{{'json': {found.data.object}}}", PATH, OBJECT)
            case ItemsOf():
                raise NotRead("the list of items, each with its frame, is not read")
            case NodeOf(None):
                return NULL
            case _:
                raise NotRead("this has no value by itself")

    # -- what is written out

    def _literal(self, tree: Literal) -> Piece:
        value = tree.value
        if value is None:
            return Piece("none", PATH)
        if isinstance(value, bool):
            return Piece(str(value).lower(), PATH, FLAG)
        if isinstance(value, str):
            return Piece(quote(value), PATH, TEXT)
        return Piece(repr(value), PATH, NUMBER if isinstance(value, int) else FRACTION)

    def _listing(self, tree: Listing) -> Piece:
        return listed(self.write(member) for member in tree.members)

    def _fields(self, tree: Fields) -> Piece:
        pairs = (f"{self.write(key).at(CHOICE)}: {self.write(value).at(CHOICE)}" for key, value in tree.pairs)
        return Piece(f"{{{', '.join(pairs)}}}", PATH, OBJECT)

    def _joined(self, tree: Joined) -> Piece:
        parts = [self.write(part) for part in tree.parts]
        if any(part.kind == FRACTION for part in parts):
            raise NotRead("numbers with decimals are written in another way")
        if not parts:
            return Piece("''", PATH, TEXT)
        if len(parts) == 1:
            return parts[0] if parts[0].kind == TEXT else parts[0].filtered("string", TEXT)
        return Piece(" ~ ".join(part.at(MULTIPLY) for part in parts), JOIN, TEXT)

    def _arrow(self, tree: Arrow) -> Piece:
        raise NotRead("a function is not read here")

    def _pattern(self, tree: Pattern) -> PatternOf:
        return PatternOf(tree.source, tree.flags)

    # -- names and what they lead to

    def _name(self, tree: Name) -> Found:
        return self._bound.get(tree.name) or find_name(self, tree.name)

    def _member(self, tree: Member) -> Found:
        key = tree.key.value if isinstance(tree.key, Literal) else None
        matched = match_of(self, tree.holder, key) if isinstance(tree.holder, Call) and type(key) is int else None
        if matched is not None:
            return matched
        holder = self.find(tree.holder)
        if isinstance(key, str | int) and not isinstance(key, bool):
            return find_member(self, holder, key)
        if isinstance(tree.key, Literal):
            raise NotRead("this is no name of a field")
        return self._piece(holder).part(self.write(tree.key))

    def _call(self, tree: Call) -> Found:
        function = tree.function
        if tree.new:
            if function != Name("Date"):
                raise NotRead("'new' is read of dates only")
            return make_date(self, tree.arguments)
        if isinstance(function, Name):
            return call_function(self, function.name, tree.arguments)
        if isinstance(function, Member) and isinstance(function.key, Literal) and isinstance(function.key.value, str):
            return self._method(self.find(function.holder), function.key.value, tree.arguments)
        raise NotRead("this cannot be called")

    def _method(self, holder: Found, name: str, arguments: tuple[Tree, ...]) -> Found:
        match holder:
            case Group():
                return call_function(self, f"{holder.name}.{name}", arguments)
            case NodeOf():
                return call_of_node(self, holder, name)
            case ItemsOf():
                return call_of_items(self, holder, name, arguments)
            case PatternOf():
                return call_of_pattern(self, holder, name, arguments)
            case _:
                return call_method(self, self._piece(holder), name, arguments)

    # -- operators

    def _unary(self, tree: Unary) -> Piece:
        if tree.operator == "!":
            return Piece(f"not {self.condition(tree.value).at(NOT)}", NOT, FLAG)
        if tree.operator == "-":
            value = self.write(tree.value)
            return Piece(f"-{value.at(UNARY)}", UNARY, value.kind if value.kind == FRACTION else NUMBER)
        if tree.operator == "+":
            return self.write(tree.value).filtered("float", FRACTION)
        raise NotRead(f"'{tree.operator}' is not read")

    def _choice(self, tree: Choice) -> Piece:
        then, otherwise = self.write(tree.then).settled(), self.write(tree.otherwise).settled()
        kind = (
            then.kind if then.kind == otherwise.kind else FRACTION if FRACTION in (then.kind, otherwise.kind) else ANY
        )
        return Piece(f"{then.at(OR)} if {self.condition(tree.test).at(OR)} else {otherwise.at(CHOICE)}", CHOICE, kind)

    def _binary(self, tree: Binary) -> Piece:
        special = _typeof(self, tree) or _position(self, tree)
        if special is not None:
            return special
        write = _OPERATORS.get(tree.operator)
        if write is None:
            raise NotRead(f"'{tree.operator}' is not read")
        return write(self, self.write(tree.left), self.write(tree.right))


# -- operators, by their marks


def _add(translation: Translation, left: Piece, right: Piece) -> Piece:
    if TEXT in (left.kind, right.kind):
        if FRACTION in (left.kind, right.kind):
            raise NotRead("numbers with decimals are written in another way")
        left, right = _as_text(left), _as_text(right)
        return Piece(f"{left.at(JOIN)} ~ {right.at(MULTIPLY)}", JOIN, TEXT)
    if TIME in (left.kind, right.kind) or LIST in (left.kind, right.kind):
        raise NotRead("this cannot be added")
    return operated(left, "+", right, ADD, _number_kind(left, right) if ANY not in (left.kind, right.kind) else ANY)


def _as_text(piece: Piece) -> Piece:
    return piece.filtered(f"iso({quote(piece.zone)})", TEXT) if piece.kind == TIME else piece


def _number_kind(left: Piece, right: Piece) -> str:
    return FRACTION if FRACTION in (left.kind, right.kind) else NUMBER


def _arithmetic(operator: str, level: int) -> _Write:
    def write(_: Translation, left: Piece, right: Piece) -> Piece:
        if left.kind == right.kind == TIME and operator == "-":
            return Piece(f"({left.at(FILTER)} | diff({right.at(CHOICE)}) * 1000) | round", FILTER, NUMBER)
        if {TIME, TEXT, LIST, OBJECT, FLAG} & {left.kind, right.kind}:
            raise NotRead("this is no arithmetic of numbers")
        return operated(left, operator, right, level, _number_kind(left, right))

    return write


def _divide(_: Translation, left: Piece, right: Piece) -> Piece:
    return operated(left, "/", right, MULTIPLY, FRACTION)


def _remainder(translation: Translation, left: Piece, right: Piece) -> Piece:
    translation.note(sentence("the remainder of a negative number has the sign of the divisor here"))
    return operated(left, "%", right, MULTIPLY, _number_kind(left, right))


def _compare(operator: str) -> _Write:
    def write(_: Translation, left: Piece, right: Piece) -> Piece:
        if TIME in (left.kind, right.kind):
            left, right = left.filtered("timestamp", NUMBER), right.filtered("timestamp", NUMBER)
        return operated(left, operator, right, COMPARE, FLAG)

    return write


def _equal(operator: str, negated: bool) -> _Write:
    def write(_: Translation, left: Piece, right: Piece) -> Piece:
        if TIME in (left.kind, right.kind):
            raise NotRead("times are never the same object")
        if "none" in (left.text, right.text):
            value = right if left.text == "none" else left
            return Piece(f"{value.at(FILTER)} is {'not ' if negated else ''}none", COMPARE, FLAG)
        return operated(left, operator, right, COMPARE, FLAG)

    return write


def _both(_: Translation, left: Piece, right: Piece) -> Piece:
    return Piece(f"{left.settled().at(AND)} and {right.settled().at(AND)}", AND, _shared(left, right))


def _either(_: Translation, left: Piece, right: Piece) -> Piece:
    if left.kind == FLAG or left.level < COMPARE:
        return Piece(f"{left.settled().at(OR)} or {right.settled().at(AND)}", OR, _shared(left, right))
    return replace(left.or_else(right.at(CHOICE)), kind=_shared(left, right))


def _shared(left: Piece, right: Piece) -> str:
    return left.kind if left.kind == right.kind else ANY


def _unless_null(_: Translation, left: Piece, right: Piece) -> Piece:
    if left.level != PATH:
        raise NotRead("'??' is read after a path only")
    settled = left.settled().text
    return Piece(f"{settled} if {settled} is not none else {right.at(CHOICE)}", CHOICE)


def _typeof(translation: Translation, tree: Binary) -> Piece | None:
    """`typeof value === 'undefined'`."""
    if not isinstance(tree.left, Unary) or tree.left.operator != "typeof" or not isinstance(tree.right, Literal):
        return None
    test = {"undefined": "none", "number": "number", "boolean": "boolean", "string": "string"}.get(
        str(tree.right.value)
    )
    if test is None or tree.operator not in ("==", "===", "!=", "!=="):
        raise NotRead("'typeof' is not read here")
    negation = "not " if tree.operator.startswith("!") else ""
    return Piece(f"{translation.write(tree.left.value).at(FILTER)} is {negation}{test}", COMPARE, FLAG)


def _position(translation: Translation, tree: Binary) -> Piece | None:
    """`text.indexOf(part) !== -1`: whether it is in there."""
    call, number = tree.left, tree.right
    if not isinstance(call, Call) or not isinstance(call.function, Member) or len(call.arguments) != 1:
        return None
    if call.function.key != Literal("indexOf"):
        return None
    outside = {("!==", -1): False, ("!=", -1): False, (">", -1): False, (">=", 0): False, ("===", -1): True}
    outside |= {("==", -1): True, ("<", 0): True}
    bound = -1 if number == Unary("-", Literal(1)) else number.value if isinstance(number, Literal) else None
    negated = outside.get((tree.operator, bound)) if isinstance(bound, int) else None
    if negated is None:
        return None
    holder = translation.write(call.function.holder).or_else("''")
    return operated(translation.write(call.arguments[0]), "not in" if negated else "in", holder, COMPARE, FLAG)


_Write: TypeAlias = Callable[[Translation, Piece, Piece], Piece]

_OPERATORS: dict[str, _Write] = {
    "+": _add,
    "-": _arithmetic("-", ADD),
    "*": _arithmetic("*", MULTIPLY),
    "/": _divide,
    "%": _remainder,
    "**": _arithmetic("**", UNARY),
    "<": _compare("<"),
    ">": _compare(">"),
    "<=": _compare("<="),
    ">=": _compare(">="),
    "==": _equal("==", False),
    "===": _equal("==", False),
    "!=": _equal("!=", True),
    "!==": _equal("!=", True),
    "&&": _both,
    "||": _either,
    "??": _unless_null,
}

_WRITERS: dict[type[Any], Callable[[Translation, Any], Found]] = {
    Pattern: Translation._pattern,
    Literal: Translation._literal,
    Listing: Translation._listing,
    Fields: Translation._fields,
    Joined: Translation._joined,
    Arrow: Translation._arrow,
    Name: Translation._name,
    Member: Translation._member,
    Call: Translation._call,
    Unary: Translation._unary,
    Binary: Translation._binary,
    Choice: Translation._choice,
}
