"""Parts of a step's work that are done, so that a repeat goes on there: the pages of a list."""

from __future__ import annotations

from alembic import op

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE orchestrator.step_parts (
            execution_id uuid NOT NULL REFERENCES orchestrator.workflow_executions (id) ON DELETE CASCADE,
            step_index integer NOT NULL,
            iteration integer NOT NULL,
            number integer NOT NULL,
            items text NOT NULL,
            next text,
            complete boolean NOT NULL,
            created_at timestamptz NOT NULL DEFAULT now(),
            PRIMARY KEY (execution_id, step_index, iteration, number)
        )
        """
    )


def downgrade() -> None:
    """A step that is at work begins its list anew."""
    op.execute("DROP TABLE orchestrator.step_parts")
