"""Secrets at rest: sealed with MultiFernet, masked wherever a person looks.

A sealed value is a string `enc:v1:<Fernet token>`. The mask stands for a secret in every answer and page; a mask that
comes back means 'keep what is stored'.
"""

from __future__ import annotations

from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

MASK = "********"
_PREFIX = "enc:v1:"


class SecretUnreadable(ValueError):
    """A sealed value was sealed with a key that is not among ours."""


class Vault:
    """Seals with the newest key, opens with any. Keys are Fernet keys (32 bytes, url-safe base64)."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._fernet = MultiFernet([Fernet(key) for key in keys])

    def seal(self, clear: str) -> str:
        return _PREFIX + self._fernet.encrypt(clear.encode()).decode()

    def open(self, sealed: str) -> str:
        """Raises SecretUnreadable."""
        if not is_sealed(sealed):
            return sealed
        try:
            return self._fernet.decrypt(sealed.removeprefix(_PREFIX).encode()).decode()
        except InvalidToken as error:
            raise SecretUnreadable("this secret was encrypted with a key that is no longer configured") from error

    def rotate(self, sealed: str) -> str:
        """The same secret under the newest key."""
        try:
            return _PREFIX + self._fernet.rotate(sealed.removeprefix(_PREFIX).encode()).decode()
        except InvalidToken as error:
            raise SecretUnreadable("this secret was encrypted with a key that is no longer configured") from error


def is_sealed(value: object) -> bool:
    return isinstance(value, str) and value.startswith(_PREFIX)


def new_key() -> str:
    return Fernet.generate_key().decode()
