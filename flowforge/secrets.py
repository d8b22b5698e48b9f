"""Secrets at rest: sealed with MultiFernet, masked wherever a person looks.

A sealed value is a string `enc:v1:<Fernet token>`. The mask stands for a secret in every answer and page; a mask that
comes back means 'keep what is stored'.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import quote, quote_plus

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from flowforge.jsonio import JsonObject
from flowforge.secret_names import ByName, change_secrets, sent_forms
from flowforge.sentences import sentence

MASK = "********"
SEALED_PREFIX = "enc:v1:"


class SecretUnreadable(ValueError):
    """A sealed value was sealed with a key that is not among ours."""


class Vault:
    """Seals with the newest key, opens with any. Keys are Fernet keys (32 bytes, url-safe base64)."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._fernet = MultiFernet([Fernet(key) for key in keys])

    def seal(self, clear: str) -> str:
        return SEALED_PREFIX + self._fernet.encrypt(clear.encode()).decode()

    def open(self, sealed: str) -> str:
        """Raises SecretUnreadable."""
        if not is_sealed(sealed):
            return sealed
        try:
            return self._fernet.decrypt(sealed.removeprefix(SEALED_PREFIX).encode()).decode()
        except InvalidToken as error:
            raise SecretUnreadable(
                sentence("this secret was encrypted with a key that is no longer configured")
            ) from error

    def rotate(self, sealed: str) -> str:
        """Seal the same secret under the newest key."""
        try:
            return SEALED_PREFIX + self._fernet.rotate(sealed.removeprefix(SEALED_PREFIX).encode()).decode()
        except InvalidToken as error:
            raise SecretUnreadable(
                sentence("this secret was encrypted with a key that is no longer configured")
            ) from error


def is_sealed(value: object) -> bool:
    return isinstance(value, str) and value.startswith(SEALED_PREFIX)


def new_key() -> str:
    return Fernet.generate_key().decode()


def is_expression(value: object) -> bool:
    """Whether a text is a single expression and nothing else: it refers to a secret without being one."""
    if not isinstance(value, str):
        return False
    text = value.strip()
    return text.startswith("{{") and text.endswith("}}") and text.count("{{") == 1


def is_template(value: object) -> bool:
    """Whether a text holds expressions, and beside them at most the name of a scheme or a cookie: `Bearer {{ … }}`."""
    return isinstance(value, str) and "{{" in value and _BESIDE.fullmatch(_EXPRESSION.sub("", value)) is not None


_EXPRESSION = re.compile(r"\{\{[^{}]*\}\}")
_BESIDE = re.compile(r"[A-Za-z =:;,_-]{0,24}")


def seal_fields(
    config: Mapping[str, Any],
    keys: Iterable[str],
    vault: Vault,
    previous: Mapping[str, Any] | None = None,
    *,
    literal: bool = False,
    stored_here: bool = False,
) -> JsonObject:
    """The config with the texts under `keys` sealed. A mask keeps what `previous` has there.

    `literal`: nothing in this config is an expression, so what looks like one is a secret as well. `stored_here`: the
    config comes from our database, and what looks sealed is.
    """
    stored = _StoredSecrets(previous)

    def sealed(value: str, key: str, name: str | None) -> str:
        if stored_here and is_sealed(value):
            return value
        return _seal_value(value, stored.find(key, name), vault, _names_a_value(key, literal=literal))

    return _each(config, keys, sealed)


def mask_fields(config: Mapping[str, Any], keys: Iterable[str], *, literal: bool = False) -> JsonObject:
    """The config as it may be shown. `literal`: as for `seal_fields`."""

    def masked(value: str, key: str, _name: str | None) -> str:
        return value if _names_a_value(key, literal=literal)(value) or value == "" else MASK

    return _each(config, keys, masked)


def unmask_fields(config: Mapping[str, Any], keys: Iterable[str], stored: Mapping[str, Any] | None) -> JsonObject:
    """The config with each mask under `keys` replaced by the text that `stored` has there; a mask of nothing stays."""
    kept = _StoredSecrets(stored)

    def unmasked(value: str, key: str, name: str | None) -> str:
        found = kept.find(key, name) if value == MASK else None
        return value if found is None else found

    return _each(config, keys, unmasked)


def without_masks(config: Mapping[str, Any], keys: Iterable[str]) -> JsonObject:
    """The config with each mask under `keys` made empty."""
    return _each(config, keys, lambda value, _key, _name: "" if value == MASK else value)


def open_fields(config: Mapping[str, Any], keys: Iterable[str], vault: Vault) -> JsonObject:
    """The config with its secrets in clear, for the moment of use. Raises SecretUnreadable."""
    return _each(config, keys, lambda value, _key, _name: vault.open(value))


def secret_values(opened: Mapping[str, Any], keys: Iterable[str]) -> list[str]:
    """The secrets in a config that is in clear, long enough to be kept out of outputs and messages."""
    texts = [text for key in keys for name, text in secret_entries(opened, key) for text in sent_forms(name, text)]
    return worth_masking(texts)


