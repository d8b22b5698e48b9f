"""Tables of services: Airtable, Notion, Supabase, NocoDB, Baserow's writing, and n8n's own data tables."""

from __future__ import annotations

from typing import Any

from flowforge.jsonio import JsonObject
from flowforge.n8n.asking import Asked, Left, Result, no_counterpart, one, only_by_request
from flowforge.n8n.data import Data, Output
from flowforge.n8n.json_templates import read_template
from flowforge.n8n.nodes import node
from flowforge.sentences import sentence


def columns(asked: Asked, path: str = "columns") -> Any:
    """What is written: an object of values, or the item as it is."""
    if asked.raw(f"{path}.mappingMode", "defineBelow") == "defineBelow":
        values = asked.raw(f"{path}.value", {})
        return (
            {str(key): asked.values.value(value) for key, value in values.items()} if isinstance(values, dict) else {}
        )
    return asked.item


def filled(asked: Asked, values: Any) -> Any:
    """What is written; a field to be replaced where the file names none, which is noted."""
    return asked.needed(values, sentence("what it writes"), {"field": "value"})


# -- Airtable


@node("airtable")
def airtable(asked: Asked) -> Result:
    if asked.choice("resource", "record") == "base":
        raise Left(sentence("the bases of Airtable are not listed: use an HTTP_REQUEST step"))
    operation = asked.choice("operation", "read" if asked.node.version < 2 else "get")
    base: JsonObject = {
        "connection": asked.connection("Airtable"),
        "baseId": asked.text("base") or asked.text("application") or "choose-a-base",
        "table": asked.text("table") or "choose-a-table",
    }
    if operation in ("search", "list"):
        found: JsonObject = {
            "formula": asked.text("filterByFormula") or asked.text("additionalOptions.filterByFormula")
        }
        found |= {"limit": 10_000 if asked.raw("returnAll", True) is True else asked.number("limit", 100)}
        rows = f"{asked.step('AIRTABLE_LIST', base | {key: value for key, value in found.items() if value})}.items"
        return _records(asked, rows) if asked.node.version >= 2 else Output(many=rows)
    if operation in ("create", "append"):
        values = filled(asked, columns(asked) if asked.node.version >= 2 else _old_fields(asked))
        path = asked.step("AIRTABLE_CREATE", base | {"records": values} | _typecast(asked))
        return Output(Data(f"{path}.records[0]"))
    if operation in ("update", "upsert"):
        return _change(asked, base, operation)
    address = f"https://api.airtable.com/v0/{base['baseId']}/{base['table']}/{asked.text('id')}"
    method = {"get": "GET", "read": "GET", "deleteRecord": "DELETE", "delete": "DELETE"}.get(operation)
    if method is None:
        raise only_by_request(operation, "Airtable")
    path = asked.step("HTTP_REQUEST", {"url": address, "method": method, "connection": base["connection"]})
    return Output(Data(f"{path}.body.fields", {"id": f"{path}.body.id", "fields": f"{path}.body.fields"}))


def _records(asked: Asked, rows: str) -> Output:
    """Records as n8n gives them: their fields beside their id."""
    flat = f"{rows} | map({{'id': item.id, 'createdTime': item.createdTime}} | with_fields(item.fields))"
    path = asked.step("TRANSFORM", {"output": {"items": f"{{{{ {asked.values.fits(flat)} }}}}"}}, hint="records")
    return Output(many=f"{path}.items")


def _typecast(asked: Asked) -> JsonObject:
    return {"typecast": True} if asked.raw("options.typecast") is True else {}


def _old_fields(asked: Asked) -> Any:
    return asked.item


def _change(asked: Asked, base: JsonObject, operation: str) -> Output:
    matching = [str(name) for name in asked.raw("columns.matchingColumns", []) or []]
    values = filled(asked, columns(asked)) if asked.node.version >= 2 else _old_fields(asked)
    id_ = values.pop("id", "") if isinstance(values, dict) else ""
    if asked.node.version < 2:
        id_ = asked.text("id")
    config = base | {"fields": filled(asked, values)}
    if not (matching or (operation == "update" and id_)):
        matching = asked.needed(matching, sentence("the field by which a record is found"), ["Name"])
    if "id" in matching or (operation == "update" and id_):
        path = asked.step("AIRTABLE_CHANGE", config | {"recordId": id_})
    else:
        if operation == "update":
            asked.note(sentence("a record that is not there is added"))
        path = asked.step("AIRTABLE_CHANGE", config | {"mergeOn": matching})
    return Output(Data(f"{path}.records[0]"))


# -- Notion


@node("notion")
def notion(asked: Asked) -> Result:
    resource = asked.choice("resource", "page")
    usual = {"databasePage": "create", "page": "create", "block": "append", "database": "get", "user": "get"}
    operation = asked.choice("operation", usual.get(resource, ""))
    base = {"connection": asked.connection("Notion")}
    if (resource, operation) == ("databasePage", "getAll"):
        return _pages(asked, base)
    if (resource, operation) == ("databasePage", "create"):
        config = base | {
            "databaseId": asked.text("databaseId") or "choose-a-database",
            "properties": _properties(asked),
        }
        return Output(Data(asked.step("NOTION_CREATE", config), unlike=True))
    if (resource, operation) == ("databasePage", "update"):
        config = base | {
            "pageId": asked.needed(asked.text("pageId"), sentence("the page"), "choose-a-page"),
            "properties": _properties(asked),
        }
        return Output(Data(asked.step("NOTION_CHANGE", config), unlike=True))
    return _notion_call(asked, base, resource, operation)


