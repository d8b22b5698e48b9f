"""Authorization requests: where a browser is sent, and what comes back with it (RFC 6749, 4.1; PKCE: RFC 7636)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flowforge.oauth.errors import OAuthError, Refused
from flowforge.oauth.provider import Client, Provider

_STATE_CHARACTERS = 43
_VERIFIER_CHARACTERS = 64


@dataclass(frozen=True, slots=True)
class Authorization:
    """An authorization that has begun. `state` names it in the browser; `verifier` proves, when the code is exchanged,
    that it is ours."""

    url: str
    state: str
    verifier: str | None


def begin(provider: Provider, client: Client, scopes: Sequence[str], redirect_uri: str) -> Authorization:
    """Makes the address at which somebody is asked to grant the scopes."""
    from oauthlib.common import add_params_to_uri, generate_token  # here, since it takes its time to load

    state = generate_token(_STATE_CHARACTERS)
    verifier, challenge = _proof(client) if provider.pkce else (None, {})
    fields = {
        **provider.parameters,
        "response_type": "code",
        "client_id": client.id,
        "redirect_uri": redirect_uri,
        "scope": provider.scope_separator.join(scopes),
        "state": state,
        **challenge,
    }
    url: str = add_params_to_uri(provider.authorization_url, [(name, text) for name, text in fields.items() if text])
    return Authorization(url, state, verifier)


def _proof(client: Client) -> tuple[str, Mapping[str, str]]:
    """A verifier, and the fields that announce it (RFC 7636, 4.1 to 4.3)."""
    from oauthlib.oauth2 import WebApplicationClient

    proof = WebApplicationClient(client.id)
    verifier = proof.create_code_verifier(_VERIFIER_CHARACTERS)
    challenge = proof.create_code_challenge(verifier, "S256")
    return verifier, {"code_challenge": challenge, "code_challenge_method": "S256"}


def code_of(provider: Provider, query: Mapping[str, str]) -> str:
    """The code that a browser came back with. Raises Refused where it brought an error, OAuthError for neither."""
    if query.get("error"):
        raise Refused(provider.name, query["error"], query.get("error_description", ""))
    if not query.get("code"):
        raise OAuthError(f"{provider.name} sent no code")
    return query["code"]
