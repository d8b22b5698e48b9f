"""Debian's Chromium against the real product: web server and workers, one instance for all tests of this folder."""

from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from bench.product import Product, running
from tests.browser.gate import Gate, waiting
from tests.browser.watched import Windows
from tests.services.folders import temporary_folder

PASSWORD = "correct horse battery"
_CHROMIUM = ("chromium-headless-shell", "chromium", "chromium-browser")
"""The first is made for tests: without the browser's own frame, a window costs an eighth."""
_PATIENCE_MS = 20_000
_numbers = itertools.count(1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.parent.name == "browser":
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="package")
def product() -> Iterator[Product]:
    with temporary_folder("flowforge-test-") as folder, running(folder / "home") as product:
        yield product


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    path = next(filter(None, map(shutil.which, _CHROMIUM)), None)
    assert path, "chromium is missing; scripts/install_test_packages.sh installs it"
    as_root = ["--no-sandbox"] if os.geteuid() == 0 else []  # Chromium's sandbox refuses to run as root
    expect.set_options(timeout=_PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=as_root)
        yield browser
        browser.close()


@pytest.fixture
def windows(chromium: Browser, product: Product) -> Iterator[Windows]:
    """When the test ends, nothing may have gone wrong in any of them."""
    windows = Windows(chromium, product.url)
    yield windows
    windows.close()
    assert windows.troubles == []


@pytest.fixture
def register() -> Callable[[Page], str]:
    """Makes an account by the registration form; returns its name."""

    def register_on(page: Page) -> str:
        name = f"ada{next(_numbers)}"
        page.goto("/register")
        page.get_by_label("User name").fill(name)
        page.get_by_label("E-mail").fill(f"{name}@example.test")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Create account").click()
        page.wait_for_url(lambda url: not url.endswith("/register"))
        return name

    return register_on


@pytest.fixture
def gate() -> Iterator[Gate]:
    with waiting() as gate:
        yield gate