def _pages(asked: Asked, base: JsonObject) -> Output:
    config = base | {"databaseId": asked.text("databaseId") or "choose-a-database"}
    config["limit"] = 10_000 if asked.raw("returnAll") is True else asked.number("limit", 50)
    kind = asked.raw("filterType", "none")
    if kind == "json" and isinstance(asked.raw("filterJson"), str):
        config["filter"] = read_template(asked.values, str(asked.raw("filterJson")))
    elif kind == "manual":
        config["filter"] = _filter(asked)
    asked.note(sentence("pages come as Notion has them: properties.<name>.<type>, where n8n has property_<name>"))
    return Output(many=f"{asked.step('NOTION_QUERY', config)}.items", why=None)


def _filter(asked: Asked) -> JsonObject:
    rows = asked.rows("filters.conditions")
    tests = []
    for row in rows:
        name, _, type_ = str(row.get("key", "")).partition("|")
        test = str(row.get("condition", "equals"))
        value = next((row[key] for key in row if key.endswith("Value") and key != "returnType"), "")
        tests.append(
            {"property": name, type_ or "rich_text": {test: asked.values.value(value) if value != "" else True}}
        )
    if not tests:
        raise Left(sentence("its filter has no conditions"))
    return {"or" if asked.raw("matchType", "anyFilter") == "anyFilter" else "and": tests}


def _properties(asked: Asked) -> JsonObject:
    """The properties as Notion's API has them."""
    properties: JsonObject = {}
    title = asked.text("title")
    for row in asked.rows("propertiesUi.propertyValues"):
        name, _, type_ = str(row.get("key", "")).partition("|")
        if name:
            properties[name] = _property(asked, type_, row)
    if title and "title" not in [
        str(row.get("key", "")).partition("|")[2] for row in asked.rows("propertiesUi.propertyValues")
    ]:
        properties["title"] = {"title": [{"text": {"content": title}}]}
    return dict(filled(asked, properties))


def _property(asked: Asked, type_: str, row: JsonObject) -> JsonObject:
    text = asked.text_of(row.get("textContent") or row.get("title") or row.get("richText") or "")
    if type_ == "title":
        return {"title": [{"text": {"content": text}}]}
    if type_ == "rich_text":
        return {"rich_text": [{"text": {"content": text}}]}
    if type_ in ("select", "status"):
        return {type_: {"name": asked.text_of(row.get(f"{type_}Value", ""))}}
    if type_ == "multi_select":
        chosen = row.get("multiSelectValue", [])
        names = chosen if isinstance(chosen, list) else [part.strip() for part in str(chosen).split(",")]
        return {"multi_select": [{"name": asked.text_of(name)} for name in names]}
    if type_ == "date":
        return {"date": {"start": asked.text_of(row.get("date") or row.get("dateStart") or "")}}
    if type_ == "relation":
        chosen = row.get("relationValue", [])
        return {
            "relation": [{"id": asked.text_of(each)} for each in (chosen if isinstance(chosen, list) else [chosen])]
        }
    keys = {"number": "numberValue", "checkbox": "checkboxValue", "url": "urlValue", "email": "emailValue"}
    keys |= {"phone_number": "phoneValue"}
    if type_ not in keys:
        raise Left(sentence("a property of the type '%(type)s' has no counterpart", type=type_))
    return {type_: asked.values.value(row.get(keys[type_], ""))}


def _notion_call(asked: Asked, base: JsonObject, resource: str, operation: str) -> Output:
    block, page = asked.text("blockId"), asked.text("pageId")
    calls: dict[tuple[str, str], tuple[str, str, Any]] = {
        ("databasePage", "get"): ("GET", f"/pages/{page}", None),
        ("page", "get"): ("GET", f"/pages/{page}", None),
        ("page", "archive"): ("PATCH", f"/pages/{page}", {"archived": True}),
        ("page", "search"): ("POST", "/search", {"query": asked.text("text")}),
        ("database", "get"): ("GET", f"/databases/{asked.text('databaseId')}", None),
        ("database", "getAll"): ("POST", "/search", {"filter": {"property": "object", "value": "database"}}),
        ("database", "search"): ("POST", "/search", {"query": asked.text("text")}),
        ("block", "getAll"): ("GET", f"/blocks/{block}/children", None),
        ("user", "getAll"): ("GET", "/users", None),
        ("user", "get"): ("GET", f"/users/{asked.text('userId')}", None),
    }
    if (resource, operation) == ("block", "append"):
        calls[resource, operation] = ("PATCH", f"/blocks/{block}/children", {"children": _paragraphs(asked)})
    if (resource, operation) == ("page", "create"):
        parent = {"parent": {"page_id": page}, "properties": {"title": [{"text": {"content": asked.text("title")}}]}}
        calls[resource, operation] = ("POST", "/pages", parent)
    if (resource, operation) not in calls:
        raise only_by_request(operation, "Notion")
    method, address, body = calls[resource, operation]
    config = {
        "url": f"https://api.notion.com/v1{address}",
        "method": method,
        "headers": {"Notion-Version": "2022-06-28"},
    }
    path = f"{asked.step('HTTP_REQUEST', config | base | ({'body': body} if body else {}))}.body"
    is_list = operation in ("getAll", "search")
    return Output(many=f"{path}.results") if is_list else Output(Data(path, unlike=True))


