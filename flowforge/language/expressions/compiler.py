"""Compile a syntax tree to nested functions that compute its value, each paying the meter for what it does.

Only the kinds of nodes named here exist; everything else (calls, above all) is refused when the tree is compiled.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from jinja2 import nodes

from flowforge.jsonio import JsonObject
from flowforge.language.evaluation.item_expressions import ItemExpression
from flowforge.language.evaluation.lookup import follow, look_up, required
from flowforge.language.evaluation.meter import Failure, Meter
from flowforge.language.evaluation.names import UnknownName
from flowforge.language.evaluation.operators import ARITHMETIC, COMPARISONS, concatenate, negate
from flowforge.language.evaluation.predicates import find_predicate
from flowforge.language.evaluation.values import number
from flowforge.language.expressions.paths import EXISTENCE_TESTS, constant_path, expression_on_item, trail
from flowforge.language.filters.all_filters import find_filter
from flowforge.language.pointers import Part
from flowforge.sentences import sentence

Scope = Mapping[str, Any]
Evaluate = Callable[[Scope, Meter], Any]

_POINTER_BYTES = 8
_CALLS = (nodes.Filter, nodes.Test)
_MADE = (nodes.List, nodes.Tuple, nodes.Dict, nodes.Pair)
"""What makes a list or an object, or a field of one."""


def compile_tree(node: nodes.Node) -> Evaluate:
    """Computes the node's value; what does not exist raises Failure. Raises Failure for what is not in the language."""
    if isinstance(node, nodes.Name | nodes.Getattr | nodes.Getitem):
        return _strict_path(node)
    compiler = _COMPILERS.get(type(node))
    if compiler is None:
        raise Failure(sentence("%(what)s cannot be used in an expression", what=_REFUSED.get(type(node), _ANY_OTHER)))
    return compiler(node)


def unknown_names(node: nodes.Node) -> list[UnknownName]:
    """Every filter and test in the tree that there is not, each once, in the order in which they would be computed."""
    return list({(unknown.kind, unknown.name): unknown for unknown in _unknown_names(node)}.values())


def _unknown_names(node: nodes.Node) -> Iterator[UnknownName]:
    for inner in node.iter_child_nodes():
        yield from _unknown_names(inner)
    try:
        if isinstance(node, nodes.Filter):
            find_filter(node.name)
        elif isinstance(node, nodes.Test):
            find_predicate(node.name)
    except UnknownName as unknown:
        yield unknown


def _compile_lenient(node: nodes.Node) -> Evaluate:
    """Compile like `_compile`, but let a path to nothing give Missing, to ask whether something exists."""
    if isinstance(node, nodes.Name | nodes.Getattr | nodes.Getitem):
        return _path(node)
    return compile_tree(node)


# -- data


def _strict_path(node: nodes.Expr) -> Evaluate:
    keys = constant_path(node)
    if keys is None:
        lenient = _path(node)
        return lambda scope, meter: required(lenient(scope, meter))

    def evaluate(scope: Scope, meter: Meter) -> Any:
        value: Any = scope
        try:
            for key in keys:
                value = value[key]
        except (LookupError, TypeError):
            return required(follow(scope, keys))
        return value

    return evaluate


def _path(node: nodes.Expr) -> Evaluate:
    keys = constant_path(node)
    if keys is not None:
        return _constant_path(keys)
    if isinstance(node, nodes.Getattr):
        return _field(node.node, node.attr)
    if isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Slice):
        return _slice(node.node, node.arg)
    if isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const):
        return _field(node.node, node.arg.value)
    if isinstance(node, nodes.Getitem):
        return _computed_field(node.node, compile_tree(node.arg))
    raise Failure(sentence("this name cannot be used in an expression"))


def _constant_path(keys: tuple[Part, ...]) -> Evaluate:
    return lambda scope, meter: follow(scope, keys)


