"""Steps that are copied as YAML. Secrets do not go into the clipboard: what was copied last is kept for its owner,
sealed, for an hour, so that the steps have them again where they are pasted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from flask import Response, request
from redis.exceptions import RedisError

from flowforge.ascode.snippets import text_of_steps
from flowforge.connectors.catalog import load_catalog
from flowforge.jsonio import JsonObject
from flowforge.language import edits
from flowforge.language.tree import actions_in, map_actions
from flowforge.secrets import SecretUnreadable
from flowforge.workflows.validation import config_of
from webapp.context import backends, session
from webapp.services import drafts
from webapp.ui.base import blueprint
from webapp.ui.guard import viewer_id
from webapp.ui.kept_definitions import SECONDS, opened, sealed


@blueprint.post("/workflows/<uuid:workflow_id>/build/copy")
def copy_steps(workflow_id: UUID) -> Response:
    """The steps `at` as YAML, secrets masked."""
    chosen = request.form.getlist("at")
    shown = drafts().get(session(), viewer_id(), workflow_id).definition
    text = text_of_steps(edits.selected(shown, chosen))
    _keep(edits.selected(drafts().clear(session(), viewer_id(), workflow_id), chosen))
    return Response(text, mimetype="text/plain")


def with_kept_secrets(pasted: Sequence[JsonObject], definition: JsonObject) -> list[JsonObject]:
    """The steps with their secrets, where just these were copied, or are in the definition. Any other mask becomes
    empty: a text from elsewhere must not get at a secret by naming the step that has it."""
    catalog, known = load_catalog(), _configs_in([*_kept(), *(definition.get("actions") or ())])

    def unmask(action: JsonObject) -> JsonObject:
        type_, config = str(action["type"]).upper(), config_of(action)
        if config is None:
            return action
        clear = known.get((str(action.get("id")), type_))
        is_same = clear is not None and catalog.mask(type_, clear) == config
        return {**action, "config": clear if is_same else catalog.without_masks(type_, config)}

    return list(map_actions(list(pasted), unmask))


def _configs_in(actions: Sequence[Any]) -> dict[tuple[str, str], JsonObject]:
    """Configs by the id and the type of their step; the first of each."""
    found: dict[tuple[str, str], JsonObject] = {}
    for _, action in actions_in(list(actions)):
        config = config_of(action)
        if config is not None:
            found.setdefault((str(action.get("id")), str(action.get("type")).upper()), config)
    return found


def _keep(actions: Sequence[JsonObject]) -> None:
    text = sealed(list(actions))
    if text is None:
        return
    try:
        backends().redis.set(_key(), text, ex=SECONDS)
    except RedisError:
        return  # the steps are copied all the same; their secrets have to be given again


def _kept() -> Sequence[JsonObject]:
    try:
        text: Any = backends().redis.get(_key())
        found: list[JsonObject] = opened(text) if text else []
    except (RedisError, SecretUnreadable):
        return ()
    return found


def _key() -> str:
    return f"flowforge:clipboard:{viewer_id()}"
