"""Records of services: HubSpot, Jira, GitHub, n8n's data tables, Baserow, Facebook."""

from __future__ import annotations

from typing import Any

from flowforge.jsonio import JsonObject
from flowforge.n8n.asking import Asked, Fork, Left, Result, Way, one, only_by_request
from flowforge.n8n.data import Data, Output
from flowforge.n8n.nodes import node
from flowforge.n8n.nodes.services import by_table
from flowforge.n8n.nodes.tables import columns, filled
from flowforge.n8n.values import literal
from flowforge.sentences import sentence


def _named(fields: object) -> JsonObject:
    return {key: value for key, value in fields.items() if value not in ("", None)} if isinstance(fields, dict) else {}


def _listing(asked: Asked, usual: int = 100) -> Any:
    return 10_000 if asked.raw("returnAll") is True else asked.number("limit", usual)


# -- HubSpot


@node("hubspot")
def hubspot(asked: Asked) -> Result:
    resource = asked.choice("resource", "deal" if asked.node.version < 2 else "contact")
    operation = asked.choice("operation", "upsert" if resource in ("contact",) else "create")
    kinds = {"contact": "contacts", "company": "companies", "deal": "deals", "ticket": "tickets"}
    if resource not in kinds:
        return by_table("hubspot", asked)
    base: JsonObject = {"connection": asked.connection("HubSpot")}
    kind = {"objectType": kinds[resource]}
    fields = _properties(asked)
    if (resource, operation) == ("contact", "upsert"):
        config = {"uniqueProperty": "email", "value": asked.address(asked.text("email")), "properties": fields}
        return Output(Data(asked.step("HUBSPOT_SAVE", base | kind | config), unlike=True))
    if operation == "create":
        names = {"company": "name", "deal": "dealname", "ticket": "subject"}
        name = (
            {names[resource]: asked.text("name") or asked.text("dealName") or asked.text("ticketName")}
            if resource in names
            else {}
        )
        properties = filled(asked, {key: value for key, value in (name | fields).items() if value})
        return Output(Data(asked.step("HUBSPOT_CREATE", base | kind | {"properties": properties})))
    if operation in ("getAll", "search", "searchByDomain", "getRecentlyCreatedUpdated"):
        found: JsonObject = {"limit": _listing(asked)}
        if operation == "searchByDomain":
            found |= {"property": "domain", "value": asked.text("domain")}
        elif asked.rows("filterGroupsUi.filterGroupsValues"):
            return _search(asked, base, kinds[resource])
        return Output(many=f"{asked.step('HUBSPOT_FIND', base | kind | found)}.items")
    id_ = asked.text(f"{resource}Id") or asked.text("id")
    call: JsonObject = {"url": f"https://api.hubapi.com/crm/v3/objects/{kinds[resource]}/{id_}", **base}
    if operation == "update":
        call |= {"method": "PATCH", "body": {"properties": filled(asked, fields)}}
    elif operation == "delete":
        call["method"] = "DELETE"
    elif operation != "get":
        return by_table("hubspot", asked)
    return Output(Data(f"{asked.step('HTTP_REQUEST', call)}.body", unlike=True))


def _search(asked: Asked, base: JsonObject, kind: str) -> Output:
    """A search by conditions: those of a group all hold, of the groups one."""
    groups = [{"filters": _conditions(asked, group)} for group in asked.rows("filterGroupsUi.filterGroupsValues")]
    if asked.raw("returnAll") is True:
        asked.note(sentence("n8n gives all that it finds; here it is the first 200"))
    call: JsonObject = {
        "url": f"https://api.hubapi.com/crm/v3/objects/{kind}/search",
        "method": "POST",
        "body": {"filterGroups": groups, "limit": 200 if asked.raw("returnAll") is True else asked.number("limit", 50)},
    }
    return Output(many=f"{asked.step('HTTP_REQUEST', base | call)}.body.results")


