"""A page of ours in a browser, watched: it may complain of nothing, ask nobody else, and be usable by everybody."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Page

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@contextmanager
def watched(browser: Browser, address: str, **options: Any) -> Iterator[Page]:
    """Have a page open; fails on a complaint on its console, a violation of its policy, or a request to another host.

    A browser says there of its own accord that an answer of ours is an error, and, as mere information, that a field
    with the autofocus was not focused since one had been already.
    """
    page = browser.new_page(**options)
    complaints: list[str] = []
    page.add_init_script("addEventListener('securitypolicyviolation', e => console.error('CSP', e.violatedDirective))")
    page.on("console", lambda message: complaints.append(message.text) if is_complaint(message) else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda asked: None if asked.url.startswith(address) else complaints.append(asked.url))
    yield page
    page.close()
    assert not complaints, complaints


def is_complaint(message: ConsoleMessage) -> bool:
    return message.type in {"warning", "error"} and not message.text.startswith("Failed to load")


def violations(page: Page) -> list[tuple[str, str]]:
    """Give what axe finds against WCAG 2.2 AA and good practice: the rule, and the first element that breaks it."""
    found = Axe().run(page, options={"runOnly": TAGS, "resultTypes": ["violations"]}).response["violations"]
    return [(violation["id"], violation["nodes"][0]["html"]) for violation in found]


def check(page: Page, *, axe: bool = True) -> None:
    """Check that the page fits its window and that axe finds nothing; axe is itself a script."""
    page.wait_for_load_state()  # without its style sheet it would not fit
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0, page.url
    if axe:
        assert violations(page) == [], page.url
