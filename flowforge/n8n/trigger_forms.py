"""The fields of n8n's forms, as fields of ours."""

from __future__ import annotations

from typing import Any

from flowforge.jsonio import JsonObject
from flowforge.n8n.names import slug

_TYPES = {
    "textarea": "long text",
    "number": "number",
    "dropdown": "choice",
    "radio": "choice",
    "checkbox": "several choices",
    "date": "date",
    "email": "e-mail",
    "file": "file",
}
_MOST_FIELDS = 100


def form_fields(parameters: JsonObject) -> tuple[list[JsonObject], dict[str, str]]:
    """The fields, and their names by the labels that n8n's expressions use."""
    rows = parameters.get("formFields", {})
    values = rows.get("values") if isinstance(rows, dict) else None
    fields: list[JsonObject] = []
    names: dict[str, str] = {}
    for row in values if isinstance(values, list) else []:
        if isinstance(row, dict) and len(fields) < _MOST_FIELDS and row.get("fieldType") not in ("html", "hiddenField"):
            _add(row, fields, names)
    return fields, names


def _add(row: JsonObject, fields: list[JsonObject], names: dict[str, str]) -> None:
    label = str(row.get("fieldLabel") or row.get("fieldName") or "Field")[:200]
    called = str(row.get("fieldName") or row.get("fieldLabel") or "Field")
    name = _free(slug(called)[:50], set(names.values()))
    type_ = _type(row)
    options = _options(row)
    if type_ in ("choice", "several choices") and not options:
        type_ = "text"
    field: JsonObject = {"label": label.strip() or name, "name": name, "type": type_}
    if type_ in ("choice", "several choices"):
        field["options"] = options
    if row.get("requiredField") is True:
        field["required"] = True
    fields.append(field)
    names |= {called: name, str(row.get("fieldLabel") or called): name}


def _type(row: JsonObject) -> str:
    type_ = _TYPES.get(str(row.get("fieldType", "text")), "text")
    return "several choices" if type_ == "choice" and row.get("multiselect") is True else type_


def _options(row: JsonObject) -> list[str]:
    rows: Any = row.get("fieldOptions", {})
    values = rows.get("values") if isinstance(rows, dict) else None
    texts = (" ".join(str(each.get("option", "")).split())[:200] for each in values or [] if isinstance(each, dict))
    return list(dict.fromkeys(text for text in texts if text))[:200]


def _free(name: str, taken: set[str]) -> str:
    number, found = 1, name
    while found in taken:
        number += 1
        found = f"{name}_{number}"
    return found
