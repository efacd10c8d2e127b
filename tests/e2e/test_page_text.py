"""A page's text is what a real browser has as `document.body.innerText`; where we differ, we mean to.

Compared line by line, without empty lines and runs of spaces: an image that ends a line leaves a space before it in
`innerText`, and a `<pre>` an empty line behind it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser

from tests.browser_world import open_page, serving
from tests.scraped_pages import NAMES, ScrapedPage


@dataclass(frozen=True)
class Differing:
    """The lines that only the browser and only we have, and why."""

    why: str
    only_browser: tuple[str, ...] = ()
    only_ours: tuple[str, ...] = ()


ON_PURPOSE = {
    "frames": Differing(
        "a browser shows the frames, which are other documents; we have what stands in this one",
        only_ours=("This site needs frames.", "See the text."),
    ),
    "iframes": Differing(
        "innerText leaves out what an srcdoc and a shadow root show", only_ours=("Inside & shown", "Shadow")
    ),
    "hidden": Differing("what is folded is meant to be read", only_ours=("Shown 7 (folded)",)),
    "hostile_base": Differing(
        "control characters are left out",
        only_browser=("<img src=x onerror=alert(1)> \ufffd\x01\x1b[31m red \u202eover",),
        only_ours=("<img src=x onerror=alert(1)> \ufffd[31m red \u202eover",),
    ),
    "lying_header": Differing(
        "a browser believes the header and shows rubbish; the page's own declaration fits its bytes",
        only_browser=("�� ���� ���� ��� ����� ������ ��� ����� ��������.",),
        only_ours=("Το νησί έχει ένα μικρό λιμάνι και τρεις ταβέρνες.",),
    ),
    "lying_latin": Differing(
        "a browser believes the header and shows rubbish; the bytes are UTF-8",
        only_browser=("ZaÅ¼Ã³Å‚Ä‡ gÄ™Å›lÄ… jaÅºÅ„.",),
        only_ours=("Zażółć gęślą jaźń.",),
    ),
}


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with serving() as address:
        yield address


def lines(text: str) -> list[str]:
    return [line for line in (re.sub(" +", " ", line).strip(" \t\xa0") for line in text.split("\n")) if line]


@pytest.mark.parametrize("name", NAMES)
def test_the_text_is_what_the_browser_shows(browser: Browser, address: str, name: str) -> None:
    tab, _asked = open_page(browser, address, name, scale=1)
    browsers = lines(tab.evaluate("document.body.innerText"))
    tab.close()
    ours = lines(ScrapedPage(name).read(address).text)
    known = ON_PURPOSE.get(name, Differing(""))
    assert [line for line in browsers if line not in known.only_browser] == [
        line for line in ours if line not in known.only_ours
    ]
    assert set(known.only_ours) <= set(ours)
    assert set(known.only_browser) <= set(browsers)
