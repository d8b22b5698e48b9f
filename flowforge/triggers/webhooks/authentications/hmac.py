"""A signature in whatever form a sender writes it: an HMAC of the body, with or without a time.

Without more than a secret, it is the one that GitHub and others send.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from pydantic import Field, ValidationInfo, field_validator

from flowforge.sentences import sentence
from flowforge.triggers.webhooks.authentication import GROUP, Authentication, Proof, Secret, secret_field
from flowforge.triggers.webhooks.call import Call
from flowforge.triggers.webhooks.headers import HeaderName
from flowforge.triggers.webhooks.hmac_scheme import (
    BODY,
    Algorithm,
    Encoding,
    HmacScheme,
    refuse_get,
    same_body_again_field,
    window_field,
)

_USUAL = ("X-Hub-Signature-256", "X-Signature-256")
_TIMED = "{timestamp}.{body}"


class Hmac(Authentication):
    type, title, rank = "hmac", "Signature (HMAC)", 4

    secret: Secret = secret_field(description="Shared with the sender, who signs with it.")
    header: HeaderName | None = Field(
        None,
        title="Header",
        description=f"Has the signature. Empty: {' or '.join(_USUAL)}.",
        json_schema_extra={"group": GROUP},
    )
    algorithm: Algorithm = Field("sha256", title="Algorithm", json_schema_extra={"group": GROUP})
    encoding: Encoding = Field("hex", title="Encoding", json_schema_extra={"group": GROUP})
    prefix: str = Field(
        "sha256=",
        title="Prefix",
        description="Prefix of the signature in the header.",
        max_length=100,
        json_schema_extra={"group": GROUP},
    )
    timestamp_header: HeaderName | None = Field(
        None,
        title="Timestamp header",
        description="Contains the signed timestamp, in seconds or milliseconds since 1970.",
        json_schema_extra={"group": GROUP},
    )
    delivery_header: HeaderName | None = Field(None, title="Delivery header")
    signed: str | None = Field(
        None,
        title="Signed",
        description="What is signed, with {body}, {timestamp} and {id} in it; {id} is what the delivery header has."
        " Empty: {timestamp}.{body} where there is a timestamp header, else {body}.",
        max_length=200,
        validate_default=True,
        json_schema_extra={"group": GROUP},
    )
    window: float = window_field()
    same_body_again: bool = same_body_again_field()

    @field_validator("signed")
    @classmethod
    def _needs_its_parts(cls, signed: str | None, others: ValidationInfo) -> str:
        header, id_header = others.data.get("timestamp_header"), others.data.get("delivery_header")
        content = signed or (_TIMED if header else BODY)
        if BODY not in content:
            raise ValueError(sentence("must have {body} in it"))
        if ("{timestamp}" in content) != bool(header):
            raise ValueError(sentence("has {timestamp} in it where there is a timestamp header, and only there"))
        if "{id}" in content and not id_header:
            raise ValueError(sentence("has {id} in it, and no delivery header is named that has it"))
        return content

    def verify(self, call: Call) -> Proof:
        refuse_get(call)
        proof = self._scheme.check(self.secret.encode(), call, self.window)
        return replace(proof, counts_again=self.same_body_again)

    def sign(self, call: Call) -> Mapping[str, str]:
        return self._scheme.sign(self.secret.encode(), call)

    @property
    def secret_headers(self) -> frozenset[str]:
        return frozenset({self.header.lower()} if self.header else ())

    @property
    def _scheme(self) -> HmacScheme:
        return HmacScheme(
            headers=(self.header,) if self.header else _USUAL,
            prefix=self.prefix,
            encoding=self.encoding,
            algorithm=self.algorithm,
            content=self.signed or BODY,
            timestamp_header=self.timestamp_header,
            id_header=self.delivery_header,
        )
