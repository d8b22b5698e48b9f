"""Pages that let nothing pass: console errors, uncaught exceptions, broken policies, bad accessibility."""

from __future__ import annotations

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page

SIZES = {"wide": (1280, 900), "phone": (390, 844)}
_PATIENCE_MS = 20_000
_GRAVE = frozenset({"serious", "critical"})
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

    def open(self, size: str = "wide", scheme: str = "light", *, javascript: bool = True) -> Page:
        width, height = SIZES[size]
        context = self._browser.new_context(
            base_url=self._base_url,
            viewport={"width": width, "height": height},
            color_scheme="dark" if scheme == "dark" else "light",
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
    """Fails where the page as it is shown (or the one at `path`) is wider than its window or, in either theme, not
    accessible."""
    if path is not None:
        page.goto(path)
    assert grave_violations(page) == [], page.url
    page.emulate_media(color_scheme="dark")
    assert grave_violations(page, only="color-contrast") == [], f"{page.url} in the dark theme"
    page.emulate_media(color_scheme="light")
    width = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert width[0] <= width[1], f"{page.url} is wider than the window"


def grave_violations(page: Page, only: str | None = None) -> list[str]:
    """What axe finds serious or critical on the page as it is shown now; by one rule, if one is named."""
    options = _AXE_OPTIONS | ({"runOnly": [only]} if only else {})
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    return [
        f"{violation['id']}: {node['html'][:160]} {node.get('failureSummary', '')[:300]}"
        for violation in page.evaluate("options => axe.run(options).then(found => found.violations)", options)
        if violation["impact"] in _GRAVE
        for node in violation["nodes"]
    ]
