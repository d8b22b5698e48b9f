"""The FlowForge home: a folder with the instance's data, logs and generated secrets."""

from __future__ import annotations

import os
import secrets as random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from flowforge import secrets
from flowforge.durable_files import durable_file
from flowforge.settings import Settings


class UnusableHome(RuntimeError):
    """Something in the home cannot be read, made or written."""


@contextmanager
def in_use(home: Path) -> Iterator[None]:
    """Raises UnusableHome for errors of the file system at the home, below it, or on the way to it."""
    try:
        yield
    except OSError as error:
        if not _concerns(error, home.resolve()):
            raise
        raise UnusableHome(
            f"can't use the home {home} ({error.strerror}: {error.filename}); choose another with FLOWFORGE_HOME=..."
        ) from error


def _concerns(error: OSError, home: Path) -> bool:
    path = Path(error.filename) if isinstance(error.filename, str) else None
    return path is not None and (path.is_relative_to(home) or home.is_relative_to(path))


@dataclass(frozen=True, slots=True)
class Keys:
    """The instance's own secrets, never defaulted in code."""

    jwt: str
    session: str
    vault: tuple[str, ...]


def load_keys(settings: Settings) -> Keys:
    """Load keys from the settings; those not set there are read from the home, and generated into it at first start."""
    folder = settings.home / "secrets"
    vault = (
        settings.secret_keys_setting.get_secret_value()
        if settings.secret_keys_setting
        else _read_or_create(folder / "vault.keys", secrets.new_key)
    )
    return Keys(
        jwt=settings.jwt_secret_setting.get_secret_value()
        if settings.jwt_secret_setting
        else _read_or_create(folder / "jwt.key", lambda: random.token_urlsafe(48)),
        session=settings.session_secret_setting.get_secret_value()
        if settings.session_secret_setting
        else _read_or_create(folder / "session.key", lambda: random.token_urlsafe(48)),
        vault=tuple(key.strip() for key in vault.replace("\n", ",").split(",") if key.strip()),
    )


def _read_or_create(path: Path, generate: Callable[[], str]) -> str:
    """Read a key file (mode 0600), or create it. Of several processes the first to link its file wins; all read it."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = path.with_name(f".{path.name}.{os.getpid()}")
        with durable_file(draft, must_be_new=True) as file:
            file.write(f"{generate()}\n".encode())
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text().strip()
