"""Databases: PostgreSQL, MySQL, SQL Server, MongoDB, Redis."""

from __future__ import annotations

import re
from typing import Any

from flowforge.jsonio import JsonObject
from flowforge.n8n.asking import Asked, Left, Result, no_counterpart, one
from flowforge.n8n.data import Data, Output
from flowforge.n8n.json_templates import read_template
from flowforge.n8n.nodes import node
from flowforge.n8n.nodes.tables import columns, filled
from flowforge.n8n.values import literal, parts_of
from flowforge.sentences import sentence

_NUMBERED = re.compile(r"\$(\d{1,3})")
_READS = re.compile(r"\s*(?:--[^\n]*\n\s*)*(?:select|with|show|explain|values)\b", re.IGNORECASE)
_TESTS = {
    "equal": "=",
    "!=": "<>",
    "LIKE": "LIKE",
    ">": ">",
    "<": "<",
    ">=": ">=",
    "<=": "<=",
    "IS NULL": "IS NULL",
    "IS NOT NULL": "IS NOT NULL",
}
_NAME = re.compile(r"[A-Za-z_][\w$]*")


@node("postgres", "mySql", "microsoftSql", "questDb", "timescaleDb", "crateDb")
def sql(asked: Asked) -> Result:
    operation = asked.choice("operation", "insert")
    title = (
        "MySQL" if asked.node.kind == "mySql" else "SQL Server" if asked.node.kind == "microsoftSql" else "PostgreSQL"
    )
    base: JsonObject = {"connection": asked.connection(title)}
    if operation == "executeQuery":
        return _query(asked, base)
    table = _table(asked)
    if operation == "select":
        return _select(asked, base, table)
    if operation in ("insert", "update", "upsert"):
        return _write(asked, base, table, operation)
    if operation in ("deleteTable", "delete"):
        return _delete(asked, base, table)
    raise no_counterpart(operation, title)


def _table(asked: Asked) -> str:
    table, schema = asked.text("table"), asked.text("schema")
    if "{{" in table + schema:
        raise Left(sentence("its table is computed: choose it by hand"))
    if not table:
        return str(asked.needed(table, sentence("the table"), "choose_a_table"))
    return f"{schema}.{table}" if schema and schema not in ("public", "dbo") else table


def _query(asked: Asked, base: JsonObject) -> Output:
    """Values in the SQL become parameters: they are never a part of the statement."""
    raw = asked.raw("query", "")
    if not isinstance(raw, str) or not raw.strip():
        raw = str(asked.needed("", sentence("the SQL"), "SELECT 1"))
    raw = f"={raw}" if "{{" in raw and not raw.startswith("=") else raw
    parameters: JsonObject = {}
    statement = _with_parameters(asked, raw, parameters)
    statement = _NUMBERED.sub(lambda found: f":p{found[1]}", statement)
    for number, value in enumerate(_replacements(asked), 1):
        parameters[f"p{number}"] = value
    if ":p1" in statement and "p1" not in parameters:
        raise Left(sentence("the values of its SQL are computed together: name them by hand"))
    operation = "query" if _READS.match(statement) else "execute"
    config = (
        base | {"operation": operation, "sql": literal(statement)} | ({"parameters": parameters} if parameters else {})
    )
    path = asked.step("SQL_QUERY", config)
    return Output(many=f"{path}.rows") if operation == "query" else Output(Data(path, unlike=True))


def _with_parameters(asked: Asked, raw: str, parameters: JsonObject) -> str:
    """The statement with a name in place of each expression. Raises Left where one is more than a value."""
    if not raw.startswith("="):
        return raw
    pieces = []
    parts = list(parts_of(raw[1:]))
    if len(parts) == 1 and parts[0][0]:
        raise Left(sentence("its whole SQL is computed: write it by hand, with parameters"))
    for number, (is_code, part) in enumerate(parts):
        if not is_code:
            pieces.append(part)
            continue
        name = f"value{number}"
        before = pieces[-1] if pieces else ""
        after = parts[number + 1][1] if number + 1 < len(parts) else ""
        if before.endswith("'") and after.startswith("'"):
            pieces[-1] = before[:-1]
            parts[number + 1] = (False, after[1:])
        elif before.rstrip().lower().endswith(("from", "into", "table", "update", "join", '"', "`", ".")):
            raise Left(sentence("a name of a table or column in its SQL is computed: write it by hand"))
        elif before.endswith(("'", "%")) or before.count("'") % 2:
            raise Left(
                sentence("an expression stands inside a text of its SQL: join it to the text by hand, as a parameter")
            )
        pieces.append(f":{name}")
        parameters[name] = f"{{{{ {asked.values.expression(part)} }}}}"
    return "".join(pieces)


