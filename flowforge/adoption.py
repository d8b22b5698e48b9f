"""Take-over of a database: a fresh one, an older one of ours, or one that an original implementation left behind."""

from __future__ import annotations

import logging
from contextlib import closing

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from flowforge.audit.actions import Action
from flowforge.audit.recording import record
from flowforge.connectors.catalog import load_catalog
from flowforge.db.adoption import date_finished_executions, end_executions_in_flight, seal_adopted_secrets
from flowforge.db.migrate import upgrade
from flowforge.db.name_keys import fill_name_keys
from flowforge.db.published_seed import ACCOUNT, TOKEN, SwitchedOff, switch_off
from flowforge.settings import Settings
from flowforge.wiring import Backends

log = logging.getLogger(__name__)


def take_over_database(settings: Settings) -> None:
    """Brings the schema up to date, then the rows of an original. Idempotent; several may start at once."""
    if settings.postgres_url is None:
        raise ValueError("POSTGRES_URL is not set; `make run` starts an embedded PostgreSQL and sets it")
    upgrade(settings.postgres_url)
    with closing(Backends(settings, "flowforge-set-up")) as backends:
        sealed = seal_adopted_secrets(backends.engine, backends.vault, load_catalog())
        dated = date_finished_executions(backends.engine)
        ended = end_executions_in_flight(backends.engine)
        names = fill_name_keys(backends.engine)
        published = _switch_off_published(backends.engine)
    if sealed:
        log.info("Sealed the secrets in %d rows that were in clear text", sealed)
    if dated:
        log.info("Dated %d executions that were finished before", dated)
    if ended:
        log.warning("Ended %d executions as FAILED that the former installation had begun and not ended", ended)
    if published.account_id is not None:
        log.warning(
            "The account %s is disabled, since its password is published with the former installation;"
            " `python -m flowforge users enable %s` shows a link for another one",
            ACCOUNT,
            ACCOUNT,
        )
    if published.trigger_id is not None:
        log.warning("The webhook %s is disabled, since its token is published with the former installation", TOKEN)
    if names.shadowed:
        log.warning(
            "These user names differ from older ones only in case, and sign in exactly as they are spelled: %s",
            ", ".join(names.shadowed),
        )


def _switch_off_published(engine: Engine) -> SwitchedOff:
    with Session(engine) as session:
        off = switch_off(session)
        if off.account_id is not None:
            record(session, Action.ACCOUNT_DISABLED, account=off.account_id, why="published password")
        session.commit()
    return off
