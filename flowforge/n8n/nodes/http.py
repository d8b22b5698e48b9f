"""The HTTP Request node, in its versions, and GraphQL."""

from __future__ import annotations

from typing import Any

from flowforge.jsonio import JsonObject
from flowforge.n8n.asking import Asked, Left
from flowforge.n8n.data import Output
from flowforge.n8n.http_nodes import METHODS, answer_of_any_kind
from flowforge.n8n.json_templates import read_template
from flowforge.n8n.nodes import node
from flowforge.sentences import sentence

_KINDS = {"json": "json", "text": "text", "string": "text", "file": "file"}


@node("httpRequest")
def http_request(asked: Asked) -> Output:
    config = _new(asked) if asked.node.version >= 3 else _old(asked)
    options = asked.raw("options", {})
    answer = asked.raw("options.response.response", {}) if asked.node.version >= 3 else options
    kind = str(
        answer.get("responseFormat", "autodetect") if asked.node.version >= 3 else asked.raw("responseFormat", "json")
    )
    if kind in _KINDS and kind != "json":
        config["response"] = _KINDS[kind]
    if answer.get("neverError") is True or options.get("ignoreResponseCode") is True:
        config["failOnStatus"] = False
    if isinstance(options, dict) and "pagination" in options:
        asked.note(sentence("the pages of the answer are not followed: choose how in the step's paging"))
    keys: JsonObject = {}
    timeout = options.get("timeout") if isinstance(options, dict) else None
    if isinstance(timeout, int) and 0 < timeout <= 86_400_000:
        keys["timeout"] = timeout / 1_000
    path = asked.step("HTTP_REQUEST", config, **keys)
    return answer_of_any_kind(asked, path, kind=_KINDS.get(kind, "auto"), full=answer.get("fullResponse") is True)


def _new(asked: Asked) -> JsonObject:
    """Of versions 3 and later."""
    config: JsonObject = {"url": _url(asked), "method": _method(asked, asked.raw("method", "GET"))}
    if asked.raw("sendQuery") is True:
        _put(config, "query", _fields(asked, "queryParameters.parameters", "specifyQuery", "jsonQuery"))
    if asked.raw("sendHeaders") is True:
        _put(config, "headers", _fields(asked, "headerParameters.parameters", "specifyHeaders", "jsonHeaders"))
    if asked.raw("sendBody") is True:
        config |= _body(asked)
    if asked.raw("authentication", "none") != "none":
        config["connection"] = asked.connection(_service(asked), *_credential_types(asked))
    return config


def _url(asked: Asked) -> str:
    url = str(asked.needed(asked.text("url").strip(), sentence("the URL"), "https://example.com/"))
    return url if url.startswith(("http://", "https://", "{{")) else f"https://{url}"


def _method(asked: Asked, raw: Any) -> str:
    if isinstance(raw, str) and raw.startswith("="):
        return asked.text_of(raw)
    if not isinstance(raw, str) or raw.upper() not in METHODS:
        raise Left(sentence("its method is not known: choose it by hand"))
    return raw.upper()


def _put(config: JsonObject, key: str, value: Any) -> None:
    if value:
        config[key] = value


def _fields(asked: Asked, pairs: str, how: str, json: str) -> Any:
    """Fields that are given one by one, or as JSON."""
    if asked.raw(how, "keypair") == "json":
        return read_template(asked.values, str(asked.raw(json, "{}")))
    return _pairs(asked, pairs)


def _pairs(asked: Asked, path: str) -> JsonObject:
    fields: JsonObject = {}
    for row in asked.rows(path):
        name = str(row.get("name", "")).strip().removeprefix("=")
        if name:
            fields[name] = asked.values.value(row.get("value", ""))
    return fields


def _credential_types(asked: Asked) -> list[str]:
    return [str(asked.raw("nodeCredentialType", "")), str(asked.raw("genericAuthType", ""))]


def _service(asked: Asked) -> str:
    chosen = next((type_ for type_ in _credential_types(asked) if type_), "")
    return f"{asked.node.name} ({chosen})" if chosen else asked.node.name