def _replacements(asked: Asked) -> list[Any]:
    raw = asked.raw("options.queryReplacement", asked.raw("additionalFields.queryParams"))
    if isinstance(raw, list):
        return [asked.values.value(each) for each in raw]
    if not isinstance(raw, str) or not raw.strip():
        return []
    if raw.startswith("=") and len(list(parts_of(raw[1:]))) == 1 and parts_of(raw[1:]).__next__()[0]:
        inner = asked.values.expression(next(parts_of(raw[1:]))[1])
        return [f"{{{{ {inner} }}}}"] if not inner.startswith("[") else _members(inner)
    prefix = "=" if raw.startswith("=") else ""
    return [asked.values.value(f"{prefix}{part.strip()}") for part in raw.removeprefix("=").split(",")]


def _members(listing: str) -> list[Any]:
    """The members of a list that is written out."""
    found, depth, start, quoted = [], 0, 1, False
    for position, mark in enumerate(listing):
        quoted ^= mark == "'" and listing[position - 1] != "\\"
        depth += 0 if quoted else (mark in "([{") - (mark in ")]}")
        if not quoted and ((mark == "," and depth == 1) or (mark == "]" and depth == 0)):
            found.append(f"{{{{ {listing[start:position].strip()} }}}}")
            start = position + 1
    return found


def _where(asked: Asked, parameters: JsonObject) -> str:
    tests = []
    for number, row in enumerate(asked.rows("where.values")):
        column, test = str(row.get("column", "")), _TESTS.get(str(row.get("condition", "equal")), "")
        if not _NAME.fullmatch(column) or not test:
            raise Left(sentence("a condition of its rows has no counterpart: write it as SQL"))
        if test.startswith("IS"):
            tests.append(f"{column} {test}")
            continue
        parameters[f"value{number}"] = asked.values.value(row.get("value", ""))
        tests.append(f"{column} {test} :value{number}")
    word = " OR " if asked.raw("combineConditions") == "OR" else " AND "
    return f" WHERE {word.join(tests)}" if tests else ""


def _select(asked: Asked, base: JsonObject, table: str) -> Output:
    parameters: JsonObject = {}
    chosen = asked.raw("options.outputColumns", ["*"])
    names = ", ".join(str(name) for name in chosen) if isinstance(chosen, list) and chosen else "*"
    where = _where(asked, parameters)
    order = [
        f"{row.get('column')} {row.get('direction', 'ASC')}" for row in asked.rows("sort.values") if row.get("column")
    ]
    limit = "" if asked.raw("returnAll") is True else f" LIMIT {asked.number('limit', 50)}"
    if "{{" in limit:
        raise Left(sentence("how many rows it reads is computed: write it as SQL"))
    sql = f"SELECT {names} FROM {table}{where}{' ORDER BY ' + ', '.join(order) if order else ''}{limit}"  # noqa: S608  values are parameters
    config = base | {"operation": "query", "sql": literal(sql)} | ({"parameters": parameters} if parameters else {})
    return Output(many=f"{asked.step('SQL_QUERY', config)}.rows")


def _write(asked: Asked, base: JsonObject, table: str, operation: str) -> Output:
    keys = [str(name) for name in asked.raw("columns.matchingColumns", []) or []]
    values = columns(asked)
    if asked.raw("columns") is None:
        values, keys = _old_columns(asked, keys)
    config = base | {
        "operation": operation,
        "table": table,
        "rows": values if isinstance(values, str) else [filled(asked, values)],
    }
    if operation != "insert":
        old = [str(asked.raw("columnToMatchOn", ""))]
        if isinstance(values, dict) and asked.raw("columnToMatchOn"):
            values[old[0]] = asked.text("valueToMatchOn")
        config["keys"] = asked.needed(keys or [name for name in old if name], sentence("the column to match"), ["id"])
    asked.step("SQL_QUERY", config)
    asked.note(sentence("later steps see the item as it was before, not the row that was written"))
    return asked.given


