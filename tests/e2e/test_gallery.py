"""The gallery and an image's page in a real browser: accessible, on a telephone too, and whole without a script."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from common.facts import HISTOGRAM
from tests.api_world import World
from tests.fleet import eventually
from tests.photo_world import store, variants

TELEPHONE, DESK = 390, 1280
MOST_BYTES = 100_000
ATTACK = 'https://a.example/"><script>document.title="run"</script><img src=x onerror=document.title="run">'


def photographs(world: World) -> list[str]:
    """Store more photographs than a page of the gallery shows; one has a hostile name."""
    _, md5s = store(world, variants(56))
    world.database["images"].update_one({"_id": md5s[0]}, {"$set": {"url": ATTACK}})
    world.database["items"].update_one({"md5": md5s[0]}, {"$set": {"url": ATTACK}})
    return md5s


@pytest.fixture
def stored(world) -> list[str]:
    return photographs(world)


@contextmanager
def opened(browser: Browser, address: str, *, width: int = DESK, **options: object) -> Iterator[Page]:
    """Have a page open; fails on a complaint of its console, a request elsewhere, or a violation of its policy."""
    page = browser.new_page(viewport={"width": width, "height": 900}, **options)
    complaints: list[str] = []
    page.add_init_script("addEventListener('securitypolicyviolation', e => console.error('CSP', e.violatedDirective))")
    page.on("console", lambda message: complaints.append(message.text) if message.type != "log" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda asked: None if asked.url.startswith(address) else complaints.append(asked.url))
    yield page
    page.close()
    assert complaints == []


def faults(page: Page) -> list[str]:
    """Give what axe finds, each with where it is."""
    violations = Axe().run(page).response["violations"]
    return [f"{each['id']}: {node['html'][:120]}" for each in violations for node in each["nodes"]]


@pytest.mark.parametrize(("scheme", "width"), [*product(("light", "dark"), (TELEPHONE, DESK))])
def test_the_pages_are_accessible_and_no_wider_than_the_screen(browser, address, world, scheme, width):
    stored = photographs(world)
    task_id = world.database["tasks"].find_one({})["_id"]
    with opened(browser, address, width=width, color_scheme=scheme) as page:
        for path in (
            "/images",
            f"/images?min_width=100&host=photos.example&task={task_id}",
            "/images?format_is=PNG&since=2024-05-01",
            "/images?host=nowhere.example",
            f"/images/{stored[0]}",
            f"/images/{stored[5]}?distance=11",
        ):
            page.goto(f"{address}{path}", wait_until="load")
            if path.startswith("/images/"):
                page.wait_for_selector("#levels .bars .point path", state="attached")
            assert page.evaluate("document.documentElement.scrollWidth") <= width, path
            assert faults(page) == [], path
            assert "run" not in page.title().split(" · ")[-1]
            assert page.locator("img[src=x]").count() == 0


def test_the_drawn_figure_has_the_stored_counts(browser, address, world, stored):
    with opened(browser, address) as page:
        page.goto(f"{address}/images/{stored[3]}", wait_until="load")
        page.wait_for_selector("#levels .bars .point path", state="attached")
        drawn = page.evaluate(
            "document.getElementById('levels').calcdata[0].map(bar => [bar.p, Math.round(bar.s ** 2)])"
        )
        assert [level for level, _ in drawn] == list(range(256))
        counts = HISTOGRAM.unpack(world.database["images"].find_one({"_id": stored[3]})["histogram"])
        assert [count for _, count in drawn] == list(counts)
        assert not page.locator(".drawn > svg").is_visible()


def test_without_a_script_the_pages_are_whole(browser, address, stored):
    with opened(browser, address, java_script_enabled=False) as page:
        page.goto(f"{address}/images/{stored[3]}", wait_until="load")
        assert page.locator(".drawn > svg").is_visible()
        assert page.get_by_text("median").is_visible()
        page.get_by_label("Function").fill("p99.9")
        page.get_by_role("button", name="Compute").click()
        expect(page).to_have_url(f"{address}/stats/{stored[3]}/p99.9")
        page.goto(f"{address}/images", wait_until="load")
        page.get_by_label("Host").fill("photos.example")
        page.get_by_text("Size, day, task").click()
        page.get_by_label("Width from").fill("300")
        with page.expect_navigation(url=re.compile("min_width=300")):
            page.get_by_role("button", name="Show").click()
        widths = {int(text.split()[0]) for text in page.locator(".thumbnails .detail").all_inner_texts()}
        assert widths
        assert min(widths) >= 300


def test_who_pages_on_sees_every_image_once(browser, address, stored):
    with opened(browser, address) as page:
        page.goto(f"{address}/images?limit=20", wait_until="load")
        seen = []
        while True:
            seen += [link.get_attribute("href").rpartition("/")[2] for link in page.locator(".thumbnails a").all()]
            older = page.get_by_role("link", name="Older images")
            if not older.count():
                break
            with page.expect_navigation():
                older.click()
        assert seen == stored[::-1]


def test_the_first_paint_needs_no_script_little_weight_and_does_not_move(browser, address, stored):
    with opened(browser, address) as page:
        sizes: dict[str, int] = {}
        page.on("response", lambda got: sizes.update({got.url: int(got.headers.get("content-length", 0))}))
        for path in ("/images", f"/images/{stored[3]}"):
            sizes.clear()
            page.goto(f"{address}{path}", wait_until="load")
            page.evaluate("window.scrollTo(0, document.documentElement.scrollHeight)")
            page.wait_for_load_state("networkidle")
            own = {url: size for url, size in sizes.items() if "/image/" not in url and "plotly.min" not in url}
            assert sum(own.values()) < MOST_BYTES
            thumbnails = [size for url, size in sizes.items() if url.endswith("/thumbnail")]
            assert thumbnails
            assert max(thumbnails) < 15_000
            assert page.locator("script[src]:not([defer])").count() == 0
            shifted = """new Promise(done => new PerformanceObserver(list => done(
                list.getEntries().reduce((sum, entry) => sum + (entry.hadRecentInput ? 0 : entry.value), 0)
            )).observe({type: 'layout-shift', buffered: true}) ?? setTimeout(() => done(0), 300))"""
            assert page.evaluate(shifted) < 0.02, path


def test_the_keyboard_reaches_content_filters_and_images(browser, address, stored):
    with opened(browser, address) as page:
        page.goto(f"{address}/images", wait_until="load")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
        page.keyboard.press("Enter")
        reached = []
        for _ in range(6):
            page.keyboard.press("Tab")
            reached.append(page.evaluate("document.activeElement.name || document.activeElement.tagName"))
            assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
        assert reached[:2] == ["host", "format_is"]
        assert reached[2:] == ["SUMMARY", "BUTTON", "A", "A"]
        page.keyboard.press("Enter")
        page.wait_for_url(f"{address}/images/{stored[-2]}")


def test_the_figure_is_redrawn_in_the_scheme_that_is_switched_to(browser, address, stored):
    with opened(browser, address, color_scheme="light") as page:
        page.goto(f"{address}/images/{stored[3]}", wait_until="load")
        page.wait_for_selector("#levels .bars .point path", state="attached")
        colour = "document.getElementById('levels')._fullLayout.font.color"
        light = page.evaluate(colour)
        page.emulate_media(color_scheme="dark")
        eventually(lambda: page.evaluate(colour) != light)
