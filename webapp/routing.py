"""Routes that are cheap to add: most are never written as an address by the process that serves them."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from werkzeug.routing import Rule

Builder = Callable[..., tuple[str, str]]


class LazyRule(Rule):
    """A rule that prepares the building of its addresses when the first one is built.

    Werkzeug generates and compiles Python code for that, two functions a rule: for our routes that was most of the time
    in which an application is made.
    """

    def _compile_builder(self, append_unknown: bool = True) -> Builder:
        compiled = cache(super()._compile_builder)

        def build(rule: Rule, /, **values: Any) -> tuple[str, str]:
            return compiled(append_unknown)(rule, **values)

        return build
