"""Fills in a template of Jinja2, sandboxed: `[[ value ]]`, `[% for row in rows %]`, with the filters of expressions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from jinja2 import StrictUndefined, TemplateError
from jinja2.exceptions import SecurityError
from jinja2.runtime import LoopContext, Macro
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Namespace

from flowforge.connectors.programs import limits
from flowforge.language.evaluation.meter import Allowance, Failure, Meter
from flowforge.language.filters.all_filters import FILTERS
from flowforge.language.filters.registry import Filter

_ALLOWANCE = Allowance("a template", memory=200_000_000, work=5_000_000_000, whole_work=20_000_000_000)
_LARGEST = 16_000_000
_OF_JINJA = ("batch", "indent", "list", "safe", "wordwrap", "wordcount", "striptags", "nl2br")
"""Filters of Jinja2 that lay out texts, and have no counterpart among ours."""


_OF_TEMPLATES = (LoopContext, Macro, Namespace)
"""What a template itself makes: of nothing else are there attributes and calls."""
_GLOBALS = ("range", "namespace")


class _OnlyData(ImmutableSandboxedEnvironment):
    """As in expressions, a dot leads to a field and nothing else: no method of any Python object can be reached."""

    def getattr(self, obj: Any, attribute: str) -> Any:
        if isinstance(obj, dict):
            return obj[attribute] if attribute in obj else self.undefined(obj=obj, name=attribute)
        return super().getattr(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        if isinstance(obj, dict):
            return self.getattr(obj, str(argument))
        return super().getitem(obj, argument)

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        return isinstance(obj, _OF_TEMPLATES) and super().is_safe_attribute(obj, attr, value)


def work(request: dict[str, Any]) -> None:
    environment = _environment(is_html=request["html"])
    try:
        template = environment.from_string(request["template"])
        limits.answer_each([_bounded(template.generate(request["data"]))])
    except TemplateError as error:
        raise ValueError(_told(error)) from error
    except (Failure, TypeError) as error:
        raise ValueError(str(error)) from error


def _environment(*, is_html: bool) -> _OnlyData:
    environment = _OnlyData(
        block_start_string="[%",
        block_end_string="%]",
        variable_start_string="[[",
        variable_end_string="]]",
        comment_start_string="[#",
        comment_end_string="#]",
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=is_html,
        undefined=StrictUndefined,
    )
    kept = {name: environment.filters[name] for name in _OF_JINJA if name in environment.filters}
    environment.globals = {name: environment.globals[name] for name in _GLOBALS}
    meter = Meter(allowance=_ALLOWANCE)
    environment.filters = kept | {name: _filter(found, meter) for name, found in FILTERS.items()}
    return environment


def _filter(found: Filter, meter: Meter) -> Callable[..., Any]:
    def compute(value: Any, *arguments: Any, **named: Any) -> Any:
        meter.begin_work()
        return found.compute(meter, value, *arguments, **named)

    return compute


def _bounded(parts: Any) -> str:
    text, size = [], 0
    for part in parts:
        size += len(part)
        if size > _LARGEST:
            raise ValueError(f"the text has more than {_LARGEST:,} characters")
        text.append(part)
    return "".join(text)


def _told(error: TemplateError) -> str:
    line = getattr(error, "lineno", None)
    where = f"line {line}: " if line else ""
    what = "that is not allowed in a template" if isinstance(error, SecurityError) else error.message
    return f"{where}{what}"


if __name__ == "__main__":
    limits.run(work)
