"""Our worker under gunicorn: it is told to end, or has served enough, and no request is lost."""

from __future__ import annotations

import http.client
import threading
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import requests

from tests.services.web_server import THREADS, Stage, server
from tests.waiting import eventually

CLIENTS = 3 * THREADS
WITHIN_SECONDS = 30


class Client(threading.Thread):
    """Asks again as soon as it is answered, on one connection, until the server says that it closes it."""

    def __init__(self, url: str) -> None:
        super().__init__(daemon=True)
        self._netloc = urlsplit(url).netloc
        self.answers = 0
        self.was_told_of_the_end = False

    def run(self) -> None:
        with closing(http.client.HTTPConnection(self._netloc, timeout=WITHIN_SECONDS)) as connection:
            while not self.was_told_of_the_end:
                connection.request("GET", "/health/live")
                answer = connection.getresponse()
                answer.read()
                self.answers += answer.status == 200
                self.was_told_of_the_end = answer.headers["Connection"] == "close"


def test_every_request_is_answered_when_it_is_told_to_end(stage: Stage, tmp_path: Path) -> None:
    with server(stage.backends, tmp_path) as url:
        clients = [Client(url) for _ in range(CLIENTS)]
        for client in clients:
            client.start()
        eventually(lambda: all(client.answers for client in clients))
    for client in clients:
        client.join(WITHIN_SECONDS)
    assert [client.was_told_of_the_end for client in clients] == [True] * CLIENTS


def test_one_that_has_served_enough_is_replaced(stage: Stage, tmp_path: Path) -> None:
    with server(stage.backends, tmp_path, GUNICORN_CMD_ARGS="--max-requests=10 --max-requests-jitter=0") as url:
        codes = [requests.get(f"{url}/health/live", timeout=WITHIN_SECONDS).status_code for _ in range(25)]
    assert codes == [200] * 25
