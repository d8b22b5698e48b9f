"""Command lines of curl as people copy them, from whatever shell, and as they are made to harm."""

from __future__ import annotations

import shlex
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowforge.errors import Invalid
from flowforge.triggers.webhooks.curl import LONGEST, CurlCall, is_curl, read_curl

URL = "https://hooks.example.test/in"
JSON = ("Content-Type", "application/json")
FORM = ("Content-Type", "application/x-www-form-urlencoded")


@pytest.mark.parametrize(
    ("line", "method", "headers", "body"),
    [
        (f"curl {URL}", "GET", (), ""),
        (f"curl -X PUT --url {URL} -d ''", "PUT", (), ""),
        (f"curl -XDELETE '{URL}'", "DELETE", (), ""),
        (f"curl --request patch {URL}", "PATCH", (), ""),
        (f"curl -I {URL}", "HEAD", (), ""),
        (f"""curl {URL} -d '{{"a": 1}}'""", "POST", (JSON,), '{"a": 1}'),
        (f"curl {URL} -d a=1 --data b=2", "POST", (FORM,), "a=1&b=2"),
        (f"curl {URL} --data-urlencode 'name=Ada & Bob' -d x", "POST", (FORM,), "name=Ada+%26+Bob&x"),
        (f"""curl --json '{{"a":' --json '1}}' {URL}""", "POST", (JSON,), '{"a":1}'),
        (f"""curl {URL} --data-raw '@not a file'""", "POST", (FORM,), "@not a file"),
        (f"""curl -H 'X-A: b: c' -H"X-B:d" -H 'X-None:' -H 'X-Empty;' {URL}""", "GET",
         (("X-A", "b: c"), ("X-B", "d"), ("X-Empty", "")), ""),
        (f"curl -sSL -o /dev/null --max-time 5 -u ada:secret {URL} | jq .", "GET",
         (("Authorization", "Basic YWRhOnNlY3JldA=="),), ""),
        (f"""curl -sXPOST -H 'content-type: text/plain' -d hello {URL}; echo done""", "POST",
         (("content-type", "text/plain"),), "hello"),
        (f"""curl {URL} \\\n  -H 'A: b' \\\n  --data-raw $'{{"it\\'s": "\\u00e4\\n\\x41"}}'""", "POST",
         (("A", "b"), JSON), '{"it\'s": "ä\nA"}'),
        (f"""curl "{URL}" -d "{{\\"a\\": \\"\\$1\\"}}" """, "POST", (JSON,), '{"a": "$1"}'),
        (f"""curl ^"{URL}^" ^\r\n  -H ^"A: b^" ^\r\n  --data-raw ^"^{{^\\^"a^\\^":1^}}^" """, "POST",
         (("A", "b"), JSON), '{"a":1}'),
        (f"curl.exe {URL} `\n  -H 'A: b'", "GET", (("A", "b"),), ""),
        (f"$ curl {URL} --compressed -k", "GET", (), ""),
        (f"""curl {URL} -d 'it'\\''s'""", "POST", (FORM,), "it's"),
    ],
)  # fmt: skip
def test_a_command_is_read_as_curl_would_send_it(
    line: str, method: str, headers: tuple[tuple[str, str], ...], body: str
) -> None:
    assert is_curl(line)
    assert read_curl(line) == CurlCall(method, "", headers, body)


def test_the_query_of_the_url_and_what_get_puts_there_stay_together() -> None:
    assert read_curl(f"curl -G '{URL}?a=1' -d b=2 --data-urlencode c='x y'").query == "a=1&b=2&c=x+y"
    assert read_curl("curl hooks.example.test?x=1#part").query == "x=1"


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (f"curl -F file=@a.png {URL}", "form with files"),
        (f"curl --form a=b {URL}", "form with files"),
        (f"curl -d @body.json {URL}", "sends a file"),
        (f"curl -T a.txt {URL}", "sends a file"),
        ("curl -H 'A: b'", "names no URL"),
        (f"curl {URL} {URL}", "several URLs"),
        (f"curl {URL} --next {URL}", "several requests"),
        (f"curl {URL} --frobnicate", "--frobnicate"),
        (f"curl -Q {URL}", "-Q"),
        (f"curl {URL} -H", "needs a value"),
        (f"curl {URL} -H nothing", "no colon"),
        (f"curl {URL} -d 'open", "quote"),
        (f'curl {URL} -d "open', "quote"),
        (f"curl {URL} -d $'open", "quote"),
        ("curl http://[::1", "cannot be read"),
        ("curl " + "a " * 5_000, "words"),
        ("curl " + "x" * LONGEST, "characters"),
    ],
)
def test_what_is_not_understood_is_said_in_a_sentence(line: str, why: str) -> None:
    with pytest.raises(Invalid, match="curl command that cannot be used") as refused:
        read_curl(line)
    assert why in str(refused.value)


@pytest.mark.parametrize("text", ["", "curly", '{"curl ": 1}', "see curl x"])
def test_other_texts_are_no_commands(text: str) -> None:
    assert not is_curl(text)


@given(st.text(min_size=1, max_size=60).filter(lambda text: "\x00" not in text))
def test_whatever_a_shell_would_quote_comes_out_as_it_was(text: str) -> None:
    assert read_curl(f"curl {URL} --data-raw {shlex.quote(text)}").body == text


@given(st.text(alphabet="curl -dHX'\"\\$`^\n\r|&;<>@=:{}[]ax09uU\ud800é", max_size=200))
def test_nothing_that_is_pasted_breaks_it(text: str) -> None:
    with suppress(Invalid):
        assert read_curl(f"curl {text}").method