def secret_entries(config: Mapping[str, Any], key: str) -> list[tuple[str | None, str]]:
    """The secrets under a key of a config: each with its name, or None where the field itself is the secret."""
    found: list[tuple[str | None, str]] = []

    def note(value: str, _key: str, name: str | None) -> str:
        found.append((name, value))
        return value

    _each(config, [key], note)
    return found


def mask_values(value: Any, secrets: Sequence[str]) -> Any:
    """A copy of JSON-like data in which no secret is left: neither inside a text, in plain, URL-encoded or JSON form,
    nor as a number. Those shorter than SHORTEST_MASKED are found only where they are all of a text."""
    if not secrets:
        return value
    forms = {form for secret in worth_masking(secrets) for form in _forms(secret)}
    return _mask(value, sorted(forms, key=len, reverse=True), frozenset(secrets))


def mask_text(text: str, secrets: Sequence[str]) -> str:
    """A message in which no secret is left, however short: rather too much is hidden there than too little."""
    forms = {form for secret in secrets for form in _forms(secret) if form}
    return _masked_text(text, sorted(forms, key=len, reverse=True))


def begun_secret(text: str, secrets: Sequence[str]) -> int:
    """Characters at the end of a text that goes on, with which a secret may begin."""
    forms = {form for secret in secrets for form in _forms(secret) if form}
    return max((_begun(text, form) for form in forms), default=0)


def _begun(text: str, form: str) -> int:
    longest = min(len(form) - 1, len(text))
    return next((length for length in range(longest, 0, -1) if text.endswith(form[:length])), 0)


def worth_masking(secrets: Iterable[str]) -> list[str]:
    """Returns the secrets of SHORTEST_MASKED characters or more."""
    return [secret for secret in secrets if len(secret) >= SHORTEST_MASKED]


SHORTEST_MASKED = 4
"""Characters. Shorter texts would mask by accident more than they would hide."""


def _forms(secret: str) -> tuple[str, ...]:
    """Returns the forms in which a secret may come. In messages, hosts are in small letters."""
    as_json = json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]
    return secret, secret.lower(), quote(secret, safe=""), quote_plus(secret), *as_json


def _each(config: Mapping[str, Any], keys: Iterable[str], change: Callable[[str, str, str | None], Any]) -> JsonObject:
    """Applies `change(text, key, name)` to the text under each key, or to each text of the object there; under a key
    ByName, to what is secret by its name."""
    changed = dict(config)
    for key in keys:
        value = changed.get(key)
        if isinstance(key, ByName):
            changed |= {key: change_secrets(value, _under(key, change))} if key in changed else {}
        elif _is_text(value):
            changed[key] = change(str(value), key, None)
        elif isinstance(value, Mapping):
            changed[key] = {
                name: change(str(inner), key, name) if _is_text(inner) else inner for name, inner in value.items()
            }
    return changed


def _is_text(value: object) -> bool:
    """Whether it is a text, or a number that stands for one: a password of digits, written without quotes."""
    return isinstance(value, str) or _is_number(value)


def _under(key: str, change: Callable[[str, str, str | None], Any]) -> Callable[[str, str], Any]:
    return lambda text, name: change(text, key, name)


def _names_a_value(key: str, *, literal: bool) -> Callable[[object], bool]:
    """Returns what recognises a text that refers to a secret without being one."""
    if literal:
        return lambda _: False
    return is_template if isinstance(key, ByName) else is_expression


class _StoredSecrets:
    """The secrets of a config that is stored, each key read once."""

    def __init__(self, config: Mapping[str, Any] | None) -> None:
        self._config = config or {}
        self._by_key: dict[str, dict[str | None, str]] = {}

    def find(self, key: str, name: str | None) -> str | None:
        if key not in self._by_key:
            self._by_key[key] = dict(secret_entries(self._config, key))
        return self._by_key[key].get(name)


def _seal_value(value: str, stored: str | None, vault: Vault, names_a_value: Callable[[object], bool]) -> str:
    if value == MASK and stored is not None:
        return stored if is_sealed(stored) or names_a_value(stored) else vault.seal(stored)
    return value if names_a_value(value) or value == "" else vault.seal(value)


def _mask(value: Any, forms: Sequence[str], whole: Collection[str]) -> Any:
    if isinstance(value, str):
        return MASK if value in whole else _masked_text(value, forms)
    if isinstance(value, Mapping):
        return {_mask(name, forms, whole): _mask(inner, forms, whole) for name, inner in value.items()}
    if isinstance(value, list):
        return [_mask(inner, forms, whole) for inner in value]
    return MASK if _is_number(value) and str(value) in whole else value


def _masked_text(text: str, forms: Sequence[str]) -> str:
    for form in forms:
        text = text.replace(form, MASK)
    return text


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
