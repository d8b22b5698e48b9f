"""The order of fields is kept beside what jsonb sorts (flowforge.field_order); null where jsonb keeps it."""

from __future__ import annotations

from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

COLUMNS = {
    "trigger_service.trigger_events": ("payload_order", "response_order"),
    "orchestrator.workflow_executions": ("payload_order", "outputs_order"),
    "orchestrator.step_attempts": ("output_order",),
    "orchestrator.step_frames": ("item_order", "outputs_order", "result_order"),
    "orchestrator.open_blocks": ("closure_order", "memory_order"),
    "workflow.workflows": ("definition_order",),
    "workflow.workflow_versions": ("definition_order",),
}


def upgrade() -> None:
    for table, columns in COLUMNS.items():
        op.execute(f"ALTER TABLE {table} " + ", ".join(f"ADD COLUMN {column} jsonb" for column in columns))


def downgrade() -> None:
    for table, columns in COLUMNS.items():
        op.execute(f"ALTER TABLE {table} " + ", ".join(f"DROP COLUMN {column}" for column in columns))
