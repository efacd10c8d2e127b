"""The monitoring page in a real browser: what a click leads to, whose time is shown, what goes on without a reload."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, Page

from common.instants import write_instant
from common.queue_states import QueueState
from services.api.queries.depths import note_depths
from tests.api_world import NOON
from tests.watched import check

QUARTER = f"from={write_instant(NOON)}&to={write_instant(NOON + timedelta(minutes=15))}"


@contextmanager
def opened(browser: Browser, address: str, **options: Any) -> Iterator[Page]:
    """Have a page open; fails on a complaint of its console, a request elsewhere, or a violation of its policy."""
    page = browser.new_page(**{"timezone_id": "Asia/Tokyo", "locale": "en-GB", **options})
    complaints: list[str] = []
    page.add_init_script("addEventListener('securitypolicyviolation', e => console.error('CSP', e.violatedDirective))")
    page.on("console", lambda message: complaints.append(message.text) if message.type != "log" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda asked: None if asked.url.startswith((address, "file:")) else complaints.append(asked.url))
    yield page
    page.close()
    assert complaints == []


def wait_for_bars(page: Page) -> None:
    page.wait_for_selector("#histogram .bars .point path", state="attached")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_everybody_can_use_the_pages(browser, address, world, scheme, width):
    task = world.task(["https://a.example/1.png", "https://a.example/2.png"])
    world.end(task, 1, "error", status=404)
    with opened(
        browser, address, color_scheme=scheme, viewport={"width": width, "height": 800}, bypass_csp=True
    ) as page:
        page.goto(f"{address}/monitoring?{QUARTER}")
        page.wait_for_selector("#histogram .nsewdrag", state="attached")
        check(page)
        for other in (f"/monitoring/items?{QUARTER}", "/stats", "/docs"):
            page.goto(address + other)
            check(page)


def click(page: Page, minute: int, height: float) -> dict[str, str]:
    """Click into a bar of the quarter of an hour; gives what the page is then asked for."""
    wait_for_bars(page)
    box = page.locator("#histogram .nsewdrag").bounding_box()
    assert box is not None
    position = {"x": box["width"] * (minute + 0.5) / 15, "y": box["height"] * (1 - height)}
    page.locator("#histogram .nsewdrag").hover(position=position)
    page.mouse.down()
    page.mouse.up()
    page.wait_for_url("**/monitoring/items?**")
    return {name: values[0] for name, values in parse_qs(urlsplit(page.url).query).items()}


@pytest.mark.parametrize(
    ("by", "clicked"),
    [
        ("outcome", (0.1, {"outcome": "success"}, 30)),
        ("outcome", (0.8, {"outcome": "error"}, 20)),
        ("outcome", (0.99, {}, 50)),
        ("reason", (0.5, {"reason": "http_4xx"}, 20)),
        ("reason", (0.99, {"outcome": "error"}, 20)),
    ],
)
def test_a_click_on_a_part_of_a_bar_leads_to_the_items_behind_it(browser, address, world, by, clicked):
    height, expected, count = clicked
    world.settled_task({"success": 30, "error": 20}, start=NOON + timedelta(minutes=4, seconds=-1))
    with opened(browser, address) as page:
        page.goto(f"{address}/monitoring?{QUARTER}&by={by}")
        asked = click(page, 4, height)
        start = NOON + timedelta(minutes=4)
        span = {"from": write_instant(start), "to": write_instant(start + timedelta(minutes=1))}
        assert asked == {**span, **expected}
        assert page.locator("tbody tr").count() == count


def test_the_visitors_time_stands_beside_utc_and_nothing_else_is_in_it(browser, address, world):
    world.settled_task({"success": 3})
    with opened(browser, address) as page:
        page.goto(f"{address}/monitoring?{QUARTER}")
        assert page.get_by_text("In your zone, Asia/Tokyo: 31/05/2024, 21:00 to 31/05/2024, 21:15.").is_visible()
        wait_for_bars(page)
        page.locator("#histogram .nsewdrag").hover(position={"x": 5, "y": 100})
        label = page.locator("#histogram .legend .traces")
        label.first.wait_for()
        texts = page.locator("#histogram .hoverlayer text").all_text_contents()
        assert "2024-05-31 12:00 UTC" in texts
        assert "Asia/Tokyo : 31/05/2024, 21:00" in texts
        assert page.locator("#histogram .xtick text").first.text_content().startswith("12:00")


def test_the_page_brings_itself_up_to_date(browser, address, world):
    now = datetime.now(UTC)
    world.settled_task({"success": 2}, start=now - timedelta(seconds=60))
    with opened(browser, address) as page:
        page.goto(f"{address}/monitoring?minutes=15")
        wait_for_bars(page)
        world.settled_task({"success": 3}, start=now - timedelta(seconds=60))
        total = page.locator(".totals dd").first
        total.filter(has_text=re.compile("^5$")).wait_for(timeout=30_000)
        sums = "document.getElementById('histogram').data[0].y.reduce((sum, count) => sum + count)"
        page.wait_for_function(f"{sums} === 5")


def test_queues_are_drawn_with_the_gaps_in_which_nobody_looked(browser, address, database):
    for minute in (0, 1, 2, 7, 8):
        note_depths(database, {"fetcher": QueueState(minute + 1, 1)}, NOON + timedelta(minutes=minute))
    with opened(browser, address) as page:
        page.goto(f"{address}/monitoring?{QUARTER}")
        page.wait_for_selector("#depths .scatterlayer path.js-line", state="attached")
        fetcher = page.locator("#depths .scatterlayer .trace").first
        assert fetcher.locator("path.js-line").count() == 2
        assert fetcher.locator("path.point").count() == 5


def test_the_chart_alone_is_drawn_from_a_file_that_was_kept(browser, address, client, world, tmp_path):
    world.settled_task({"success": 3, "duplicate": 2, "error": 1})
    kept = tmp_path / "monitoring.html"
    kept.write_bytes(client.get(f"/testmonitoring?{QUARTER}").data)
    for place in (f"{address}/testmonitoring?{QUARTER}", kept.as_uri()):
        with opened(browser, address) as page:
            page.goto(place)
            wait_for_bars(page)
            sums = "Object.fromEntries(document.getElementById('histogram').data.map(bars => [bars.name, bars.y[0]]))"
            assert json.loads(page.evaluate(f"JSON.stringify({sums})")) == {
                "success": 3,
                "duplicate": 2,
                "error": 1,
                "Asia/Tokyo": 0,
            }


def test_on_a_telephone_nothing_is_wider_than_the_screen(browser, address, world):
    world.settled_task({"success": 3, "duplicate": 2, "error": 9}, name="telephone")
    note_depths(world.database, {"aggregator.gray": QueueState(123_456, 1)}, NOON)
    with opened(browser, address) as page:
        page.set_viewport_size({"width": 360, "height": 740})
        for path in ("/monitoring", "/monitoring/items", "/testmonitoring"):
            for by in ("outcome", "reason"):
                page.goto(f"{address}{path}?{QUARTER}&by={by}")
                assert page.evaluate("document.documentElement.scrollWidth") <= 360
