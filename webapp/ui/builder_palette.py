"""The palette of the builder: the types of steps that can be added, and the chosen operations of APIs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flask import render_template, request

from flowforge.api_registry.views import ApiActions
from flowforge.apis.description import OperationEntry
from flowforge.connectors.catalog import Catalog, load_catalog
from flowforge.connectors.described import API_CALL
from flowforge.language.blocks import BLOCKS
from webapp.context import session
from webapp.services import apis
from webapp.translation.texts import gettext
from webapp.ui.base import blueprint
from webapp.ui.guard import viewer_id
from webapp.ui.kinds import kind_of

MOST_SHOWN = 30
"""Operations of one API that are shown at once: thousands of buttons make a browser slow."""
_LONGEST_SEARCH = 200


@blueprint.get("/build/operations")
def find_operations() -> str:
    """The groups of large APIs, with the operations that have all words of `q`."""
    words = request.args.get("q", "")[:_LONGEST_SEARCH]
    found = operations_found(load_catalog(), apis().actions(session(), viewer_id()), words)
    return render_template("builder/_found_operations.html", groups=[group for group in found if group.api])


@dataclass(frozen=True, slots=True)
class Choice:
    """A type of steps that can be added."""

    type: str
    title: str
    help: str
    icon: str
    keywords: str

    chosen: str = ""
    """The API and its operation, for a step that calls one."""

    @property
    def value(self) -> str:
        """The text by which the form says what is added (`split_choice`)."""
        return f"{self.type} {self.chosen}".strip()

    @property
    def words(self) -> str:
        """The text that a search looks into."""
        return f"{self.title} {self.type} {self.help} {self.keywords}".lower()


@dataclass(frozen=True, slots=True)
class ChoiceGroup:
    """Choices under one heading. `left_out`: how many more there are, which a search finds."""

    title: str
    choices: Sequence[Choice]
    left_out: int = 0
    api: str = ""
    """The name of the API whose operations it has, where not all of them may be shown."""


def choices(catalog: Catalog, apis: Sequence[ApiActions] = (), *, shows_all: bool = False) -> list[ChoiceGroup]:
    """List what can be added, by group: the types of steps, and the chosen operations of APIs. What stands alone comes
    before the actions of services: it is the more general."""
    connectors = catalog.connectors()
    return [
        ChoiceGroup(gettext("Core"), [_choice(catalog, one.type) for one in connectors if not one.service]),
        ChoiceGroup(gettext("Flow"), [_choice(catalog, type_) for type_ in BLOCKS]),
        ChoiceGroup(gettext("Services"), [_choice(catalog, one.type) for one in connectors if one.service]),
        *operations_found(catalog, apis, "", shows_all=shows_all),
    ]


def operations_found(
    catalog: Catalog, apis: Sequence[ApiActions], words: str, *, shows_all: bool = False
) -> list[ChoiceGroup]:
    """The chosen operations of APIs that have all the words, the first of each API."""
    wanted = words.lower().split()
    return [_found_of_api(catalog, api, _heading(api, apis), wanted, shows_all=shows_all) for api in apis]


def _found_of_api(
    catalog: Catalog, api: ApiActions, heading: str, wanted: Sequence[str], *, shows_all: bool
) -> ChoiceGroup:
    found = [entry for entry in api.operations if not wanted or _has_words(_operation(api, entry), wanted)]
    shown = found if shows_all else found[:MOST_SHOWN]
    icon = kind_of(catalog, API_CALL).icon
    is_large = len(api.operations) > MOST_SHOWN and not shows_all
    operations = [_operation(api, entry, icon) for entry in shown]
    return ChoiceGroup(heading, operations, len(found) - len(shown), api.name if is_large else "")


def _has_words(choice: Choice, wanted: Sequence[str]) -> bool:
    words = choice.words
    return all(word in words for word in wanted)


def split_choice(value: str) -> tuple[str, str, str]:
    """The type of what is added, and, of a call, its API and operation."""
    type_, _, chosen = value.partition(" ")
    api, _, operation = chosen.partition(" ")
    return type_.upper(), api, operation


def _heading(api: ApiActions, apis: Sequence[ApiActions]) -> str:
    """The title of an API; with its name, where another has the same."""
    same = [other for other in apis if other.title == api.title]
    return f"{api.title} ({api.name})" if len(same) > 1 else api.title


def _operation(api: ApiActions, entry: OperationEntry, icon: str = "") -> Choice:
    return Choice(
        API_CALL,
        entry.title,
        f"{entry.method} {entry.path}",
        icon,
        f"{api.title} {api.name} {entry.tag} {entry.id}",
        f"{api.name} {entry.id}",
    )


def _choice(catalog: Catalog, type_: str) -> Choice:
    kind = kind_of(catalog, type_)
    return Choice(type_, kind.title, kind.help, kind.icon, " ".join(kind.keywords))
