"""Nodes of n8n's, one by one: the steps that take their places."""

from __future__ import annotations

from typing import Any

import pytest

from flowforge.n8n.report import Outcome
from flowforge.triggers.kinds import find_kind
from tests.n8n.graphs import CALLED, MANUAL, actions, graph, imported, node, run, sets

Json = dict[str, Any]


_TYPES = [
    *["set", "if", "switch", "httpRequest", "gmail", "googleSheets", "code", "merge", "slack", "webhook", "notion"],
    *["scheduleTrigger", "formTrigger", "agent", "postgres", "telegram", "html", "dateTime", "rssFeedReadTrigger"],
]


def _configured(name: str, parameters: Json, **more: Any) -> Json:
    config: Json = _step(node("N", name, parameters, **more))["config"]
    return config


def _step(written: Json) -> Json:
    """The step that a node becomes behind a webhook."""
    return actions(graph([CALLED, written], f"Call > {written['name']}"))[-1]


@pytest.mark.parametrize(
    ("written", "type_", "config"),
    [
        (
            node(
                "N",
                "gmail",
                {"sendTo": "={{ $json.body.to }}", "subject": "Hi", "message": "<b>x</b>"},
                typeVersion=2.1,
            ),
            "GMAIL_SEND",
            {"connection": "Gmail", "to": "{{ trigger.body.to | default(none) }}", "subject": "Hi", "html": "<b>x</b>"},
        ),
        (
            node(
                "N", "telegram", {"chatId": "7", "text": "Hi"}, credentials={"telegramApi": {"id": "1", "name": "Bot"}}
            ),
            "TELEGRAM_MESSAGE",
            {"connection": "Bot", "chatId": "7", "text": "Hi"},
        ),
        (
            node(
                "N",
                "postgres",
                {"operation": "executeQuery", "query": "=SELECT * FROM t WHERE id = '{{ $json.body.id }}'"},
            ),
            "SQL_QUERY",
            {
                "connection": "PostgreSQL",
                "operation": "query",
                "sql": "SELECT * FROM t WHERE id = :value1",
                "parameters": {"value1": "{{ trigger.body.id | default(none) }}"},
            },
        ),
        (
            node("N", "ssh", {"command": "=rm {{ $json.a }} \"x {{ $json.b }}\" 'y {{ $json.c }}'", "cwd": "~/in"}),
            "SSH_COMMAND",
            {
                "connection": "SSH",
                "command": "rm {{ trigger.a | default(none) }} \"x ${VALUE_1}\" 'y '\"${VALUE_2}\"''",
                "environment": {
                    "VALUE_1": "{{ trigger.b | default(none) }}",
                    "VALUE_2": "{{ trigger.c | default(none) }}",
                },
                "folder": "in",
                "fails": False,
            },
        ),
        (
            node("N", "executeCommand", {"command": "={{ $json.script }}"}),
            "SSH_COMMAND",
            {"connection": "Server", "command": "sh -c {{ trigger.script | default(none) }}"},
        ),
        (
            node("N", "ssh", {"resource": "file", "operation": "download", "path": "/a.txt"}),
            "FILE_TRANSFER",
            {"connection": "SSH", "operation": "get", "path": "/a.txt"},
        ),
        (
            node(
                "N",
                "editImage",
                {
                    "operation": "multiStep",
                    "operations": {
                        "operations": [
                            {"operation": "create", "width": 90, "height": "={{ $json.h }}"},
                            {"operation": "draw", "color": "#00000040", "endPositionX": 9, "endPositionY": 9},
                        ]
                    },
                    "options": {"format": "jpeg", "fileName": "card.jpg"},
                },
            ),
            "IMAGE",
            {
                "operations": [
                    {
                        "do": "create",
                        "width": 90,
                        "height": "{{ trigger.h | default(none) }}",
                        "color": "#ffffffff",
                    },
                    {
                        "do": "draw",
                        "shape": "rectangle",
                        "left": 50,
                        "top": 50,
                        "right": 9,
                        "bottom": 9,
                        "color": "#000000bf",
                        "radius": 0,
                    },
                ],
                "format": "jpeg",
                "name": "card.jpg",
            },
        ),
        (
            node("N", "wait", {"amount": 2, "unit": "minutes"}, typeVersion=1.1),
            "WAIT",
            {"seconds": 120},
        ),
        (
            node("N", "openWeatherMap", {"cityName": "Graz"}),
            "HTTP_REQUEST",
            {
                "url": "https://api.openweathermap.org/data/2.5/weather",
                "method": "GET",
                "query": {"q": "Graz", "units": "metric"},
                "connection": "OpenWeatherMap",
            },
        ),
        (
            node("N", "extractFromFile", {"operation": "pdf"}),
            "READ_PDF",
            {"file": "{{ trigger.files[0] }}"},
        ),
        (
            node(
                "N",
                "html",
                {
                    "operation": "extractHtmlContent",
                    "extractionValues": {"values": [{"key": "t", "cssSelector": "h1"}]},
                },
            ),
            "HTML",
            {
                "operation": "extract",
                "source": "{{ trigger.data | default('') }}",
                "fields": [{"name": "t", "selector": "h1"}],
            },
        ),
    ],
)
def test_a_node_becomes_a_step(written: Json, type_: str, config: Json) -> None:
    step = _step(written)
    assert (step["type"], step["config"]) == (type_, config)


