"""Values made from named secrets: each knows that it is one, so that it can be masked where it stands.

An expression that mentions a secret gives a secret. It need not be followed through filters and operators: cut,
encoded, counted or compared, the value depends on the secret, and so does whether a condition holds. Two things are
kept apart: members of a list or an object that the expression writes out, each of which is looked at by itself; and
signatures (HMAC, RFC 2104) whose key is a whole secret of some length, which are made to be shown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from jinja2 import nodes

from flowforge.language.evaluation.meter import Failure, Meter
from flowforge.language.evaluation.operators import concatenate
from flowforge.language.evaluation.values import to_result, weigh
from flowforge.language.expressions.compiler import Evaluate, Scope, compile_tree, gather_list, gather_object
from flowforge.language.expressions.paths import constant_path
from flowforge.language.filters.all_filters import FILTERS
from flowforge.secrets import MASK

SECRETS = "secrets"
"""The root of expressions."""
SHORTEST_KEY = 12
"""Characters of a key below which a signature could be tried out until the key is found."""


@dataclass(frozen=True, slots=True, repr=False)
class Secret:
    """A value made from a secret. As text it is the mask."""

    value: Any
    parts: tuple[Any, ...] = ()
    """The secrets that stand inside of it, where it is a text with several expressions."""

    def __repr__(self) -> str:
        return MASK


class HiddenSecrets(dict[str, str]):
    """The root `secrets` for those who only look: whatever is made from it is the mask."""


def revealed(value: Any) -> Any:
    """The value with that of each secret in its place, for the moment of use."""
    return _each_secret(value, lambda secret: secret)


def masked(value: Any) -> Any:
    """The value with a mask in the place of each secret."""
    return _each_secret(value, lambda _: MASK)


def secrets_in(value: Any) -> Iterator[Any]:
    """Every secret in the value, its parts one by one: texts, numbers, true, false and null."""
    if isinstance(value, Secret):
        yield from _leaves(value.value)
        yield from value.parts
    elif isinstance(value, dict | list):
        for member in value.values() if isinstance(value, dict) else value:
            yield from secrets_in(member)


def mentions_secrets(node: nodes.Node) -> bool:
    """Whether the name `secrets` is used anywhere in the tree."""
    if isinstance(node, nodes.Name):
        return bool(node.name == SECRETS)
    return any(map(mentions_secrets, node.iter_child_nodes()))


def compile_expression(node: nodes.Node) -> Evaluate:
    """Compile like `compile_tree`; what the result makes of secrets is a Secret. Raises Failure, also for a filter that
    would show a secret to others."""
    if not mentions_secrets(node):
        return compile_tree(node)
    _refuse_to_publish(node)
    return _compile_secret(node)


def join_secret(meter: Meter, values: list[Any]) -> str | Secret:
    """Everything as one text, a Secret where a part is. Raises Failure."""
    text = concatenate(meter, [revealed(value) for value in values])
    parts = tuple(secrets_in(values))
    return Secret(text, parts) if parts else text


def _compile_secret(node: nodes.Node) -> Evaluate:
    if isinstance(node, nodes.List | nodes.Tuple):
        return gather_list([compile_expression(member) for member in node.items])
    if isinstance(node, nodes.Dict) and not any(mentions_secrets(pair.key) for pair in node.items):
        return gather_object([(compile_tree(pair.key), compile_expression(pair.value)) for pair in node.items])
    evaluate, keys = compile_tree(node), list(_keys_in(node))
    is_open, names = not _reveals(node, keys), [str((constant_path(key) or ())[-1]) for key in keys]

    def compute(scope: Scope, meter: Meter) -> Any:
        if isinstance(scope.get(SECRETS), HiddenSecrets):
            return MASK
        made = _without_quotes(evaluate, scope, meter)
        if is_open and all(len(scope[SECRETS][name]) >= SHORTEST_KEY for name in names):
            return made
        if isinstance(made, dict | list):
            meter.memory(weigh(made, meter).total)
        return Secret(to_result(made))

    return compute


def _refuse_to_publish(node: nodes.Node) -> None:
    if isinstance(node, nodes.Filter) and node.name in FILTERS and FILTERS[node.name].publishes:
        raise Failure(f"{node.name} takes nothing that is made from secrets: others could read them")
    for child in filter(mentions_secrets, node.iter_child_nodes()):
        _refuse_to_publish(child)


def _without_quotes(evaluate: Evaluate, scope: Scope, meter: Meter) -> Any:
    """The value. A failure is one that masks in the place of the secrets lead to, too: its text may quote them."""
    try:
        return evaluate(scope, meter)
    except Failure:
        masks = dict.fromkeys(scope.get(SECRETS, {}), MASK)
        evaluate({**scope, SECRETS: masks} if masks else scope, meter)
        raise Failure("this cannot be computed with the secret there is") from None


def _reveals(node: nodes.Node, keys: list[nodes.Node]) -> bool:
    """Whether the value tells of a secret, other than by a signature with one of the keys."""
    if any(node is key for key in keys):
        return False
    if isinstance(node, nodes.Name):
        return bool(node.name == SECRETS)
    return any(_reveals(child, keys) for child in node.iter_child_nodes())


def _keys_in(node: nodes.Node) -> Iterator[nodes.Node]:
    """The secrets in the tree that are keys of signatures."""
    key = _key_of(node)
    if key is not None:
        yield key
    for child in node.iter_child_nodes():
        yield from _keys_in(child)


def _key_of(node: nodes.Node) -> nodes.Node | None:
    """The argument that a filter takes as its key, where that is a whole secret."""
    if not isinstance(node, nodes.Filter) or node.name not in FILTERS:
        return None
    key = FILTERS[node.name].key_among(node.args, {str(keyword.key): keyword.value for keyword in node.kwargs})
    path = None if key is None else constant_path(key)
    return key if path is not None and len(path) == 2 and path[0] == SECRETS else None


def _each_secret(value: Any, change: Callable[[Any], Any]) -> Any:
    if isinstance(value, Secret):
        return change(value.value)
    if isinstance(value, dict):
        return {key: _each_secret(member, change) for key, member in value.items()}
    return [_each_secret(member, change) for member in value] if isinstance(value, list) else value


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        for key, member in value.items():
            yield key
            yield from _leaves(member)
    elif isinstance(value, list | tuple):
        for member in value:
            yield from _leaves(member)
    else:
        yield value
