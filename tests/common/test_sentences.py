"""What is wrong with an input is said in the reader's language: messages are sentences that know their template."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from flowforge import jsonio
from flowforge.errors import Invalid, NotFound, Problem
from flowforge.sentences import Count, joined, sentence
from webapp.translation.texts import said, said_by

PROJECT = Path(__file__).resolve().parents[2]
_MADE_BY = {"Problem", "Invalid.at", "Conflict.at"}
_IN_ENGLISH = frozenset(
    {
        "flowforge/api_registry/apis.py",
        "flowforge/apis/checking.py",
        "flowforge/apis/differences.py",
        "flowforge/apis/requests.py",
        "flowforge/apis/servers.py",
        "flowforge/ascode/checking.py",
        "flowforge/ascode/commands.py",
        "flowforge/connections/validation.py",
        "flowforge/connectors/api_calls/checking.py",
        "flowforge/connectors/api_calls/chosen.py",
        "flowforge/connectors/llm/asking.py",
        "flowforge/data_tables/shape.py",
        "flowforge/engine/intake.py",
        "flowforge/executions/replays.py",
        "flowforge/executions/search.py",
        "flowforge/kept_tables.py",
        "flowforge/language/block_validation.py",
        "flowforge/language/check.py",
        "flowforge/language/definition.py",
        "flowforge/language/unknown_keys.py",
        "flowforge/logbook/cursor.py",
        "flowforge/n8n/reading.py",
        "flowforge/preview/expression_context.py",
        "flowforge/table_registry/csv_files.py",
        "flowforge/triggers/kind.py",
        "flowforge/triggers/webhooks/curl.py",
        "flowforge/triggers/webhooks/sample_request.py",
        "flowforge/triggers/webhooks/signed_call.py",
        "flowforge/workflows/bundle.py",
        "flowforge/workflows/bundles.py",
        "flowforge/workflows/credentials.py",
        "flowforge/workflows/pins.py",
        "flowforge/workflows/validation.py",
        "flowforge/workflows/versions.py",
        "webapp/api/administration.py",
        "webapp/api/bundles.py",
        "webapp/body.py",
        "webapp/content_encoding.py",
        "webapp/edge.py",
        "webapp/intake/resume.py",
        "webapp/intake/webhook.py",
        "webapp/receiving/form_data.py",
        "webapp/receiving/run_payload.py",
        "webapp/ui/builder_text.py",
        "webapp/ui/builder_trials.py",
        "webapp/ui/definitions.py",
        "webapp/ui/execution_actions.py",
        "webapp/ui/execution_bulk.py",
        "webapp/ui/imports.py",
        "webapp/ui/table_rows.py",
        "webapp/ui/workflow_bulk.py",
        "webapp/wire.py",
    }
)
"""Rooms and files whose messages are still said in English only. None may be added."""


def literal_messages(source: str) -> Iterator[str]:
    """Messages that are written where a problem is made, and are no sentences."""
    for call in ast.walk(ast.parse(source)):
        if isinstance(call, ast.Call) and ast.unparse(call.func) in _MADE_BY and len(call.args) > 1:
            message = call.args[1]
            if isinstance(message, ast.JoinedStr) or (isinstance(message, ast.Constant) and message.value):
                yield ast.unparse(message)


def test_a_message_that_is_added_is_a_sentence() -> None:
    found = {
        str(path.relative_to(PROJECT))
        for folder in ("flowforge", "webapp")
        for path in (PROJECT / folder).rglob("*.py")
        if any(literal_messages(path.read_text()))
    }
    assert found == _IN_ENGLISH


def test_messages_that_are_no_sentences_are_found() -> None:
    source = (
        'Problem("/a", "is wrong"); Invalid.at("/b", f"has {n}"); Problem("/c", sentence("is right")); Problem(p, m)'
    )
    assert [*literal_messages(source)] == ["'is wrong'", "f'has {n}'"]


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
