"""JSON's data as YAML that people like to read, and that YAML 1.1 and 1.2 readers take alike.

Keys keep their order; texts of several lines are block scalars; what any reader might take for something else than
text stands in quotes.
"""

from __future__ import annotations

import re
from typing import Any

import yaml

from flowforge import jsonio
from flowforge.ascode.yaml_reader import reads_as_text

_NEVER_FOLDED = 1 << 30
"""Long lines stay one line, so that a diff shows what changed."""


_ODD_BREAKS = re.compile("[\r\x85\u2028\u2029\ufeff]")
_BLANKS = (" ", "\t", "\n")


def write(value: Any) -> str:
    """Ends with a line break."""
    return str(yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=_NEVER_FOLDED))


class _Dumper(yaml.SafeDumper):
    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=_style(text))


def _style(text: str) -> str | None:
    """The style of a text; None leaves it to the library, which knows what readers would take for another type."""
    if _ODD_BREAKS.search(text) or text[:1] in _BLANKS:
        return '"'
    if "\n" in text.rstrip("\n"):
        return "|"
    return None if reads_as_text(text) else "'"


def _number(dumper: _Dumper, number: float) -> yaml.ScalarNode:
    """YAML 1.1 wants a dot, and a sign in the exponent; JSON does not mind."""
    mantissa, _, exponent = jsonio.dumps(number).decode().partition("e")
    text = mantissa if "." in mantissa else f"{mantissa}.0"
    if exponent:
        text += f"e{exponent}" if exponent[0] in "+-" else f"e+{exponent}"
    return dumper.represent_scalar("tag:yaml.org,2002:float", text)


_Dumper.add_representer(str, _text)
_Dumper.add_representer(float, _number)
