"""A webhook as its trigger declares it, ready to judge calls: read once, and kept by the web process."""

from __future__ import annotations

from dataclasses import dataclass

from flowforge import jsonio
from flowforge.errors import Unavailable
from flowforge.jsonio import JsonObject
from flowforge.secrets import SecretUnreadable, Vault, is_sealed, open_fields
from flowforge.sentences import sentence
from flowforge.triggers.answering import AnsweringConfig
from flowforge.triggers.kinds import secret_keys
from flowforge.triggers.kinds.webhook import AUTH, KIND, Config
from flowforge.triggers.webhooks.access import ANY_ORIGIN, Network, is_within, read_network
from flowforge.triggers.webhooks.authentication import Authentication
from flowforge.triggers.webhooks.authentications.none import NONE

_DISPENSABLE = {field.alias or name for name, field in AnsweringConfig.model_fields.items()}
"""Keys that let nobody in: where an adopted trigger has something else there, it is as if it had nothing."""


@dataclass(frozen=True, slots=True)
class Hook:
    config: Config
    authentication: Authentication
    networks: tuple[Network, ...]

    @property
    def is_open(self) -> bool:
        """Whether callers need not prove who they are."""
        return self.authentication.type == NONE

    def shares_with(self, origin: str) -> bool:
        """Whether pages of that origin may call it, and read what it answers."""
        return bool({origin.lower(), ANY_ORIGIN} & set(self.config.allowed_origins))

    def admits(self, address: str) -> bool:
        """Whether calls may come from that address."""
        return not self.networks or is_within(address, self.networks)


def read_hook(stored: str, vault: Vault) -> Hook:
    """Read a configuration as it is stored, secrets sealed. Raises Unavailable for one that cannot be used: nobody is
    let in by mistake."""
    written = jsonio.loads(stored)
    configuration = _with_meaning(written) if isinstance(written, dict) else {}
    try:
        opened = open_fields(configuration, secret_keys(), vault)
    except SecretUnreadable as error:
        raise Unavailable(str(error)) from error
    wrong = {problem.pointer.split("/")[1] for problem in KIND.problems(opened)}
    if wrong - _DISPENSABLE:
        raise Unavailable(sentence("the configuration of this webhook cannot be used"))
    usable = {key: value for key, value in opened.items() if key not in wrong}
    config = KIND.read(usable)
    return Hook(config, KIND.authentication(usable), tuple(map(read_network, config.allowed_addresses)))


def _with_meaning(configuration: JsonObject) -> JsonObject:
    """Without a `secret` in clear that nobody chose a use for: adopted triggers may hold one for something else."""
    if AUTH in configuration or is_sealed(configuration.get("secret")):
        return configuration
    return {key: value for key, value in configuration.items() if key != "secret"}
