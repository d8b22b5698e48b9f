"""Writes the tables of docs/services.md: the actions of services, as they are declared.

`python -m scripts.services_page`
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from flowforge.connectors.catalog import load_catalog
from flowforge.connectors.sdk import Connector

PAGE = Path(__file__).resolve().parents[1] / "docs" / "services.md"
BEGIN = "<!-- Written by `python -m scripts.services_page`. -->\n"
END = "<!-- Until here. -->\n"


def main() -> None:
    PAGE.write_text(with_tables(PAGE.read_text()))


def with_tables(page: str) -> str:
    """The page with the tables as they have to be."""
    before, _, rest = page.partition(BEGIN)
    after = rest.partition(END)[2]
    return f"{before}{BEGIN}\n{tables()}\n{END}{after}"


def tables() -> str:
    """A section for each service, by its name."""
    actions = sorted((each for each in load_catalog().connectors() if each.service), key=by_service)
    return "\n".join(section(service, list(group)) for service, group in groupby(actions, lambda each: each.service))


def by_service(action: Connector[Any]) -> tuple[str, str]:
    return action.service.casefold(), action.type


def section(service: str, actions: Sequence[Connector[Any]]) -> str:
    connections = ", ".join(f"`{kind.type}`" for kind in actions[0].connections)
    return "\n".join(
        [
            f"## {service}\n",
            f"Connections: {connections}.\n",
            "| action | | |",
            "|---|---|---|",
            *(f"| `{each.type}` | {each.title.removeprefix(f'{service}: ')} | {each.help} |" for each in actions),
            "",
        ]
    )


if __name__ == "__main__":
    main()
