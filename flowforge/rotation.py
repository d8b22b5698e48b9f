"""`python -m flowforge secrets …`: new keys, and everything sealed put under them."""

from __future__ import annotations

import os
import secrets as random
from collections.abc import Iterator
from contextlib import contextmanager

from flowforge.connectors.catalog import load_catalog
from flowforge.db.engine import make_engine
from flowforge.db.sealed import reseal, seal_clear
from flowforge.durable_files import replace_durably
from flowforge.embedded.instance import lock
from flowforge.embedded.postgres import running_postgres
from flowforge.home import load_keys
from flowforge.secrets import Vault, new_key
from flowforge.settings import Settings


def new_environment() -> str:
    """Lines for the `.env` of an installation whose processes share no home, with fresh secrets."""
    return "\n".join(
        [
            f"POSTGRES_PASSWORD={random.token_urlsafe(24)}",
            f"VALKEY_PASSWORD={random.token_urlsafe(24)}",
            f"JWT_SECRET={random.token_urlsafe(48)}",
            f"SESSION_SECRET={random.token_urlsafe(48)}",
            f"FLOWFORGE_SECRET_KEYS={new_key()}",
        ]
    )


def rotate(settings: Settings) -> int:
    """Seal every secret in PostgreSQL anew under the newest key, and what an earlier release left in clear; return the
    number of rows changed.

    Where the keys live in the home, a new one is made first; nothing may run on that home meanwhile, because running
    processes know the old keys only (raises AlreadyRunning). Where they come from FLOWFORGE_SECRET_KEYS, the operator
    has put the new one in front and restarted every process. Old keys are kept: messages under way may need them.
    """
    with _hold_home(settings):
        if settings.secret_keys_setting is None:
            _add_key(settings)
        vault = Vault(load_keys(settings).vault)
        with _database(settings) as url:
            engine = make_engine(url, application_name="flowforge-secrets")
            try:
                return reseal(engine, vault) + seal_clear(engine, vault, load_catalog())
            finally:
                engine.dispose()


@contextmanager
def _hold_home(settings: Settings) -> Iterator[None]:
    """Hold the home's lock, if something of the home is needed."""
    if settings.secret_keys_setting is not None and settings.postgres_url is not None:
        yield
        return
    holder = lock(settings.home.resolve())
    try:
        yield
    finally:
        os.close(holder)


@contextmanager
def _database(settings: Settings) -> Iterator[str]:
    if settings.postgres_url is not None:
        yield settings.postgres_url
        return
    with running_postgres(settings.home) as url:
        yield url


def _add_key(settings: Settings) -> None:
    load_keys(settings)
    path = settings.home / "secrets" / "vault.keys"
    replace_durably(path, f"{new_key()}\n{path.read_text()}".encode())
