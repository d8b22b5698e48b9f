"""Gunicorn's threads, with connections that may be handed over (webapp.live.handing_over)."""

from __future__ import annotations

import socket
import ssl
from concurrent.futures import Future
from typing import Any

from gunicorn.workers.gthread import TConn, ThreadWorker  # type: ignore[import-untyped]

from webapp.live import handing_over


class Worker(ThreadWorker):  # type: ignore[misc]
    """A live stream takes a thread only until it begins; the others stay free for webhooks and pages."""

    def handle_request(self, req: Any, conn: TConn) -> bool:
        token = handing_over.possible.set(not isinstance(conn.sock, ssl.SSLSocket))
        try:
            return bool(super().handle_request(req, conn))
        except handing_over.HandedOver as handed_over:
            conn.handed_over = True
            handed_over.take(socket.socket(fileno=conn.sock.detach()))
            return False
        finally:
            handing_over.possible.reset(token)

    def finish_request(self, conn: TConn, fs: Future[Any]) -> None:
        if getattr(conn, "handed_over", False):
            self.nr_conns -= 1
        else:
            super().finish_request(conn, fs)
