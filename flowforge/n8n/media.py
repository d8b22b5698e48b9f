"""Pictures, sound, films and documents that models look at or make, by the APIs of Gemini and Mistral.

https://ai.google.dev/api/generate-content, https://docs.mistral.ai/api/#tag/ocr
"""

from __future__ import annotations

from flowforge.jsonio import JsonObject
from flowforge.n8n.asking import Asked, Left, one, only_by_request
from flowforge.n8n.data import Data, Output
from flowforge.sentences import sentence

_GEMINI = "https://generativelanguage.googleapis.com/v1beta"
_USUAL_OPERATION = {"document": "analyze", "audio": "transcribe", "image": "generate", "video": "generate"}
_USUAL_TEXT = {"transcribe": "Generate a transcript of the speech"}
_ADDRESSES = {"image": "imageUrls", "document": "documentUrls", "audio": "audioUrls", "video": "videoUrls"}


def by_gemini(asked: Asked, resource: str) -> Output:
    """Raises Left for an operation that has no counterpart."""
    operation = asked.choice("operation", _USUAL_OPERATION.get(resource, ""))
    if resource in _ADDRESSES and operation in ("analyze", "transcribe"):
        return _looked_at(asked, resource, operation)
    if (resource, operation) == ("image", "generate"):
        return _picture(asked)
    if (resource, operation) == ("image", "edit"):
        return _edited(asked)
    raise only_by_request(operation, resource)


def _looked_at(asked: Asked, resource: str, operation: str) -> Output:
    text = asked.text("text") or _USUAL_TEXT.get(operation, f"What's in this {resource}?")
    path = _generated(asked, [{"text": text}, _inline(_file(asked, _ADDRESSES[resource]))])
    return one(f"{path}.candidates[0]")


def _file(asked: Asked, addresses: str) -> str:
    """The file that is looked at, an expression: one of the item, or one that a step before fetches."""
    if asked.raw("inputType", "url") == "binary":
        name = asked.raw("binaryPropertyName", "data")
        return asked.file(str(name).split(",")[0].strip()).removeprefix("{{ ").removesuffix(" }}")
    if asked.raw("inputType", "url") != "url":
        raise Left(sentence("the files are told by their addresses at Gemini: use an HTTP_REQUEST step"))
    asked.note(sentence("of several addresses the first is fetched"))
    address = asked.needed(
        asked.text(addresses).split(",")[0].strip(), sentence("the address"), "https://example.com/file"
    )
    get: JsonObject = {"url": address, "response": "file"}
    return f"{asked.step('HTTP_REQUEST', get, hint=f'get for {asked.node.name}')}.body"


def _inline(file: str) -> JsonObject:
    """A part of what is asked, with the content of a file, an expression."""
    return {"inline_data": {"mime_type": f"{{{{ ({file}).type }}}}", "data": f"{{{{ ({file}) | base64 }}}}"}}


def _generated(asked: Asked, parts: list[JsonObject], **more: object) -> str:
    return _call(asked, "generateContent", {"contents": [{"role": "user", "parts": parts}], **more})


def _call(asked: Asked, method: str, body: JsonObject) -> str:
    """The path of the answer."""
    model = str(asked.needed(asked.text("modelId"), sentence("the model"), "gemini-2.5-flash")).removeprefix("models/")
    config: JsonObject = {
        "url": f"{_GEMINI}/models/{model}:{method}",
        "method": "POST",
        "body": body,
        "connection": asked.connection("Google Gemini"),
    }
    return f"{asked.step('HTTP_REQUEST', config)}.body"


def _picture(asked: Asked) -> Output:
    prompt = asked.needed(asked.text("prompt"), sentence("the prompt"), "…")
    if "imagen" not in str(asked.raw("modelId", "")):
        return _drawn(asked, [{"text": prompt}])
    _note_size(asked)
    body = {"instances": [{"prompt": prompt}], "parameters": {"sampleCount": 1}}
    picture = f"{_call(asked, 'predict', body)}.predictions[0]"
    return Output(Data("{}"), any_file=_file_of(f"{picture}.bytesBase64Encoded", f"{picture}.mimeType"))


def _edited(asked: Asked) -> Output:
    rows = asked.rows("images.values") or [{}]
    files = [asked.file(str(row.get("binaryPropertyName", "data"))) for row in rows]
    pictures = [_inline(file.removeprefix("{{ ").removesuffix(" }}")) for file in files]
    return _drawn(asked, [{"text": asked.needed(asked.text("prompt"), sentence("the prompt"), "…")}, *pictures])


def _drawn(asked: Asked, parts: list[JsonObject]) -> Output:
    _note_size(asked)
    path = _generated(asked, parts, generationConfig={"responseModalities": ["IMAGE", "TEXT"]})
    picture = f"({path}.candidates[0].content.parts | find(item.inlineData is defined)).inlineData"
    return Output(Data(f"{path}.candidates[0]"), any_file=_file_of(f"{picture}.data", f"{picture}.mimeType"))


def _file_of(base64: str, type_: str) -> str:
    return f"({{'base64': {base64}}} | to_file('image.png', {type_}))"


def _note_size(asked: Asked) -> None:
    asked.note(
        sentence("the picture is a part of the answer, of 700 kB at most unless STEP_OUTPUT_MAX_BYTES allows more")
    )


def read_by_mistral(asked: Asked) -> Output:
    """Raises Left."""
    if asked.choice("operation", "extractText") != "extractText" or asked.raw("options.batch") is True:
        raise Left(sentence("documents are read in a batch: use an HTTP_REQUEST step in a FOR_EACH"))
    kind = "image_url" if asked.raw("documentType", "document_url") == "image_url" else "document_url"
    address = asked.text("url")
    if asked.raw("inputType", "binary") == "binary":
        file = asked.file(str(asked.raw("binaryProperty", "data"))).removeprefix("{{ ").removesuffix(" }}")
        address = f"data:{{{{ ({file}).type }}}};base64,{{{{ ({file}) | base64 }}}}"
    config: JsonObject = {
        "url": "https://api.mistral.ai/v1/ocr",
        "method": "POST",
        "body": {"model": asked.text("model") or "mistral-ocr-latest", "document": {"type": kind, kind: address}},
        "connection": asked.connection("Mistral"),
    }
    path = f"{asked.step('HTTP_REQUEST', config)}.body"
    text = f"({path}.pages | map('markdown') | join('\\n\\n'))"
    return Output(Data(path, {"extractedText": text, "pageCount": f"({path}.pages | length)"}))
