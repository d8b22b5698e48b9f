"""A database with a long history, made by PostgreSQL itself, so that a million executions take a minute or two.

Everything belongs to one user but the other accounts. The runs are as uneven as those of real accounts: a third of them
are of one workflow, which never fails; others fail each time, or never ran.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg2
import requests

from bench.product import running
from flowforge.embedded.postgres import running_postgres

KEPT = {"EXECUTION_RETENTION_DAYS": "3650", "LOG_RETENTION_DAYS": "3650"}
"""Settings of an instance that is to keep all of it."""

_TABLES = (
    "trigger_service.trigger_events",
    "orchestrator.workflow_executions",
    "orchestrator.step_attempts",
    "logbook.execution_logs",
)
"""Those with rows for each execution."""

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
    SELECT n, uuidv7(-n * interval '3 seconds') AS id, uuidv7(-n * interval '3 seconds') AS event_id,
           now() - n * interval '3 seconds' AS began,
           CASE WHEN n %% 3 = 0 THEN 1 ELSE 2 + n %% (%(workflows)s * 9 / 10) END AS workflow
    FROM generate_series(%(executions)s, 1, -1) AS n
    """,
    "CREATE INDEX ON run (n)",
    "ANALYZE run",
    """
    INSERT INTO trigger_service.trigger_events
        (id, trigger_id, workflow_id, user_id, trigger_type, payload, metadata, execution_id, created_at, handled_at)
    SELECT run.event_id, w.id, w.id, %(user)s, 'webhook', '{}', '{"method": "POST", "query": {}}', run.id,
           run.began, run.began
    FROM run JOIN numbered w ON w.number = run.workflow
    """,
    # The newest rows are the newest in time. A few still run.
    """
    INSERT INTO orchestrator.workflow_executions
        (id, event_id, workflow_id, user_id, version_id, status, current_step, trigger_payload, step_outputs,
         trigger_type, error, created_at, updated_at, finished_at, replay_of, parent_execution_id)
    SELECT run.id, run.event_id, w.id, %(user)s, v.id, state.status, 1,
           jsonb_build_object('body', jsonb_build_object('order', run.n, 'note', repeat('text ', 20))),
           jsonb_build_object('step_0', jsonb_build_object('status', 200, 'body', repeat('answer ', 20))),
           CASE run.n %% 4 WHEN 0 THEN 'scheduler' ELSE 'webhook' END,
           CASE WHEN state.status = 'FAILED' THEN '{"stepIndex": 0, "step": "call", "message": "HTTP 503"}'::jsonb END,
           run.began, run.began, CASE WHEN state.status <> 'RUNNING' THEN run.began + interval '1 second' END,
           CASE WHEN run.n %% 50 = 1 THEN (SELECT id FROM run earlier WHERE earlier.n = run.n + 7) END,
           CASE WHEN run.n %% 50 = 2 THEN (SELECT id FROM run earlier WHERE earlier.n = run.n + 7) END
    FROM run
    JOIN numbered w ON w.number = run.workflow
    JOIN workflow.workflow_versions v ON v.workflow_id = w.id AND v.number = 5
    CROSS JOIN LATERAL (SELECT CASE WHEN run.n <= 40 THEN 'RUNNING' WHEN run.n %% 1000 = 500 THEN 'CANCELLED'
                                    WHEN run.workflow > 1 AND run.n %% 20 = 0 THEN 'FAILED'
                                    ELSE 'COMPLETED' END AS status) AS state
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
    SELECT lpad(to_hex(row_number() OVER ()), 24, '0'),
           left(x.id::text, 8) || left(encode(uuid_send(gen_random_uuid()), 'base64'), 14),
           x.user_id, x.workflow_id, x.id,
           CASE WHEN line = 1 THEN 'START' WHEN line = %(lines)s THEN 'EXECUTION' ELSE 'RESULT' END,
           CASE WHEN line = 1 THEN 'STARTED' WHEN line = %(lines)s THEN x.status ELSE 'SUCCESS' END,
           jsonb_build_object('stepIndex', 0, 'output', repeat('answer ', 10)),
           x.created_at + line * interval '100 milliseconds'
    FROM orchestrator.workflow_executions x, generate_series(1, %(lines)s) AS line WHERE x.user_id = %(user)s
    """,
    """
    INSERT INTO auth.usage_positions (name, counted_until)
    VALUES ('accepted events', now()), ('ended executions', now())
    ON CONFLICT (name) DO UPDATE SET counted_until = excluded.counted_until
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

_INDEXES = """
    SELECT CASE WHEN c.oid IS NULL THEN 'DROP INDEX ' || i.indexrelid::regclass
                ELSE 'ALTER TABLE ' || i.indrelid::regclass || ' DROP CONSTRAINT ' || quote_ident(c.conname) END,
           CASE WHEN c.oid IS NULL THEN pg_get_indexdef(i.indexrelid)
                ELSE 'ALTER TABLE ' || i.indrelid::regclass || ' ADD CONSTRAINT ' || quote_ident(c.conname) || ' '
                     || pg_get_constraintdef(c.oid) END
    FROM pg_index i LEFT JOIN pg_constraint c ON c.conindid = i.indexrelid AND c.contype IN ('p', 'u')
    WHERE i.indrelid = ANY(%(tables)s::regclass[]) AND NOT i.indisprimary
"""
"""What takes each index of the tables off, and what puts it on again. Primary keys stay: foreign keys need them, and
their values come in order."""


@dataclass(frozen=True, slots=True)
class Size:
    workflows: int = 1_000
    executions: int = 1_000_000
    lines: int = 5
    """Of each execution, in the log."""


def keep_history(home: Path, size: Size) -> None:
    """Gives the account `bench` of the instance in this home such a history, unless it has one."""
    written = home / "history-is-written"
    if written.exists():
        return
    with running(home) as product:
        me = requests.get(f"{product.url}/auth/me", headers=product.register(), timeout=30).json()
    begun = time.perf_counter()
    with running_postgres(home) as url:
        write_history(url, me["id"], size)
    written.touch()
    print(f"{size.executions:,} executions were written in {time.perf_counter() - begun:.0f} s", flush=True)


def write_history(database_url: str, user_id: str, size: Size) -> None:
    """Writes it, in place of the executions that the database has. No process of FlowForge may run on it meanwhile."""
    values = {
        "user": user_id,
        "workflows": size.workflows,
        "executions": size.executions,
        "lines": size.lines,
    }
    with closing(psycopg2.connect(database_url)) as connection:
        with connection, connection.cursor() as cursor, _filling(cursor):
            for statement in _STATEMENTS:
                cursor.execute(statement, values)
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")  # what autovacuum would have done along the way


@contextmanager
def _filling(cursor: Any) -> Iterator[None]:
    """Makes many rows cheap for one transaction: tables that it empties need no write-ahead log (with `wal_level` at
    its minimum), an index is sorted once in place of being searched for each row, and foreign keys, which would take
    longer than the rows, are not looked at."""
    cursor.execute("SET LOCAL session_replication_role = replica")
    cursor.execute("SET LOCAL maintenance_work_mem = '512MB'")
    cursor.execute(f"TRUNCATE {', '.join(_TABLES)} CASCADE")
    cursor.execute(_INDEXES, {"tables": list(_TABLES)})
    indexes = cursor.fetchall()
    for removal, _ in indexes:
        cursor.execute(removal)
    yield
    for _, creation in indexes:
        cursor.execute(creation)
