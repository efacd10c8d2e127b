"""Strangers' texts in every place that a page shows, in a real browser: none of them runs, and none breaks a page."""

import re
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import pytest
from playwright.sync_api import Page

from common.page_tasks import Kind
from tests.page_world import PageWorld
from tests.photo_world import store, variants
from tests.watched import check, watched

RUN = "window.pwned=1"
PAYLOADS = (
    f'"><script>{RUN}</script>',
    f'\'><img src=x onerror="{RUN}">',
    f"</title></textarea></script><svg onload={RUN}>",
    f'" autofocus onfocus="{RUN}" style="position:fixed;inset:0',
    f"javascript:{RUN}",
    f"data:text/html,<script>{RUN}</script>",
    f"&lt;script&gt;{RUN}&lt;/script&gt;",
    "{{ 7 * 191 }}${7*191}{% include '/etc/passwd' %}",
    f"\u202e`<b onclick={RUN}>`\u2028</b><!--",
    "\u0000\u0007\u001b[31m<plaintext>",
    "w" * 1_500,
)
SOME = "-".join(PAYLOADS[:3])
KINDS = re.compile(r"[0-9a-f]{32}|[0-9a-f-]{36}|(?<=[?&=])[^=&]+(?=&|$)")
"""What differs from one page to another of its kind."""
MARKUP = "[onerror], [onload], [onfocus], [onclick], [style*=inset], plaintext, script:not([src], [type])"


def urls() -> list[str]:
    """Give URLs with each payload: in its path, its query, its fragment, its host and instead of all of it."""
    return [
        url
        for text in PAYLOADS
        for url in (
            f"https://a.example/{text}.png",
            f"https://a.example/{quote(text)}",
            f"https://a.example/?q={text}#{text}",
            f"https://{text}/a.png",
            text,
        )
    ]


@pytest.fixture
def strange(world) -> list[str]:
    """Write the payloads wherever strangers can write; gives the addresses to begin with."""
    pages, database, files = PageWorld(world.database), world.database, variants(len(PAYLOADS))
    _, md5s = store(world, files)
    for md5, text in zip(md5s, PAYLOADS, strict=True):
        for name in (text, quote(text)):
            url = f"https://a.example/{name}"
            database["items"].update_one({"md5": md5}, {"$set": {"url": url, "file_name": text}})
            database["images"].update_one({"_id": md5}, {"$set": {"url": url}})
    found = [world.task(urls(), name=text[:200]) for text in PAYLOADS[:3]]
    for line, text in enumerate(urls(), 1):
        host = {"host": PAYLOADS[line % 3][:200]}
        world.end(found[0], line, "error", detail=text, reason="invalid_url" if line % 2 else "dns", **host)
    failed, read = (pages.task(Kind.IMAGES, f"https://a.example/{PAYLOADS[n]}") for n in (0, 1))
    pages.fail(failed)
    texts = dict.fromkeys(("title", "description", "language", "canonical_url", "text", "main_text"), SOME)
    pages.read(read, urls(), **{**texts, "url": f"https://a.example/{SOME}"})
    told = pages.task(Kind.TEXT, PAYLOADS[4])
    pages.read(told, **texts)
    for text in PAYLOADS:
        world.pause(text, until=datetime.now(UTC) + timedelta(hours=1))
    tasks = [f"/url_tasks/{task}" for task in (*found, failed, read, told)]
    span = "from=2024-05-31T11:00:00Z&to=2024-05-31T13:00:00Z"
    return [
        *("/", "/url_tasks", "/images", "/docs", "/stats", "/monitoring", "/sign-in"),
        *tasks,
        *(f"{task}/items" for task in tasks),
        *(f"{path}{md5s[0]}" for path in ("/images/", "/stats/")),
        *(f"/{path}{span}" for path in ("monitoring?by=reason&", "monitoring/items?", "testmonitoring?")),
        f"/monitoring?{span}&host={quote(SOME[:250])}",
        *(
            f"{path}{quote(text, safe='')}"
            for text in (SOME[:100], *PAYLOADS[7:10])
            for path in ("/stats/", "/images?host=", "/images?task=", "/", "/sign-in?next=/")
        ),
        "/hosts",
    ]


def look(page: Page, address: str) -> list[str]:
    """Look at one page; gives the addresses of ours that it leads to."""
    page.goto(address)
    assert page.evaluate("window.pwned === undefined"), address
    assert page.locator(f"main :is({MARKUP})").count() == 0, address
    links = page.eval_on_selector_all("a[href], form[action], img", "all => all.map(e => e.href ?? e.action ?? e.src)")
    assert all(link.startswith(("http://", "https://")) for link in links), address
    assert "1337" not in page.locator("main").inner_text(), address
    assert page.evaluate("document.querySelectorAll('body > main').length") == 1, address
    check(page, axe=False)
    return [link.partition("#")[0] for link in links]


def test_what_strangers_write_never_runs_by_the_pages_escaping_alone(browser, address, strange):
    """Those pages are looked at without their policy, and from there one page of each kind that they lead to."""
    seen = {KINDS.sub("*", f"{address}{path}") for path in strange}
    led: dict[str, str] = {}
    with watched(browser, address, bypass_csp=True) as page:
        page.on("dialog", lambda dialog: pytest.fail(dialog.message))
        for path in strange:
            for link in look(page, f"{address}{path}"):
                if link.startswith(f"{address}/"):
                    led.setdefault(KINDS.sub("*", link), link)
        for kind, link in led.items():
            if kind not in seen and page.request.head(link).headers.get("content-type", "").startswith("text/html"):
                look(page, link)


def test_pages_of_strangers_texts_keep_their_policy_and_are_for_everybody(browser, address, strange):
    with watched(browser, address) as page:
        for path in strange[1:3] + strange[7:8] + strange[13:14] + strange[19:21]:
            page.goto(f"{address}{path}")
            check(page)