def _body(asked: Asked) -> JsonObject:
    kind = asked.raw("contentType", "json")
    if kind == "json" and asked.raw("specifyBody", "keypair") == "json":
        return {"body": read_template(asked.values, _text(asked.raw("jsonBody", "{}")))}
    if kind == "json":
        return {"body": _pairs(asked, "bodyParameters.parameters")}
    if kind == "form-urlencoded":
        if asked.raw("specifyBody", "keypair") == "string":
            return {"body": asked.text("body"), **_typed(asked, "application/x-www-form-urlencoded")}
        return {"form": _pairs(asked, "bodyParameters.parameters")}
    if kind == "multipart-form-data":
        return _multipart(asked)
    if kind == "binaryData":
        return {"body": asked.file(str(asked.raw("inputDataFieldName", "data")))}
    return {"body": asked.text("body"), **_typed(asked, str(asked.raw("rawContentType", "text/plain")))}


def _text(raw: Any) -> str:
    from flowforge import jsonio

    return raw if isinstance(raw, str) else jsonio.dumps(raw).decode()


def _typed(asked: Asked, type_: str) -> JsonObject:
    headers = _fields(asked, "headerParameters.parameters", "specifyHeaders", "jsonHeaders")
    own = headers if isinstance(headers, dict) and asked.raw("sendHeaders") is True else {}
    return {"headers": {"Content-Type": type_.removeprefix("="), **own}}


def _multipart(asked: Asked) -> JsonObject:
    rows = asked.rows("bodyParameters.parameters")
    files = [row for row in rows if row.get("parameterType") == "formBinaryData"]
    form = {str(row.get("name", "")): asked.values.value(row.get("value", "")) for row in rows if row not in files}
    sent = {str(row.get("name", "")): asked.file(str(row.get("inputDataFieldName", "data"))) for row in files}
    return {"form": form} | ({"files": sent} if sent else {})


def _old(asked: Asked) -> JsonObject:
    """Of versions 1 and 2."""
    config: JsonObject = {"url": _url(asked), "method": _method(asked, asked.raw("requestMethod", "GET"))}
    as_json = asked.raw("jsonParameters") is True
    _put(config, "query", _old_fields(asked, "query", as_json))
    _put(config, "headers", _old_fields(asked, "header", as_json))
    if asked.raw("sendBinaryData") is True:
        config["body"] = asked.file(str(asked.raw("binaryPropertyName", "data")))
        return _signed(asked, config)
    body = _old_fields(asked, "body", as_json)
    kind = asked.raw("options.bodyContentType", "json")
    if body:
        config["form" if kind in ("form-urlencoded", "multipart-form-data") and isinstance(body, dict) else "body"] = (
            body
        )
    return _signed(asked, config)


def _signed(asked: Asked, config: JsonObject) -> JsonObject:
    if asked.raw("authentication", "none") != "none" or asked.node.credentials:
        config["connection"] = asked.connection(asked.node.name)
    return config


def _old_fields(asked: Asked, what: str, as_json: bool) -> Any:
    if as_json:
        raw = asked.raw(f"{what}ParametersJson", "")
        return read_template(asked.values, _text(raw)) if raw else None
    return _pairs(asked, f"{what}ParametersUi.parameter")


@node("graphql")
def graphql(asked: Asked) -> Output:
    body: JsonObject = {"query": asked.text("query")}
    variables = asked.raw("variables")
    if variables:
        body["variables"] = read_template(asked.values, _text(variables))
    config: JsonObject = {"url": asked.text("endpoint"), "method": "POST", "body": body}
    headers = _pairs(asked, "headerParametersUi.parameter")
    _put(config, "headers", headers)
    if asked.raw("authentication", "none") != "none":
        config["connection"] = asked.connection(asked.node.name)
    path = asked.step("HTTP_REQUEST", config)
    return answer_of_any_kind(asked, path, kind="auto", full=False)
