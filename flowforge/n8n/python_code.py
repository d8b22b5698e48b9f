"""Python of n8n's Code nodes in a CODE step: with n8n's names before it, and its attributes of JSON as fields.

https://docs.n8n.io/code/builtin/overview/
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flowforge.jsonio import JsonObject
from flowforge.n8n.asking import Asked, Left
from flowforge.n8n.data import Data, Output
from flowforge.n8n.expressions.found import Place
from flowforge.n8n.javascript import CODE_SECONDS, node_given
from flowforge.sentences import message_of, sentence

_MODULES = frozenset(
    {"json", "re", "math", "datetime", "random", "itertools", "functools", "collections", "decimal", "base64"}
    | {"hashlib", "csv", "typing", "__future__"}
)
"""Those that CODE has (docs/code.md)."""
_NAMES = frozenset({"_input", "_items", "_item", "_json", "_", "_node"})


def python_code(asked: Asked, each: bool) -> Output:
    """Raises Left for code that a CODE step cannot run."""
    source = asked.raw("pythonCode", "")
    source = source if isinstance(source, str) else ""
    tree = _read(str(asked.needed(source.strip() and source, sentence("the code"), "return _input.all()")))
    names = set(_names_of_nodes(tree))
    place = asked.values.place
    given: JsonObject = {"items": asked.braced(asked.given.items), "nodes": _nodes(names, place)}
    program = f"{_BEFORE}{_function(tree)}\n{_EACH if each else _ALL}"
    config: JsonObject = {"language": "python", "input": given, "code": program, "seconds": CODE_SECONDS}
    rows = f"{asked.step('CODE', config)}.result"
    return Output(Data(f"{rows}[0]")) if each and asked.given.many is None else Output(many=rows)


def _read(source: str) -> ast.Module:
    try:
        tree = compile(source, "code", "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise Left(sentence("its Python cannot be read: %(error)s", error=message_of(error))) from error
    assert isinstance(tree, ast.Module)
    for problem in _problems(tree):
        raise Left(sentence("its Python cannot run in a CODE step: %(problem)s", problem=problem))
    _Fields().visit(tree)
    return ast.fix_missing_locations(tree)


def _problems(tree: ast.Module) -> Iterator[str]:
    made = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    made |= {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
    for node in ast.walk(tree):
        for module in _loaded(node):
            if module.split(".")[0] not in _MODULES:
                yield sentence("it loads the library '%(module)s'", module=module)
        if isinstance(node, ast.Name) and node.id.startswith("_") and node.id not in _NAMES | made:
            yield sentence("'%(name)s' is not there", name=node.id)
        if isinstance(node, ast.Attribute) and node.attr == "binary":
            yield sentence("it works on the bytes of files: use JavaScript")


def _loaded(node: ast.AST) -> list[str]:
    if isinstance(node, ast.ImportFrom):
        return [node.module or "."]
    return [name.name for name in node.names] if isinstance(node, ast.Import) else []


class _Fields(ast.NodeTransformer):
    """`item.json.name` is `item['json']['name']`: what a method is called of stays as it is; `to_py()` goes."""

    def visit_Call(self, node: ast.Call) -> ast.AST:
        if isinstance(node.func, ast.Attribute):
            node.func.value = self.visit(node.func.value)
            node.args = [self.visit(argument) for argument in node.args]
            node.keywords = [self.visit(keyword) for keyword in node.keywords]
            return node.func.value if node.func.attr == "to_py" else node
        return self.generic_visit(node)

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        node.value = self.visit(node.value)
        if node.attr != "json" and not _is_in_json(node.value):
            return node
        return ast.Subscript(node.value, ast.Constant(node.attr), node.ctx)


def _is_in_json(node: ast.expr) -> bool:
    """Whether it is a field of an item's JSON, however deep."""
    while isinstance(node, ast.Subscript):
        if isinstance(node.slice, ast.Constant) and node.slice.value == "json":
            return True
        node = node.value
    return False


def _names_of_nodes(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        holder = node.func if isinstance(node, ast.Call) else node.value if isinstance(node, ast.Subscript) else None
        if not isinstance(holder, ast.Name) or holder.id not in ("_", "_node"):
            continue
        named = node.args[0] if isinstance(node, ast.Call) and node.args else getattr(node, "slice", None)
        if not isinstance(named, ast.Constant) or not isinstance(named.value, str):
            raise Left(sentence("its Python names a node that is computed: write it as a CODE step"))
        yield named.value


def _nodes(names: set[str], place: Place) -> JsonObject:
    found = {name: place.node(name) for name in sorted(names)}
    return {name: node_given(output, place) for name, output in found.items() if output is not None}


def _function(tree: ast.Module) -> str:
    frame = ast.parse("async def run(_item, _json, _input): pass")
    (function,) = frame.body
    assert isinstance(function, ast.AsyncFunctionDef)
    function.body = tree.body or function.body
    return ast.unparse(frame)


_BEFORE = """# n8n's names for the data of a workflow.
class Items:
    def __init__(self, rows, item):
        self.rows = rows
        self.item = item

    def all(self):
        return self.rows

    def first(self):
        return self.rows[0] if self.rows else None

    def last(self):
        return self.rows[-1] if self.rows else None

    def itemMatching(self, number):
        return self.rows[number] if number < len(self.rows) else self.item


def framed(rows):
    return [{'json': row, 'binary': {}} for row in rows]


def _(name):
    node = input['nodes'].get(name, {'item': {}})
    return Items(framed(node.get('items', [node['item']])), {'json': node['item']})


def listed(given):
    rows = given if isinstance(given, list) else [] if given is None else [given]
    return [row['json'] if isinstance(row, dict) and 'json' in row else row for row in rows]


_node = {name: _(name) for name in input['nodes']}
items = _items = framed(input['items'])
"""
_ALL = """first = items[0] if items else {'json': {}}
return listed(await run(first, first['json'], Items(items, first)))
"""
_EACH = """results = []
for item in items:
    results += listed(await run(item, item['json'], Items(items, item)))
return results
"""
