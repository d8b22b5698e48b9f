"""Any body is welcome at a webhook: what becomes of each kind."""

from __future__ import annotations

import io
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine

from flowforge.wiring import Backends
from tests.api.things import accepted_events
from tests.files.described import inline

PNG = b"\x89PNG\r\n\x1a\n\x00\xff"


def as_bytes(data: bytes, content_type: str) -> dict[str, Any]:
    return {**inline("", content_type or "application/octet-stream", data), "contentType": content_type}


@pytest.mark.parametrize(
    ("data", "content_type", "kept"),
    [
        (b'{"a": [1, null]}', "application/json", {"a": [1, None]}),
        (b"[1, 2]", "application/json", [1, 2]),
        (b'"text"', "application/json", "text"),
        (b"0", "application/json", 0),
        (b"null", "application/json", None),
        (b"false", "application/json; charset=utf-8", False),
        (b'{"type": "ping"}', "application/cloudevents+json", {"type": "ping"}),
        (b'"a\\u0000b"', "application/json", "a\ufffdb"),
        (b'"\\ud83d"', "application/json", "\ufffd"),
        (
            b'{"wei": 115792089237316195423570985008687907853}',
            "application/json",
            {"wei": 115792089237316195423570985008687907853},
        ),
        (b"a=1&b=2&b=3&c=", "application/x-www-form-urlencoded", {"a": "1", "b": ["2", "3"], "c": ""}),
        (b"\xef\xbb\xbfa=%ff%fe&b=%fe%ff1", "application/x-www-form-urlencoded", {"a": "ÿþ", "b": "þÿ1"}),
        (b"hello", "text/plain", "hello"),
        ("grün".encode("latin-1"), "text/plain; charset=iso-8859-1", "grün"),
        (b"<order/>", "application/xml", "<order/>"),
        (b"hello", None, "hello"),
        (b"", "application/json", {}),
        (b"", None, {}),
        (PNG, "image/png", as_bytes(PNG, "image/png")),
        (b"ascii", "application/octet-stream", as_bytes(b"ascii", "application/octet-stream")),
        (PNG, "text/plain", as_bytes(PNG, "text/plain")),
        (PNG, None, as_bytes(PNG, "")),
        (b"hello", "text/plain; charset=klingon", "hello"),
        (b"aaa-bbb", "text/plain; charset=punycode", "aaa-bbb"),
        (b"Gr\xfc\xdfe", "text/plain", "Grüße"),
        (b"Gr\xfc\xdfe", "application/x-thing", as_bytes(b"Gr\xfc\xdfe", "application/x-thing")),
        (b'\xef\xbb\xbf{"a":1}', "application/json", {"a": 1}),
        ('"5 €"'.encode("iso-8859-15"), "application/json; charset=ISO-8859-15", "5 €"),
        (
            b"a=Jos%E9&b=Stra%DFe",
            "application/x-www-form-urlencoded; charset=windows-1252",
            {"a": "José", "b": "Straße"},
        ),
        (b"a=Jos%E9&%FC=\xfc", "application/x-www-form-urlencoded", {"a": "José", "ü": "ü"}),
        (
            b"_charset_=iso-8859-15&a=5+%A4",
            "application/x-www-form-urlencoded",
            {"_charset_": "iso-8859-15", "a": "5 €"},
        ),
        (
            b'--b\r\nContent-Disposition: form-data; name="a"\r\nContent-Type: text/plain; charset=iso-8859-15'
            b'\r\n\r\n5 \xa4\r\n--b\r\nContent-Disposition: form-data; name="b"\r\n\r\nGr\xfc\xdfe\r\n--b--\r\n',
            "multipart/form-data; boundary=b",
            {"a": "5 €", "b": "Grüße"},
        ),
        (b"<svg/>", "image/svg+xml", "<svg/>"),
    ],
)
def test_what_is_kept(
    client: FlaskClient, address: str, engine: Engine, data: bytes, content_type: str | None, kept: Any
) -> None:
    answer = client.post(address, data=data, content_type=content_type)

    assert answer.status_code == 200
    assert accepted_events(engine)[0].payload["body"] == kept


