"""JavaScript of n8n's inside a CODE step: the names that it uses there are put before it, and the data it names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files

from flowforge.jsonio import JsonObject
from flowforge.n8n.data import Output, as_seen_from, held, reach
from flowforge.n8n.expressions.found import Place

CODE_SECONDS = 10

_NODE = re.compile(
    r"""\$\(\s*(["'`])(?P<call>.+?)\1\s*[,)]|\$node\s*\[\s*(["'`])(?P<old>.+?)\3\s*\]|\$node\.(?P<dot>\w+)"""
    r"""|\$items\(\s*(["'`])(?P<items>.+?)\6"""
)
_DATES = re.compile(r"\bDateTime\b|\$now\b|\$today\b|\bluxon\b|\btoDateTime\b|\.toFormat\b|\bDuration\b|\bInterval\b")
_LOCALES = re.compile(r"\btoLocale\w*String\s*\(|\bIntl\b")
_BUFFER = re.compile(r"\bBuffer\b")
_FILES = re.compile(r"getBinaryDataBuffer|prepareBinaryData|\bbinary\b|\$binary\b")
_FILE_NAME = re.compile(
    r"""binary(?:\?\.|\?\.(?=\[)|(?=\[))(?:(?P<dotted>[A-Za-z_]\w*)|\[\s*['"](?P<quoted>[^'"\n]+)['"]\s*\])(?!\s*=[^=])"""
    r"""|getBinaryDataBuffer\([^,()]+,\s*['"](?P<read>[^'"\n]+)['"]"""
)
_CONTENT = re.compile(
    r"getBinaryDataBuffer|(?<!binary)(?<!binary\?)\.data\b|\[['\"]data['\"]\]|\{[^{}=]*\bdata\b[^{}:]*\}\s*="
)
_VARIABLE = re.compile(r"""(?:\$vars|\$env|process\.env)(?:\.(\w+)|\[\s*['"]([^'"\n]+)['"]\s*\])""")
_STATIC = re.compile(r"getWorkflowStaticData")
_MODULES = re.compile(r"\brequire\s*\(")
_BRACES = re.compile(r"\{(?=[{%#])")
_QUOTED = re.compile(r"""'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`""", re.DOTALL)
_EXTENSIONS = re.compile(
    r"\.(?:isEmpty|isNotEmpty|first|last|toDateTime|toJsonString|parseJson|toNumber|toInt|toFloat|extractEmail|extractUrl"
    r"|extractDomain|removeTags|removeMarkdown|toTitleCase|toSentenceCase|toSnakeCase|urlEncode|urlDecode|base64Encode"
    r"|base64Decode|compact|unique|removeDuplicates|pluck|sum|average|max|min|randomItem|chunk|append|difference"
    r"|intersection|union|merge|renameKeys|smartJoin|hasField|removeField|removeFieldsContaining|keepFieldsContaining"
    r"|urlSafe|toBoolean|isEmail|isNumeric|isUrl|quote|round|floor|ceil|abs|isEven|isOdd|length|format)\("
)


def code_for_values(sources: Mapping[str, str], place: Place) -> tuple[str, JsonObject]:
    """The code that gives the values of expressions, by name, and its input."""
    fields = ",\n".join(f"  {name}: value(() => ({source}))" for name, source in sources.items())
    text = "\n".join(sources.values())
    given = {"item": _braced(place.given.item.object, place)} | nodes_named_in(text, place)
    if re.search(r"\$input|\$items\(\)", text):
        given["items"] = _braced(place.given.items, place)
    return without_double_braces(f"{library_for(text)}return {{\n{fields}\n}};\n"), given


def nodes_named_in(text: str, place: Place) -> JsonObject:
    """The part of the input that holds what other nodes gave."""
    nodes: JsonObject = {}
    for name in _names_in(text):
        output = place.node(name)
        if output is not None:
            nodes[name] = node_given(output, place) | files_for(text, output, place)
    given: JsonObject = {"nodes": nodes} if nodes else {}
    if re.search(r"\$workflow\b|\$execution\b", text):
        given |= {
            "workflow": {"id": "{{ workflow.id }}", "name": "{{ workflow.name }}"},
            "execution": "{{ execution.id }}",
        }
    variables = {match[1] or match[2] for match in _VARIABLE.finditer(text)}
    if variables:
        given["vars"] = {name: f"{{{{ {reach('vars', name)} | default(none) }}}}" for name in sorted(variables)}
    if re.search(r"\$itemIndex|\$runIndex", text):
        given["index"] = "{{ loop.index }}" if place.depth else 0
    if _DATES.search(text) or _LOCALES.search(text):
        given["zone"] = place.zone
    return given


def node_given(output: Output, place: Place) -> JsonObject:
    node = {"item": _braced(output.item.object, place)}
    return node if output.many is None else {**node, "items": _braced(output.many, place)}


def keeps_data(text: str) -> bool:
    """Whether code keeps data between executions."""
    return _STATIC.search(text) is not None


def writes_for_languages(text: str) -> bool:
    """Whether code writes numbers or dates as a language does."""
    return _LOCALES.search(text) is not None


def uses_files(text: str) -> bool:
    """Whether code works on the files of items."""
    return _FILES.search(text) is not None


def files_for(text: str, output: Output, place: Place) -> JsonObject:
    """The part of the input that holds the files of the items, by their names, and their contents where the code wants
    them: lists, with one for each item."""
    if not uses_files(text):
        return {}
    found = {name: output.file_list(name) for name in _names_of_files(text, output)}
    lists = {name: files for name, files in found.items() if files is not None}
    given: JsonObject = {"files": {name: _braced(files, place) for name, files in lists.items()}}
    if _CONTENT.search(text):
        given["contents"] = {name: _braced(_CONTENTS_OF.format(held(files)), place) for name, files in lists.items()}
    return given if lists else {}


_CONTENTS_OF = "{} | map(item | base64 if item.sha256 is defined else none)"


def _names_of_files(text: str, output: Output) -> Iterable[str]:
    """The names that the output has, or else the code; n8n's usual one where that names none."""
    if output.files:
        return output.files
    named = dict.fromkeys(match["dotted"] or match["quoted"] or match["read"] for match in _FILE_NAME.finditer(text))
    return named or ("data",)


def _names_in(text: str) -> Iterable[str]:
    found = (match["call"] or match["old"] or match["dot"] or match["items"] for match in _NODE.finditer(text))
    return dict.fromkeys(found)


def _braced(expression: str, place: Place) -> str:
    return f"{{{{ {as_seen_from(expression, place.depth)} | default(none) }}}}"


def library_for(text: str) -> str:
    """The names of n8n's that the code uses, declared."""
    parts = ["files", "names"] if uses_files(text) else ["names"]
    if _EXTENSIONS.search(text):
        parts.append("extensions")
    if _DATES.search(text):
        parts.append("dates")
    if _LOCALES.search(text):
        parts.append("locales")
    if _BUFFER.search(text) or uses_files(text):
        parts.append("buffers")
    if _MODULES.search(text):
        parts += ["modules"] if "buffers" in parts else ["buffers", "modules"]
    if keeps_data(text):
        parts.append("kept")
    return "".join(map(_part, parts))


@cache
def _part(name: str) -> str:
    return files("flowforge.n8n").joinpath("library", f"{name}.js").read_text(encoding="utf-8")


def without_double_braces(source: str) -> str:
    """The same program without `{{`, which begins an expression of ours: a blank stands between, in texts an escape."""
    if not _BRACES.search(source):
        return source
    position, out = 0, []
    for quoted in _QUOTED.finditer(source):
        out += [_BRACES.sub("{ ", source[position : quoted.start()]), _BRACES.sub(r"\\x7b", quoted[0])]
        position = quoted.end()
    return "".join([*out, _BRACES.sub("{ ", source[position:])])
