"""A page that keeps itself up to date, in a real browser: without getting in its reader's way."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Page, Response, expect

from common.queue_states import QueueState
from tests.api_world import NOON
from tests.watched import check, watched

MOST_BYTES = 100_000
HIDE = """hidden => {
    Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
    document.dispatchEvent(new Event("visibilitychange"));
}"""


@pytest.fixture
def page(browser, address) -> Iterator[Page]:
    with watched(browser, address, viewport={"width": 1280, "height": 600}) as page:
        yield page


@pytest.fixture
def failing(world):
    """Give a task under way with two reasons of errors."""
    task_id = world.task([f"https://a.example/{line}" for line in range(8)], name="list", created_at=datetime.now(UTC))
    for line, reason in ((1, "dns"), (2, "timeout"), (3, "timeout")):
        world.end(task_id, line, "error", reason=reason)
    return task_id


def wait_for_news(page: Page, world, task_id, line: int) -> None:
    """Have a line end, and wait until the page shows it."""
    pending = int(page.locator(".counts li", has_text="pending").locator("b").inner_text())
    world.end(task_id, line, "success")
    expect(page.locator(".counts li", has_text="pending").locator("b")).to_have_text(str(pending - 1), timeout=20_000)


def test_the_keyboard_stays_where_it_was_and_so_does_the_page(page, address, world, failing):
    page.goto(f"{address}/url_tasks/{failing}")
    page.get_by_role("button", name="Try 1 again (dns)").focus()
    page.mouse.wheel(0, 150)
    page.wait_for_function("scrollY > 100")
    before = page.evaluate("scrollY")
    wait_for_news(page, world, failing, 4)
    assert page.evaluate("document.activeElement.value") == "dns"
    assert page.evaluate("scrollY") == before


def test_when_what_was_focused_is_gone_the_keyboard_goes_on_from_the_same_part(page, address, world, failing):
    page.goto(f"{address}/url_tasks/{failing}")
    page.get_by_role("button", name="Try 1 again (dns)").focus()
    world.end(failing, 1, "success")
    world.database["items"].update_one({"task_id": failing, "line": 1}, {"$unset": {"reason": ""}})
    expect(page.get_by_role("button", name="Try 1 again (dns)")).to_have_count(0, timeout=20_000)
    assert page.evaluate("document.activeElement.id") == "task"


def test_what_was_opened_stays_open_and_what_is_selected_is_left_alone(page, address, world, failing):
    world.end(failing, 4, "success")
    page.goto(f"{address}/url_tasks/{failing}")
    page.get_by_text("The images in other forms").click()
    wait_for_news(page, world, failing, 5)
    expect(page.get_by_text("fetcher export --task")).to_be_visible()
    page.locator(".facts code").select_text()
    page.evaluate("document.querySelector('#task').dataset.seen = 'yes'")
    world.end(failing, 6, "success")
    with page.expect_response(f"**/url_tasks/{failing}", timeout=20_000):
        pass
    with page.expect_response(f"**/url_tasks/{failing}", timeout=20_000):
        pass
    assert page.evaluate("document.querySelector('#task').dataset.seen") == "yes"
    assert len(page.evaluate("String(getSelection())")) == 36


def pages_asked_for(page):
    """Note what is asked for from now on; a browser may get round to the icon late."""
    asked = []
    page.on("request", lambda request: None if "/static/" in request.url else asked.append(request.url))
    return asked


def test_a_hidden_page_asks_for_nothing_and_is_up_to_date_when_it_is_shown_again(page, address, world, failing):
    page.clock.install()
    page.goto(f"{address}/url_tasks/{failing}")
    page.evaluate(HIDE, True)
    asked = pages_asked_for(page)
    page.clock.run_for(600_000)
    assert asked == []
    page.evaluate(HIDE, False)
    page.clock.resume()
    wait_for_news(page, world, failing, 4)


def test_the_end_is_announced_and_nothing_is_asked_for_after_it(page, address, world, failing):
    page.clock.install()
    page.goto(f"{address}/url_tasks/{failing}")
    assert page.title().startswith("37 % · list")
    for line in range(4, 9):
        world.end(failing, line, "success")
    expect(page.get_by_role("status")).to_have_text(
        "Every URL has its outcome: 3 failed, and below is why.", timeout=20_000
    )
    assert page.title().startswith("list")
    asked = pages_asked_for(page)
    page.clock.run_for(600_000)
    assert asked == []


def test_home_follows_without_touching_what_is_being_typed(page, address, world, publisher, failing):
    page.goto(address)
    page.get_by_label("One a line").type("https://a.ex")
    publisher.states = {**publisher.states, "hasher": QueueState(7, 0)}
    world.end(failing, 4, "success")
    expect(page.locator(".card .status", has_text="50 %")).to_be_visible(timeout=20_000)
    expect(page.locator("#state .warning")).to_contain_text(
        "No hasher runs, and 7 messages wait for one", timeout=20_000
    )
    page.keyboard.type("ample/1")
    assert page.get_by_label("One a line").input_value() == "https://a.example/1"
    check(page)


@pytest.mark.parametrize("path", ["", "/url_tasks", "/url_tasks/{}", "/url_tasks/{}/items"])
def test_pages_are_light(page, address, failing, path):
    responses: dict[str, Response] = {}
    page.on("response", lambda response: responses.update({response.url: response}))
    page.goto(f"{address}{path.format(failing)}", wait_until="networkidle")
    sizes = {url: len(response.body()) for url, response in responses.items()}
    assert f"{address}/static/graymill.css" in sizes
    assert sum(sizes.values()) < MOST_BYTES, sizes


@pytest.fixture(params=[(390, "dark"), (1280, "light"), (1280, "dark")], ids=str)
def window(request, browser, address) -> Iterator[Page]:
    width, scheme = request.param
    with watched(browser, address, viewport={"width": width, "height": 850}, color_scheme=scheme) as page:
        yield page


def test_every_state_of_these_pages_is_for_everybody(window, address, world, publisher, failing):
    """What the walk of a newcomer does not come by: refusals, tasks of pages, a stage without workers."""
    world.database["tasks"].update_one({"_id": world.settled_task({"success": 1})}, {"$set": {"deleted_at": NOON}})
    read = world.page_task("images", f"https://a.example/{'cats/' * 60}", images={"success": 3, "error": 2})
    failed = world.page_task("text", "https://a.example/", failed={"reason": "robots", "detail": "Disallow: /"})
    publisher.states = {**publisher.states, "fetcher": QueueState(7, 0), "dead": QueueState(2, 0)}
    for path in ("/", "/url_tasks", *(f"/url_tasks/{task_id}" for task_id in (failing, read, failed))):
        window.goto(f"{address}{path}")
        check(window)
    window.goto(address)
    window.get_by_label("One a line").fill("# nothing")
    window.get_by_role("button", name="Fetch the images").click()
    expect(window.get_by_role("alert")).to_have_text("There is no URL in the list.")
    expect(window.get_by_label("One a line")).to_be_focused()
    check(window)
