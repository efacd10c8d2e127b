"""The pages in a real browser: they draw what the ledger says, ask no other host, run no stranger's script."""

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from PIL import Image
from playwright.sync_api import Page
from waitress.server import create_server

from common.instants import write_instant
from common.settings import Settings
from services.api.app import create_app
from tests.answering import answering
from tests.api_world import NOON

ATTACK = 'https://a.example/"><script>document.title="run"</script><img src=x onerror=document.title="run">'


@dataclass
class Watched:
    """A page, with what its console and its network said."""

    page: Page
    address: str
    complaints: list[str] = field(default_factory=list)

    def open(self, path: str) -> Page:
        """Load it; fails on any complaint, and on any request that leaves our server."""
        self.page.goto(f"{self.address}{path}", wait_until="load")
        return self.page


@pytest.fixture
def address(database, publisher) -> Iterator[str]:
    app = create_app(Settings.from_environ({}), database, publisher)
    server = create_server(app, host="127.0.0.1", port=0, threads=4, clear_untrusted_proxy_headers=True)
    with answering(server) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.fixture(params=["light", "dark"])
def watched(request, browser, address) -> Iterator[Watched]:
    page = browser.new_page(color_scheme=request.param, viewport={"width": 1280, "height": 900})
    watched = Watched(page, address)
    page.add_init_script("addEventListener('securitypolicyviolation', e => console.error('CSP', e.violatedDirective))")
    page.on("console", lambda message: watched.complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: watched.complaints.append(str(error)))
    page.on("request", lambda asked: None if asked.url.startswith(address) else watched.complaints.append(asked.url))
    yield watched
    page.close()
    assert watched.complaints == []


def now() -> datetime:
    return datetime.now(UTC).replace(second=0, microsecond=0)


def span(minutes: int) -> str:
    """Ask for so many minutes from noon of a day long past, so that no clock goes on while a test looks."""
    return f"from={write_instant(NOON)}&to={write_instant(NOON + timedelta(minutes=minutes))}"


def drawn(page: Page) -> dict[str, list[int]]:
    """Read back what plotly.js has drawn."""
    page.wait_for_selector("#histogram .bars .point path", state="attached")
    script = "Object.fromEntries(document.getElementById('histogram').calcdata.map(bars => [bars[0].trace.name,"
    return page.evaluate(f"{script} bars.map(bar => bar.s)]))")


def test_the_bars_equal_the_ledger_with_no_minute_left_out(watched, world):
    for minutes, counts in ((10, {"success": 70, "error": 5}), (40, {"success": 7, "duplicate": 9, "error": 3})):
        world.settled_task(counts, start=NOON + timedelta(minutes=minutes))
    page = watched.open(f"/monitoring?{span(60)}")
    figures = json.loads(page.request.get(f"{watched.address}/monitoring.json?{span(60)}").text())
    bars = drawn(page)
    for outcome in ("success", "duplicate", "error"):
        assert bars[outcome] == [minute[outcome] for minute in figures["bins"]]
        assert sum(bars[outcome]) == figures["totals"][outcome]
    assert figures["totals"] == {"success": 77, "duplicate": 9, "error": 8, "reasons": {"http_4xx": 8}}
    assert page.locator("#histogram").get_by_text("time (UTC)").count() == 1


def test_a_stack_of_bars_has_no_holes_and_bars_of_the_same_width(watched, world):
    """Each minute's parts stand on one another, from zero up to their sum."""
    world.settled_task({"success": 20, "duplicate": 9, "error": 25}, start=NOON + timedelta(minutes=9))
    page = watched.open(f"/monitoring?{span(15)}")
    drawn(page)
    boxes = page.evaluate(
        "[...document.querySelectorAll('#histogram .bars .point path')].map(path => path.getBBox())"
        ".filter(box => box.height > 0).map(box => [box.x, box.y, box.width, box.height])"
    )
    assert len(boxes) == 3
    assert len({round(width, 1) for _, _, width, _ in boxes}) == 1
    boxes.sort(key=lambda box: -box[1])
    for below, above in pairwise(boxes):
        assert above[1] + above[3] == pytest.approx(below[1], abs=0.5)


@pytest.mark.parametrize(("minutes", "width"), [(1440, 1280), (1440, 390), (720, 900), (180, 390)])
def test_minutes_that_all_had_events_are_drawn_as_one_area_without_a_gap(watched, world, minutes, width):
    """However narrow a bar gets, the screen's columns between the first minute and the last are all its colour."""
    task_id = world.task([f"https://a.example/{line}" for line in range(minutes)], created_at=NOON)
    for line in range(1, minutes + 1):
        world.end(task_id, line, "success", at=NOON + timedelta(minutes=line - 1))
    watched.page.set_viewport_size({"width": width, "height": 900})
    page = watched.open(f"/monitoring?{span(minutes)}")
    drawn(page)
    area = page.locator("#histogram .bglayer .bg, #histogram .plot").last
    image = Image.open(io.BytesIO(page.screenshot(clip=area.bounding_box()))).convert("RGB")
    row = [image.getpixel((column, image.height // 2)) for column in range(2, image.width - 2)]
    assert len(row) > 200
    assert max(row.count(color) for color in set(row)) > 0.5 * len(row)
    assert all(blue > red + 60 for red, _, blue in row)


def test_without_script_the_same_figures_stand_in_the_table(browser, address, world):
    world.settled_task({"success": 4, "duplicate": 3, "error": 2}, start=NOON)
    page = browser.new_page(java_script_enabled=False)
    page.goto(f"{address}/monitoring?{span(15)}")
    assert page.locator("noscript p").is_visible()
    page.locator("summary").click()
    assert page.locator("details tbody tr td").all_inner_texts() == ["4", "3", "2"]
    page.close()


def test_a_strangers_markup_is_shown_and_not_run(watched, world):
    task_id = world.task([ATTACK, "javascript:document.title='run'"], name=ATTACK[:150], created_at=now())
    world.end(task_id, 1, "error", at=now(), detail=ATTACK)
    for path in ("/", "/url_tasks", f"/url_tasks/{task_id}", f"/url_tasks/{task_id}/items", "/monitoring"):
        page = watched.open(path)
        assert "run" not in page.title().split(" · ")[-1]
        assert page.locator("main script:not([type='application/json'])").count() == 0
        assert page.locator("img[src=x]").count() == 0
    page = watched.open(f"/url_tasks/{task_id}/items")
    assert ATTACK in page.locator("td").all_inner_texts()[2]


def test_a_task_page_follows_until_every_item_has_its_outcome(watched, world):
    task_id = world.settled_task({"success": 3, "pending": 1}, start=now())
    page = watched.open(f"/url_tasks/{task_id}")
    assert page.get_by_text("1 of 4 URLs have no outcome yet").is_visible()
    world.end(task_id, 4, "duplicate", at=now())
    page.get_by_text("Every URL has its outcome").first.wait_for()
    assert page.locator("main[data-follow-seconds]").count() == 0


def test_no_page_is_wider_than_a_telephone(watched, world):
    md5 = world.image(b"one")
    task_id = world.settled_task({"success": 3, "duplicate": 4, "error": 5, "pending": 2}, start=now())
    world.end(task_id, 1, "success", at=now(), md5=md5)
    watched.page.set_viewport_size({"width": 360, "height": 740})
    for path in ("/", "/url_tasks", f"/url_tasks/{task_id}", f"/url_tasks/{task_id}/items", "/monitoring"):
        page = watched.open(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_the_keyboard_reaches_the_content_first(watched):
    page = watched.open("/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
