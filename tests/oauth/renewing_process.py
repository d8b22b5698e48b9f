"""A process of its own that calls the provider once with the connection, as an executor does: `python -m
tests.oauth.renewing_process SETTINGS URL [dies]`, with the settings as JSON. `dies`: at which step it is killed."""

from __future__ import annotations

import json
import os
import signal
import sys
from types import SimpleNamespace
from typing import Any, NoReturn

from flowforge.db.oauth_grants_store import OAuthGrantsStore
from flowforge.oauth.answer_journal import AnswerJournal
from flowforge.settings import Settings
from flowforge.wiring import Backends
from tests.oauth.connected import call


def _die(*_: Any) -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


DEATHS = {"before the disk": (AnswerJournal, "write"), "before the commit": (OAuthGrantsStore, "keep")}


def main() -> None:
    given, url, *dies = sys.argv[1:]
    for death in dies:
        setattr(*DEATHS[death], _die)
    settings = Settings(_env_file=None, allow_private_networks_setting="127.0.0.0/8", **json.loads(given))
    answer = call(Backends(settings, "renewing"), SimpleNamespace(url=url))  # type: ignore[arg-type]
    print(answer.status)  # noqa: T201


if __name__ == "__main__":
    main()
