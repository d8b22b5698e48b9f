"""Roles of accounts on their instance."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    OWNER = "owner"
    """An administrator who cannot be disabled, deleted or demoted. There is one: the first account."""
    ADMIN = "admin"
    """Manages the accounts of the instance; sees nothing of what belongs to them."""
    MEMBER = "member"
