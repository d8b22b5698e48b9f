"""Twilio: an HMAC of the address and the fields of the form, or of the address alone, which then has the digest of the
body in it (twilio.com/docs/usage/security, "Validating requests are coming from Twilio").
"""

from __future__ import annotations

import hashlib
import hmac
from urllib.parse import parse_qs, urlsplit, urlunsplit

from flowforge.triggers.webhooks.authentication import (
    Authentication,
    NotProven,
    Proof,
    Secret,
    WrongSignature,
    is_same,
    secret_field,
)
from flowforge.triggers.webhooks.call import Call
from flowforge.triggers.webhooks.hmac_scheme import encode, is_signature, same_body_again_field
from flowforge.triggers.webhooks.signed_content import SignedContent

_HEADER = "X-Twilio-Signature"
_FORM = "application/x-www-form-urlencoded"
_MOST_FIELDS = 1_000
_OF_NOTHING = hashlib.sha256().digest()
_PORTS = {"https": 443, "http": 80}


class Twilio(Authentication):
    type, title, id_header = "twilio", "Twilio", "I-Twilio-Idempotency-Token"
    secret: Secret = secret_field(title="Auth token", description="Of the account, from the console.")
    same_body_again: bool = same_body_again_field()

    def verify(self, call: Call) -> Proof:
        """The port may stand in the address that is signed, or not."""
        fields = _fields(call)
        contents = [address.encode() + fields for address in _addresses(call.url)]
        if not any(self._is_signed(content, call) for content in contents):
            raise WrongSignature(_HEADER)
        digest = call.query.get("bodySHA256")
        body = SignedContent((call.read_pieces,)).sha256()
        if not fields and body != _OF_NOTHING and not is_same(body.hex(), (digest or "").lower()):
            raise NotProven("the body is another one than the address says (bodySHA256)")
        return Proof(SignedContent((contents[0],)), counts_again=self.same_body_again)

    def _is_signed(self, content: bytes, call: Call) -> bool:
        wanted = encode(hmac.digest(self.secret.encode(), content, "sha1"), "base64")
        return is_signature(wanted, [call.header(_HEADER)])


def _fields(call: Call) -> bytes:
    """The names and values of a form, sorted, without anything between them; each value of a name once."""
    if call.media_type != _FORM:
        return b""
    try:
        form = parse_qs(call.body.decode(errors="replace"), keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError as error:
        raise NotProven(f"the form has more than {_MOST_FIELDS} fields") from error
    pairs = [name + value for name in sorted(form) for value in sorted(set(form[name]))]
    return "".join(pairs).encode()


def _addresses(url: str) -> list[str]:
    """The address as it is, and with the port that it leaves out."""
    parts = urlsplit(url)
    if parts.port is not None or parts.scheme not in _PORTS:
        return [url]
    return [url, urlunsplit(parts._replace(netloc=f"{parts.netloc}:{_PORTS[parts.scheme]}"))]
