"""Steps as a text of their own, which can be copied from one workflow and pasted into another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flowforge import jsonio
from flowforge.ascode import yaml_reader, yaml_writer
from flowforge.ascode.form import ordered_actions
from flowforge.ascode.yaml_reader import Document, Flaw
from flowforge.errors import Invalid
from flowforge.jsonio import JsonObject
from flowforge.language.pointers import pointer
from flowforge.language.tree import members_in
from flowforge.sentences import Count, Sentence, sentence

MAX_CHARACTERS = 500_000
MAX_STEPS = 500
_NO_STEPS = sentence("this is not a step, a list of steps or a workflow, as Code (YAML) shows them")


def text_of_steps(actions: Sequence[JsonObject]) -> str:
    """The list of actions as YAML."""
    return yaml_writer.write(ordered_actions(jsonio.loads(jsonio.dumps(list(actions)))))


def steps_in(text: str) -> list[JsonObject]:
    """Read a list of actions, one action, or those of a workflow, in YAML or JSON. Raises Invalid, naming the line."""
    if len(text) > MAX_CHARACTERS:
        raise _refusal(sentence("this is longer than %(most)s characters", most=Count(MAX_CHARACTERS)))
    if not text.strip():
        raise _refusal(sentence("there is no text to paste"))
    document = yaml_reader.read(text)
    if document.root is None or document.flaws:
        flaw = document.flaws[0]
        raise _refusal(_unreadable(flaw))
    value = document.plain()
    path, actions = _actions(value)
    _expect_steps(document, path, actions)
    return list(actions)


def _actions(value: Any) -> tuple[tuple[str, ...], list[Any]]:
    """The list of actions in a document, and where it stands. Raises Invalid."""
    if isinstance(value, list):
        return (), value
    if isinstance(value, dict) and isinstance(value.get("type"), str):
        return (), [value]
    if isinstance(value, dict) and isinstance(value.get("actions"), list):
        return ("actions",), value["actions"]
    raise _refusal(_NO_STEPS)


def _expect_steps(document: Document, path: tuple[str, ...], actions: list[Any]) -> None:
    """Raises Invalid."""
    if not actions:
        raise _refusal(sentence("there are no steps in it"))
    if sum(1 for _ in members_in(actions)) > MAX_STEPS:
        raise _refusal(sentence("these are more than %(most)s steps", most=MAX_STEPS))
    for number, action in enumerate(actions):
        if not _is_step(action):
            line = document.line_of(pointer((*path, number)))
            raise _refusal(
                sentence("line %(line)s: entry %(number)s is not a step with a type", line=line, number=number + 1)
            )
    if not all(_is_step(member) for member in members_in(actions)):
        raise _refusal(sentence("one of the steps holds something that is not a step with a type"))


def _is_step(member: Any) -> bool:
    return isinstance(member, dict) and isinstance(member.get("type"), str) and bool(member["type"].strip())


def _unreadable(flaw: Flaw) -> Sentence:
    return sentence("%(why)s: line %(line)s %(message)s", why=_NO_STEPS, line=flaw.line, message=flaw.message)


def _refusal(message: str) -> Invalid:
    return Invalid.at("", message)