def _conditions(asked: Asked, group: JsonObject) -> list[JsonObject]:
    """n8n writes a property with its type: `email|string`."""
    inner = group.get("filtersUi", {})
    rows = inner.get("filterValues", []) if isinstance(inner, dict) else []
    return [
        {"propertyName": str(row.get("propertyName", "")).split("|")[0], "operator": row.get("operator", "EQ")}
        | ({"value": asked.text_of(row["value"])} if row.get("value") not in (None, "") else {})
        for row in rows
        if isinstance(row, dict)
    ]


def _properties(asked: Asked) -> JsonObject:
    fields: JsonObject = {}
    for path in ("additionalFields", "updateFields"):
        for key, value in _named(asked.raw(path, {})).items():
            if isinstance(value, dict) and isinstance(value.get("customPropertiesValues"), list):
                fields |= {
                    str(row.get("property")): asked.values.value(row.get("value"))
                    for row in value["customPropertiesValues"]
                }
            elif not isinstance(value, dict | list):
                fields[key.lower()] = asked.values.value(value)
    return fields


# -- Jira

_SITE = "https://example.atlassian.net"


@node("jira")
def jira(asked: Asked) -> Result:
    resource = asked.choice("resource", "issue")
    operation = asked.choice("operation", "add" if resource == "issueComment" else "create")
    base: JsonObject = {"connection": asked.connection("Jira")}
    key = asked.text("issueKey")
    address = f"{_SITE}/rest/api/3/issue/{key}"
    site = base | {"endpoint": _SITE}
    asked.note(sentence("fill in the address of the site"))
    if (resource, operation) == ("issue", "create"):
        config = {
            "project": asked.needed(asked.text("project"), sentence("the project"), "KEY"),
            "issueType": asked.text("issueType") or "Task",
            "summary": asked.needed(asked.text("summary"), sentence("the summary"), "…"),
            "description": asked.text("additionalFields.description"),
        }
        asked.note(sentence("the project and the type are named by key and name: look at them"))
        return one(asked.step("JIRA_CREATE", site | {name: value for name, value in config.items() if value}))
    if (resource, operation) == ("issue", "getAll"):
        jql = asked.needed(asked.text("options.jql"), sentence("the search"), "order by created DESC")
        return Output(many=f"{asked.step('JIRA_FIND', site | {'jql': jql, 'limit': _listing(asked, 50)})}.items")
    if (resource, operation) == ("issueComment", "add"):
        return one(asked.step("JIRA_COMMENT", site | {"issue": key or "KEY-1", "body": asked.text("comment") or "…"}))
    if (resource, operation) == ("issue", "get"):
        return one(f"{asked.step('HTTP_REQUEST', base | {'url': address})}.body")
    if (resource, operation) == ("issueComment", "getAll"):
        return Output(many=f"{asked.step('HTTP_REQUEST', base | {'url': f'{address}/comment'})}.body.comments")
    if (resource, operation) == ("issue", "update"):
        fields = {
            name: asked.values.value(value)
            for name, value in _named(asked.raw("updateFields", {})).items()
            if isinstance(value, str)
        }
        status = fields.pop("statusId", None)
        if status:
            asked.step(
                "JIRA_MOVE", site | {"issue": key or "KEY-1", "transition": status}, hint=f"move {asked.node.name}"
            )
        if fields or not status:
            body = {"fields": filled(asked, fields)}
            return one(f"{asked.step('HTTP_REQUEST', base | {'url': address, 'method': 'PUT', 'body': body})}.body")
        return asked.given
    raise only_by_request(operation, "Jira")


# -- GitHub