def _old_columns(asked: Asked, keys: list[str]) -> tuple[Any, list[str]]:
    rows = asked.rows("valuesToSend.values")
    if rows:
        return {str(row.get("column")): asked.values.value(row.get("value", "")) for row in rows}, keys
    named = str(asked.raw("columns", asked.raw("updateKey", "")) or "")
    key = str(asked.raw("updateKey", ""))
    return asked.item, [key] if key else [name.strip() for name in named.split(",") if name.strip()][:1]


def _delete(asked: Asked, base: JsonObject, table: str) -> Output:
    parameters: JsonObject = {}
    command = asked.raw("deleteCommand", "truncate")
    if command == "drop":
        raise Left(sentence("it drops a table: write that as SQL, where it is meant"))
    where = _where(asked, parameters) if command == "delete" else ""
    if command == "delete" and not where:
        raise Left(sentence("it does not say which rows are deleted"))
    config = base | {"operation": "execute", "sql": literal(f"DELETE FROM {table}{where}")}  # noqa: S608  values are parameters
    return one(asked.step("SQL_QUERY", config | ({"parameters": parameters} if parameters else {})))


# -- MongoDB


@node("mongoDb")
def mongo(asked: Asked) -> Result:
    operation = asked.choice("operation", "find")
    base: JsonObject = {"connection": asked.connection("MongoDB"), "collection": asked.text("collection") or "choose"}
    if operation in ("find", "delete"):
        filter_ = read_template(asked.values, str(asked.raw("query", "{}")))
        path = asked.step("MONGODB", base | {"operation": operation, "filter": filter_})
        return Output(many=f"{path}.documents") if operation == "find" else one(path)
    if operation == "aggregate":
        stages = read_template(asked.values, str(asked.raw("query", "[]")))
        return Output(many=f"{asked.step('MONGODB', base | {'operation': 'aggregate', 'pipeline': stages})}.documents")
    names = [name.strip() for name in str(asked.raw("fields", "")).split(",") if name.strip()]
    document: Any = asked.item
    if names and not any(name.startswith("=") for name in names):
        document = {name: asked.braced(f"{asked.given.item.field(name)} | default(none)") for name in names}
    if operation == "insert":
        return one(asked.step("MONGODB", base | {"operation": "insert", "documents": [document]}))
    if operation in ("update", "findOneAndUpdate", "findOneAndReplace"):
        key = str(asked.raw("updateKey", "id"))
        config = {"operation": "upsert", "documents": [document], "keys": [key]}
        asked.note(sentence("a document that is not there is added"))
        return one(asked.step("MONGODB", base | config))
    raise no_counterpart(operation, "MongoDB")


# -- Redis


@node("redis")
def redis(asked: Asked) -> Result:
    operation = str(asked.needed(asked.choice("operation", ""), sentence("the operation"), "get"))
    base: JsonObject = {"connection": asked.connection("Redis")}
    if operation == "get":
        name = str(asked.raw("propertyName", "propertyName")).lstrip("=") or "propertyName"
        path = asked.step(
            "REDIS", base | {"operation": "get", "key": asked.needed(asked.text("key"), sentence("the key"), "key")}
        )
        return Output(Data(path, {name.split(".")[-1]: f"{path}.value", name: f"{path}.value"}))
    if operation == "set":
        seconds = {"seconds": asked.number("ttl", 60)} if asked.raw("expire") is True else {}
        asked.step(
            "REDIS", base | {"operation": "set", "key": asked.text("key"), "value": asked.value("value")} | seconds
        )
        return asked.given
    if operation in ("delete", "incr"):
        word = "increment" if operation == "incr" else "delete"
        path = asked.step("REDIS", base | {"operation": word, "key": asked.text("key")})
        return asked.given if operation == "delete" else _counted(asked, path)
    if operation == "publish":
        asked.step(
            "REDIS", base | {"operation": "publish", "key": asked.text("channel"), "value": asked.text("messageData")}
        )
        return asked.given
    if operation in ("push", "pop"):
        end = "right" if asked.raw("tail") is True else "left"
        config = base | {"operation": operation, "key": asked.text("list"), "end": end}
        path = asked.step("REDIS", config | ({"value": asked.value("messageData")} if operation == "push" else {}))
        name = str(asked.raw("propertyName", "propertyName"))
        return asked.given if operation == "push" else Output(Data(path, {name: f"{path}.value"}))
    raise no_counterpart(operation, "Redis")


def _counted(asked: Asked, path: str) -> Output:
    raw = asked.raw("key", "")
    return Output(Data(path, {raw: f"{path}.value"} if isinstance(raw, str) else {}, unlike=True))
