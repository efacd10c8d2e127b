"""A newcomer's way through the pages: hand in a list, see what becomes of it, find out why three URLs failed."""

import re
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.stack_world import Stack, running
from tests.watched import check, watched

WAYS = [
    pytest.param({"width": 1280, "scheme": "light", "script": True}, id="wide"),
    pytest.param({"width": 390, "scheme": "dark", "script": True}, id="telephone-dark"),
    pytest.param({"width": 390, "scheme": "light", "script": False}, id="telephone-without-script"),
    pytest.param({"width": 1280, "scheme": "dark", "script": False}, id="wide-dark-without-script"),
]
PATIENCE_MILLISECONDS = 60_000


@pytest.fixture(scope="module")
def stack(rabbitmq, mongodb, tmp_path_factory) -> Iterator[Stack]:
    with running(rabbitmq, mongodb, tmp_path_factory.mktemp("stack")) as stack:
        yield stack


@pytest.fixture(params=WAYS)
def page(request, browser, stack) -> Iterator[Page]:
    way = request.param
    options = {"viewport": {"width": way["width"], "height": 850}, "java_script_enabled": way["script"]}
    with watched(browser, stack.address, color_scheme=way["scheme"], **options) as page:
        page.set_default_timeout(PATIENCE_MILLISECONDS)
        yield page


@pytest.fixture
def has_script(request) -> bool:
    return request.node.callspec.params["page"]["script"]


def wait_for(page: Page, text: str, *, has_script: bool) -> None:
    """Wait until the page says so: it follows by itself, or its reader refreshes it."""
    standing = page.locator("[data-summary]")
    until = time.monotonic() + PATIENCE_MILLISECONDS / 1000
    while not has_script and text not in standing.inner_text() and time.monotonic() < until:
        with page.expect_navigation():
            page.get_by_role("link", name="Refresh").click()
    expect(standing).to_contain_text(text, timeout=PATIENCE_MILLISECONDS)


def test_a_newcomer_finds_out_why_three_urls_failed(page, stack, has_script, request):
    key = request.node.callspec.id
    pixels = 100 + 10 * [way.id for way in WAYS].index(key)
    good = [f"/{pixels + number}/30" for number in range(4)]
    paths = [*good, good[0], "/error/100", "/html", f"/flaky/{key}/3/{pixels}/31?retry_after=0"]

    page.goto(stack.address)
    check(page, axe=has_script)
    expect(page.get_by_text("Yes: broker, database and all stages.")).to_be_visible()
    page.get_by_label("One a line").fill("\n".join(f"{stack.site}{path}" for path in paths))
    page.get_by_label("Name").fill(f"my list {key}")
    page.get_by_role("button", name="Fetch the images").click()

    page.wait_for_url("**/url_tasks/*")
    task = page.url
    expect(page.get_by_role("heading", level=1)).to_have_text(f"my list {key}")
    wait_for(page, "Every URL has its outcome: 3 failed", has_script=has_script)
    check(page, axe=has_script)
    if has_script:
        expect(page.get_by_role("status")).to_contain_text("Every URL has its outcome: 3 failed")
    else:
        assert page.get_by_role("link", name="Refresh").count() == 0
    for reason, why, detail in (
        ("http_4xx", "The server answered with a 4xx status", "HTTP 404"),
        ("not_an_image", "The bytes are no image", "/html"),
        ("http_5xx", "The server answered with a 5xx status", "3 attempts"),
    ):
        page.get_by_role("link", name=reason, exact=True).click()
        expect(page.locator(".lead")).to_contain_text(why)
        expect(page.locator("tbody tr")).to_have_count(1)
        expect(page.locator("tbody")).to_contain_text(detail)
        check(page, axe=has_script)
        page.go_back()

    with page.expect_navigation(url=task):
        page.get_by_role("button", name="Try 1 again (http_5xx)").click()
    wait_for(page, "Every URL has its outcome: 2 failed", has_script=has_script)
    page.get_by_role("link", name=re.compile("^5 success")).click()
    line = page.locator("tbody tr", has_text="/flaky/")
    expect(line).to_contain_text("stored")
    expect(line).to_contain_text("round 1: http_5xx (HTTP 503)")
    check(page, axe=has_script)
    page.get_by_role("link", name="Graymill").click()
    expect(page.locator(".card", has_text=f"my list {key}")).to_contain_text("finished")


def test_a_web_page_is_read_and_its_images_are_fetched(page, stack, has_script):
    page.goto(stack.address)
    section = page.locator("section", has=page.get_by_role("heading", name="A web page"))
    section.get_by_label("Its URL").fill(f"{stack.site}/html?{page.viewport_size['width']}{has_script}")
    section.get_by_label("text").check()
    section.get_by_role("button", name="Read the page").click()
    page.wait_for_url("**/url_tasks/*")
    wait_for(page, "Every URL has its outcome", has_script=has_script)
    check(page, axe=has_script)
    page.get_by_role("link", name="The text of this page").click()
    wait_for(page, "The page was read.", has_script=has_script)
    check(page, axe=has_script)
    expect(page.get_by_role("link", name="Main text")).to_be_visible()