def _paragraphs(asked: Asked) -> list[JsonObject]:
    rows = asked.rows("blockUi.blockValues")
    texts = [asked.text_of(row.get("textContent") or "") for row in rows]
    if not any(texts):
        raise Left(sentence("the blocks that it adds have parts without a counterpart"))
    return [
        {
            "object": "block",
            "type": "paragraph",
            "paragraph": {"rich_text": [{"type": "text", "text": {"content": text}}]},
        }
        for text in texts
        if text
    ]


# -- Supabase (PostgREST)


@node("supabase")
def supabase(asked: Asked) -> Result:
    operation = asked.choice("operation", "create")
    asked.note(sentence("fill in the address of the Supabase project"))
    table = asked.text("tableId") or "choose-a-table"
    config: JsonObject = {
        "url": f"https://PROJECT.supabase.co/rest/v1/{table}",
        "connection": asked.connection("Supabase"),
        "headers": {"Prefer": "return=representation"},
    }
    query = _rest_filter(asked)
    if operation in ("get", "getAll", "select"):
        limit = (
            {} if asked.raw("returnAll") is True or operation == "get" else {"limit": str(asked.number("limit", 50))}
        )
        path = asked.step("HTTP_REQUEST", config | {"query": {"select": "*"} | query | limit})
        return Output(Data(f"{path}.body[0]")) if operation == "get" else Output(many=f"{path}.body")
    if operation == "delete":
        path = asked.step("HTTP_REQUEST", config | {"method": "DELETE", "query": filled(asked, query)})
        return Output(Data(f"{path}.body[0]"))
    body = filled(asked, _rest_fields(asked))
    if operation == "create":
        path = asked.step("HTTP_REQUEST", config | {"method": "POST", "body": body})
    elif operation == "update":
        path = asked.step("HTTP_REQUEST", config | {"method": "PATCH", "body": body, "query": filled(asked, query)})
    else:
        raise no_counterpart(operation, "Supabase")
    return Output(Data(f"{path}.body[0]"))


def _rest_filter(asked: Asked) -> JsonObject:
    query: JsonObject = {}
    for row in asked.rows("filters.conditions"):
        test = str(row.get("condition", "eq"))
        query[str(row.get("keyName", ""))] = f"{test}.{asked.text_of(row.get('keyValue', ''))}"
    if isinstance(asked.raw("filterString"), str):
        text = asked.text("filterString")
        key, _, rest = text.partition("=")
        query |= {key: rest} if rest and "{{" not in key else {}
    return {key: value for key, value in query.items() if key}


def _rest_fields(asked: Asked) -> Any:
    if asked.raw("dataToSend", "defineBelow") == "autoMapInputData":
        return asked.item
    rows = asked.rows("fieldsUi.fieldValues")
    return {
        str(row.get("fieldId", "")): asked.values.value(row.get("fieldValue", "")) for row in rows if row.get("fieldId")
    }


# -- NocoDB and Baserow


@node("nocoDb")
def noco_db(asked: Asked) -> Result:
    operation = asked.choice("operation", "get")
    asked.note(sentence("fill in the address of the NocoDB server"))
    url = f"https://nocodb.example.com/api/v2/tables/{asked.text('table')}/records"
    config: JsonObject = {"url": url, "connection": asked.connection("NocoDB")}
    if operation == "getAll":
        found = {"where": asked.text("options.where"), "limit": str(asked.number("limit", 50))}
        path = asked.step("HTTP_REQUEST", config | {"query": {key: value for key, value in found.items() if value}})
        return Output(many=f"{path}.body.list")
    if operation == "get":
        record = {"url": f"{url}/{asked.text('id')}"}
        return one(f"{asked.step('HTTP_REQUEST', config | record)}.body")
    method = {"create": "POST", "update": "PATCH", "delete": "DELETE"}.get(operation)
    if method is None:
        raise no_counterpart(operation, "NocoDB")
    rows = asked.rows("fieldsUi.fieldValues")
    body: Any = {str(row.get("fieldName", "")): asked.values.value(row.get("fieldValue", "")) for row in rows}
    if asked.raw("dataToSend") == "autoMapInputData":
        body = asked.item
    elif operation != "create":
        body = {"Id": asked.text("id"), **body}
    return one(f"{asked.step('HTTP_REQUEST', config | {'method': method, 'body': filled(asked, body)})}.body")
