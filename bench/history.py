"""A database with a long history, made by PostgreSQL itself, so that a million executions take a few minutes.

Everything belongs to one user but the other accounts. The runs are as uneven as those of real accounts: a third of them
are of one workflow, which never fails; others fail each time, or never ran.
"""

from __future__ import annotations

from dataclasses import dataclass

import psycopg2

_STATEMENTS = (
    """
    INSERT INTO workflow.workflows (id, user_id, name, enabled, folder, list_field, trigger_definition,
                                    actions_definition, created_at, updated_at)
    SELECT uuidv7(-n * interval '1 hour'), %(user)s, 'Workflow ' || n, n %% 10 <> 0,
           (ARRAY[NULL, 'sales', 'sales/leads', 'support', 'support/mails/answers'])[1 + n %% 5],
           CASE WHEN n %% 4 = 1 THEN 'body.order' END,
           '{"type": "webhook"}', jsonb_build_array(jsonb_build_object('id', 'call', 'type', 'HTTP_REQUEST', 'config',
               jsonb_build_object('url', 'https://example.com/' || n, 'body', repeat('text ', 40)))),
           now() - n * interval '1 hour', now() - n * interval '1 hour'
    FROM generate_series(1, %(workflows)s) AS n
    """,
    """
    CREATE TEMPORARY TABLE numbered AS
    SELECT row_number() OVER (ORDER BY created_at DESC) AS number, * FROM workflow.workflows WHERE user_id = %(user)s
    """,
    """
    INSERT INTO workflow.workflow_versions (id, workflow_id, number, definition, templated, created_at)
    SELECT uuidv7(), w.id, n, jsonb_build_object('name', w.name, 'trigger', w.trigger_definition,
                                                 'actions', w.actions_definition), true, w.created_at
    FROM numbered w, generate_series(1, 5) AS n
    """,
    """
    UPDATE workflow.workflows w SET version_id = v.id
    FROM workflow.workflow_versions v WHERE v.workflow_id = w.id AND v.number = 5 AND w.user_id = %(user)s
    """,
    """
    INSERT INTO workflow.workflow_tags (workflow_id, user_id, tag)
    SELECT id, user_id, 'team-' || substr(md5(id::text), 1, 1) FROM numbered
    """,
    """
    INSERT INTO trigger_service.trigger_registrations
        (id, workflow_id, user_id, trigger_type, configuration, webhook_url, webhook_token, next_scheduled_at, managed)
    SELECT gen_random_uuid(), id, user_id, 'webhook', '{}'::jsonb, '/webhook/bench-' || number, 'bench-' || number,
           NULL, true
    FROM numbered
    UNION ALL
    SELECT gen_random_uuid(), id, user_id, 'scheduler', '{"cron": "0 0 1 1 *"}', NULL, NULL,
           now() + interval '300 days' + number * interval '1 hour', false
    FROM numbered WHERE number %% 3 = 0
    """,
    """
    INSERT INTO workflow.deleted_workflows (id, user_id, name, deleted_at, kept)
    SELECT gen_random_uuid(), %(user)s, 'Deleted ' || n, now() - n * interval '1 minute', '{}'
    FROM generate_series(1, 300) AS n
    """,
    """
    INSERT INTO workflow.saved_filters (user_id, listed, name, query)
    SELECT %(user)s, listed, 'Filter ' || n, 'q=' || n
    FROM generate_series(1, 30) AS n, unnest(ARRAY['workflows', 'executions']) AS listed
    """,
    """
    CREATE TEMPORARY TABLE run AS
    SELECT n, uuidv7(-n * interval '3 seconds') AS id, now() - n * interval '3 seconds' AS began,
           CASE WHEN n %% 3 = 0 THEN 1 ELSE 2 + n %% (%(workflows)s * 9 / 10) END AS workflow
    FROM generate_series(1, %(executions)s) AS n
    """,
    "CREATE INDEX ON run (n)",
    "ANALYZE run",
    # The newest rows are the newest in time. A few still run.
    """
    INSERT INTO orchestrator.workflow_executions
        (id, workflow_id, user_id, version_id, status, current_step, trigger_payload, step_outputs, trigger_type, error,
         created_at, updated_at, finished_at, replay_of, parent_execution_id)
    SELECT run.id, w.id, %(user)s, v.id, state.status, 1,
           jsonb_build_object('body', jsonb_build_object('order', run.n, 'note', repeat('text ', 20))),
           jsonb_build_object('step_0', jsonb_build_object('status', 200, 'body', repeat('answer ', 20))),
           CASE run.n %% 4 WHEN 0 THEN 'scheduler' ELSE 'webhook' END,
           CASE WHEN state.status = 'FAILED' THEN '{"stepIndex": 0, "step": "call", "message": "HTTP 503"}'::jsonb END,
           run.began, run.began, CASE WHEN state.status <> 'RUNNING' THEN run.began + interval '1 second' END,
           CASE WHEN run.n %% 50 = 1 THEN earlier.id END, CASE WHEN run.n %% 50 = 2 THEN earlier.id END
    FROM run
    JOIN numbered w ON w.number = run.workflow
    JOIN workflow.workflow_versions v ON v.workflow_id = w.id AND v.number = 5
    LEFT JOIN run earlier ON earlier.n = run.n + 7 AND run.n %% 50 < 3
    CROSS JOIN LATERAL (SELECT CASE WHEN run.n <= 40 THEN 'RUNNING' WHEN run.n %% 1000 = 500 THEN 'CANCELLED'
                                    WHEN run.workflow > 1 AND run.n %% 20 = 0 THEN 'FAILED'
                                    ELSE 'COMPLETED' END AS status) AS state
    ORDER BY run.n DESC
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
    SELECT lpad(to_hex(row_number() OVER ()), 24, '0'), left(replace(x.id::text, '-', ''), 20) || '-' || line,
           x.user_id, x.workflow_id, x.id,
           CASE WHEN line = 1 THEN 'START' WHEN line = %(lines)s THEN 'EXECUTION' ELSE 'RESULT' END,
           CASE WHEN line = 1 THEN 'STARTED' WHEN line = %(lines)s THEN x.status ELSE 'SUCCESS' END,
           jsonb_build_object('stepIndex', 0, 'output', repeat('answer ', 10)),
           x.created_at + line * interval '100 milliseconds'
    FROM orchestrator.workflow_executions x, generate_series(1, %(lines)s) AS line WHERE x.user_id = %(user)s
    """,
    """
    INSERT INTO orchestrator.dead_letters
        (id, topic, consumer_group, position, key, value, reason, created_at, user_id)
    SELECT uuidv7(-n * interval '1 minute'), 'execution.result', 'orchestrator', 'bench-' || n, 'key', '{}',
           'no message', now() - n * interval '1 minute', %(user)s
    FROM generate_series(1, 2000) AS n
    """,
    """
    INSERT INTO auth.users (id, username, email, password, name_key, created_at)
    SELECT gen_random_uuid(), 'member' || n, 'member' || n || '@example.test', '-', 'member' || n, now()
    FROM generate_series(1, 1000) AS n
    """,
    """
    INSERT INTO auth.audit_log (id, occurred_at, action, actor_id, actor_name, account_id, account_name, address,
                                details)
    SELECT uuidv7(-n * interval '1 minute'), now() - n * interval '1 minute',
           (ARRAY['sign-in.succeeded', 'workflow.published', 'workflow.enabled'])[1 + n %% 3], u.id, u.username, u.id,
           u.username, '127.0.0.1', '{}'
    FROM generate_series(1, 100000) AS n
    JOIN (SELECT row_number() OVER (ORDER BY created_at, id) AS number, id, username FROM auth.users) u
        ON u.number = 1 + CASE WHEN n %% 2 = 0 THEN 0 ELSE n %% 1000 END
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
            cursor.execute("SET LOCAL session_replication_role = replica")  # a foreign key takes longer than its row
            for statement in _STATEMENTS:
                cursor.execute(statement, values)
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")  # what autovacuum would have done along the way
    finally:
        connection.close()
