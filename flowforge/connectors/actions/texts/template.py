"""TEMPLATE: a text made of a template, with loops and conditions."""

from __future__ import annotations

from typing import Literal

from flowforge.connectors.sdk import ConnectorConfig, StepContext, child, connector, field, first_of, foreign_files
from flowforge.jsonio import JsonObject

_TEMPLATE = child.Program("template_program", memory=512 * 1024 * 1024, work="the template")
_NO_EXPRESSIONS = "holds no expressions: give the data under data, and write [[ name ]] and [% for row in rows %] here"


class Config(ConnectorConfig):
    template: str = field(
        title="Template",
        description="[[ name ]] puts a value in, with the filters of expressions; [% for row in rows %] … [% endfor %]"
        " and [% if total > 100 %] … [% else %] … [% endif %] repeat and choose.",
        multiline=True,
        max_length=100_000,
        no_expressions=_NO_EXPRESSIONS,
    )
    data: JsonObject = field(
        default_factory=dict, title="Data", description="The values, by the names that they have in the template."
    )
    format: Literal["text", "html"] = field(
        "text", title="Format", description="html: what is put in is escaped.", labels={"text": "Text", "html": "HTML"}
    )


@connector(
    "TEMPLATE",
    Config,
    title="Template",
    help="Makes a text or the HTML of a mail, with loops and conditions.",
    icon="edit",
    keywords=("jinja", "text", "mail", "html", "letter", "report"),
    summary=first_of("template"),
    repeatable=True,
)
def template(config: Config, context: StepContext) -> JsonObject:
    request = {"template": config.template, "data": config.data, "html": config.format == "html"}
    with foreign_files.asking(_TEMPLATE, context, request) as found:
        [text] = found
    return {"text": text}
