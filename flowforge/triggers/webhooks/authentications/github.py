"""GitHub: the HMAC of the body (docs.github.com, "Validating webhook deliveries").

A redelivery has the same body and the same X-GitHub-Delivery, which is not signed.
"""

from __future__ import annotations

from flowforge.triggers.webhooks.hmac_scheme import HmacScheme, SignedBody


class GitHub(SignedBody):
    type, title, id_header = "github", "GitHub", "X-GitHub-Delivery"
    scheme = HmacScheme(("X-Hub-Signature-256",), prefix="sha256=")