@node("github")
def github(asked: Asked) -> Result:
    resource = asked.choice("resource", "issue")
    usual = {
        "file": "create",
        "repository": "getIssues",
        "release": "create",
        "user": "getRepositories",
        "workflow": "list",
    }
    operation = asked.choice("operation", usual.get(resource, "create"))
    place: JsonObject = {
        "owner": asked.text("owner") or "owner",
        "repository": asked.text("repository") or "repository",
    }
    base: JsonObject = {"connection": asked.connection("GitHub")}
    root = f"https://api.github.com/repos/{place['owner']}/{place['repository']}"
    if (resource, operation) == ("issue", "create"):
        config = {"title": asked.needed(asked.text("title"), sentence("the title"), "…"), "body": asked.text("body")}
        return one(
            asked.step("GITHUB_CREATE_ISSUE", base | place | {name: value for name, value in config.items() if value})
        )
    if (resource, operation) == ("issue", "createComment"):
        config = {"number": asked.value("issueNumber"), "body": asked.text("body") or "…"}
        return one(asked.step("GITHUB_COMMENT", base | place | config))
    if resource == "file":
        return _file(asked, base, root, operation)
    issue, path = asked.text("issueNumber"), ""
    calls = {
        ("issue", "get"): f"/issues/{issue}",
        ("repository", "get"): "",
        ("repository", "getIssues"): "/issues",
        ("repository", "getProfile"): "/community/profile",
        ("repository", "listReferrers"): "/traffic/popular/referrers",
        ("release", "getAll"): "/releases",
        ("release", "get"): f"/releases/{asked.text('release_id')}",
    }
    if (resource, operation) not in calls:
        return by_table("github", asked)
    path = asked.step("HTTP_REQUEST", base | {"url": f"{root}{calls[resource, operation]}"})
    return Output(many=f"{path}.body") if operation in ("getIssues", "getAll", "listReferrers") else one(f"{path}.body")


def _file(asked: Asked, base: JsonObject, root: str, operation: str) -> Output:
    url = f"{root}/contents/{asked.text('filePath')}"
    if operation in ("get", "list"):
        path = f"{asked.step('HTTP_REQUEST', base | {'url': url})}.body"
        if operation == "list":
            return Output(many=path)
        return Output(Data(path), any_file=f"({path}.content | from_base64 | to_file({path}.name))")
    if operation not in ("create", "edit", "delete"):
        raise Left(sentence("the operation '%(operation)s' of GitHub's files has no counterpart", operation=operation))
    body: JsonObject = {"message": asked.text("commitMessage") or "Changed by a workflow"}
    if operation in ("edit", "delete"):
        known = asked.step("HTTP_REQUEST", base | {"url": url}, hint=f"find {asked.node.name}")
        body["sha"] = f"{{{{ {known}.body.sha }}}}"
    if operation != "delete":
        if asked.raw("binaryData") is True:
            inner = asked.file(str(asked.raw("binaryPropertyName", "data"))).removeprefix("{{ ").removesuffix(" }}")
        else:
            inner = f"({asked.bare(asked.raw('fileContent', ''))}) | string"
        body["content"] = f"{{{{ {asked.values.fits(f'{inner} | base64')} }}}}"
    method = "DELETE" if operation == "delete" else "PUT"
    return one(f"{asked.step('HTTP_REQUEST', base | {'url': url, 'method': method, 'body': body})}.body")


# -- n8n's data tables


