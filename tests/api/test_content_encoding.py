"""Bodies that were packed on their way: unpacked within the limit, at webhooks and in the API."""

from __future__ import annotations

import gzip
import tracemalloc
import zlib
from collections.abc import Callable
from functools import partial
from typing import Any

import brotli
import pytest
from backports import zstd
from flask.testing import FlaskClient
from sqlalchemy import Engine
from werkzeug.exceptions import RequestEntityTooLarge

from flowforge.wiring import Backends
from tests.api.things import accepted_events
from webapp.content_encoding import unpack

JSON = "application/json"
packed = partial(gzip.compress, mtime=0)
BODY = b'{"foo": "bar"}'
PACK: dict[str, Callable[[bytes], bytes]] = {
    "gzip": packed,
    "x-gzip": packed,
    "GZIP": packed,
    "identity, gzip": packed,
    "identity": bytes,
    "deflate": zlib.compress,
    "br": brotli.compress,
    "zstd": zstd.compress,
}


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


def post(client: FlaskClient, address: str, data: bytes, encoding: str, **more: Any) -> Any:
    return client.post(address, data=data, headers={"Content-Encoding": encoding, "Content-Type": JSON, **more})


@pytest.mark.parametrize("encoding", PACK)
def test_a_packed_body_is_unpacked(client: FlaskClient, address: str, engine: Engine, encoding: str) -> None:
    assert post(client, address, PACK[encoding](BODY), encoding).status_code == 200
    assert accepted_events(engine)[0].payload["body"] == {"foo": "bar"}


@pytest.mark.parametrize(
    ("encoding", "data"),
    [
        ("deflate", raw_deflate(BODY)),
        ("gzip", packed(BODY[:5]) + packed(b"") + packed(BODY[5:])),
        ("zstd", zstd.compress(BODY[:5]) + zstd.compress(BODY[5:])),
    ],
)
def test_senders_pack_in_several_ways(
    client: FlaskClient, address: str, engine: Engine, encoding: str, data: bytes
) -> None:
    assert post(client, address, data, encoding).status_code == 200
    assert accepted_events(engine)[0].payload["body"] == {"foo": "bar"}


def test_a_packed_form_is_unpacked(client: FlaskClient, address: str, engine: Engine) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert post(client, address, packed(b"a=1&b=x+y"), "gzip", **form).status_code == 200
    assert accepted_events(engine)[0].payload["body"] == {"a": "1", "b": "x y"}


def test_a_head_may_speak_of_packing_where_there_is_no_body(client: FlaskClient, address: str, engine: Engine) -> None:
    assert post(client, address, b"", "gzip").status_code == 200
    assert accepted_events(engine)[0].payload["body"] == {}


@pytest.mark.parametrize("encoding", ["compress", "bzip2", "gzip, br", "gzip, gzip", "aes128gcm"])
def test_another_packing_is_refused(client: FlaskClient, address: str, engine: Engine, encoding: str) -> None:
    answer = post(client, address, packed(BODY), encoding)

    assert (answer.status_code, answer.headers["Accept-Encoding"]) == (415, "gzip, deflate, br, zstd")
    assert "gzip, deflate, br, zstd" in answer.json["message"]
    assert accepted_events(engine) == []


@pytest.mark.parametrize(
    ("encoding", "data"),
    [
        *((encoding, BODY) for encoding in ("gzip", "br", "zstd")),
        ("deflate", b"\xff\xff\xff"),
        *((encoding, pack(BODY)[:-3]) for encoding, pack in PACK.items() if encoding != "identity"),
        ("gzip", packed(BODY) + b"rest"),
        ("gzip", packed(b"") * 1_000),
    ],
)
def test_what_cannot_be_unpacked_is_refused(
    client: FlaskClient, address: str, engine: Engine, encoding: str, data: bytes
) -> None:
    answer = post(client, address, data, encoding)

    assert answer.status_code == 400
    assert "Content-Encoding" in answer.json["message"]
    assert accepted_events(engine) == []


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd"])
def test_a_body_may_be_as_large_as_one_that_is_not_packed(
    client: FlaskClient, address: str, engine: Engine, backends: Backends, encoding: str
) -> None:
    most = backends.settings.webhook_max_bytes
    assert post(client, address, PACK[encoding](b'"%s"' % (b"x" * (most - 2))), encoding).status_code == 200
    assert post(client, address, PACK[encoding](b'"%s"' % (b"x" * (most - 1))), encoding).status_code == 413
    assert len(accepted_events(engine)) == 1


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd"])
def test_no_more_is_unpacked_than_the_limit(encoding: str) -> None:
    bomb = PACK[encoding](bytes(50_000_000))
    tracemalloc.start()
    try:
        with pytest.raises(RequestEntityTooLarge):
            unpack(bomb, encoding, 1_000_000)
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
    finally:
        tracemalloc.stop()


def test_the_api_takes_packed_bodies(client: FlaskClient) -> None:
    account = b'{"username": "packed", "email": "packed@example.test", "password": "correct-horse-9x"}'
    assert post(client, "/auth/register", packed(account), "gzip").status_code == 200
    assert post(client, "/auth/register", packed(bytes(5_000_000)), "gzip").status_code == 413
    assert post(client, "/auth/register", account, "lzma").status_code == 415
    assert post(client, "/auth/register", account, "gzip").status_code == 400
