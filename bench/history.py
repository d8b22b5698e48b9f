"""A database with a long history: workflows, executions, their attempts and log lines of one user, made by PostgreSQL
itself, so that a million takes a minute or two."""

from __future__ import annotations

from dataclasses import dataclass

import psycopg2

_STATEMENTS = (
    # The newest rows are the newest in time; one in twenty has failed, a few still run.
    """
    INSERT INTO workflow.workflows (id, user_id, name, enabled, trigger_definition, actions_definition, created_at,
                                    updated_at)
    SELECT gen_random_uuid(), %(user)s, 'Workflow ' || n, n %% 10 <> 0,
           '{"type": "webhook"}', jsonb_build_array(jsonb_build_object('id', 'call', 'type', 'HTTP_REQUEST', 'config',
               jsonb_build_object('url', 'https://example.com/' || n, 'body', repeat('text ', 40)))),
           now() - n * interval '1 hour', now() - n * interval '1 hour'
    FROM generate_series(1, %(workflows)s) AS n
    """,
    """
    INSERT INTO workflow.workflow_tags (workflow_id, user_id, tag)
    SELECT id, user_id, 'team-' || substr(id::text, 1, 1) FROM workflow.workflows WHERE user_id = %(user)s
    """,
    """
    CREATE TEMPORARY TABLE numbered AS
    SELECT row_number() OVER () AS number, id FROM workflow.workflows WHERE user_id = %(user)s
    """,
    """
    INSERT INTO orchestrator.workflow_executions
        (id, workflow_id, user_id, status, current_step, trigger_payload, step_outputs, trigger_type, error,
         created_at, updated_at, finished_at)
    SELECT uuidv7(-n * interval '3 seconds'), w.id, %(user)s,
           CASE WHEN n <= 40 THEN 'RUNNING' WHEN n %% 20 = 0 THEN 'FAILED' ELSE 'COMPLETED' END, 1,
           jsonb_build_object('body', jsonb_build_object('order', n, 'note', repeat('text ', 20))),
           jsonb_build_object('step_0', jsonb_build_object('status', 200, 'body', repeat('answer ', 20))),
           CASE n %% 3 WHEN 0 THEN 'scheduler' ELSE 'webhook' END,
           CASE WHEN n %% 20 = 0 AND n > 40 THEN '{"stepIndex": 0, "step": "call", "message": "HTTP 503"}'::jsonb END,
           now() - n * interval '3 seconds', now() - n * interval '3 seconds',
           CASE WHEN n > 40 THEN now() - n * interval '3 seconds' + interval '1 second' END
    FROM generate_series(1, %(executions)s) AS n JOIN numbered w ON w.number = 1 + n %% %(workflows)s
    """,
    """
    INSERT INTO orchestrator.step_attempts
        (execution_id, step_index, iteration, attempt, workflow_id, state, due_at, sent_at, claims, succeeded,
         started_at, finished_at)
    SELECT id, 0, 0, 1, workflow_id, 'APPLIED', created_at, created_at, 1, status = 'COMPLETED', created_at,
           created_at + interval '1 second'
    FROM orchestrator.workflow_executions WHERE user_id = %(user)s
    """,
    """
    INSERT INTO logbook.execution_logs (id, dedup_key, user_id, workflow_id, execution_id, event_type, status, data,
                                        timestamp)
    SELECT lpad(to_hex(row_number() OVER ()), 24, '0'), x.id || '-' || line, x.user_id, x.workflow_id, x.id,
           CASE WHEN line = 1 THEN 'START' WHEN line = %(lines)s THEN 'EXECUTION' ELSE 'RESULT' END,
           CASE WHEN line = 1 THEN 'STARTED' WHEN line = %(lines)s THEN x.status ELSE 'SUCCESS' END,
           jsonb_build_object('stepIndex', 0, 'output', repeat('answer ', 10)),
           x.created_at + line * interval '100 milliseconds'
    FROM orchestrator.workflow_executions x, generate_series(1, %(lines)s) AS line WHERE x.user_id = %(user)s
    """,
)


@dataclass(frozen=True, slots=True)
class Size:
    workflows: int = 1_000
    executions: int = 1_000_000
    lines: int = 5
    """Of each execution, in the log."""


def write_history(database_url: str, user_id: str, size: Size) -> None:
    values = {
        "user": user_id,
        "workflows": size.workflows,
        "executions": size.executions,
        "lines": size.lines,
    }
    connection = psycopg2.connect(database_url)
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute("SET LOCAL synchronous_commit = off")
            for statement in _STATEMENTS:
                cursor.execute(statement, values)
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")  # what autovacuum would have done along the way
    finally:
        connection.close()