def test_a_request_keeps_the_types_of_its_json_and_the_texts_in_it() -> None:
    body = '{"n": {{ $json.body.n }}, "text": "{{ $json.body.n }}", "to": "Hi {{ $json.body.to }}"}'
    asks = {
        "method": "POST",
        "url": "https://x.example/",
        "sendBody": True,
        "specifyBody": "json",
        "jsonBody": f"={body}",
    }
    config = _step(node("Ask", "httpRequest", asks, typeVersion=4.2))["config"]
    assert config["body"] == {
        "n": "{{ trigger.body.n | default(none) }}",
        "text": "{{ (trigger.body.n | default(none)) ~ '' }}",
        "to": "Hi {{ trigger.body.to | default(none) }}",
    }


def test_fields_that_are_set_lie_over_those_of_the_item() -> None:
    fields = {
        "assignments": {"assignments": [{"name": "a.b", "value": 1, "type": "number"}]},
        "includeOtherFields": True,
    }
    after = node(
        "Next",
        "httpRequest",
        {
            "url": "={{ $json.a.b }}{{ $json.body.c }}",
            "sendBody": True,
            "method": "POST",
            "specifyBody": "json",
            "jsonBody": "={{ $json }}",
        },
        typeVersion=4,
    )
    found = actions(graph([CALLED, node("Set", "set", fields, typeVersion=3.4), after], "Call > Set", "Set > Next"))
    assert found[0]["config"]["output"] == {"a": {"b": 1}}
    assert found[1]["config"]["url"].endswith("{{ steps.set.a.b | default(none) }}{{ trigger.body.c | default(none) }}")
    assert found[1]["config"]["body"] == "{{ trigger | with_fields(steps.set) }}"


def test_a_name_in_sql_that_is_computed_is_never_pasted() -> None:
    query = {"operation": "executeQuery", "query": "=SELECT * FROM {{ $json.body.table }}"}
    found = imported(graph([CALLED, node("Ask", "postgres", query)], "Call > Ask"))
    assert "name of a table" in found.report.nodes[1].notes[0]


def test_what_looks_for_something_new_is_a_trigger_that_does() -> None:
    feed = node(
        "Feed",
        "rssFeedReadTrigger",
        {"feedUrl": "https://x.example/feed", "pollTimes": {"item": [{"mode": "everyHour", "minute": 5}]}},
    )
    (workflow,) = imported(graph([feed, node("Do", "noOp"), node("Wait", "wait")], "Feed > Do", "Do > Wait")).workflows
    assert workflow.definition["trigger"] == {
        "type": "read_feed",
        "config": {"url": "https://x.example/feed", "eventPer": "poll", "cron": "5 * * * *"},
    }
    [each] = workflow.definition["actions"]
    assert (each["type"], each["config"]["items"]) == ("FOR_EACH", "{{ trigger.items }}")


