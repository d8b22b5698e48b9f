"""What is made from a named secret is shown as a mask, whatever expressions do to it."""

from __future__ import annotations

import hashlib
import hmac
import inspect
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowforge.language.expressions.resolving import ExpressionError, resolve
from flowforge.language.expressions.secret_values import HiddenSecrets, Secret, masked, revealed, secrets_in
from flowforge.language.filters.all_filters import FILTERS
from flowforge.language.filters.registry import Filter
from flowforge.secrets import MASK

NAMED = {"KEY": "Xq7Zp4f1c,b27e/90", "PIN": "73915846", "JSON": '{"a": [1, "two"], "b": 7}', "WORD": "ab"}
OTHERS = {"KEY": "something (else), and longer than that", "PIN": "12", "JSON": "[3, 4]", "WORD": "true"}
DATA = {"trigger": {"text": "one, two", "n": 7, "list": [{"a": 1}, {"a": 2}], "object": {"a": 1}}, "now": "2026-01-05"}


def value_of(text: str, named: dict[str, str] = NAMED) -> Any:
    return resolve(text, {**DATA, "secrets": named}, step="s")


@pytest.mark.parametrize(
    "expression",
    [
        "secrets.KEY",
        "secrets['KEY']",
        "secrets",
        "secrets.KEY[:3]",
        "secrets.KEY[0]",
        "secrets.KEY | regex_find_all('.{1,3}')",
        "secrets.KEY | split(',') | reverse | join",
        "secrets.PIN | int",
        "(secrets.PIN | int) * 2 + 1",
        "secrets.PIN | float",
        "secrets.KEY | length",
        "secrets.KEY | base64",
        "secrets.KEY | sha256",
        "secrets.KEY | hmac_sha256('a key that anybody knows')",
        "trigger.text | hmac_sha256(secrets.KEY[:1])",
        "trigger.text | hmac_sha256(secrets.WORD)",
        "secrets.KEY == 'Xq7Z'",
        "'a' if secrets.PIN > '5' else 'b'",
        "['zero', 'one'][(secrets.PIN | int) % 2]",
        "trigger.object[secrets.WORD[:1]]",
        "'X' in secrets.KEY",
        "secrets.KEY is defined",
        "secrets.NONE | default(secrets.PIN)",
        "secrets.JSON | fromjson",
        "{secrets.WORD: 1}",
        "[secrets.KEY, 'x'] | first",
        "{'a': secrets.KEY} | items",
        "trigger.list | map('a') | join(secrets.WORD)",
    ],
)
def test_what_is_made_of_a_secret_is_shown_as_a_mask(expression: str) -> None:
    value = value_of(f"{{{{ {expression} }}}}")
    assert masked({"v": value}) == {"v": MASK}
    assert not isinstance(revealed(value), Secret)
    assert MASK not in str(revealed(value)), "the moment of use needs the value itself"


def test_a_text_with_a_secret_in_it_is_one() -> None:
    value = value_of("Bearer {{ secrets.KEY }} for {{ trigger.n }}")
    assert (masked(value), revealed(value)) == (MASK, f"Bearer {NAMED['KEY']} for 7")


def test_members_that_are_written_out_are_looked_at_one_by_one() -> None:
    value = value_of("{{ {'key': secrets.KEY, 'plain': trigger.n, 'list': [secrets.PIN, 'x']} }}")
    assert masked(value) == {"key": MASK, "plain": 7, "list": [MASK, "x"]}
    assert revealed(value) == {"key": NAMED["KEY"], "plain": 7, "list": [NAMED["PIN"], "x"]}
    assert list(secrets_in(value)) == [NAMED["KEY"], NAMED["PIN"]]


def test_a_secret_reads_as_a_mask_wherever_it_is_written() -> None:
    value = value_of("{{ secrets.KEY }}")
    assert (str(value), repr([value]), f"{value}") == (MASK, f"[{MASK}]", MASK)


@pytest.mark.parametrize(
    "expression",
    [
        "{} | hmac_sha256(secrets.KEY)",
        "{} | hmac_sha256(key=secrets['KEY'])",
        "'v1=' ~ ({} | hmac_sha256(secrets.KEY))",
    ],
)
def test_a_signature_with_a_whole_secret_as_its_key_is_shown(expression: str) -> None:
    signature = hmac.new(NAMED["KEY"].encode(), b"one, two", hashlib.sha256).hexdigest()
    assert value_of("{{ " + expression.format("trigger.text") + " }}").removeprefix("v1=") == signature
    assert masked(value_of("{{ " + expression.format("secrets.PIN") + " }}")) == MASK, "a secret was signed"


def test_what_does_not_mention_secrets_is_left_as_it_is() -> None:
    config = {"text": "secrets are kept", "n": "{{ trigger.n }}", "of": "{{ trigger.list }}"}
    value = resolve(config, {**DATA, "secrets": NAMED}, step="s")
    assert value == {"text": "secrets are kept", "n": 7, "of": [{"a": 1}, {"a": 2}]}
    assert value["of"] is DATA["trigger"]["list"]


