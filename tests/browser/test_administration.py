"""The pages of administrators, and those that links from them lead to: in light and dark, wide and on a phone."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect
from sqlalchemy.orm import Session

from bench.product import Product
from flowforge.accounts import administration
from flowforge.db.engine import make_engine
from flowforge.embedded import postgres
from tests.browser.watched import Windows, examine


def make_owner(product: Product, name: str) -> None:
    engine = make_engine(postgres.url_of(product.home))
    with Session(engine) as session:
        administration.make_owner(session, administration.find_by_name(session, name).id)
    engine.dispose()


def test_every_page_is_accessible_and_fits(windows: Windows, register: Callable[[Page], str], product: Product) -> None:
    page, other = windows.open(), windows.open()
    name, member = register(page), register(other)
    make_owner(product, name)

    examine(page, "/administration/system")
    examine(page, "/failed-messages")
    page.goto("/administration/accounts")
    page.get_by_label("E-mail (optional)").fill("eve@example.test")
    page.get_by_role("button", name="Create invitation").click()
    invitation = page.locator(".reveal pre").inner_text()
    examine(page)
    examine(page, f"/administration/accounts?q={member}")
    page.get_by_role("link", name=member, exact=True).click()
    expect(page.get_by_role("button", name="Password reset link")).to_be_visible()
    examine(page)
    page.get_by_role("button", name="Password reset link").click()
    reset = page.locator(".reveal pre").inner_text()
    examine(page)

    visitor = windows.open()
    for link in (invitation, reset, f"{invitation}x", f"{reset}x"):
        examine(visitor, "/" + link.split("/", 3)[3])
    windows.forgive("invitations/", "password-resets/")
