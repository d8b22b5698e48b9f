"""The roles of accounts, for who works with accounts and not with their rows."""

from __future__ import annotations

from flowforge.db.tables import ADMINISTRATORS, Role

__all__ = ["ADMINISTRATORS", "Role"]
