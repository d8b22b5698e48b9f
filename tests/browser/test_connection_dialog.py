"""A connection that is made while a step is built, without leaving it."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.test_builder import Builder, builder
from tests.browser.watched import Windows, grave_violations
from tests.services.oauth_provider import CLIENT_ID, CLIENT_SECRET, PERSON, Provider

__all__ = ["builder"]


def test_a_connection_is_made_beside_the_step_and_chosen_in_it(windows: Windows, builder: Builder) -> None:
    page = builder.page
    builder.add("send e-mail")
    here = page.url
    page.get_by_role("link", name="New connection").click()
    dialog = page.get_by_role("dialog", name="New connection")
    expect(dialog.get_by_role("searchbox")).to_be_focused()
    assert grave_violations(page) == []
    dialog.locator("a[href*='type=smtp']").click()
    dialog.get_by_label("Name", exact=True).fill("Not a name")
    dialog.get_by_role("button", name="Create").click()
    expect(dialog.get_by_label("Name", exact=True)).to_have_attribute("aria-invalid", "true")
    windows.forgive("400")
    dialog.get_by_label("Name", exact=True).fill("team-mail")
    dialog.get_by_label("SMTP server").fill("127.0.0.1")
    dialog.get_by_label("SMTP port").fill("9")
    dialog.get_by_role("button", name="Create").click()
    expect(dialog).to_contain_text("“team-mail” was saved, but does not work")
    dialog.get_by_role("button", name="Done").click()
    expect(page.get_by_label("Connection", exact=True)).to_have_value("team-mail")
    expect(page.locator("#bar")).to_contain_text("saved")
    page.reload()
    expect(page.get_by_label("Connection", exact=True)).to_have_value("team-mail")
    assert page.url == here


def test_somebody_signs_in_at_a_provider_and_comes_back_to_the_step(builder: Builder, provider: Provider) -> None:
    page = builder.page
    builder.add("http request")
    page.get_by_role("link", name="New connection").click()
    dialog = page.get_by_role("dialog", name="New connection")
    dialog.locator("a[href*='type=oauth2']:not([href*='preset'])").click()
    dialog.get_by_label("Name", exact=True).fill("crm")
    dialog.get_by_label("Client ID").fill(CLIENT_ID)
    dialog.get_by_label("Client secret").fill(CLIENT_SECRET)
    dialog.get_by_label("Scopes").fill("read")
    dialog.locator("summary", has_text="The provider's addresses").click()
    dialog.get_by_label("Authorization URL", exact=True).fill(f"{provider.url}/authorize")
    dialog.get_by_label("Token URL").fill(f"{provider.url}/token")
    dialog.get_by_label("User info URL").fill(f"{provider.url}/me")
    dialog.get_by_role("button", name="Create").click()
    with page.expect_popup() as opened:
        dialog.get_by_role("link", name="Sign in").click()
    window = opened.value
    window.get_by_role("button", name="Connect").click()
    window.get_by_role("button", name="Allow").click()
    expect(window.get_by_text(PERSON).first).to_be_visible()
    window.close()
    page.bring_to_front()
    page.evaluate("dispatchEvent(new Event('focus'))")  # a browser without a screen gives none
    expect(dialog).to_contain_text(f"Signed in as {PERSON}.")
    expect(dialog.get_by_role("link", name="Sign in")).to_have_count(0)
    dialog.get_by_role("button", name="Done").click()
    expect(page.get_by_label("Connection", exact=True)).to_have_value("crm")