@pytest.mark.parametrize(
    ("kind", "parameters", "trigger"),
    [
        ("gmailTrigger", {}, ("gmail_search", {"query": "newer_than:2d is:unread"})),
        ("googleDriveTrigger", {"event": "fileUpdated", "folderToWatch": "f1"}, ("drive_list", {"watch": "changed"})),
        ("googleDriveTrigger", {"event": "fileCreated", "folderToWatch": "f1"}, ("drive_list", {"folder": "f1"})),
        ("googleSheetsTrigger", {"documentId": "d1"}, ("sheets_read", {"spreadsheetId": "d1"})),
        ("notionTrigger", {"event": "pagedUpdatedInDatabase"}, ("notion_query", {"watch": "changed"})),
        ("airtableTrigger", {"baseId": "b1"}, ("airtable_list", {"baseId": "b1"})),
        ("googleCalendarTrigger", {}, ("calendar_find", {"calendarId": "primary"})),
        ("microsoftOutlookTrigger", {}, ("outlook_find", {"filter": "isRead eq false"})),
    ],
)
def test_what_asks_a_service_for_news_is_a_trigger_of_its_action(
    kind: str, parameters: dict[str, Any], trigger: tuple[str, dict[str, Any]]
) -> None:
    (workflow,) = imported(graph([node("Look", kind, parameters), node("Do", "noOp")], "Look > Do")).workflows
    written = workflow.definition["trigger"]
    type_, config = trigger
    assert written["type"] == type_
    assert config.items() <= written["config"].items()
    found = find_kind(type_)
    assert found is not None
    assert found.problems(written["config"]) == []


def test_a_model_is_asked_by_an_llm_step_with_the_schema_of_its_parser() -> None:
    chain = node("Ask", "chainLlm", {"promptType": "define", "text": "={{ $json.body.q }}"})
    model = node(
        "Model", "lmChatOpenAi", {"model": {"__rl": True, "value": "gpt-4o"}}, credentials={"openAiApi": {"name": "AI"}}
    )
    parser = node("Parser", "outputParserStructured", {"jsonSchemaExample": '{"city": "Graz", "big": true}'})
    written = graph([CALLED, chain, model, parser], "Call > Ask")
    written["connections"] |= {
        "Model": {"ai_languageModel": [[{"node": "Ask", "type": "ai_languageModel", "index": 0}]]},
        "Parser": {"ai_outputParser": [[{"node": "Ask", "type": "ai_outputParser", "index": 0}]]},
    }
    (step,) = actions(written)
    assert (step["type"], step["config"]["model"], step["config"]["connection"]) == ("LLM", "gpt-4o", "AI")
    assert step["config"]["schema"]["properties"] == {"city": {"type": "string"}, "big": {"type": "boolean"}}


@pytest.mark.parametrize("odd", [None, 7, "x", [], {"a": {"b": []}}, [[{}]], True])
@pytest.mark.parametrize("type_", _TYPES)
def test_parameters_of_any_shape_end_in_a_report(type_: str, odd: Any) -> None:
    names = (
        "assignments",
        "conditions",
        "rules",
        "url",
        "options",
        "message",
        "columns",
        "jsCode",
        "rule",
        "formFields",
    )
    parameters = dict.fromkeys((*names, "text", "documentId", "query", "values", "mode", "operation", "resource"), odd)
    found = imported(graph([MANUAL, node("Odd", type_, parameters, typeVersion=3)], "Start > Odd"))
    assert found.report.nodes


def test_what_was_seen_in_earlier_executions_is_left_out() -> None:
    dedupe = {"operation": "removeItemsSeenInPreviousExecutions", "dedupeValue": "={{ $json.id }}"}
    found = actions(graph([CALLED, node("New", "removeDuplicates", dedupe, typeVersion=2)], "Call > New"))
    assert found[0]["actions"][0]["config"] == {"key": "{{ item.id | default('') }}"}
    assert found[1]["config"]["output"]["items"] == "{{ steps.new.results | filter(item.first) | map(item.item) }}"


