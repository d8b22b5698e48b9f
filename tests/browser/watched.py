"""Pages that let nothing pass: console errors, uncaught exceptions, broken policies, bad accessibility."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page

Scheme = Literal["light", "dark"]

SCHEMES: tuple[Scheme, ...] = ("light", "dark")
SIZES = {"wide": (1280, 900), "phone": (390, 844)}
_PATIENCE_MS = 20_000
_GRAVE = frozenset({"serious", "critical"})
_COLOUR_RULES = ("color-contrast", "link-in-text-block")
COLOURS = {"runOnly": _COLOUR_RULES}
"""The rules of axe that depend on the theme."""
ALL_BUT_COLOURS = {"rules": {rule: {"enabled": False} for rule in _COLOUR_RULES}}
_AXE_OPTIONS = {"resultTypes": ["violations"], "preload": False}
"""Only what fails is described; style sheets, which only a rule about turned screens reads, are not loaded again."""
_REPORT_POLICY = """
addEventListener("securitypolicyviolation", (event) =>
    console.error(`policy violation: ${event.violatedDirective} ${event.blockedURI}`));
"""


class Windows:
    """Browser windows of strangers to each other, and what went wrong in any of them."""

    def __init__(self, browser: Browser, base_url: str) -> None:
        self._browser = browser
        self._base_url = base_url
        self._contexts: list[BrowserContext] = []
        self.troubles: list[str] = []

    def open(self, size: str = "wide", scheme: Scheme = "light", *, javascript: bool = True) -> Page:
        width, height = SIZES[size]
        context = self._browser.new_context(
            base_url=self._base_url,
            viewport={"width": width, "height": height},
            color_scheme=scheme,
            java_script_enabled=javascript,
            reduced_motion="reduce",
        )
        context.set_default_timeout(_PATIENCE_MS)
        self._contexts.append(context)
        context.add_init_script(_REPORT_POLICY)
        page = context.new_page()
        page.on("console", self._note)
        page.on("pageerror", lambda error: self.troubles.append(f"uncaught: {error}"))
        return page

    def forgive(self, *parts: str) -> None:
        """Takes back the troubles that a test provoked on purpose."""
        self.troubles = [trouble for trouble in self.troubles if not any(part in trouble for part in parts)]

    def close(self) -> None:
        for context in self._contexts:
            context.close()

    def _note(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.troubles.append(f"{message.type}: {message.text} ({message.location.get('url', '')})")


def examine(page: Page, path: str | None = None) -> None:
    """Fails where the page as it is (or the one at `path`) is wider than the window of a desk or a phone or, in either
    theme, not accessible. Leaves it wide and light."""
    if path is not None:
        page.goto(path)
    found = [fault for size in SIZES for fault in _faults_at(page, size)]
    show(page, "wide", "light")
    assert found == [], page.url


def show(page: Page, size: str, scheme: Scheme) -> None:
    width, height = SIZES[size]
    page.set_viewport_size({"width": width, "height": height})
    page.emulate_media(color_scheme=scheme)


def _faults_at(page: Page, size: str) -> Iterator[str]:
    show(page, size, "light")
    yield from (f"{size}: {fault}" for fault in (*wider_than_window(page), *grave_violations(page)))
    show(page, size, "dark")
    yield from (f"{size}, dark: {fault}" for fault in grave_violations(page, COLOURS))


def wider_than_window(page: Page) -> list[str]:
    """The fault, if it is one."""
    width, most = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    return [f"{width} px wide in a window of {most}"] if width > most else []


def grave_violations(page: Page, rules: Mapping[str, Any] | None = None) -> list[str]:
    """What axe finds serious or critical on the page as it is shown now, by all rules unless some are given."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    options = {**_AXE_OPTIONS, **(rules or {})}
    return [
        f"{violation['id']}: {node['html'][:160]} {node.get('failureSummary', '')[:300]}"
        for violation in page.evaluate("options => axe.run(options).then(found => found.violations)", options)
        if violation["impact"] in _GRAVE
        for node in violation["nodes"]
    ]
