"""Started by a person who fills in a public page of ours."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, Field, HttpUrl, TypeAdapter

from flowforge import jsonio
from flowforge.connectors.sdk import secret
from flowforge.errors import Invalid
from flowforge.jsonio import JsonObject
from flowforge.sentences import sentence
from flowforge.triggers.answering import AnsweringConfig
from flowforge.triggers.forms.field import FormField, VisibleText
from flowforge.triggers.forms.view import FormView, view_fields
from flowforge.triggers.kind import Address, TriggerKind
from flowforge.triggers.summary import TriggerSummary

FORM = "form"
MOST_FIELDS = 100
_WEB_ADDRESS: TypeAdapter[HttpUrl] = TypeAdapter(HttpUrl)
_HOST = re.compile(r"[A-Za-z0-9._:\[\]-]+")
"""Hosts in ASCII; nothing in them has a meaning in a Content-Security-Policy."""
_NO_ADDRESS = sentence("must be a web address, such as https://example.com/thanks")
_SUBMITTED_AT = "2026-03-31T08:30:00.000Z"

Json = Mapping[str, Any]


def _different_names(fields: list[FormField]) -> list[FormField]:
    names = [field.key for field in fields]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(sentence("has two fields with the name %(name)s", name=repr(name)))
    return fields


def _web_address(url: str) -> str:
    """The address as a header can hold it: in ASCII. Raises ValueError."""
    try:
        address = _WEB_ADDRESS.validate_python(url)
    except ValueError:
        raise ValueError(_NO_ADDRESS) from None
    if not _HOST.fullmatch(address.host or ""):
        raise ValueError(_NO_ADDRESS)
    return str(address)


class Config(AnsweringConfig):
    title: VisibleText = Field("Form", title="Title", max_length=200)
    description: str = Field(
        "",
        title="Description",
        description="Shown above the fields.",
        max_length=5_000,
        json_schema_extra={"multiline": True},
    )
    fields: Annotated[list[FormField], Field(max_length=MOST_FIELDS), AfterValidator(_different_names)] = Field(
        [], title="Fields", description="The questions of the form."
    )
    button: VisibleText = Field("Send", title="Button", max_length=100)
    message: VisibleText = Field(
        "Thank you. What you filled in has been received.",
        title="Message",
        description="Shown after the form was submitted.",
        max_length=5_000,
        json_schema_extra={"multiline": True, "group": "Response"},
    )
    redirect: Annotated[str, Field(max_length=2_000), AfterValidator(_web_address)] | None = Field(
        None,
        title="Redirect",
        description="Page that is opened instead of the message.",
        json_schema_extra={"group": "Response"},
    )
    password: str | None = secret(
        None, title="Password", description="Required to open the form. Empty: anyone with the URL can open it."
    )


class Form(TriggerKind[Config]):
    type = FORM
    title = "Form"
    help = "When a form is submitted"
    icon = "form"
    keywords = (
        "page",
        "survey",
        "questionnaire",
        "input",
        "submit",
        "public",
    )
    rank = 15
    config = Config
    address = Address("forms", "fill in the form now", is_page=True)

    def summary(self, config: Json) -> TriggerSummary:
        legible = self._legible(config)
        return TriggerSummary(legible.title, fields=len(legible.fields))

    def sample(self, config: Json) -> JsonObject:
        fields = {field.key: field.sample for field in self._legible(config).fields}
        return {"fields": fields, "submittedAt": _SUBMITTED_AT}

    def preview(self, config: Json) -> FormView:
        return form_view(self._legible(config))

    def _legible(self, config: Json) -> Config:
        """Read the usable parts of a config; the others become defaults."""
        wrong = {problem.pointer.split("/")[1] for problem in self.problems(config) if problem.pointer}
        written = config.get("fields")
        fields = [field for field in written if _is_usable(field)] if isinstance(written, list) else []
        usable = {key: value for key, value in config.items() if key not in wrong}
        try:
            return self.read({**usable, "fields": fields})
        except Invalid:  # fields of the same name
            return self.read({key: value for key, value in usable.items() if key != "fields"})


KIND = Form()


def form_view(config: Config) -> FormView:
    """The form as it is before anything is filled in."""
    return FormView(config.title, config.description, config.button, view_fields(config.fields))


def payload_of(values: Json, submitted_at: Any) -> JsonObject:
    return {"fields": dict(values), "submittedAt": jsonio.format_time(submitted_at)}


def _is_usable(written: object) -> bool:
    if not isinstance(written, Mapping):
        return False
    try:
        FormField.model_validate(written)
    except ValueError:
        return False
    return True
