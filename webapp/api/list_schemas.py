"""Models of what lists of workflows and executions are put in order by: folders, saved filters, selections."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import Field

from flowforge.executions.deleting import MOST_EXECUTIONS
from flowforge.workflows.saved_filters import FIELDS, LONGEST_NAME, LONGEST_QUERY
from flowforge.workflows.selections import MOST
from webapp.wire import Wire

_FOLDER = "The path of a folder, as in sales/leads; null: none."


class Folder(Wire):
    path: str = Field(description="The names of the folders around it, and its own: sales/leads.")
    workflows: int = Field(description="In it, and in the folders within it.")


class WantedFolder(Wire):
    folder: str | None = Field(description=_FOLDER)


class RenamedFolder(Wire):
    folder: str | None = Field(description="Its new path; null: its workflows are in no folder.")
    workflows: int = Field(description="How many were in it, and in the folders within it.")


class ListField(Wire):
    list_field: str | None = Field(description="Names with . between them, such as body.order.id; null: none.")


class DeletedWorkflow(Wire):
    id: UUID
    name: str
    deleted_at: datetime
    kept_until: datetime = Field(description="Until then it can be restored.")


class SavedFilter(Wire):
    name: str = Field(min_length=1, max_length=LONGEST_NAME)
    query: str = Field(
        min_length=1,
        max_length=LONGEST_QUERY,
        description="The query of the list's address on its page, such as status=FAILED. "
        + " ".join(f"Parts of {listed}: {', '.join(sorted(parts))}." for listed, parts in FIELDS.items()),
    )


class SelectedWorkflows(Wire):
    workflow_ids: list[UUID] = Field(min_length=1, max_length=MOST)


class Move(SelectedWorkflows):
    folder: str | None = Field(description=_FOLDER)


class Tagging(SelectedWorkflows):
    tag: str = Field(description="Kept in lower case.")


class ChangedWorkflows(Wire):
    workflow_ids: list[UUID] = Field(description="Those that were changed; the others were so already.")


class SelectedExecutions(Wire):
    execution_ids: list[UUID] = Field(min_length=1, max_length=MOST_EXECUTIONS)


class DeletedExecutions(Wire):
    deleted: int = Field(description="How many are gone.")