@pytest.mark.parametrize(
    ("query", "kept"),
    [
        ("name=Jos%C3%A9&tag=a&tag=b", {"name": "José", "tag": ["a", "b"]}),
        ("name=Jos%E9&stra%DFe=5+%80", {"name": "José", "straße": "5 €"}),
        ("empty=&%F0%9F%98%80=%FF%FA", {"empty": "", "😀": "ÿú"}),
    ],
)
def test_a_query_is_read_in_the_charset_that_it_has(
    client: FlaskClient, address: str, engine: Engine, query: str, kept: Any
) -> None:
    assert client.post(f"{address}?{query}").status_code == 200
    assert accepted_events(engine)[0].payload["queryParams"] == kept


def test_a_form_with_files(client: FlaskClient, address: str, engine: Engine) -> None:
    client.post(
        address,
        data={"note": "hi", "photo": [(io.BytesIO(PNG), "a.png", "image/png"), (io.BytesIO(b"2"), "b.txt")]},
    )

    body = accepted_events(engine)[0].payload["body"]
    assert body["note"] == "hi"
    assert body["photo"] == [
        inline("a.png", "image/png", PNG),
        inline("b.txt", "text/plain", b"2"),
    ]


@pytest.mark.parametrize("content_type", ["multipart/form-data", "multipart/form-data; boundary=other"])
def test_a_form_that_cannot_be_read_is_refused(
    client: FlaskClient, address: str, engine: Engine, content_type: str
) -> None:
    body = b'--y\r\nContent-Disposition: form-data; name="note"\r\n\r\nhi\r\n--y--\r\n'
    answer = client.post(address, data=body, content_type=content_type)

    assert answer.status_code == 400
    assert "not a form" in answer.json["message"]
    assert accepted_events(engine) == []


PART = b'--y\r\nContent-Disposition: form-data; name="note"\r\n\r\nhi\r\n'


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/form-data; boundary=", PART + b"--y--\r\n"),
        ('multipart/form-data; boundary=""', PART + b"--y--\r\n"),
        ("multipart/form-data; boundary=\u00fc", PART + b"--y--\r\n"),
        ("multipart/form-data; boundary=Y", PART + b"--y--\r\n"),
        ("multipart/form-data; boundary=y", PART),
        ("multipart/form-data; boundary=y", PART[:40]),
        ("multipart/form-data; boundary=y", b"note=hi"),
    ],
)
def test_a_multipart_body_that_is_none_is_refused(
    client: FlaskClient, address: str, engine: Engine, content_type: str, body: bytes
) -> None:
    answer = client.post(address, data=body, content_type=content_type)

    assert (answer.status_code, "not a form" in answer.json["message"]) == (400, True)
    assert accepted_events(engine) == []


@pytest.mark.parametrize("content_type", ['multipart/form-data; boundary="y"', "Multipart/Form-Data;boundary=y"])
def test_a_multipart_body_may_be_declared_in_any_way(
    client: FlaskClient, address: str, engine: Engine, content_type: str
) -> None:
    client.post(address, data=PART + b"--y--", content_type=content_type)
    assert accepted_events(engine)[0].payload["body"] == {"note": "hi"}


def test_a_form_of_too_many_parts_says_so(client: FlaskClient, address: str, engine: Engine) -> None:
    answer = client.post(address, data=PART * 1_001 + b"--y--\r\n", content_type="multipart/form-data; boundary=y")

    assert (answer.status_code, answer.json["message"]) == (413, "the form has more than 1000 parts")
    assert accepted_events(engine) == []


def test_a_form_of_too_many_fields_says_so(client: FlaskClient, address: str, engine: Engine) -> None:
    answer = client.post(address, data=b"a=1&" * 10_000, content_type="application/x-www-form-urlencoded")

    assert (answer.status_code, answer.json["message"]) == (413, "the form has more than 10000 fields")
    assert accepted_events(engine) == []


@pytest.mark.parametrize("charset", ["windows-1252", "utf-8", "shift_jis"])
def test_names_of_parts_and_files_are_read_in_the_charset_of_the_form(
    client: FlaskClient, address: str, engine: Engine, charset: str
) -> None:
    name = "\u30b9" if charset == "shift_jis" else "Gr\u00fc\u00dfe"
    disposition = f'form-data; name="{name}"; filename="{name}.txt"'.encode(charset)
    body = b"--y\r\nContent-Disposition: " + disposition + b"\r\n\r\nhi\r\n--y--\r\n"
    declared = "; charset=shift_jis" if charset == "shift_jis" else ""
    client.post(address, data=body, content_type=f"multipart/form-data; boundary=y{declared}")

    [(key, file)] = accepted_events(engine)[0].payload["body"].items()
    assert (key, file["name"]) == (name, f"{name}.txt")


