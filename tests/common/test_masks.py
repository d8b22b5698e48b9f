"""A mask that a client sends back stands for the secret that is stored."""

from __future__ import annotations

from typing import Any

import pytest

from flowforge.secrets import MASK, Vault, is_sealed, mask_fields, new_key, open_fields, seal_fields, unmask_fields

STORED = {"token": "t-1", "headers": {"X-Key": "k-1", "X-Other": "o-1"}, "url": "https://x.test"}


@pytest.mark.parametrize(
    ("config", "unmasked"),
    [
        ({"token": MASK}, {"token": "t-1"}),
        ({"token": "t-2"}, {"token": "t-2"}),
        ({"token": ""}, {"token": ""}),
        ({"headers": {"X-Key": MASK, "X-New": "n"}}, {"headers": {"X-Key": "k-1", "X-New": "n"}}),
        ({"headers": {"X-Unknown": MASK}}, {"headers": {"X-Unknown": MASK}}),
        ({"url": MASK}, {"url": MASK}),
    ],
    ids=["kept", "changed", "emptied", "inside an object", "a mask of nothing", "no secret field"],
)
def test_a_mask_keeps_what_is_stored_and_anything_else_takes_its_place(config: Any, unmasked: Any) -> None:
    assert unmask_fields(config, ["token", "headers"], STORED) == unmasked


def test_without_anything_stored_masks_stay() -> None:
    assert unmask_fields({"token": MASK}, ["token"], None) == {"token": MASK}


def test_a_text_that_looks_sealed_is_not_taken_for_a_secret_of_ours() -> None:
    stored = {"token": "enc:v1:of-somebody-else"}
    assert unmask_fields({"token": MASK}, ["token"], stored) == stored


@pytest.mark.parametrize("config", [{"token": 12345}, {"headers": {"X-Pin": 0.5}}])
def test_a_secret_that_is_written_as_a_number_is_sealed_like_any_other(config: Any) -> None:
    vault, keys = Vault([new_key()]), ["token", "headers"]
    sealed = seal_fields(config, keys, vault)
    [stored] = [text for value in sealed.values() for text in (value.values() if isinstance(value, dict) else [value])]
    assert is_sealed(stored)
    assert open_fields(sealed, keys, vault) in ({"token": "12345"}, {"headers": {"X-Pin": "0.5"}})
    assert mask_fields(config, keys) in ({"token": MASK}, {"headers": {"X-Pin": MASK}})
