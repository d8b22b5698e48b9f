"""Mail addresses, as people write them and mails carry them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowforge.mail import addresses
from flowforge.mail.addresses import Address


@pytest.mark.parametrize(
    ("text", "mailboxes"),
    [
        ('"Doe, Jane" <jane@x.test>, ann@x.test', ["jane@x.test", "ann@x.test"]),
        ("Doe, Jane <jane@x.test>, ann@x.test", ["jane@x.test", "ann@x.test"]),
        ("a@x.test; b@x.test;", ["a@x.test", "b@x.test"]),
        ("a@x.test,, b@x.test,", ["a@x.test", "b@x.test"]),
        ('Team: a@x.test, "B: C; D" <b@x.test>;, c@x.test', ["a@x.test", "b@x.test", "c@x.test"]),
        ("ann@x.test (Doe, Ann), bob@x.test", ["ann@x.test", "bob@x.test"]),
        ('"a b"@x.test, a@[IPv6:::1]', ['"a b"@x.test', "a@[IPv6:::1]"]),
        (" \n", []),
        ("undisclosed-recipients:;", []),
    ],
)
def test_a_list_of_addresses_is_read(text: str, mailboxes: list[str]) -> None:
    assert [address.mailbox for address in addresses.read_list(text)] == mailboxes


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("ann@x.test", ""),
        ("<ann@x.test>", ""),
        (" Ann <ann@x.test>\n", "Ann"),
        ("ann@x.test (Ann)", "Ann"),
        ("Ann (Sales) <ann@x.test>", "Ann (Sales)"),
        ('"Ann \\"A\\" Doe" <ann@x.test>', 'Ann "A" Doe'),
        ('"Ann, <ann@x.test>', "Ann,"),
        ("Ünsal Ö <ann@x.test> (private)", "Ünsal Ö"),
    ],
)
def test_names_are_read(text: str, name: str) -> None:
    assert addresses.read(text) == Address(name, "ann", "x.test")


@pytest.mark.parametrize(
    ("text", "mailbox"),
    [
        ("jane@bücher.example", "jane@xn--bcher-kva.example"),
        ("ü@例え.jp", "ü@xn--r8jz45g.jp"),
        ("a@Ｘ.test", "a@x.test"),
    ],
)
def test_domains_in_other_scripts_are_written_as_servers_know_them(text: str, mailbox: str) -> None:
    assert addresses.read(text).mailbox == mailbox


@pytest.mark.parametrize(
    "text",
    ["", "ann", "ann@", "@x.test", "a@@x.test", "a b@x.test", "a@x..test", "a@-x.test", "a@x.test\r\nBcc: b@x.test",
     "A\r\nBcc: b <a@x.test>", "a@x.test, b@x.test", "a@x\0.test", "a" * 65 + "@x.test", "a@" + "x" * 64,
     "a@" + "ü" * 80,     "a@\u2024", "<a@x.test", "a@x.test>", "\"a\r\n\"@x.test"],
)  # fmt: skip
def test_what_is_not_one_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a mail address"):
        addresses.read(text)


_NAMES = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=30).map(str.strip)


@given(_NAMES)
def test_what_is_written_can_be_read(name: str) -> None:
    address = Address(name, "ann", "x.test")
    assert addresses.read(str(address)) == address
    assert addresses.read_list(f"{address}, {address}") == [address, address]


@given(st.lists(st.sampled_from(['"', "\\", "<", ">", "(", ")", ",", ";", ":", "@", "a", " "]), max_size=40))
def test_no_piece_of_a_list_is_lost(characters: list[str]) -> None:
    """The letters of every text are found again in its pieces, but for the names of groups."""
    text = "".join(characters).replace(":", "")
    assert "".join(addresses.split(text)).count("a") == text.count("a")
