"""Gunicorn's worker: the process that hosts our server and the application, and lives as gunicorn has workers live.

Only gunicorn's base of workers is used, which is public: signals, the sign of life, the end.
"""

from __future__ import annotations

import logging
import os
import select
import time
from typing import Any

from gunicorn.sock import ssl_context  # type: ignore[import-untyped]
from gunicorn.workers.base import Worker as BaseWorker  # type: ignore[import-untyped]

from flowforge.fair_shares import FairShares
from flowforge.settings import Settings
from webapp import live
from webapp.edge import API_MAX_BYTES, MOST_RECEIVED_BYTES
from webapp.live.hub_process import HubProcess
from webapp.live.viewers import StreamService
from webapp.server.request_buffer import ReceiveLimits
from webapp.server.request_head import HeadLimits
from webapp.server.server import Server, ServerSettings

_SWEEP_SECONDS = 0.5
_LAST_REQUEST_SECONDS = 2.0
"""So long, a worker that ends keeps idle connections: a sender may be about to use one that it was told is kept."""


class Worker(BaseWorker):  # type: ignore[misc]
    wsgi: Any
    alive: bool
    _server: Server
    _hub: HubProcess

    def load_wsgi(self) -> None:
        super().load_wsgi()
        settings = self.wsgi.extensions["flowforge"].settings
        slots = FairShares(settings.live_viewers)
        listening = [listener.fileno() for listener in self.sockets]
        self._hub = HubProcess(settings, slots.give_back, self._end_without_hub, foreign=listening)
        live.serve_with(self.wsgi.extensions, StreamService(slots, self._hub.serve))

    def run(self) -> None:
        self._log_like_gunicorn()
        server = Server(self.wsgi, self.sockets, self._server_settings())
        try:
            server.start()
            while self.alive and not server.is_exhausted and self._has_parent():
                self._rest(_SWEEP_SECONDS)
                server.sweep()
            self._drain(server)
        finally:
            self._hub.close()

    def _drain(self, server: Server) -> None:
        """Let the requests that have come be answered."""
        server.drain()
        for listener in self.sockets:
            listener.close()
        began = time.monotonic()
        while server.is_busy and time.monotonic() < began + self.cfg.graceful_timeout:
            self._rest(_SWEEP_SECONDS / 10)
            server.sweep()
            if time.monotonic() >= began + _LAST_REQUEST_SECONDS:
                server.close_idle()
        server.end()

    def _rest(self, seconds: float) -> None:
        """Give a sign of life, and wait for the next signal."""
        self.notify()
        if select.select([self.PIPE[0]], [], [], seconds)[0]:
            os.read(self.PIPE[0], 4096)

    def _log_like_gunicorn(self) -> None:
        logger = logging.getLogger("webapp.server")
        logger.handlers = list(self.log.error_log.handlers)
        logger.setLevel(self.log.error_log.level)
        logger.propagate = False

    def _has_parent(self) -> bool:
        return bool(self.ppid == os.getppid())

    def _end_without_hub(self) -> None:
        """End this worker: gunicorn starts another, with a hub of its own."""
        if self.alive:
            self.log.error("the process of the live streams has ended; this worker ends, too")
            self.alive = False
            os.write(self.PIPE[1], b"!")  # the main thread may rest

    def _server_settings(self) -> ServerSettings:
        cfg = self.cfg
        return ServerSettings(
            threads=cfg.threads,
            connections=cfg.worker_connections,
            idle_seconds=cfg.keepalive,
            receive=_receive_limits(self.wsgi.extensions["flowforge"].settings, cfg),
            processes=cfg.workers,
            requests=self.max_requests,
            tls=ssl_context(cfg) if cfg.is_ssl else None,
        )


def _receive_limits(settings: Settings, cfg: Any) -> ReceiveLimits:
    return ReceiveLimits(
        idle_seconds=settings.web_read_timeout,
        total_seconds=settings.web_request_timeout,
        body_bytes=max(MOST_RECEIVED_BYTES, settings.webhook_max_bytes),
        upload_bytes=settings.file_max_bytes + max(settings.webhook_max_bytes, API_MAX_BYTES),
        head=HeadLimits(cfg.limit_request_line, cfg.limit_request_fields, cfg.limit_request_field_size),
    )
