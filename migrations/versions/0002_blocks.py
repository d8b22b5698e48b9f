"""Blocks: frames of loops and parallel branches, waits, workflows that call workflows, answers to callers, replays."""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

STATEMENTS = """
ALTER TABLE workflow.workflows ADD COLUMN settings jsonb;

ALTER TABLE trigger_service.trigger_events
    ADD COLUMN awaited_by jsonb,
    ADD COLUMN replay jsonb,
    ADD COLUMN response jsonb;

ALTER TABLE orchestrator.workflow_executions
    ADD COLUMN in_block boolean,
    ADD COLUMN next_frame integer,
    ADD COLUMN result jsonb,
    ADD COLUMN awaited_by jsonb,
    ADD COLUMN parent_execution_id uuid,
    ADD COLUMN replay_of uuid,
    ADD COLUMN deadline timestamptz,
    ADD COLUMN begin_at timestamptz,
    ADD COLUMN concurrency_key text;
CREATE INDEX idx_executions_parent ON orchestrator.workflow_executions (parent_execution_id)
    WHERE parent_execution_id IS NOT NULL;
CREATE INDEX idx_executions_replay ON orchestrator.workflow_executions (replay_of) WHERE replay_of IS NOT NULL;
CREATE INDEX idx_executions_deadline ON orchestrator.workflow_executions (deadline)
    WHERE deadline IS NOT NULL AND finished_at IS NULL;
CREATE INDEX idx_executions_queued ON orchestrator.workflow_executions (begin_at)
    WHERE begin_at IS NOT NULL AND finished_at IS NULL;
CREATE INDEX idx_executions_concurrency ON orchestrator.workflow_executions (concurrency_key, created_at)
    WHERE concurrency_key IS NOT NULL AND finished_at IS NULL;

ALTER TABLE orchestrator.step_attempts ADD COLUMN waiting jsonb;
CREATE INDEX idx_attempts_resting ON orchestrator.step_attempts (due_at) WHERE state = 'WAITING';

CREATE TABLE orchestrator.open_blocks (
    execution_id uuid NOT NULL REFERENCES orchestrator.workflow_executions (id) ON DELETE CASCADE,
    frame integer NOT NULL,
    step_index integer NOT NULL,
    first_frame integer NOT NULL,
    total integer NOT NULL,
    at_once integer NOT NULL,
    begun integer NOT NULL,
    ended integer NOT NULL,
    failed integer NOT NULL,
    failed_position integer,
    error jsonb,
    closure jsonb NOT NULL,
    PRIMARY KEY (execution_id, frame, step_index)
) WITH (fillfactor = 70);

CREATE TABLE orchestrator.step_frames (
    execution_id uuid NOT NULL REFERENCES orchestrator.workflow_executions (id) ON DELETE CASCADE,
    number integer NOT NULL,
    block_frame integer NOT NULL,
    block_step integer NOT NULL,
    position integer NOT NULL,
    status text NOT NULL,
    current_step integer NOT NULL,
    item jsonb,
    outputs jsonb NOT NULL,
    result jsonb,
    error jsonb,
    PRIMARY KEY (execution_id, number)
) WITH (fillfactor = 70);
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(STATEMENTS)


def downgrade() -> None:
    raise NotImplementedError("migrations only go forward")
