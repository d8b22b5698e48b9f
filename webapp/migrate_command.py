"""`flask db`: the commands of Flask-Migrate, loaded when they are called. A server has no use for Alembic's 8 MB."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from click import Command, Context
from flask import Flask
from flask_sqlalchemy import SQLAlchemy


class MigrateCommand(Command):
    """Stands for the group of commands, about the migrations in `folder`, until it is called."""

    def __init__(self, app: Flask, database: SQLAlchemy, folder: Path) -> None:
        super().__init__("db", help="Perform database migrations.")
        self._app = app
        self._database = database
        self._folder = folder

    def make_context(
        self, info_name: str | None, args: list[str], parent: Context | None = None, **extra: Any
    ) -> Context:
        from flask_migrate import Migrate, cli

        Migrate(self._app, self._database, directory=str(self._folder))
        context: Context = cli.db.make_context(info_name, args, parent, **extra)
        return context
