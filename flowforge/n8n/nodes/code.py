"""Code, Function and Function Item nodes: their code runs in a CODE step, with n8n's names before it."""

from __future__ import annotations

import re
from dataclasses import replace

from flowforge.jsonio import JsonObject
from flowforge.n8n.asking import Asked, Left
from flowforge.n8n.data import Data, Output, reach
from flowforge.n8n.javascript import (
    files_for,
    keeps_data,
    library_for,
    nodes_named_in,
    uses_files,
    writes_for_languages,
)
from flowforge.n8n.kept_data import with_kept_data
from flowforge.n8n.nodes import node
from flowforge.n8n.python_code import python_code
from flowforge.sentences import sentence

_OUT_OF_REACH = (
    (r"\brequire\s*\(\s*(?!['\"](?:node:)?(?:crypto|buffer|url)['\"])", sentence("it loads a library")),
    (r"createHash\(\s*(?!['\"](?i:md5|sha-?256)['\"])", sentence("it makes digests that are neither MD5 nor SHA-256")),
    (r"createHmac\(\s*(?!['\"](?i:sha-?256)['\"])", sentence("it makes signatures that are not HMAC-SHA-256")),
    (
        r"\bcrypto\.(?:create\w*[Cc]ipher|\w*[Ss]ign|\w*[Vv]erify|generate\w+|pbkdf2|scrypt|subtle)",
        sentence("it encrypts or signs"),
    ),
    (r"\bimport\s*\(|^\s*import\s", sentence("it loads a library")),
    (
        r"helpers\b(?!\.(?:getBinaryDataBuffer|prepareBinaryData)\b)|\bfetch\s*\(|\baxios\b|XMLHttpRequest",
        sentence("it calls other servers: use HTTP_REQUEST steps"),
    ),
    (r"\$memory", sentence("it remembers data between executions: use a table, or REMEMBER")),
    (
        r"(?:\$env|process\.env)\b(?!\.\w|\[\s*['\"])|\$credentials|\$secrets",
        sentence("it reads the environment: use variables or connections"),
    ),
    (
        r"\bIntl\.(?!NumberFormat\b|DateTimeFormat\b)|formatToParts|formatRange",
        sentence("it takes apart what languages write: Intl is not all there"),
    ),
    (r"\$fromAI|getNodeParameter|\$evaluateExpression|\$getPairedItem", sentence("it uses what n8n alone has")),
)
_ONE_ITEM = re.compile(
    r"return\s*\[\s*\{\s*(?:json\s*:|\"json\"\s*:|'json'\s*:)|return\s*\{|return\s*\[\s*\w+\s*\]\s*;?\s*$"
)
_RETURN = re.compile(r"\breturn\b")


@node("code", "function", whole_list=True)
def code(asked: Asked) -> Output:
    each = asked.raw("mode", "runOnceForAllItems") == "runOnceForEachItem"
    if asked.raw("language", "javaScript") != "javaScript":
        return python_code(asked, each)
    source = _source(asked)
    if each:
        return _for_each(asked, source)
    given = {"items": asked.braced(asked.given.items)} | _named_in(asked, source)
    rows = _computed(asked, source, _wrapped(source), given)
    if _gives_one_item(source):
        return _with_files(asked, source, Output(Data(f"{rows}[0]"), as_list=rows))
    return _with_files(asked, source, Output(many=rows))


def _computed(asked: Asked, source: str, program: str, given: JsonObject) -> str:
    """The step with the code, and those that read and write what it keeps between executions; the path of its rows."""
    if re.search(r"\$env\b|process\.env", source):
        asked.note(sentence("the environment variables that it reads became variables: set vars of the same names"))
    if writes_for_languages(source):
        asked.note(sentence("numbers and dates are written as languages usually do; rarer forms may differ"))
    return with_kept_data(asked, program, given) if keeps_data(source) else asked.code(program, given)


def _named_in(asked: Asked, source: str) -> JsonObject:
    """The input besides the items themselves."""
    place = asked.values.place
    return nodes_named_in(source, place) | files_for(source, place.given, place)


def _with_files(asked: Asked, source: str, output: Output) -> Output:
    """The output with the files that code gives its items."""
    if not uses_files(source):
        return output
    asked.note(
        sentence(
            "files that it gives stand in the field 'binary' of its items; those that it makes hold 700 kB at most"
        )
    )
    if output.many is not None:
        return replace(output, files_field=_FILES_FIELD)
    return replace(output, files_at=reach(output.item.whole, _FILES_FIELD))


_FILES_FIELD = "binary"


@node("functionItem")
def function_item(asked: Asked) -> Output:
    return _for_each(asked, f"const item = $json;\n{_source(asked)}", names="item")


def _for_each(asked: Asked, source: str, *, names: str = "") -> Output:
    """Code that is run for each item: the step stands in the loop, or does it for all items itself."""
    given = _named_in(asked, source)
    if asked.given.many is None:
        rows = _computed(asked, source, _wrapped(source), {"item": asked.item} | given)
        return _with_files(asked, source, Output(Data(f"{rows}[0]")))
    body = source.replace("$itemIndex", "at")
    wrapped = (
        f"{library_for(source)}const run = async function (given, at) {{\n"
        "const $json = given.json, $binary = given.binary;\n"
        "const $input = { item: given, all: () => items, first: () => items[0] };\n"
        f"{body}\n}};\nconst results = [];\n"
        f"for (const [at, each] of items.entries()) results.push(...listed(await {_call(source, 'each, at')}));\n"
        "return results;\n"
    )
    rows = _computed(asked, source, wrapped, {"items": asked.braced(asked.given.items)} | given)
    return _with_files(asked, source, Output(many=rows))


def _wrapped(source: str) -> str:
    run = f"const run = async function () {{\n{source.rstrip()}\n}};\n"
    return f"{library_for(source)}{run}return listed(await {_call(source)});\n"


def _call(source: str, given: str = "") -> str:
    """The call of the code; what it reaches as `this` holds the helpers for files, and what is kept."""
    names = {"helpers": uses_files(source), "getWorkflowStaticData": keeps_data(source)}
    this = ", ".join(name for name, is_used in names.items() if is_used)
    return f"run.call({{ {this} }}{', ' if given else ''}{given})"


def _source(asked: Asked) -> str:
    """Raises Left for code that a CODE step cannot run."""
    source = asked.raw("jsCode", asked.raw("functionCode", ""))
    if not isinstance(source, str) or not source.strip():
        return str(asked.needed("", sentence("the code"), "return items;"))
    return checked(source)


def checked(source: str) -> str:
    """The code. Raises Left where a CODE step cannot run it."""
    plain = _without_comments(source)
    for pattern, reason in _OUT_OF_REACH:
        if re.search(pattern, plain, re.MULTILINE):
            raise Left(sentence("its code cannot run in a CODE step: %(reason)s", reason=reason))
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
