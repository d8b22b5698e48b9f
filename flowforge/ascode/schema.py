"""The JSON Schema of a workflow, for editors: what an action's `config` holds follows from its `type`.

It accepts what the product accepts, written as the documentation has it; expressions, references and cron are
validated by the product alone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from functools import lru_cache
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from flowforge.connectors.catalog import Catalog
from flowforge.jsonio import JsonObject
from flowforge.language.block import Block
from flowforge.language.blocks import BLOCKS
from flowforge.language.definition import WorkflowDefinition
from flowforge.triggers.kinds import trigger_kinds
from flowforge.workflows.workflow_keys import KEY_PATTERN, PREFIX

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_EXPRESSION = "Expression"
_HAS_TEXT = r"\S"
_ID = r"^(?!step_[0-9]+$)[A-Za-z_][A-Za-z0-9_]{0,63}$"
_SPELLED_OTHERWISE = {"type": "string", "pattern": "[a-z]"}
"""Types may be written in any case; editors complete and check the upper one."""
_ABOUT = ("title", "description", "default", "writeOnly", "secret", "multiline", "group")


@lru_cache(maxsize=1)
def workflow_schema(catalog: Catalog) -> JsonObject:
    """The JSON Schema of a file and of the definition in it."""
    schema = WorkflowDefinition.model_json_schema(by_alias=True)
    definitions: JsonObject = schema["$defs"]
    definitions[_EXPRESSION] = {"type": "string", "pattern": r"\{\{", "description": "{{ an expression }}"}
    _describe_action(definitions["ActionDefinition"]["properties"], catalog)
    definitions["ActionDefinition"]["allOf"] = [
        *_rules_of_connectors(catalog, definitions),
        *_rules_of_blocks(definitions),
    ]
    definitions["TriggerDefinition"]["properties"]["type"]["examples"] = list(trigger_kinds())
    definitions["TriggerDefinition"]["allOf"] = [
        _rule(type_, {"properties": {"config": _or_null(kind.config_schema())}})
        for type_, kind in trigger_kinds().items()
    ]
    return {"$schema": DIALECT, **schema, "title": "FlowForge workflow", "properties": _top(schema["properties"])}


def _top(properties: JsonObject) -> JsonObject:
    return {
        "key": {
            "type": ["string", "null"],
            "pattern": f"^{KEY_PATTERN}$",
            "description": "Your own name for the workflow, the same on every server.",
        },
        **properties,
        "name": {**properties["name"], "pattern": _HAS_TEXT},
        "folder": {"type": ["string", "null"], "description": "The folder it is in, as in sales/leads."},
        "enabled": {"type": ["boolean", "null"], "description": "On unless it says otherwise."},
        "actions": _or_null(properties["actions"]),
    }


def _describe_action(properties: JsonObject, catalog: Catalog) -> None:
    types = {"enum": [*catalog.types(), *BLOCKS]}
    properties["type"] = {"description": "A connector's type, or a block's.", "anyOf": [types, _SPELLED_OTHERWISE]}
    properties["id"] = {
        "type": ["string", "null"],
        "pattern": _ID,
        "description": "How expressions call the step: steps.<id>",
    }


def _rules_of_connectors(catalog: Catalog, definitions: JsonObject) -> Iterator[JsonObject]:
    for type_ in catalog.types():
        connector = catalog.get(type_)
        _define(definitions, type_, connector.config, connector.help)
        yield _rule(type_, _with_config(definitions, type_))


def _rules_of_blocks(definitions: JsonObject) -> Iterator[JsonObject]:
    for block in BLOCKS.values():
        _define(definitions, block.type, block.config, block.help, block.config.literal)
        if block.workflow_field is not None:
            ways = definitions[_name(block.type)]["properties"][block.workflow_field]["anyOf"]
            ways.append({"type": "string", "pattern": f"^{PREFIX}{KEY_PATTERN}$"})
        yield _rule(block.type, {**_with_config(definitions, block.type), **_bodies(block)})


def _bodies(block: Block[Any]) -> JsonObject:
    """`allOf`, so that it stands beside the rule about the config."""
    if not block.bodies.has_branches:
        return {}
    branch: JsonObject = {"required": ["when"]} if block.bodies.has_conditions else {}
    branches = {"type": "array", "minItems": 1, "items": branch}
    return {"allOf": [{"required": ["branches"], "properties": {"branches": branches}}]}


def _rule(type_: str, then: JsonObject) -> JsonObject:
    return {"if": {"required": ["type"], "properties": {"type": {"const": type_}}}, "then": then}


def _with_config(definitions: JsonObject, type_: str) -> JsonObject:
    config = {"$ref": f"#/$defs/{_name(type_)}"}
    if definitions[_name(type_)].get("required"):
        return {"required": ["config"], "properties": {"config": config}}
    return {"properties": {"config": _or_null(config)}}


def _define(
    definitions: JsonObject, type_: str, model: type[BaseModel], description: str, literal: Collection[str] = ()
) -> None:
    prefix = _name(type_)
    schema = model.model_json_schema(
        by_alias=True, schema_generator=_AsWritten, ref_template=f"#/$defs/{prefix}.{{model}}"
    )
    for name, inner in schema.pop("$defs", {}).items():
        definitions[f"{prefix}.{name}"] = _open(inner)
    opened = _open(schema)
    opened["properties"] |= {name: schema["properties"][name] for name in literal}
    definitions[prefix] = {**opened, "title": type_, "description": description}


def _name(type_: str) -> str:
    return f"Config.{type_}"


def _or_null(schema: JsonObject) -> JsonObject:
    about = {key: schema[key] for key in _ABOUT if key in schema}
    return {**about, "anyOf": [{key: value for key, value in schema.items() if key not in about}, {"type": "null"}]}


class _AsWritten(GenerateJsonSchema):
    """Generator of schemas that allow anything where a value is converted before it is validated."""

    def function_before_schema(self, schema: core_schema.BeforeValidatorFunctionSchema) -> JsonSchemaValue:
        inner = schema["schema"]
        return self.generate_inner(inner) if inner["type"] in ("model", "model-fields", "function-before") else {}


def _open(schema: JsonObject) -> JsonObject:
    """Allow an expression for each part of an object."""
    opened = dict(schema)
    if "properties" in schema:
        opened["properties"] = {name: _field(inner) for name, inner in schema["properties"].items()}
    if isinstance(schema.get("additionalProperties"), Mapping):
        opened["additionalProperties"] = _field(schema["additionalProperties"])
    if isinstance(schema.get("items"), Mapping):
        opened["items"] = _field(schema["items"])
    for key in ("anyOf", "oneOf", "allOf"):
        if key in schema:
            opened[key] = [_open(inner) for inner in schema[key]]
    return opened


def _field(schema: JsonObject) -> JsonObject:
    opened = _open(schema)
    if _takes_any_text(schema):
        return opened
    about = {key: opened.pop(key) for key in _ABOUT if key in opened}
    return {**about, "anyOf": [opened, {"$ref": f"#/$defs/{_EXPRESSION}"}]}


def _takes_any_text(schema: Mapping[str, Any]) -> bool:
    validated = schema.keys() - {*_ABOUT, "minLength", "examples"}
    if validated == {"anyOf"}:
        return any(_takes_any_text(inner) for inner in schema["anyOf"])
    return not validated or (validated == {"type"} and schema["type"] == "string")
