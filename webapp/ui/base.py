"""The dashboard's blueprint, with what stands around every view. `webapp.ui` adds the views."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache

from flask import Blueprint, request
from flask_login import current_user

from flowforge import jsonio
from flowforge.language.evaluation.predicates import PREDICATES
from flowforge.language.filters.all_filters import FILTERS
from webapp.caching import never_store
from webapp.edge import MOST_RECEIVED_BYTES
from webapp.receiving import run_payload
from webapp.translation.texts import said
from webapp.ui import csrf, guard, quick_addresses, text, zones
from webapp.ui.conditions import OPERATORS, UNARY, shown_rows
from webapp.ui.fields import are_wrong, by_group
from webapp.ui.loop_words import loop_count, loop_run, loop_title
from webapp.ui.map_entries import TYPES
from webapp.ui.sparkline import bars_by_status, outcome
from webapp.ui.state_names import state_name
from webapp.ui.trigger_kinds import trigger_icon_name, trigger_name
from webapp.ui.written import is_written

FORM_MAX_BYTES = 4 * 1024 * 1024
"""A definition of the largest size there may be, as a form field: percent-encoding makes it longer."""

_MOST_WITH_FILES: Mapping[str, Callable[[], int]] = {
    "ui.run_workflow": run_payload.most_bytes,
    "ui.create_api": lambda: MOST_RECEIVED_BYTES,
    "ui.add_api_version": lambda: MOST_RECEIVED_BYTES,
    "ui.import_rows": lambda: MOST_RECEIVED_BYTES,
}
"""The most bytes that a form may have, by its endpoint, where it brings files."""
_HIGHEST_PAGE = 1_000_000

blueprint = Blueprint("ui", __name__)
for _filter in (
    text.agent,
    text.note,
    text.moment,
    text.minute,
    text.exact,
    text.clock,
    text.distance,
    text.pretty,
    jsonio.indented,
    text.brief,
    text.duration,
    text.sentence,
    said,
    state_name,
    loop_count,
    loop_run,
    loop_title,
    trigger_name,
    trigger_icon_name,
    bars_by_status,
    outcome,
    are_wrong,
    by_group,
    shown_rows,
    zones.offered_zones,
):
    blueprint.add_app_template_filter(_filter)
blueprint.add_app_template_global(quick_addresses.address_of, "url_for")
blueprint.add_app_template_global(quick_addresses.icon, "drawn_icon")


def requested_page() -> int:
    """The page of a list that the address asks for, from 0. What is no number is the first; addresses may be typed."""
    return min(max(request.args.get("page", 0, int), 0), _HIGHEST_PAGE)


@blueprint.before_request
def _make_room_for_forms() -> None:
    request.max_form_memory_size = FORM_MAX_BYTES
    most_bytes = _MOST_WITH_FILES.get(request.endpoint or "")
    if most_bytes:
        request.max_content_length = most_bytes()


blueprint.before_request(csrf.check)
blueprint.before_request(guard.require_sign_in)
blueprint.after_request(never_store)


@blueprint.app_context_processor
def _for_templates() -> dict[str, object]:
    """Provide names to templates. They look things up only when used: an error page must not need the database."""
    return {
        "viewer": current_user,
        "csrf_token": csrf.token,
        "filter_names": FILTERS.keys(),
        "operators": OPERATORS,
        "unary_operators": UNARY,
        "is_written": is_written,
        "entry_types": TYPES,
        "expression_language": _expression_language,
    }


@cache
def _expression_language() -> str:
    """Describe the filters, by name, usage and help, and the tests by name, for the fields that complete them."""
    filters = [[name, each.usage, each.help] for name, each in sorted(FILTERS.items())]
    return jsonio.dumps({"filters": filters, "tests": sorted(PREDICATES)}).decode()
