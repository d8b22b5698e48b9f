"""Validation of a workflow without a server, by the rules and in the words of the server.

What only a server knows is left to it: which other workflows there are, and what a mask (`********`) stands for.
"""

from __future__ import annotations

from flowforge.connectors.catalog import load_catalog
from flowforge.errors import Problem, at_most
from flowforge.jsonio import JsonObject
from flowforge.language.definition import Reading, WorkflowDefinition
from flowforge.language.definition import read as read_definition
from flowforge.language.pointers import pointer
from flowforge.sentences import sentence
from flowforge.workflows.bundle import BundledWorkflow
from flowforge.workflows.validation import Before, validate_definition, warnings_of_definition
from flowforge.workflows.workflow_keys import called_keys, problems_of_key, with_placeholders


def problems_of(document: JsonObject) -> list[Problem]:
    """Problems of a document, `{key, enabled, definition}`; pointers start at the file, where these are one object."""
    problems = [*BundledWorkflow.read(0, document).problems]
    for path, key in called_keys(document["definition"]):
        problems += [
            Problem(pointer(path), sentence("the key %(message)s", message=problem.message))
            for problem in problems_of_key(key)
        ]
    reading = _reading(document)
    # A mask is taken to stand for something: so it does in what a server gave out.
    written = reading.definition.dump() if reading.definition else {}
    before = Before(written.get("actions"), written.get("trigger"))
    meaning = validate_definition(load_catalog(), reading, before)
    return [*problems, *at_most([*reading.problems, *meaning])]


def warnings_in(document: JsonObject) -> list[Problem]:
    """What is written in a document and has no effect; pointers like those of `problems_of`."""
    return warnings_of_definition(load_catalog(), document["definition"])


def read(document: JsonObject) -> WorkflowDefinition:
    """Read a document's definition, with stand-ins for the workflows it names by their keys. Raises Invalid."""
    return _reading(document).usable()


def _reading(document: JsonObject) -> Reading:
    return read_definition(with_placeholders({"actions": [], **document["definition"]}))