@pytest.mark.parametrize(
    ("expression", "told"),
    [
        ("secrets.NONE", "secrets has no 'NONE'"),
        ("trigger.list | map(secrets.KEY)", "has no"),
        ("trigger.list | selectattr('a', secrets.KEY)", "there is no test"),
        ("trigger.text | regex_test('(' ~ secrets.KEY)", "the regular expression cannot be used"),
        ("secrets.KEY | int", "int: text that is not a finite number"),
        ("secrets.none ~ trigger.nothing", "has no"),
    ],
)
def test_errors_tell_what_is_wrong_and_quote_no_secret(expression: str, told: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        value_of(f"{{{{ {expression} }}}}")
    assert told in caught.value.message
    assert not _pieces_of(NAMED["KEY"]) & _pieces_of(caught.value.message)


ATOMS = ["secrets.KEY", "secrets.PIN", "secrets.JSON", "secrets.WORD", "[secrets.KEY, 'x']", "{'a': secrets.PIN}"]
PLAIN = [
    "trigger.text",
    "trigger.n",
    "trigger.list",
    "'a'",
    "''",
    "0",
    "2",
    "-1",
    "true",
    "'.{1,3}'",
    "'%Y'",
    "'int'",
    "now",
]
ON_ITEM = [
    "item",
    "item == secrets.WORD",
    "item ~ secrets.KEY",
    "secrets.KEY[index]",
    "item | hmac_sha256(secrets.KEY)",
]
AROUND = """
({e})[:3] | ({e})[0] | ({e})[-2:] | ({e})['a'] | ({e}).a | ({e}) ~ 'x' | 'x' ~ ({e}) | ({e}) * 2 | ({e}) + ({e})
-({e}) | not ({e}) | ({e}) == {a} | ({e}) in {a} | {a} in ({e}) | ({e}) < {a} | ({e}) and {a} | [{a}, {a}][({e})]
'y' if ({e}) else 'n' | ({e}) if {a} else {a} | ({e}) is string | ({e}) is divisibleby({a}) | [({e})] + [{a}]
"""
SHAPES = [shape.strip() for line in AROUND.strip().splitlines() for shape in line.split("|")]


@st.composite
def chains(draw: st.DrawFn) -> str:
    """An expression that does this and that to a secret."""
    made = draw(st.sampled_from(ATOMS))
    for _ in range(draw(st.integers(1, 5))):
        if draw(st.booleans()):
            made = f"({made}) | {draw(filters())}"
        else:
            made = draw(st.sampled_from(SHAPES)).format(e=made, a=draw(st.sampled_from(PLAIN + ATOMS)))
    return made


@st.composite
def filters(draw: st.DrawFn) -> str:
    """A filter with arguments, as many as it takes. The key of a signature is none of the secrets."""
    found = FILTERS[draw(st.sampled_from(sorted(FILTERS)))]
    parameters = list(inspect.signature(found.compute).parameters.values())[2:]
    needed = sum(parameter.default is parameter.empty for parameter in parameters)
    taken = parameters[: draw(st.integers(needed, max(needed, len(parameters))))]
    arguments = [draw(st.sampled_from(_fitting(found, each.name))) for each in taken]
    return f"{found.name}({', '.join(arguments)})" if arguments else found.name


def _fitting(found: Filter, argument: str) -> list[str]:
    if argument == found.key:
        return ["'k'"]
    return [*PLAIN, *ATOMS, *(ON_ITEM if argument == found.on_item else ())]


@given(chains())
def test_what_is_shown_does_not_depend_on_the_secret(expression: str) -> None:
    shown, other = (_shown(expression, named) for named in (NAMED, OTHERS))
    assert shown is None or other is None or shown == other
    if shown is not None:
        hidden = _shown(expression, HiddenSecrets(dict.fromkeys(NAMED, MASK)))
        assert hidden == shown, "a preview shows what a run does"


@given(chains())
def test_no_error_quotes_a_secret(expression: str) -> None:
    assert not _pieces_of(NAMED["KEY"] + NAMED["PIN"]) & _pieces_of(_error_of(expression))


def _error_of(expression: str) -> str:
    """The message of the error; empty where there is a value."""
    try:
        value_of(f"{{{{ {expression} }}}}")
    except ExpressionError as error:
        return error.message
    return ""


def _shown(expression: str, named: dict[str, str]) -> Any:
    """The value as it is shown; None where it has none."""
    try:
        return masked({"v": value_of(f"{{{{ {expression} }}}}", named)})
    except ExpressionError:
        return None


def _pieces_of(text: str) -> set[str]:
    """All that is four characters long in the text."""
    return {text[start : start + 4] for start in range(len(text) - 3)}
