"""Every kind of store keeps what it is given, gives it back in pieces, and lets it go."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from uuid import uuid4

import pytest
from moto.server import ThreadedMotoServer

from flowforge.errors import Unavailable
from flowforge.files.object_store import CHUNK_BYTES, ObjectMissing, ObjectStore
from flowforge.files.stores import open_store
from flowforge.files.stores import s3 as s3_store
from flowforge.settings import Settings

CONTENT = bytes(range(256)) * 5_000


def s3_settings(endpoint: str) -> Settings:
    return Settings(
        _env_file=None,
        files_url_setting="s3://files/flowforge",
        files_s3_endpoint=endpoint,
        files_s3_access_key="key",
        files_s3_secret_key="secret",
    )


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(params=["folder", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    if request.param == "folder":
        return open_store(Settings(_env_file=None, home=tmp_path))
    settings = s3_settings(request.getfixturevalue("s3"))
    bucket = open_store(settings)
    bucket.client.create_bucket(Bucket="files")  # type: ignore[attr-defined]
    return bucket


def test_a_content_comes_back_as_it_was(store: ObjectStore) -> None:
    key = uuid4()
    store.write(key, BytesIO(CONTENT), len(CONTENT))
    with store.open(key) as pieces:
        given = list(pieces)
    assert b"".join(given) == CONTENT
    assert max(map(len, given)) <= CHUNK_BYTES


def test_an_empty_one_too(store: ObjectStore) -> None:
    key = uuid4()
    store.write(key, BytesIO(b""), 0)
    with store.open(key) as pieces:
        assert b"".join(pieces) == b""


def test_what_is_deleted_is_missing(store: ObjectStore) -> None:
    key = uuid4()
    store.write(key, BytesIO(CONTENT), len(CONTENT))
    for _ in range(2):
        store.delete(key)
    with pytest.raises(ObjectMissing), store.open(key):
        pass


def read(store: ObjectStore) -> None:
    with store.open(uuid4()):
        pass


@pytest.mark.parametrize(
    "use", [read, lambda store: store.write(uuid4(), BytesIO(b"x"), 1), lambda store: store.delete(uuid4())]
)
def test_a_folder_that_is_none_is_unavailable(tmp_path: Path, use: Callable[[ObjectStore], None]) -> None:
    (tmp_path / "files").write_bytes(b"")
    store = open_store(Settings(_env_file=None, home=tmp_path))
    with pytest.raises(Unavailable, match="the folder of files cannot be used"):
        use(store)


def test_a_server_that_is_away_is_unavailable() -> None:
    store = open_store(s3_settings("http://127.0.0.1:9"))
    with pytest.raises(Unavailable, match="does not answer"):
        store.write(uuid4(), BytesIO(b"x"), 1)


def test_a_server_that_is_away_is_not_asked_by_everybody(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        asked = _hangs_up(listener)
        store = open_store(s3_settings(f"http://127.0.0.1:{listener.getsockname()[1]}"))
        tried = []
        for pause in (0.0, 3600.0, 3600.0):
            monkeypatch.setattr(s3_store, "_PAUSE_SECONDS", pause)
            with pytest.raises(Unavailable, match="does not answer"):
                store.delete(uuid4())
            tried.append(len(asked))
    assert 0 < tried[0] < tried[1] == tried[2]


def _hangs_up(listener: socket.socket) -> list[object]:
    """Takes connections without an answer; returns the list that they are added to."""
    taken: list[object] = []

    def take() -> None:
        with suppress(OSError):
            while True:
                connection, peer = listener.accept()
                taken.append(peer)
                connection.close()

    threading.Thread(target=take, daemon=True).start()
    return taken


def test_a_bucket_that_is_not_there_is_unavailable(s3: str) -> None:
    settings = s3_settings(s3).model_copy(update={"files_url_setting": "s3://other"})
    with pytest.raises(Unavailable, match="NoSuchBucket"):
        open_store(settings).write(uuid4(), BytesIO(b"x"), 1)
