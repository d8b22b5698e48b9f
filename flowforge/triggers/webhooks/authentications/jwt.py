"""A signed token (JWT, RFC 7519) after `Authorization: Bearer`: under a shared secret (HS256), or a key that the signer
publishes (RS256 and others; RFC 7517).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any

import jwt
from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from flowforge.sentences import sentence
from flowforge.triggers.webhooks.authentication import GROUP, Authentication, NotProven, Proof, Secret, secret_field
from flowforge.triggers.webhooks.call import Call

_SHARED = ["HS256", "HS384", "HS512"]
_PUBLISHED = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
_LEEWAY_SECONDS = 60
_LONGEST_TOKEN = 16_384
_WEB_ADDRESS = re.compile(r"https?://(\[[0-9A-Fa-f:.]+\]|[^\s/?#\[\]@:]+)(:\d{1,5})?([/?#]\S*)?")


def _web_address(text: str) -> str:
    if not _WEB_ADDRESS.fullmatch(text) or len(text) > 2_000:
        raise ValueError(sentence("must be a web address, such as https://example.com/.well-known/jwks.json"))
    return text


class BearerToken(Authentication):
    type, title, rank = "jwt", "Bearer token (JWT)", 3

    jwks_url: Annotated[str, AfterValidator(_web_address)] | None = Field(
        None,
        title="JWKS URL",
        description="URL of the issuer's public keys (RS256), instead of a secret.",
        json_schema_extra={"group": GROUP},
    )
    secret: Secret | None = secret_field(
        None, description="With which tokens are signed (HS256).", validate_default=True
    )
    issuer: str | None = Field(
        None, title="Issuer", description="Required value of `iss`.", json_schema_extra={"group": GROUP}
    )
    audience: str | None = Field(
        None,
        title="Audience",
        description="Required value of `aud`, or one of its values.",
        json_schema_extra={"group": GROUP},
    )

    @field_validator("secret")
    @classmethod
    def _is_one_of_two(cls, secret: str | None, others: ValidationInfo) -> str | None:
        if "jwks_url" in others.data and (secret is None) == (others.data["jwks_url"] is None):
            raise ValueError(sentence("is needed where there is no JWKS URL, and only there"))
        return secret

    def verify(self, call: Call) -> Proof:
        scheme, _, token = call.header("authorization").strip().partition(" ")
        if scheme.lower() != "bearer" or not 0 < len(token) <= _LONGEST_TOKEN:
            raise NotProven("this webhook takes calls with a signed token (Authorization: Bearer)")
        try:
            jwt.decode(
                token.strip(),
                self._key(token, call),
                algorithms=_SHARED if self.secret else _PUBLISHED,
                issuer=self.issuer,
                audience=self.audience,
                leeway=_LEEWAY_SECONDS,
                options={"require": ["exp"], "verify_aud": self.audience is not None},
            )
        except (jwt.PyJWTError, LookupError) as error:
            raise NotProven(f"the token is not accepted: {error}") from error
        return Proof()

    def sign(self, call: Call) -> Mapping[str, str] | None:
        if self.secret is None:
            return None
        wanted = {"exp": int(call.at) + _LEEWAY_SECONDS, "iss": self.issuer, "aud": self.audience}
        claims = {name: value for name, value in wanted.items() if value is not None}
        return {"Authorization": f"Bearer {jwt.encode(claims, self.secret, _SHARED[0])}"}

    @classmethod
    def curl_options(cls, config: Mapping[str, Any]) -> str:
        del config
        return '-H "Authorization: Bearer $TOKEN"'

    def _key(self, token: str, call: Call) -> Any:
        """Raises LookupError, PyJWTError, Unavailable."""
        if self.secret is not None:
            return self.secret
        if self.jwks_url is None or call.keys is None:
            raise LookupError("there is no key to check it with")
        return call.keys.find(self.jwks_url, jwt.get_unverified_header(token.strip()).get("kid"))
