"""The web process: gateway, API, webhook intake, live streams and dashboard, in one Flask application."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask import Flask

from flowforge.db.engine import sqlalchemy_url
from flowforge.settings import Settings
from flowforge.wiring import Backends
from webapp import (
    access_log,
    attempts,
    body,
    compression,
    edge,
    errors,
    guarded,
    health,
    held_threads,
    help_site,
    identity,
    live,
    reset_mails,
    script_modules,
    static_files,
    translation,
    ui,
)
from webapp.api import (
    account,
    administration,
    apis,
    audit,
    auth,
    bundles,
    connections,
    dead_letters,
    deleted_workflows,
    error_workflow,
    executions,
    executor,
    files,
    finding,
    folders,
    guide,
    home,
    list_fields,
    logs,
    openapi,
    saved_filters,
    selections,
    tables,
    templates,
    trials,
    trigger_checks,
    triggers,
    variables,
    versions,
    workflows,
)
from webapp.context import db
from webapp.intake import accepted, blueprints, calls
from webapp.migrate_command import MigrateCommand
from webapp.routing import LazyRule

_ROOT = Path(__file__).resolve().parents[1]
_BUS_PATIENCE_SECONDS = 2.0
"""For the first connection to Kafka."""
_PUBLISH_PATIENCE_SECONDS = 0.2
"""A caller of a webhook waits for the commit; the message about it may come later. A Valkey or Kafka that does not
answer stops nothing that PostgreSQL holds: calls, pages, signing in."""
_FACES = (
    auth,
    account,
    administration,
    audit,
    workflows,
    versions,
    bundles,
    connections,
    variables,
    apis,
    tables,
    templates,
    trials,
    triggers,
    trigger_checks,
    executions,
    files,
    finding,
    folders,
    list_fields,
    deleted_workflows,
    selections,
    saved_filters,
    error_workflow,
    guide,
    home,
    dead_letters,
    logs,
    executor,
    openapi,
    live,
    health,
    help_site,
    ui,
)


class _Application(Flask):
    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """The function as it is: none here is asynchronous, and Flask would find that out of each, for each request."""
        return func


def create_app(settings: Settings | None = None, backends: Backends | None = None) -> Flask:
    """The application on these backends; by default on what the environment names."""
    backends = backends or web_backends(settings or Settings())
    app = _Application(
        __name__,
        template_folder=str(_ROOT / "templates"),
        static_folder=str(_ROOT / "static"),
        static_url_path="/static",
    )
    app.url_rule_class = LazyRule
    app.extensions["flowforge"] = backends
    body.install(app)
    errors.install(app)
    access_log.install(app, backends.settings)
    edge.install(app, backends.settings)
    identity.install(app, backends)
    attempts.install(app, backends)
    guarded.install(app, backends)
    reset_mails.install(app, backends)
    accepted.install(app, backends)
    calls.install(app, backends.settings)
    held_threads.install(app, backends.settings)
    static_files.install(app)
    script_modules.install(app)
    translation.install(app)
    compression.install(app)
    _install_database(app, backends.settings)
    register_faces(app)
    return app


def web_backends(settings: Settings) -> Backends:
    return Backends(
        settings,
        "flowforge-web",
        bus_patience=_BUS_PATIENCE_SECONDS,
        publish_patience=_PUBLISH_PATIENCE_SECONDS,
        redis_patience=_PUBLISH_PATIENCE_SECONDS,
    )


def register_faces(app: Flask) -> None:
    """Adds every route there is."""
    for face in _FACES:
        app.register_blueprint(face.blueprint)
    for blueprint in blueprints():
        app.register_blueprint(blueprint)


def _install_database(app: Flask, settings: Settings) -> None:
    if settings.postgres_url is None:
        raise RuntimeError("POSTGRES_URL is not set; `make run` starts an embedded PostgreSQL and sets it")
    app.config["SQLALCHEMY_DATABASE_URI"] = sqlalchemy_url(settings.postgres_url)
    db.init_app(app)
    app.cli.add_command(MigrateCommand(app, db, _ROOT / "migrations"))
