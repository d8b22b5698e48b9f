"""The gallery: all templates, which are the files of the folder `templates`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from flowforge.apis.document import read_document
from flowforge.errors import NotFound
from flowforge.onboarding.template import Template
from flowforge.sentences import sentence

FOLDER = Path(__file__).with_name("templates")
GROUPS = (
    "Webhooks and forms",
    "Messages and alerts",
    "Reports and schedules",
    "Mail",
    "Data",
    "Files",
    "Language models",
    "People",
)
"""In the order in which they are shown."""


@cache
def templates() -> Mapping[str, Template]:
    """All of them by name, in the order of their groups, then of their titles."""
    files = (path for path in FOLDER.glob("*.yaml") if not path.name.endswith(".test.yaml"))
    found = [Template.read(path.stem, read_document(path.read_bytes())) for path in files]
    found.sort(key=lambda template: (GROUPS.index(template.group), not template.is_first, template.title))
    return {template.name: template for template in found}


def template(name: str) -> Template:
    """Raises NotFound."""
    if name not in templates():
        raise NotFound(sentence("there is no such template"))
    return templates()[name]


def first_templates() -> Sequence[Template]:
    """Those for people who have no workflow yet."""
    return [one for one in templates().values() if one.is_first]


def matching_templates(words: str) -> Sequence[Template]:
    """Those in which all words are found."""
    wanted = words.lower().split()
    return [one for one in templates().values() if all(word in one.searched for word in wanted)]
