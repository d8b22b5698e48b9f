"""Secrets that are known by the name they stand under."""

from __future__ import annotations

from time import process_time
from typing import Any

import pytest

from flowforge.secret_names import ByName, change_secrets, is_secret_name, secrets_by_name
from flowforge.secrets import (
    MASK,
    Vault,
    is_sealed,
    mask_fields,
    new_key,
    open_fields,
    seal_fields,
    secret_values,
    unmask_fields,
)

SECRET_NAMES = """
    Authorization Proxy-Authorization Cookie Set-Cookie X-Api-Key api_key apiKey APIKEY x-apikey token access_token
    refreshToken id_token X-Gitlab-Token X-Amz-Security-Token X-Amz-Credential X-Amz-Signature X-Hub-Signature-256
    Stripe-Signature X-Shopify-Hmac-Sha256 X-Webhook-Secret client_secret password passwd pwd pass passphrase X-Auth
    auth sig jwt otp sessionId Ocp-Apim-Subscription-Key x-functions-key private_key user[token] hub.verify_token
"""
OTHER_NAMES = """
    Content-Type Accept User-Agent Host X-Request-Id Idempotency-Key key keyword issue_key author authors signal design
    assignment compass passenger monkey page_token nextPageToken continuationToken sync_token max_tokens tokenType
    state code hub.challenge cursor
"""


@pytest.mark.parametrize("name", SECRET_NAMES.split())
def test_names_of_secrets(name: str) -> None:
    assert is_secret_name(name)


@pytest.mark.parametrize("name", OTHER_NAMES.split())
def test_names_of_other_things(name: str) -> None:
    assert not is_secret_name(name)


@pytest.mark.parametrize(
    ("address", "masked"),
    [
        ("https://x.test/a?n=1&api_key=abc&token=b%20c#top", "https://x.test/a?n=1&api_key=*&token=*#top"),
        ("https://ada:p%40ss@x.test:8080/a@b?q=c@d", "https://ada:*@x.test:8080/a@b?q=c@d"),
        ("https://x.test/#access_token=abc&state=1", "https://x.test/#access_token=*&state=1"),
        ("https://x.test/?next=https://y.test/?token=abc", "https://x.test/?next=https://y.test/?token=*"),
        ("https://x.test/?api%5Fkey=abc", "https://x.test/?api%5Fkey=*"),
        ("{{ trigger.body.url }}?token=abc", "{{ trigger.body.url }}?token=*"),
        ("https://x.test/?a={{ '?token=' ~ trigger.a }}", "https://x.test/?a={{ '?token=' ~ trigger.a }}"),
        ("https://x.test/?token=", "https://x.test/?token="),
        ("https://ada@x.test/token=abc", "https://ada@x.test/token=abc"),
        ("mail ada@x.test: a=b", "mail ada@x.test: a=b"),
    ],
)
def test_secrets_of_an_address(address: str, masked: str) -> None:
    assert change_secrets(address, lambda _text, _name: "*") == masked


@pytest.mark.parametrize("unit", ["?", "&token=a", "?token={{", "://a:", "{{/", "?{{ x }}=", "@", ";"])
def test_an_address_takes_time_in_proportion_to_its_length(unit: str) -> None:
    began = process_time()
    list(secrets_by_name("https://" + unit * (200_000 // len(unit))))
    assert process_time() - began < 10, "a quadratic search takes minutes"


KEYS = ["token", ByName("headers"), ByName("query"), ByName("url")]
CONFIG: dict[str, Any] = {
    "token": "t-secret",
    "headers": {"Authorization": "Bearer abc.def-123", "X-Plain": "seen", "Cookie": "session=0123456789; theme=dark"},
    "query": {"api_key": "k-secret", "n": 7, "pin": True, "token": 73915846, "page_token": "p2"},
    "url": "https://ada:pass-word@x.test/?access_token=u-secret&n=1",
    "body": {"token": "of the data"},
}


class TestConfigs:
    """What is under a key by name is sealed, masked and opened like any other secret."""

    vault = Vault([new_key()])

    def test_what_is_sealed_is_opened_again(self) -> None:
        sealed = seal_fields(CONFIG, KEYS, self.vault)
        assert is_sealed(sealed["headers"]["Authorization"])
        assert not any(clear in str(sealed) for clear in ("abc.def", "0123456789", "k-secret", "u-secret", "pass-word"))
        assert (sealed["headers"]["X-Plain"], sealed["query"]["n"], sealed["body"]) == ("seen", 7, CONFIG["body"])
        numbers_are_text = {**CONFIG, "query": {**CONFIG["query"], "token": "73915846"}}
        assert open_fields(sealed, KEYS, self.vault) == numbers_are_text

    def test_masks(self) -> None:
        masked = mask_fields(CONFIG, KEYS)
        assert masked["headers"] == {"Authorization": MASK, "X-Plain": "seen", "Cookie": MASK}
        assert masked["query"] == {"api_key": MASK, "n": 7, "pin": True, "token": MASK, "page_token": "p2"}
        assert masked["url"] == f"https://ada:{MASK}@x.test/?access_token={MASK}&n=1"

    def test_a_mask_that_comes_back_keeps_what_is_stored(self) -> None:
        changed = mask_fields(CONFIG, KEYS)
        changed["url"] = f"https://ada:{MASK}@x.test/other?n=2&access_token={MASK}"
        kept = unmask_fields(changed, KEYS, CONFIG)
        assert kept["headers"] == CONFIG["headers"]
        assert kept["url"] == "https://ada:pass-word@x.test/other?n=2&access_token=u-secret"

    @pytest.mark.parametrize(
        "text", ["{{ secrets.T }}", "Bearer {{ secrets.T }}", "session={{ secrets.T }}; x={{ trigger.x }}"]
    )
    def test_what_names_a_secret_is_shown(self, text: str) -> None:
        config = {"headers": {"Cookie": text}}
        assert mask_fields(config, KEYS) == seal_fields(config, KEYS, self.vault) == config
        assert mask_fields(config, KEYS, literal=True) == {"headers": {"Cookie": MASK}}

    def test_a_secret_beside_an_expression_is_not(self) -> None:
        assert mask_fields({"headers": {"token": "abc123-{{ trigger.n }}"}}, KEYS) == {"headers": {"token": MASK}}

    def test_receivers_may_repeat_them_without_scheme_and_name(self) -> None:
        found = secret_values(CONFIG, KEYS)
        assert {"abc.def-123", "0123456789", "k-secret", "u-secret", "pass-word", "73915846", "t-secret"} <= set(found)
        assert not {"seen", "dark", "Bearer", "p2"} & set(found)
