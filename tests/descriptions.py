"""Small descriptions of APIs that tests add."""

from __future__ import annotations

import copy
from typing import Any

from flowforge import jsonio

Json = dict[str, Any]

PET: Json = {
    "type": "object",
    "required": ["name"],
    "properties": {
        "name": {"type": "string", "description": "What it is called.", "examples": ["Rex"]},
        "kind": {"type": "string", "enum": ["cat", "dog"]},
        "age": {"type": "integer", "minimum": 0},
        "tags": {"type": "array", "items": {"type": "string"}},
        "owner": {"type": "object", "properties": {"name": {"type": "string"}, "city": {"type": "string"}}},
        "food": {
            "oneOf": [
                {
                    "title": "Dry",
                    "type": "object",
                    "required": ["type", "grams"],
                    "properties": {"type": {"type": "string", "enum": ["dry"]}, "grams": {"type": "integer"}},
                },
                {
                    "title": "Fresh",
                    "type": "object",
                    "required": ["type", "from"],
                    "properties": {"type": {"type": "string", "enum": ["fresh"]}, "from": {"type": "string"}},
                },
            ]
        },
    },
}
PETS: Json = {
    "openapi": "3.1.0",
    "info": {"title": "Petstore", "version": "1.0.0"},
    "servers": [{"url": "https://pets.example.test/v1"}],
    "components": {
        "schemas": {"Pet": PET},
        "securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "X-Pet-Key"}},
    },
    "security": [{"key": []}],
    "paths": {
        "/pets": {
            "get": {
                "operationId": "listPets",
                "summary": "List pets",
                "tags": ["pets"],
                "parameters": [
                    {"name": "limit", "in": "query", "schema": {"type": "integer", "maximum": 100}},
                    {"name": "kind", "in": "query", "schema": {"type": "string", "enum": ["cat", "dog"]}},
                ],
                "responses": {
                    "200": {
                        "description": "Pets",
                        "content": {
                            "application/json": {
                                "schema": {"type": "array", "items": {"$ref": "#/components/schemas/Pet"}}
                            }
                        },
                    }
                },
            },
            "post": {
                "operationId": "addPet",
                "summary": "Add a pet",
                "tags": ["pets"],
                "requestBody": {
                    "required": True,
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Pet"}}},
                },
                "responses": {
                    "201": {
                        "description": "Added",
                        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Pet"}}},
                    },
                    "4XX": {
                        "description": "Wrong",
                        "content": {
                            "application/json": {
                                "schema": {"type": "object", "properties": {"problem": {"type": "string"}}}
                            }
                        },
                    },
                },
            },
        },
        "/pets/{petId}/photo": {
            "parameters": [{"name": "petId", "in": "path", "required": True, "schema": {"type": "string"}}],
            "get": {
                "operationId": "getPhoto",
                "tags": ["photos"],
                "responses": {"200": {"description": "A photo", "content": {"image/png": {}}}},
            },
            "put": {
                "operationId": "putPhoto",
                "tags": ["photos"],
                "requestBody": {
                    "content": {"image/png": {"schema": {"type": "string", "format": "binary"}}},
                },
                "responses": {"204": {"description": "Kept"}},
            },
        },
    },
}


def petstore(server: str = "", **changes: Any) -> Json:
    """The description of an API that keeps pets, at the address of a server; `changes` replace top-level parts."""
    made = copy.deepcopy(PETS)
    if server:
        made["servers"] = [{"url": server}]
    return made | changes


def without_operation(description: Json, path: str, method: str) -> Json:
    made = copy.deepcopy(description)
    del made["paths"][path][method]
    return made


def as_file(description: Json) -> str:
    return jsonio.dumps(description).decode()