@pytest.mark.parametrize("declared", ["", "; charset=utf-8", "; charset=shift_jis"])
@pytest.mark.parametrize(("sent", "name"), [(b"%e2%82%ac.txt", "\u20ac.txt"), (b"%C3%BC.txt", "\u00fc.txt")])
def test_a_name_of_a_file_may_say_its_charset(
    client: FlaskClient, address: str, engine: Engine, sent: bytes, name: str, declared: str
) -> None:
    disposition = b"form-data; name=f; filename*=UTF-8''" + sent
    body = b"--y\r\nContent-Disposition: " + disposition + b"\r\n\r\nhi\r\n--y--\r\n"
    client.post(address, data=body, content_type=f"multipart/form-data; boundary=y{declared}")

    assert accepted_events(engine)[0].payload["body"]["f"]["name"] == name


def test_the_texts_of_a_form_are_bounded_together(
    client: FlaskClient, address: str, engine: Engine, backends: Backends
) -> None:
    half = b"x" * (backends.settings.webhook_max_bytes // 2 + 1)
    part = b"--y\r\nContent-Disposition: form-data; name=n\r\n\r\n" + half + b"\r\n"
    answer = client.post(address, data=part * 2 + b"--y--\r\n", content_type="multipart/form-data; boundary=y")

    assert answer.status_code == 413
    assert accepted_events(engine) == []


def test_the_body_of_a_get_is_not_looked_at(client: FlaskClient, address: str, engine: Engine) -> None:
    client.get(address, data=b"{", content_type="application/json")

    assert accepted_events(engine)[0].payload["body"] == {}


@pytest.mark.parametrize(
    "data",
    [b"{", b"{'a': 1}", b"NaN", b"\xff\xfe", b"9" * 2_001, b"[" * 200_000, b"[" * 250 + b"]" * 250],
)
def test_json_that_cannot_be_kept_is_refused(client: FlaskClient, address: str, engine: Engine, data: bytes) -> None:
    answer = client.post(address, data=data, content_type="application/json")

    assert answer.status_code == 400
    assert answer.json["message"]
    assert accepted_events(engine) == []


class TestTheSizeLimit:
    @pytest.fixture
    def limit(self, backends: Backends) -> int:
        return backends.settings.webhook_max_bytes

    @pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded"])
    def test_admits_what_just_fits(
        self, client: FlaskClient, address: str, engine: Engine, limit: int, content_type: str
    ) -> None:
        assert client.post(address, data=b"x" * limit, content_type=content_type).status_code == 200
        assert len(accepted_events(engine)) == 1

    @pytest.mark.parametrize("content_type", ["text/plain", "application/json", "application/x-www-form-urlencoded"])
    def test_refuses_more(
        self, client: FlaskClient, address: str, engine: Engine, limit: int, content_type: str
    ) -> None:
        answer = client.post(address, data=b"1" * (limit + 1), content_type=content_type)

        assert answer.status_code == 413
        assert str(limit) in answer.json["message"]
        assert accepted_events(engine) == []

    @pytest.mark.parametrize("content_type", ["text/plain", "application/json", "application/x-www-form-urlencoded"])
    def test_refuses_more_that_comes_in_chunks(
        self, client: FlaskClient, address: str, engine: Engine, limit: int, content_type: str
    ) -> None:
        answer = client.post(
            address,
            input_stream=io.BytesIO(b"1" * (limit + 1)),
            headers={"Transfer-Encoding": "chunked"},
            environ_overrides={"wsgi.input_terminated": True},
            content_type=content_type,
        )

        assert answer.status_code == 413
        assert accepted_events(engine) == []

    def test_admits_chunks_that_fit(self, client: FlaskClient, address: str, engine: Engine) -> None:
        answer = client.post(
            address,
            input_stream=io.BytesIO(b'{"a": 1}'),
            headers={"Transfer-Encoding": "chunked"},
            environ_overrides={"wsgi.input_terminated": True},
            content_type="application/json",
        )

        assert answer.status_code == 200
        assert accepted_events(engine)[0].payload["body"] == {"a": 1}
