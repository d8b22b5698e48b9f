"""One request and its answer: the application is called, and what it returns is sent."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import Any
from wsgiref.types import WSGIApplication
from wsgiref.util import FileWrapper

from webapp.live.connection_handoff import HandedOff
from webapp.server.answer import Answer, ReaderGone
from webapp.server.channel import Channel
from webapp.server.environ import request_environ
from webapp.server.refusals import refusal
from webapp.server.request_buffer import RequestBuffer

logger = logging.getLogger(__name__)


class Exchanges:
    """The requests of a connection, answered by the application."""

    def __init__(
        self,
        application: WSGIApplication,
        server: Mapping[str, Any],
        client: Mapping[str, str],
        may_keep_alive: Callable[[], bool],
    ) -> None:
        self._application = application
        self._server = server
        self._client = client
        self._may_keep_alive = may_keep_alive

    def serve(self, channel: Channel, request: RequestBuffer) -> bool:
        """Answer a request. Whether its connection can be used for another one.

        Raises HandedOff where somebody else goes on with the connection.
        """
        head = request.head
        assert head is not None
        may_keep_alive = self._may_keep_alive()  # which counts each request
        keeps_alive = may_keep_alive and head.keeps_alive and not request.truncated
        answer = Answer(channel, head, keeps_alive=keeps_alive)
        environ = request_environ(self._server, self._client, head, request.body())
        try:
            _send(self._application(environ, answer.start_response), answer)
        except ReaderGone:
            return False
        except HandedOff:
            raise
        except Exception:
            logger.exception("the application failed to answer a request")
            if not answer.has_begun:
                status = HTTPStatus.INTERNAL_SERVER_ERROR
                channel.send_if_possible(refusal(status, "something went wrong here"))
            return False
        return answer.keeps_alive


def _send(parts: Iterable[bytes], answer: Answer) -> None:
    try:
        if not (isinstance(parts, FileWrapper) and answer.send_file(parts.filelike)):
            for part in parts:
                answer.write(part)
        answer.end()
    finally:
        close = getattr(parts, "close", None)
        if close is not None:
            close()
