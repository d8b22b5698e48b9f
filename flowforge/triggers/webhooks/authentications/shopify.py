"""Shopify: the HMAC of the body under the app's client secret, in Base64 (shopify.dev, "Verify webhook deliveries")."""

from __future__ import annotations

from flowforge.triggers.webhooks.hmac_scheme import HmacScheme, SignedBody


class Shopify(SignedBody):
    type, title, id_header = "shopify", "Shopify", "X-Shopify-Webhook-Id"
    scheme = HmacScheme(("X-Shopify-Hmac-Sha256",), encoding="base64")
