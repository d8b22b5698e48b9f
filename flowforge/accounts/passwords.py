"""Passwords: hashed with argon2id; the bcrypt hashes of the original implementations can be checked too."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import bcrypt
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from flowforge.errors import Unavailable
from flowforge.sentences import sentence

# OWASP's parameters of least memory: many people may sign in at once on a small machine.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_BCRYPT_PREFIXES = ("$2a$", "$2b$", "$2y$")
_BCRYPT_BYTES = 72  # bcrypt has never looked further
_LONGEST_CHECKED = 4096
_SLOTS = threading.BoundedSemaphore(8)
_WAIT_SECONDS = 10


def hash_password(password: str) -> str:
    """Raises Unavailable when too many are being hashed already."""
    with _hashing_slot():
        return _HASHER.hash(password)


def hash_of_unknown_password() -> str:
    """For an account whose password is to be set by a link: it takes as long to check as any other."""
    return hash_password(secrets.token_urlsafe(32))


def matches(stored: str, password: str) -> bool:
    """Whether `password` is the one behind the hash. A hash nobody can read matches nothing."""
    if len(password) > _LONGEST_CHECKED:
        return False
    with _hashing_slot():
        if stored.startswith(_BCRYPT_PREFIXES):
            return _matches_bcrypt(stored, password)
        try:
            return _HASHER.verify(stored, password)
        except (VerificationError, InvalidHashError):
            return False


def is_outdated(stored: str) -> bool:
    """Whether a hash should be replaced at the next sign-in, when the password is at hand."""
    return not stored.startswith("$argon2id$") or _HASHER.check_needs_rehash(stored)


def _matches_bcrypt(stored: str, password: str) -> bool:
    try:
        return bcrypt.checkpw(password.encode()[:_BCRYPT_BYTES], stored.encode())
    except ValueError:
        return False


@cache
def hash_of_nobody() -> str:
    """A hash that takes as long to check as a real one: the time of an answer does not tell which names exist."""
    return hash_password("the password of nobody")


@contextmanager
def _hashing_slot() -> Iterator[None]:
    if not _SLOTS.acquire(timeout=_WAIT_SECONDS):
        raise Unavailable(sentence("too many people are signing in; please try again"))
    try:
        yield
    finally:
        _SLOTS.release()
