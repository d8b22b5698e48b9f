"""The form of an operation, as a JSON Schema."""

from __future__ import annotations

from flowforge.apis.operation import Operation
from flowforge.jsonio import JsonObject


def form_schema(operation: Operation, content_type: str | None = None) -> JsonObject:
    """The schema of an operation's `input`.

    It is an object with those of `path`, `query`, `headers`, `cookies` (objects of parameters by name), `contentType`
    (the media types of the body, where there are several) and `body` that the operation has; the schema of `body` is
    the one for `content_type`. Every schema in it stands alone: references are resolved, `allOf` is merged, and of
    these keywords only are used: `type` (one name; absent means any JSON), `title`, `description`, `enum`, `default`,
    `examples`, `format`, `minimum`, `maximum`, `exclusiveMinimum`, `exclusiveMaximum`, `multipleOf`, `minLength`,
    `maxLength`, `pattern`, `properties`, `required`, `additionalProperties` (false, or a schema), `items`, `minItems`,
    `maxItems`, `uniqueItems`, `oneOf` (a choice, each with a title), `nullable`, `deprecated`, `writeOnly` (a secret),
    `discriminator` (the property of the choices that tells them apart). A file has `format: binary`: a file value, as
    steps and webhooks give it. Where a schema contains itself, or is too large, its inside is any JSON.
    """
    raise NotImplementedError
