"""Errors of a provider of OAuth 2.0. Their texts are shown to people, and quote no token and no secret."""

from __future__ import annotations

from flowforge.oauth.texts import printable

_MEANINGS = {
    "access_denied": "access was not granted",
    "authorization_declined": "access was not granted",
    "expired_token": "the time for entering the code is over",
    "invalid_client": "the client id or the client secret is not right",
    "invalid_grant": "the sign-in has ended or was revoked",
    "invalid_scope": "one of the scopes is unknown or may not be used",
    "unauthorized_client": "the client may not sign in this way",
}
_LONGEST_REASON = 300
_ENDED = frozenset({"invalid_grant", "bad_refresh_token", "invalid_refresh_token", "token_revoked", "token_expired"})
"""Codes that say that a refresh token is worth nothing any more: RFC 6749, 5.2, and in the words of GitHub
(https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/refreshing-user-access-tokens)
and Slack (https://docs.slack.dev/reference/methods/oauth.v2.access)."""


class OAuthError(Exception):
    """A provider gave no answer that can be used. It may do so later."""


class Refused(OAuthError):
    """A provider refuses. `code` is its own (RFC 6749, 5.2): `invalid_grant`."""

    def __init__(self, provider: str, code: str, description: str = "") -> None:
        self.code = printable(code, _LONGEST_REASON)
        reason = printable(description, _LONGEST_REASON) or _MEANINGS.get(self.code, "")
        super().__init__(f"{provider} refuses: {self.code}" + (f" ({reason})" if reason else ""))

    @property
    def ends_the_grant(self) -> bool:
        """Whether nothing but another sign-in helps."""
        return self.code in _ENDED

    @property
    def is_pending(self) -> bool:
        """Whether the person has yet to enter the device's code (RFC 8628, 3.5)."""
        return self.code in ("authorization_pending", "slow_down")