def _field(holder: nodes.Expr, key: Any) -> Evaluate:
    value, where = _compile_lenient(holder), trail(holder)
    return lambda scope, meter: look_up(value(scope, meter), key, where)


def _computed_field(holder: nodes.Expr, key: Evaluate) -> Evaluate:
    value, where = _compile_lenient(holder), trail(holder)
    return lambda scope, meter: look_up(value(scope, meter), key(scope, meter), where, computed=True)


def _slice(holder: nodes.Expr, bounds: nodes.Slice) -> Evaluate:
    value = compile_tree(holder)
    edges = [compile_tree(edge or nodes.Const(None)) for edge in (bounds.start, bounds.stop, bounds.step)]

    def evaluate(scope: Scope, meter: Meter) -> Any:
        whole = value(scope, meter)
        if not isinstance(whole, str | list | tuple):
            raise Failure(sentence("[start:stop] needs text or a list"))
        start, stop, step = (edge(scope, meter) for edge in edges)
        if step == 0 or not all(edge is None or type(edge) is int for edge in (start, stop, step)):
            raise Failure(sentence("[start:stop:step] needs whole numbers, and a step other than 0"))
        part = slice(start, stop, step)
        meter.memory(len(range(*part.indices(len(whole)))) * _POINTER_BYTES)
        return whole[part]

    return evaluate


def _constant(node: nodes.Const) -> Evaluate:
    value = node.value
    if isinstance(value, int | float) and not isinstance(value, bool):
        number(value, "the expression")
    if isinstance(value, str) and any("\ud800" <= character <= "\udfff" for character in value):
        raise Failure(sentence("the text holds half a character"))
    return lambda scope, meter: value


def _list(node: nodes.List | nodes.Tuple) -> Evaluate:
    return gather_list([compile_tree(member) for member in node.items])


def _dict(node: nodes.Dict) -> Evaluate:
    return gather_object([(compile_tree(pair.key), compile_tree(pair.value)) for pair in node.items])


def gather_list(members: list[Evaluate]) -> Evaluate:
    """Computes the members of a list that is written out."""
    return lambda scope, meter: [member(scope, meter) for member in members]


def gather_object(pairs: list[tuple[Evaluate, Evaluate]]) -> Evaluate:
    """Computes the names and values of an object that is written out."""

    def evaluate(scope: Scope, meter: Meter) -> JsonObject:
        made: JsonObject = {}
        for key, value in pairs:
            name = key(scope, meter)
            if not isinstance(name, str):
                raise Failure(sentence("the names of an object's fields have to be text"))
            made[name] = value(scope, meter)
        return made

    return evaluate


# -- operators


def _binary(node: nodes.BinExpr) -> Evaluate:
    apply = ARITHMETIC[type(node).__name__.lower()]
    left, right = compile_tree(node.left), compile_tree(node.right)
    return lambda scope, meter: apply(meter, left(scope, meter), right(scope, meter))


def _and(node: nodes.And) -> Evaluate:
    left, right = compile_tree(node.left), compile_tree(node.right)
    return lambda scope, meter: left(scope, meter) and right(scope, meter)


def _or(node: nodes.Or) -> Evaluate:
    left, right = compile_tree(node.left), compile_tree(node.right)
    return lambda scope, meter: left(scope, meter) or right(scope, meter)


def _not(node: nodes.Not) -> Evaluate:
    value = compile_tree(node.node)
    return lambda scope, meter: not value(scope, meter)


def _negative(node: nodes.Neg) -> Evaluate:
    value = compile_tree(node.node)
    return lambda scope, meter: negate(value(scope, meter))


def _positive(node: nodes.Pos) -> Evaluate:
    value = compile_tree(node.node)
    return lambda scope, meter: number(value(scope, meter), "+")


def _concat(node: nodes.Concat) -> Evaluate:
    parts = [compile_tree(part) for part in node.nodes]
    return lambda scope, meter: concatenate(meter, [part(scope, meter) for part in parts])


