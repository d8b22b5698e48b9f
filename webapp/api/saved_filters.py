"""/api/v1/saved-filters: filters of the lists of workflows and executions, each under a name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from flask import Blueprint
from pydantic import Field

from flowforge.errors import NotFound
from flowforge.workflows import saved_filters
from flowforge.workflows.saved_filters import Listed, SavedFilter
from webapp.api import list_schemas
from webapp.context import session
from webapp.endpoint import DELETED, Tag, endpoint, model_body
from webapp.identity import current_user_id
from webapp.query_params import OneOf, Query

blueprint = Blueprint("saved_filters", __name__, url_prefix="/api/v1/saved-filters")


class ListQuery(Query):
    listed: Annotated[Listed, OneOf(Listed)] = Field(alias="list", description="The list that is filtered.")


class FilterQuery(ListQuery):
    name: str


@blueprint.get("")
@endpoint(Tag.OVERVIEW, [list_schemas.SavedFilter], query=ListQuery)
def list_all(query: ListQuery) -> Sequence[SavedFilter]:
    """List the caller's filters of a list, by name"""
    return saved_filters.all_of(session(), current_user_id(), query.listed)


@blueprint.put("")
@endpoint(Tag.OVERVIEW, list_schemas.SavedFilter, query=ListQuery, takes=model_body(list_schemas.SavedFilter))
def save(query: ListQuery, body: list_schemas.SavedFilter) -> SavedFilter:
    """Save a filter; one of the same name is replaced"""
    return saved_filters.save(session(), current_user_id(), query.listed, body.name, body.query)


@blueprint.delete("")
@endpoint(Tag.OVERVIEW, DELETED, query=FilterQuery, refuses=(404,))
def delete(query: FilterQuery) -> None:
    """Delete a saved filter"""
    if not saved_filters.remove(session(), current_user_id(), query.listed, query.name):
        raise NotFound("there is no such saved filter")
