"""Tools of n8n's agents: the nodes that are linked to one become TOOLs, with the steps that the nodes become."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from flowforge import jsonio
from flowforge.jsonio import JsonObject
from flowforge.n8n.asking import Asked, Left, Result
from flowforge.n8n.data import Output
from flowforge.n8n.expressions.lexer import NotRead
from flowforge.n8n.model import Node
from flowforge.n8n.names import shortened
from flowforge.n8n.nodes import node_types
from flowforge.n8n.stand_ins import code_before, with_retries
from flowforge.n8n.tool_arguments import ToolArguments, ToolPlace, told
from flowforge.n8n.values import Computed, Uncomputable, Values
from flowforge.sentences import joined, message_of, sentence

_LONGEST_DESCRIPTION = 4_000
_PLACEHOLDER = re.compile(r"\{(\w+)\}")


def as_tools(agent: Asked, nodes: Sequence[Node]) -> list[JsonObject]:
    """The TOOLs for nodes that are linked to an agent. Raises Left, which names the one that has no counterpart."""
    return [_named(agent, node) for node in nodes]


def _named(agent: Asked, node: Node) -> JsonObject:
    try:
        return _as_tool(agent, node)
    except (Left, Uncomputable, NotRead) as error:
        raise Left(sentence("its tool '%(name)s': %(error)s", name=node.name, error=message_of(error))) from error


def _as_tool(agent: Asked, node: Node) -> JsonObject:
    arguments = ToolArguments()
    inside, output = _mapped(agent, node, arguments)
    config: JsonObject = {"description": _description(node)}
    config |= {"parameters": arguments.schema()} if arguments.properties else {}
    config |= {"result": _result(inside, output)} if isinstance(output, Output) else {}
    return {
        "id": agent.names.new(str(node.parameters.get("name") or node.name), node.name),
        "name": shortened(node.name),
        "type": "TOOL",
        "config": config,
        "actions": [
            *code_before(inside.values.computed, inside.values.place, node),
            *with_retries(node, inside.actions),
        ],
        **({"enabled": False} if node.disabled else {}),
    }


def _mapped(agent: Asked, node: Node, arguments: ToolArguments) -> tuple[Asked, Result]:
    """The steps that the node becomes inside its tool, and what it gives."""
    plain = _PLAIN.get(node.kind, _app_node)(node, arguments)
    known = node_types().get(plain.kind)
    if known is None:
        raise Left(sentence("there is no counterpart of %(type)s: write the steps that it is to do", type=node.type))
    inside = _asked(agent, replace(plain, parameters=arguments.found_in(plain.parameters)))
    output = known.map(inside)
    agent.connections += [name for name in inside.connections if name not in agent.connections]
    for note in inside.values.notes:
        agent.note(joined(": ", [node.name, note]))
    return inside, output


def _asked(agent: Asked, node: Node) -> Asked:
    computed = Computed(agent.names.new(f"{node.name[:40]} values", node.name))
    values = Values(ToolPlace(agent.values.place), computed, agent.values.tally)
    return Asked(node, agent.workflow, values, agent.names)


def _result(inside: Asked, output: Output) -> str:
    return inside.braced(output.items if output.many is not None else output.item.object)


def _description(node: Node) -> str:
    written = node.parameters.get("toolDescription") or node.parameters.get("description")
    words = [str(node.parameters.get(key) or "") for key in ("operation", "resource")]
    usual = " ".join([*filter(None, words), "in" if any(words) else "", node.name]).strip()
    return told(written if isinstance(written, str) else "")[:_LONGEST_DESCRIPTION] or told(usual) or "A tool"


def _app_node(node: Node, arguments: ToolArguments) -> Node:
    """A node that is a tool and else the same: `gmailTool`."""
    return replace(node, type=node.type.removesuffix("Tool"))


def _workflow(node: Node, arguments: ToolArguments) -> Node:
    """A workflow that is called: with the fields that are filled in, or the one text of its first versions."""
    written = node.parameters.get("workflowInputs")
    fields: Any = written.get("value") if isinstance(written, dict) else None
    schema = _input_schema(node)
    if schema is not None:
        fields = {name: f"={{{{ {_declared(arguments, schema, name)} }}}}" for name in schema["properties"]}
    elif not fields:
        fields = {"query": f"={{{{ {arguments.add('query', 'What is asked of it')} }}}}"}
    fixed = {str(row.get("name")): _fixed(row) for row in _rows(node.parameters, "fields.values")}
    parameters = {**node.parameters, "workflowInputs": {"value": {**fixed, **fields}}}
    return replace(node, type="n8n-nodes-base.executeWorkflow", parameters=parameters)


def _fixed(row: JsonObject) -> Any:
    return next((row[key] for key in row if key.endswith("Value")), "")


def _declared(arguments: ToolArguments, schema: JsonObject, name: str) -> str:
    shape = schema["properties"][name]
    type_ = shape.get("type", "") if isinstance(shape, dict) else ""
    meaning = shape.get("description", "") if isinstance(shape, dict) else ""
    return arguments.add(name, str(meaning), str(type_), optional=name not in schema.get("required", [name]))


def _input_schema(node: Node) -> JsonObject | None:
    """The schema of the arguments, where the tool declares one. Raises Left where it cannot be read."""
    if node.parameters.get("specifyInputSchema") is not True:
        return None
    example = node.parameters.get("jsonSchemaExample")
    try:
        decoded = jsonio.loads(str(example or node.parameters.get("inputSchema") or "{}"))
    except ValueError as error:
        raise Left(sentence("the form of what it takes is no JSON: write it by hand")) from error
    properties = decoded if example else decoded.get("properties") if isinstance(decoded, dict) else None
    if not isinstance(properties, dict):
        raise Left(sentence("the form of what it takes is not known: write it by hand"))
    return {"properties": {name: shape if not example else {} for name, shape in properties.items()}}


def _code(node: Node, arguments: ToolArguments) -> Node:
    """Code whose one argument is `query`: a text, or an object with the fields that are declared."""
    if node.parameters.get("language", "javaScript") != "javaScript":
        raise Left(sentence("its code is Python, in n8n's form: write it as a CODE step"))
    schema = _input_schema(node)
    names = schema["properties"] if schema else {}
    for name in names:
        _declared(arguments, schema or {}, name)
    query = arguments.whole if schema else arguments.add("query", "What is asked of it")
    body = f"(async () => {{\n{node.parameters.get('jsCode', '')}\n}})()"
    source = f"const query = {query};\nreturn [{{json: {{response: await {body}}}}}];"
    return replace(node, type="n8n-nodes-base.code", version=2, parameters={"jsCode": source})


def _request(node: Node, arguments: ToolArguments) -> Node:
    """A request of the first form: what the model fills in stands in braces, or is left open."""
    parts = _FilledIn(node, arguments)
    parameters = {**node.parameters, "url": parts.text(node.parameters.get("url", ""))}
    for part, wanted in (("Query", "queryParameters"), ("Headers", "headerParameters"), ("Body", "bodyParameters")):
        parameters |= parts.of(part, wanted)
    return replace(node, type="n8n-nodes-base.httpRequest", version=4.2, parameters=parameters)


@dataclass(frozen=True)
class _FilledIn:
    """The parts of a request in which `{name}` is an argument."""

    node: Node
    arguments: ToolArguments

    def of(self, part: str, wanted: str) -> JsonObject:
        """The parameters of the query, the headers or the body."""
        written = self.node.parameters
        if written.get(f"specify{part}") == "model":
            raise Left(sentence("the model writes all of the %(part)s: name its fields", part=part.lower()))
        return {
            wanted: {"parameters": [*map(self._pair, _rows(written, f"parameters{part}.values"))]},
            f"specify{part}": "json" if written.get(f"specify{part}") == "json" else "keypair",
            f"json{part}": self.text(written.get(f"json{part}", "")),
        }

    def text(self, written: Any) -> Any:
        if not isinstance(written, str) or not _PLACEHOLDER.search(written):
            return written
        return "=" + _PLACEHOLDER.sub(lambda found: self._argument(found[1]), written.removeprefix("="))

    def _argument(self, name: str) -> str:
        rows = _rows(self.node.parameters, "placeholderDefinitions.values")
        row = next((row for row in rows if row.get("name") == name), {})
        type_ = str(row.get("type", "")).replace("not specified", "") or "string"
        return f"{{{{ {self.arguments.add(name, str(row.get('description', '')), type_)} }}}}"

    def _pair(self, row: JsonObject) -> JsonObject:
        name, by = str(row.get("name", "")), row.get("valueProvider")
        if by == "fieldValue":
            return {"name": name, "value": self.text(row.get("value", ""))}
        argument = self.arguments.add(name, optional=by == "modelOptional")
        return {"name": name, "value": f"={{{{ {argument} }}}}"}


def _serp_api(node: Node, arguments: ToolArguments) -> Node:
    """A search by SerpAPI, whose key goes along as `api_key`."""
    signed = {"authentication": "predefinedCredentialType", "nodeCredentialType": "serpApi"}
    return _search(node, arguments, "https://serpapi.com/search.json", "q", signed)


def _wikipedia(node: Node, arguments: ToolArguments) -> Node:
    fixed = "?action=query&list=search&format=json"
    return _search(node, arguments, f"https://en.wikipedia.org/w/api.php{fixed}", "srsearch", {})


def _search(node: Node, arguments: ToolArguments, url: str, field: str, more: JsonObject) -> Node:
    query = {"name": field, "value": f"={{{{ {arguments.add('query', 'What to search for')} }}}}"}
    parameters = {"url": url, "sendQuery": True, "queryParameters": {"parameters": [query]}, **more}
    return replace(node, type="n8n-nodes-base.httpRequest", version=4.2, parameters=parameters)


def _rows(parameters: JsonObject, path: str) -> list[JsonObject]:
    collection, name = path.split(".")
    found = parameters.get(collection)
    rows = found.get(name) if isinstance(found, dict) else None
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


_PLAIN: Mapping[str, Callable[[Node, ToolArguments], Node]] = {
    "toolWorkflow": _workflow,
    "toolCode": _code,
    "toolHttpRequest": _request,
    "toolSerpApi": _serp_api,
    "toolWikipedia": _wikipedia,
}