def _compare(node: nodes.Compare) -> Evaluate:
    first = compile_tree(node.expr)
    others = [(COMPARISONS[operand.op], compile_tree(operand.expr)) for operand in node.ops]

    def evaluate(scope: Scope, meter: Meter) -> bool:
        left = first(scope, meter)
        for holds, other in others:
            right = other(scope, meter)
            if not holds(meter, left, right):
                return False
            left = right
        return True

    return evaluate


def _condition(node: nodes.CondExpr) -> Evaluate:
    test, then = compile_tree(node.test), compile_tree(node.expr1)
    otherwise = compile_tree(node.expr2 or nodes.Const(None))
    return lambda scope, meter: then(scope, meter) if test(scope, meter) else otherwise(scope, meter)


# -- filters and tests


def _filter(node: nodes.Filter) -> Evaluate:
    found = find_filter(node.name)
    if node.node is None or node.dyn_args is not None or node.dyn_kwargs is not None:
        raise Failure(sentence("* and ** cannot be used in an expression to pass arguments"))
    on_item = expression_on_item(node)

    def compile_argument(argument: nodes.Expr) -> Evaluate:
        return _on_item(argument) if argument is on_item else compile_tree(argument)

    # Jinja2 calls them pairs with expressions for keys; what its parser makes are keywords with text for keys.
    named = [(str(keyword.key), compile_argument(keyword.value)) for keyword in node.kwargs]
    found.check_arguments(len(node.args), [key for key, _ in named])
    compute = found.compute
    value = _compile_lenient(node.node) if found.name in EXISTENCE_TESTS else compile_tree(node.node)
    arguments = [compile_argument(argument) for argument in node.args]

    def evaluate(scope: Scope, meter: Meter) -> Any:
        given = [argument(scope, meter) for argument in arguments]
        return compute(meter, value(scope, meter), *given, **{key: get(scope, meter) for key, get in named})

    return evaluate


def _on_item(argument: nodes.Expr) -> Evaluate:
    """Gives the expression itself, with what is known around it."""
    evaluate, parts = compile_tree(argument), [argument, *argument.find_all(nodes.Node)]
    calls, made = (sum(isinstance(part, kinds) for part in parts) for kinds in (_CALLS, _MADE))
    return lambda scope, meter: ItemExpression(evaluate, scope, meter, len(parts), calls, made)


def _test(node: nodes.Test) -> Evaluate:
    found = find_predicate(node.name)
    if node.kwargs or node.dyn_args is not None or node.dyn_kwargs is not None:
        raise Failure(sentence("the test '%(name)s' takes no named arguments", name=node.name))
    found.check_arguments(len(node.args))
    compute = found.compute
    value = _compile_lenient(node.node) if found.accepts_missing else compile_tree(node.node)
    arguments = [compile_tree(argument) for argument in node.args]
    return lambda scope, meter: compute(meter, value(scope, meter), *[argument(scope, meter) for argument in arguments])


_ANY_OTHER = sentence("this")
_REFUSED: dict[type[nodes.Node], str] = {
    nodes.Call: sentence("a function or method call (filters do the work: value | filter)"),
    nodes.Slice: sentence("a slice outside of [ ]"),
}

_COMPILERS: dict[type[nodes.Node], Callable[[Any], Evaluate]] = {
    nodes.Const: _constant,
    nodes.List: _list,
    nodes.Tuple: _list,
    nodes.Dict: _dict,
    nodes.Add: _binary,
    nodes.Sub: _binary,
    nodes.Mul: _binary,
    nodes.Div: _binary,
    nodes.FloorDiv: _binary,
    nodes.Mod: _binary,
    nodes.Pow: _binary,
    nodes.And: _and,
    nodes.Or: _or,
    nodes.Not: _not,
    nodes.Neg: _negative,
    nodes.Pos: _positive,
    nodes.Concat: _concat,
    nodes.Compare: _compare,
    nodes.CondExpr: _condition,
    nodes.Filter: _filter,
    nodes.Test: _test,
}