def test_two_lists_that_are_compared_go_four_ways() -> None:
    lists = [node(name, "splitOut", {"fieldToSplitOut": name}, typeVersion=1) for name in ("a", "b")]
    matched = {"mergeByFields": {"values": [{"field1": "id", "field2": "ID"}]}, "options": {"skipFields": "at, by"}}
    compare = node("Compare", "compareDatasets", matched, typeVersion=2.3)
    new, gone = node("New", "noOp"), node("Gone", "noOp")
    steps = actions(
        graph(
            [CALLED, *lists, compare, new, gone, node("Tell", "stopAndError", {"errorMessage": "={{ $json.ID }}"})],
            "Call > a",
            "Call > b",
            "a > Compare",
            "b > Compare 1",
            "Compare > New",
            "Compare 3 > Gone",
            "Gone > Tell",
        )
    )
    step = next(step for step in steps if step["type"] == "COMPARE_LISTS")
    assert {key: step["config"][key] for key in ("fields", "secondFields", "ignore")} == {
        "fields": ["id"],
        "secondFields": ["ID"],
        "ignore": ["at", "by"],
    }
    ways = [way for branch in steps if branch["type"] == "BRANCH" for way in branch["branches"]]
    given = f"steps.{step['id']}"
    assert [(way["name"], way["when"]) for way in ways] == [
        ("In A only", f"{{{{ {given}.onlyInFirst | length > 0 }}}}"),
        ("In B only", f"{{{{ {given}.onlyInSecond | length > 0 }}}}"),
    ]
    (loop,) = ways[1]["actions"]
    assert (loop["type"], loop["config"]["items"]) == ("FOR_EACH", f"{{{{ {given}.onlyInSecond }}}}")


def test_sql_that_is_no_expression_takes_its_values_as_parameters_all_the_same() -> None:
    config = _configured(
        "postgres", {"operation": "executeQuery", "query": "SELECT * FROM t WHERE a = '{{ $json.a }}'"}
    )
    assert config["sql"] == "SELECT * FROM t WHERE a = :value1"
    assert config["parameters"] == {"value1": "{{ trigger.a | default(none) }}"}


def test_rows_of_a_sheet_are_deleted_by_their_numbers() -> None:
    sheet = {"sheetName": {"__rl": True, "mode": "list", "value": "gid=7", "cachedResultName": "Old"}}
    config = _configured(
        "googleSheets", sheet | {"operation": "delete", "documentId": "abc", "startIndex": 5}, typeVersion=4
    )
    (request,) = config["body"]["requests"]
    assert request["deleteDimension"]["range"] == {
        "sheetId": 7,
        "dimension": "ROWS",
        "startIndex": "{{ ((5) | int) - 1 }}",
        "endIndex": "{{ ((5) | int) - 1 + ((1) | int) }}",
    }


def test_rows_of_a_table_are_never_changed_without_a_condition() -> None:
    config = _configured("dataTable", {"operation": "deleteRows", "dataTableId": "t"})
    assert config["conditions"] == [{"column": "id", "operator": "equals", "value": "…"}]


def test_an_item_goes_on_where_a_table_has_its_row() -> None:
    has = node(
        "Has",
        "dataTable",
        {
            "operation": "rowNotExists",
            "dataTableId": "t",
            "filters": {"conditions": [{"keyName": "a", "keyValue": "1"}]},
        },
    )
    _, branch = actions(graph([MANUAL, has, sets("Next", a="1")], "Start > Has", "Has > Next"))
    assert branch["branches"][0]["when"] == "{{ steps.has.rows | length == 0 }}"


def test_sample_customers_are_made_up_and_said_to_be() -> None:
    found = imported(graph([MANUAL, node("N", "n8nTrainingCustomerDatastore")], "Start > N"))
    assert "made up" in found.report.with_outcome(Outcome.APPROXIMATED)[0].notes[0]
    assert all(
        row["email"].endswith("@example.com")
        for row in found.workflows[0].definition["actions"][0]["config"]["output"]["items"]
    )


@pytest.mark.parametrize(("keeps", "expected"), [(True, {"a": 1, "key": "v"}), (False, {"key": "v"})])
def test_names_of_fields_may_be_computed(keeps: bool, expected: Json) -> None:
    rows = [{"name": "={{ $json.name }}", "value": "v", "type": "string"}]
    parameters = {"assignments": {"assignments": rows}, "includeOtherFields": keeps}
    config = _configured("set", parameters, typeVersion=3.4)
    given = {"item": {"a": 1}} if keeps else {}
    assert run(config, {"fields": [["key", "v"]]} | given) == expected


def test_a_condition_of_a_table_that_names_no_column_is_about_the_id() -> None:
    filters = {"filters": {"conditions": [{"keyValue": "7"}]}}
    config = _configured("dataTable", filters | {"operation": "deleteRows", "dataTableId": "t"})
    assert config["conditions"] == [{"column": "id", "operator": "equals", "value": "7"}]
