"""Saved filters of the lists of workflows and executions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import redirect, request, url_for

from flowforge.errors import Invalid, NotFound
from flowforge.sentences import sentence
from flowforge.workflows import saved_filters
from flowforge.workflows.saved_filters import Listed, normal
from webapp.context import session
from webapp.translation.texts import gettext, said
from webapp.ui.base import blueprint
from webapp.ui.guard import viewer_id
from webapp.ui.notices import tell


@dataclass(frozen=True, slots=True)
class ShownFilter:
    name: str
    link: str
    is_current: bool


@blueprint.post("/saved-filters/<listed>")
def save_filter(listed: str) -> Any:
    of, query = _listed(listed), request.form.get("query", "")
    try:
        saved_filters.save(session(), viewer_id(), of, request.form.get("name", ""), query)
        tell(gettext("Filter saved."))
    except Invalid as error:
        tell(
            gettext("The filter was not saved: its name %(problem)s.", problem=said(error.problems[0].message)), "error"
        )
    return redirect(_address(of, normal(of, query)), 303)


@blueprint.post("/saved-filters/<listed>/delete")
def delete_filter(listed: str) -> Any:
    of = _listed(listed)
    saved_filters.remove(session(), viewer_id(), of, request.form.get("name", ""))
    tell(gettext("Filter deleted."))
    return redirect(url_for(f"ui.{of}"), 303)


def shown_filters(of: Listed) -> Sequence[ShownFilter]:
    """The viewer's filters of a list, with the one that the address asks for now."""
    asked = current_query(of)
    found = saved_filters.all_of(session(), viewer_id(), of)
    return [ShownFilter(one.name, _address(of, one.query), one.query == asked) for one in found]


def current_query(of: Listed) -> str:
    """The filter that the address asks for, as it would be saved."""
    return normal(of, request.query_string.decode("utf-8", "replace"))


def _address(of: Listed, query: str) -> str:
    return f"{url_for(f'ui.{of}')}?{query}"


def _listed(name: str) -> Listed:
    if name not in set(Listed):
        raise NotFound(sentence("there is no such list"))
    return Listed(name)
