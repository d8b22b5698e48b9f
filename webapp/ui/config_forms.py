"""The form of a config: its fields, their values, and the config that comes of it when it is filled in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from flowforge.errors import Problem
from flowforge.form_view import FORM_KIND, FormView
from flowforge.jsonio import JsonObject
from flowforge.sentences import sentence
from webapp.ui.alternatives import narrowed
from webapp.ui.fields import Field, fields_of
from webapp.ui.forms import Form, config_from_form


@dataclass(frozen=True, slots=True)
class ConfigForm:
    fields: Sequence[Field]
    """Those that are drawn."""
    values: JsonObject
    view: FormView | None = None
    """The fields that are drawn where others are stored."""
    schema: Mapping[str, Any] | None = None
    """All fields of the view, whatever is chosen."""
    about: str = ""
    """The words of an API for the operation that is called; empty for all else."""

    def read(self, posted: Form, before: JsonObject) -> JsonObject:
        """The config that the filled-in form stands for. Of a view all fields are read: what was filled in for one way
        may fit another one that was chosen instead."""
        if self.view is None or self.schema is None:
            return config_from_form(self.fields, posted, before)
        return self.view.written(config_from_form(fields_of(self.schema), posted, self.values), before)

    def placed(self, problems: Sequence[Problem], at: str) -> list[Problem]:
        """The problems of the config at that pointer, each at the field beside which it is told."""
        places = self.view.places if self.view else {}
        moved = {f"{at}/{key}": f"{at}/{place}" for key, place in places.items()}
        placed = [replace(problem, pointer=moved.get(problem.pointer, problem.pointer)) for problem in problems]
        missing = self._missing_field()
        return [
            Problem(f"{at}/{missing}", sentence("is required")) if missing and one.pointer == at else one
            for one in placed
        ]

    def _missing_field(self) -> str:
        """The field of a view that has to be filled in for the chosen way, and is not; empty where there is none."""
        fields = self.fields if self.view else ()
        return next((field.key for field in fields if field.required and self.values.get(field.key) is None), "")


def config_form(
    schema: Mapping[str, Any], config: Mapping[str, Any], view: FormView | None = None, wanted: str | None = None
) -> ConfigForm:
    """`wanted`: the way to fill it in that was chosen just now, if its kind has several."""
    if view is None:
        return ConfigForm(fields_of(narrowed(schema, config)), dict(config))
    values, whole = view.shown(config, wanted), view.schema(schema)
    return ConfigForm(fields_of(narrowed(whole, values)), values, view, whole)


def wanted_kind(form: Mapping[str, str], prefix: str = "config.") -> str | None:
    return form.get(f"{prefix}{FORM_KIND}")