@node("dataTable")
def data_table(asked: Asked) -> Result:
    operation = asked.choice("operation", "insert" if asked.raw("resource", "row") == "row" else "list")
    raw = asked.node.parameters.get("dataTableId")
    known = raw.get("cachedResultName") if isinstance(raw, dict) else None
    base: JsonObject = {
        "table": literal(known) if known else asked.needed(asked.text("dataTableId"), sentence("the table"), "table")
    }
    asked.note(sentence("make a table of this name first, with its columns"))
    if operation == "insert":
        return Output(
            Data(f"{asked.step('TABLE', base | {'operation': 'add', 'values': filled(asked, columns(asked))})}.row")
        )
    conditions = [
        {
            "column": str(row.get("keyName") or "id"),
            "operator": _test(row),
            "value": asked.values.value(row.get("keyValue")),
        }
        for row in asked.rows("filters.conditions")
    ]
    found = base | ({"conditions": conditions} if conditions else {})
    if operation == "get":
        path = asked.step("TABLE", found | {"operation": "find", "limit": min(_whole(_listing(asked, 50)), 1_000)})
        return Output(many=f"{path}.rows")
    if operation in ("update", "upsert"):
        values = filled(asked, columns(asked))
        if operation == "upsert":
            asked.note(sentence("a row is found by the key column of the table"))
            return Output(Data(f"{asked.step('TABLE', base | {'operation': 'addOrChange', 'values': values})}.row"))
        asked.step("TABLE", _filtered(asked, found) | {"operation": "change", "values": values})
        return asked.given
    if operation == "deleteRows":
        asked.step("TABLE", _filtered(asked, found) | {"operation": "delete"})
        return asked.given
    if operation in ("rowExists", "rowNotExists"):
        path = asked.step("TABLE", _filtered(asked, found) | {"operation": "find", "limit": 1})
        return Fork([Way(0, f"{path}.rows | length {'>' if operation == 'rowExists' else '=='} 0", "kept")])
    raise Left(
        sentence(
            "the operation '%(operation)s' of data tables has no counterpart: use TABLE and a BRANCH",
            operation=operation,
        )
    )


def _filtered(asked: Asked, found: JsonObject) -> JsonObject:
    """With conditions in any case: without them nothing is changed or deleted."""
    placeholder = [{"column": "id", "operator": "equals", "value": "…"}]
    return found | {"conditions": asked.needed(found.get("conditions"), sentence("the condition"), placeholder)}


def _whole(limit: object) -> int:
    return limit if isinstance(limit, int) else 100


def _test(row: JsonObject) -> str:
    tests = {
        "eq": "equals",
        "neq": "notEquals",
        "gt": "more",
        "lt": "less",
        "gte": "atLeast",
        "lte": "atMost",
        "like": "contains",
    }
    return tests.get(str(row.get("condition", "eq")), "equals")


@node("baserow")
def baserow(asked: Asked) -> Result:
    operation = asked.choice("operation", "getAll")
    if operation not in ("create", "update"):
        return by_table("baserow", asked)
    rows = asked.rows("fieldsUi.fieldValues")
    body: Any = {f"field_{row.get('fieldId', '')}": asked.values.value(row.get("fieldValue", "")) for row in rows}
    if asked.raw("dataToSend") == "autoMapInputData":
        body = asked.item
    row_id = f"{asked.text('rowId')}/" if operation == "update" else ""
    call = {
        "url": f"https://api.baserow.io/api/database/rows/table/{asked.text('tableId')}/{row_id}",
        "body": filled(asked, body),
    }
    method = {"method": "POST" if operation == "create" else "PATCH", "connection": asked.connection("Baserow")}
    return one(f"{asked.step('HTTP_REQUEST', call | method)}.body")


@node("facebookGraphApi")
def facebook(asked: Asked) -> Result:
    version, edge = asked.text("graphApiVersion") or "v23.0", asked.text("edge")
    place = "/".join(
        part for part in (version, asked.needed(asked.text("node"), sentence("the node"), "me"), edge) if part
    )
    url = f"https://graph.facebook.com/{place}"
    config: JsonObject = {
        "url": url,
        "method": asked.choice("httpRequestMethod", "GET"),
        "connection": asked.connection("Facebook"),
    }
    query = {
        str(row.get("name", "")): asked.text_of(row.get("value"))
        for row in asked.rows("options.queryParameters.parameter")
    }
    fields = ",".join(str(row.get("name", "")) for row in asked.rows("options.fields.field"))
    query |= {"fields": fields} if fields else {}
    if asked.raw("sendBinaryData") is True:
        name = str(asked.raw("binaryPropertyName", "data")).split(":")
        config |= {"form": {}, "files": {name[0]: asked.file(name[-1])}}
    return one(f"{asked.step('HTTP_REQUEST', config | ({'query': query} if query else {}))}.body")
