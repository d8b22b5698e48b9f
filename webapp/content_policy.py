"""Content-Security-Policies: what a browser may load and run of an answer of ours (CSP Level 3)."""

from __future__ import annotations

import re
from collections.abc import Iterable

from flask import Flask, current_app, request

from flowforge.settings import Settings
from webapp.hosts import host_name

DATA_POLICY = "default-src 'none'; frame-ancestors 'none'"
"""For what is no page."""
SANDBOX = "sandbox allow-forms allow-modals allow-popups allow-scripts"
"""For what workflows answer. Such a page is its author's, often on the dashboard's origin: without `allow-same-origin`
it is a stranger to the dashboard, whose cookies and pages its scripts cannot reach."""

_PUBLIC_NAME = "flowforge.public_name"
_CAN_BE_A_SOURCE = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)*")
"""A host name or an IPv4 address; CSP has no form for IPv6."""


def install(app: Flask, settings: Settings) -> None:
    app.extensions[_PUBLIC_NAME] = host_name(settings.public_webhook_base)


def page_policy(*form_targets: str) -> str:
    """The policy of a page whose forms lead to this server and, by a redirect, to `form_targets`: origins, or schemes
    such as `https:`."""
    targets = " ".join(("'self'", *form_targets))
    return (
        f"default-src 'self'; script-src {_own_scripts('static')}; img-src 'self' data:; object-src 'none'; "
        f"base-uri 'none'; form-action {targets}; frame-ancestors 'none'"
    )


def help_policy(inline_scripts: Iterable[str]) -> str:
    """The policy of a page of the help, which holds the scripts of these digests; its generator writes styles into
    pages, too."""
    scripts = " ".join((_own_scripts("help/assets"), *inline_scripts))
    return (
        f"default-src 'self'; script-src {scripts}; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
        "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )


def _own_scripts(folder: str) -> str:
    """A folder of our scripts, by the names under which a browser may know this server: `'self'` would let a page run
    what a workflow answers. A proxy may hide the port, so any will do."""
    names = [host_name(request.host), current_app.extensions[_PUBLIC_NAME]]
    sources = [f"{name}:*/{folder}/" for name in dict.fromkeys(names) if _CAN_BE_A_SOURCE.fullmatch(name)]
    return " ".join(sources) if _CAN_BE_A_SOURCE.fullmatch(names[0]) else "'self'"
