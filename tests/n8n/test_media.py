"""Models that look at files: what Gemini and Mistral are sent, and where the answer is read."""

from __future__ import annotations

import pytest

from tests.n8n.graphs import MANUAL, Json, actions, graph, node, sets

FILE = node(
    "Get",
    "httpRequest",
    {"url": "https://a.test/a", "options": {"response": {"response": {"responseFormat": "file"}}}},
    typeVersion=4.2,
)


def _asked(kind: str, parameters: Json) -> list[Json]:
    """The steps of a node that is given a file, and of one that reads its answer."""
    model = node("Model", kind, {"modelId": {"__rl": True, "value": "models/gemini-2.5-flash"}} | parameters)
    return actions(
        graph(
            [MANUAL, FILE, model, sets("Next", a="={{ $json.content.parts[0].text }}")],
            "Start > Get",
            "Get > Model",
            "Model > Next",
        )
    )


def test_gemini_looks_at_a_file_of_the_item() -> None:
    _, ask, read = _asked(
        "googleGemini", {"resource": "image", "operation": "analyze", "inputType": "binary", "text": "What?"}
    )
    assert ask["config"]["url"].endswith("/models/gemini-2.5-flash:generateContent")
    (said,) = ask["config"]["body"]["contents"]
    picture = {"mime_type": "{{ (steps.get.body).type }}", "data": "{{ (steps.get.body) | base64 }}"}
    assert said["parts"] == [{"text": "What?"}, {"inline_data": picture}]
    assert read["config"]["output"]["a"].startswith("{{ steps.model.body.candidates[0].content.parts[0].text")


def test_gemini_looks_at_what_an_address_leads_to() -> None:
    _, get, ask, _ = _asked("googleGemini", {"resource": "audio", "audioUrls": "https://a.test/a.mp3"})
    assert get["config"] == {"url": "https://a.test/a.mp3", "response": "file"}
    assert "(steps.get_for_model.body) | base64" in str(ask["config"]["body"])


@pytest.mark.parametrize(
    ("model", "method"), [("models/imagen-4.0", "predict"), ("models/gemini-2.5-flash-image", "generateContent")]
)
def test_gemini_draws_a_picture_that_the_next_step_sends(model: str, method: str) -> None:
    draw = node("Draw", "googleGemini", {"resource": "image", "prompt": "A cat", "modelId": model})
    send = node(
        "Send",
        "httpRequest",
        {
            "url": "https://a.test",
            "method": "POST",
            "sendBody": True,
            "contentType": "binaryData",
            "inputDataFieldName": "data",
        },
        typeVersion=4.2,
    )
    ask, sent = actions(graph([MANUAL, draw, send], "Start > Draw", "Draw > Send"))
    assert ask["config"]["url"].endswith(f":{method}")
    assert "{'base64': " in sent["config"]["body"]
    assert "| to_file('image.png', " in sent["config"]["body"]


def test_mistral_reads_a_document() -> None:
    _, ask, _ = _asked("mistralAi", {})
    assert ask["config"]["url"] == "https://api.mistral.ai/v1/ocr"
    document = ask["config"]["body"]["document"]["document_url"]
    assert document == "data:{{ (steps.get.body).type }};base64,{{ (steps.get.body) | base64 }}"
