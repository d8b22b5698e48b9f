"""The names of statuses: of executions, steps, workflows, connections, messages. On the wire they stay in capitals."""

from __future__ import annotations

from webapp.translation.texts import lazy

_NAMES = {
    "ACTIVE": lazy("Active"),
    "APPROVED": lazy("Approved"),
    "CANCELLED": lazy("Cancelled"),
    "COMPLETED": lazy("Completed"),
    "DISABLED": lazy("Disabled"),
    "DOWN": lazy("Failed"),
    "DRAFT": lazy("Draft"),
    "ENABLED": lazy("Enabled"),
    "ERROR": lazy("Error"),
    "FAILED": lazy("Failed"),
    "FAILURE": lazy("Attempt failed"),
    "HANDLED": lazy("Failed, handled"),
    "HELD": lazy("Queued by a limit"),
    "INFO": lazy("Information"),
    "NOT_RUN": lazy("Not run"),
    "PENDING": lazy("Pending"),
    "PLANNED": lazy("Planned"),
    "QUEUED": lazy("Queued"),
    "REJECTED": lazy("Rejected"),
    "RETRYING": lazy("Retrying"),
    "RUNNING": lazy("Running"),
    "SKIPPED": lazy("Skipped"),
    "STARTED": lazy("Started"),
    "SUCCEEDED": lazy("Succeeded"),
    "SUCCESS": lazy("Succeeded"),
    "UP": lazy("Enabled"),
    "WAITING": lazy("Waiting"),
    "WARN": lazy("Warning"),
}


def state_name(state: str) -> str:
    """`Not run` for NOT_RUN; a status that is not known here is shown as it is written."""
    known = _NAMES.get(state.upper())
    return str(known) if known else state.replace("_", " ").capitalize()
