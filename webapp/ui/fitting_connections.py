"""Connections that fit the step or trigger for which one is chosen or made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from flowforge.connections.views import ConnectionView
from flowforge.connectors.catalog import Catalog
from flowforge.connectors.fitting import Fitting
from flowforge.triggers.kinds import find_kind


def names_that_fit(fitting: Fitting, connections: Sequence[ConnectionView]) -> list[str]:
    """The names of those that fit, by kind in the order in which these are taken."""
    order = [kind.type for kind in fitting.kinds]
    fits = [each for each in connections if fitting.takes(each.type, each.config)]
    return [each.name for each in sorted(fits, key=lambda each: order.index(each.type))]


def wanted_fitting(catalog: Catalog, query: Mapping[str, str]) -> Fitting | None:
    """The fitting that the address of a page asks for: `step` or `trigger` has a type. None for any connection."""
    type_, trigger = query.get("step", ""), find_kind(query.get("trigger", ""))
    if type_.upper() in catalog:
        return catalog.fitting(catalog.get(type_))
    return trigger.fitting if trigger else None
