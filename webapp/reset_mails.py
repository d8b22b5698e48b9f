"""Mails with links for a new password, sent in the background: the answer to who asks for one is the same, and takes
the same time, whether there is such an account or not."""

from __future__ import annotations

import logging
import threading
from concurrent.futures import ThreadPoolExecutor

from flask import Flask, current_app
from sqlalchemy.orm import Session

from flowforge.accounts import mails, password_resets
from flowforge.errors import Unavailable
from flowforge.wiring import Backends

_EXTENSION = "flowforge.reset_mails"
_THREADS = 2
_MOST_WAITING = 100

log = logging.getLogger(__name__)


class ResetMails:
    def __init__(self, backends: Backends) -> None:
        self._backends = backends
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="reset-mails")
        self._room = threading.BoundedSemaphore(_MOST_WAITING)

    def ask(self, name_or_email: str) -> None:
        """Sends a link to whoever has that name or address; not where too many are waiting, which the log tells."""
        if not self._room.acquire(blocking=False):
            log.warning("a mail for a new password is not sent: %d are waiting", _MOST_WAITING)
            return
        self._pool.submit(self._send_and_release, name_or_email)

    def _send_and_release(self, name_or_email: str) -> None:
        try:
            self._send(name_or_email)
        except Unavailable as error:
            log.warning("A mail for a new password: %s", error)
        except Exception:
            log.exception("A mail for a new password was not sent")
        finally:
            self._room.release()

    def _send(self, name_or_email: str) -> None:
        with Session(self._backends.engine) as session:
            for user in password_resets.accounts_to_mail(session, name_or_email):
                token = password_resets.begin(session, user.id)
                mails.send_password_reset(self._backends, user.email, user.username, token)


def install(app: Flask, backends: Backends) -> None:
    if mails.can_send(backends.settings):
        app.extensions[_EXTENSION] = ResetMails(backends)


def ask(name_or_email: str) -> bool:
    """Whether the instance sends mails; if so, one is on its way to whoever has that name or address."""
    found: ResetMails | None = current_app.extensions.get(_EXTENSION)
    if found is not None:
        found.ask(name_or_email)
    return found is not None
