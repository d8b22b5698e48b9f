"""Code, Function and Function Item nodes: their JavaScript runs in a CODE step, with n8n's names before it."""

from __future__ import annotations

import re

from flowforge.jsonio import JsonObject
from flowforge.n8n.asking import Asked, Left
from flowforge.n8n.data import Data, Output
from flowforge.n8n.javascript import library_for, nodes_named_in
from flowforge.n8n.nodes import node

_OUT_OF_REACH = (
    (r"\brequire\s*\(", "it loads a library"),
    (r"\bimport\s*\(|^\s*import\s", "it loads a library"),
    (r"\bhelpers\b|\$helpers|\bfetch\s*\(|\baxios\b|XMLHttpRequest", "it calls other servers: use HTTP_REQUEST steps"),
    (r"getWorkflowStaticData|\$memory", "it remembers data between executions: use a table, or REMEMBER"),
    (r"\$env\b|process\.env|\$credentials|\$secrets", "it reads the environment: use variables or connections"),
    (r"getBinaryDataBuffer|prepareBinaryData|\.binary\b(?!\s*[:,}])", "it works on the bytes of files"),
    (r"\bIntl\b", "it writes words of a language: Intl is not there"),
    (r"\$fromAI|getNodeParameter|\$evaluateExpression|\$getPairedItem", "it uses what n8n alone has"),
)
_ONE_ITEM = re.compile(
    r"return\s*\[\s*\{\s*(?:json\s*:|\"json\"\s*:|'json'\s*:)|return\s*\{|return\s*\[\s*\w+\s*\]\s*;?\s*$"
)
_RETURN = re.compile(r"\breturn\b")


@node("code", "function", whole_list=True)
def code(asked: Asked) -> Output:
    source = _source(asked)
    if asked.raw("mode", "runOnceForAllItems") == "runOnceForEachItem":
        return _for_each(asked, source)
    given: JsonObject = {"items": asked.braced(asked.given.items)} | nodes_named_in(source, asked.values.place)
    rows = asked.code(_wrapped(source), given)
    if _gives_one_item(source):
        return Output(Data(f"{rows}[0]"), as_list=rows)
    return Output(many=rows)


@node("functionItem")
def function_item(asked: Asked) -> Output:
    return _for_each(asked, f"const item = $json;\n{_source(asked)}", names="item")


def _for_each(asked: Asked, source: str, *, names: str = "") -> Output:
    """Code that is run for each item: the step stands in the loop, or does it for all items itself."""
    given: JsonObject = nodes_named_in(source, asked.values.place)
    if asked.given.many is None:
        rows = asked.code(_wrapped(source), {"item": asked.item} | given)
        return Output(Data(f"{rows}[0]"))
    body = source.replace("$itemIndex", "at")
    wrapped = (
        f"{library_for(source)}const each = async (row, at) => {{\n"
        "const $json = row, $input = { item: item(row), all: () => items, first: () => items[0] };\n"
        f"{body}\n}};\nconst results = [];\n"
        "for (const [at, { json }] of items.entries()) results.push(...listed(await each(json, at)));\n"
        "return results;\n"
    )
    return Output(many=asked.code(wrapped, {"items": asked.braced(asked.given.items)} | given))


def _wrapped(source: str) -> str:
    return f"{library_for(source)}const run = async () => {{\n{source.rstrip()}\n}};\nreturn listed(await run());\n"


def _source(asked: Asked) -> str:
    """Raises Left for code that a CODE step cannot run."""
    language = asked.raw("language", "javaScript")
    if language != "javaScript":
        raise Left("its code is Python, in n8n's form: write it as a CODE step")
    source = asked.raw("jsCode", asked.raw("functionCode", ""))
    if not isinstance(source, str) or not source.strip():
        return str(asked.needed("", "the code", "return items;"))
    plain = _without_comments(source)
    for pattern, reason in _OUT_OF_REACH:
        if re.search(pattern, plain, re.MULTILINE):
            raise Left(f"its code cannot run in a CODE step: {reason}")
    return source


def _without_comments(source: str) -> str:
    return re.sub(r"/\*.*?\*/|(?<![:\"'\w])//[^\n]*", "", source, flags=re.DOTALL)


def _gives_one_item(source: str) -> bool:
    """Whether every `return` of the code itself gives one item that is written out. Where that is not plain, it gives
    a list, which is right in any case."""
    plain = _without_comments(source)
    return len(_RETURN.findall(plain)) == 1 and _ends_in_one_item(plain)


def _ends_in_one_item(plain: str) -> bool:
    tail = plain[plain.rindex("return") :]
    if not _ONE_ITEM.match(tail) or "..." in tail.split("json", 1)[0]:
        return False
    return tail.count("json:") <= 1 and ".map(" not in tail.split("{", 1)[0]
