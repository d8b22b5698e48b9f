"""What is wrong with an input is said in the reader's language: messages are sentences that know their template."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages import Catalog
from flask import Flask

from flowforge import jsonio
from flowforge.errors import Invalid, NotFound, Problem
from flowforge.sentences import Count, joined, sentence
from webapp.translation.catalogues import read
from webapp.translation.texts import said, said_by

PROJECT = Path(__file__).resolve().parents[2]
_MADE_BY = {"Problem", "Invalid.at", "Conflict.at"}
_NOTED_BY = {"Left": 0, "note": 0, "needed": 1, "notes.append": 0, "remarks.append": 0}
"""Functions that add to the report on a workflow of n8n's, and where among their arguments the text stands."""


def literal_messages(source: str) -> Iterator[str]:
    """Messages that are written where a problem is made, and are no sentences."""
    for call in ast.walk(ast.parse(source)):
        if isinstance(call, ast.Call) and ast.unparse(call.func) in _MADE_BY and len(call.args) > 1:
            message = call.args[1]
            if any(map(_is_plain, _possible(message))):
                yield ast.unparse(message)


def literal_notes(source: str) -> Iterator[str]:
    """What is noted in the report on a workflow of n8n's, and is no sentence."""
    for call in ast.walk(ast.parse(source)):
        if not isinstance(call, ast.Call):
            continue
        function = ast.unparse(call.func)
        position = _NOTED_BY.get(function, _NOTED_BY.get(function.rpartition(".")[2]))
        noted = call.args[position : position + 1] if position is not None else []
        yield from (ast.unparse(note) for note in noted if any(map(_is_plain, _possible(note))))


def _possible(message: ast.expr) -> list[ast.expr]:
    return [message.body, message.orelse] if isinstance(message, ast.IfExp) else [message]


def _is_plain(message: ast.expr) -> bool:
    if isinstance(message, ast.Call):
        return ast.unparse(message.func) == "str" and isinstance(message.args[0], ast.Name)
    return isinstance(message, ast.JoinedStr) or (isinstance(message, ast.Constant) and bool(message.value))


def test_every_message_is_a_sentence() -> None:
    found = {
        f"{path.relative_to(PROJECT)}: {message}"
        for folder in ("flowforge", "webapp")
        for path in (PROJECT / folder).rglob("*.py")
        for message in literal_messages(path.read_text())
    }
    assert not found


def test_every_note_on_a_workflow_of_n8n_is_a_sentence() -> None:
    found = {
        f"{path.relative_to(PROJECT)}: {note}"
        for path in (PROJECT / "flowforge" / "n8n").rglob("*.py")
        for note in literal_notes(path.read_text())
    }
    assert not found


def marked_texts(source: str) -> Iterator[str]:
    """The texts that a module marks for translation."""
    for call in ast.walk(ast.parse(source)):
        if isinstance(call, ast.Call) and ast.unparse(call.func) in {"sentence", "gettext", "ngettext", "lazy"}:
            text = call.args[0] if call.args else None
            if isinstance(text, ast.Constant) and isinstance(text.value, str):
                yield text.value


def test_every_marked_text_is_found_by_the_script(german: Catalog) -> None:
    """One inside an f-string, or inside another marked text, is not."""
    missed = {
        f"{path.relative_to(PROJECT)}: {text}"
        for folder in ("flowforge", "webapp")
        for path in (PROJECT / folder).rglob("*.py")
        for text in marked_texts(path.read_text())
        if german.get(text) is None
    }
    assert not missed


@pytest.fixture(scope="module")
def german() -> Catalog:
    catalog = read("de", "messages")
    assert catalog is not None
    return catalog


def test_messages_that_are_no_sentences_are_found() -> None:
    source = (
        'Problem("/a", "is wrong"); Invalid.at("/b", f"has {n}"); Problem("/c", sentence("is right"));'
        ' Problem(p, m); Problem(p, "is new" if new else m); Problem(p, str(error))'
    )
    assert [*literal_messages(source)] == ["'is wrong'", "f'has {n}'", "'is new' if new else m", "str(error)"]


def test_notes_that_are_no_sentences_are_found() -> None:
    source = (
        'asked.note("is new"); Left(f"has {n}"); asked.needed(text, "the text", ""); remarks.append("is odd");'
        ' asked.note(sentence("is right")); asked.note(remark); config.append("is data"); Left(str(error))'
    )
    assert [*literal_notes(source)] == ["'is new'", "f'has {n}'", "'the text'", "'is odd'", "str(error)"]


def test_a_sentence_is_english_text_for_programs() -> None:
    made = sentence("must have at most %(most)s characters", most=12)
    assert made == "must have at most 12 characters"
    assert jsonio.dumps(made) == b'"must have at most 12 characters"'


@pytest.mark.parametrize(
    ("language", "expected"),
    [("en", "must have 12 to 128 characters"), ("de", "muss 12 bis 128 Zeichen haben")],
)
def test_pages_say_it_in_the_readers_language(app: Flask, language: str, expected: str) -> None:
    made = sentence("must have %(least)s to %(most)s characters", least=12, most=128)
    with app.test_request_context(headers={"Accept-Language": language}):
        assert said(made) == expected
        assert said("must have 12 to 128 characters") == "must have 12 to 128 characters"


def test_sentences_within_sentences_and_numbers_are_said_in_the_readers_language(app: Flask) -> None:
    inner = sentence("must be a list of at most %(most)s values", most=Count(10_000))
    made = joined("; ", [joined(": ", ["/a", inner]), sentence("is required")])
    assert made == "/a: must be a list of at most 10,000 values; is required"
    with app.test_request_context(headers={"Accept-Language": "de"}):
        assert said(made) == "/a: muss eine Liste mit höchstens 10.000 Werten sein; ist erforderlich"


def test_errors_say_their_problems_in_the_readers_language(app: Flask) -> None:
    error = Invalid([Problem("/name", sentence("is required")), Problem("", "keeps English")])
    assert str(error) == "/name: is required; keeps English"
    with app.test_request_context(headers={"Accept-Language": "de"}):
        assert said_by(error) == "/name: ist erforderlich; keeps English"
        assert said_by(NotFound("is no sentence")) == "is no sentence"


def test_error_pages_speak_the_readers_language(app: Flask) -> None:
    refused = app.test_client().post("/sign-in", headers={"Accept-Language": "de", "Accept": "text/html"})
    assert "Dieses Formular ist zu alt" in refused.text
