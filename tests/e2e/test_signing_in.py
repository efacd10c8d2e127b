"""A person who has a key: finds the forms locked, signs in once, hands something in, signs out; by keyboard alone."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from common.settings import Settings
from services.api.app import create_app
from tests.api_world import KEY, served
from tests.watched import check, watched


@pytest.fixture
def address(database, publisher) -> Iterator[str]:
    with served(create_app(Settings.from_environ({"API_KEYS": KEY}), database, publisher)) as address:
        yield address


@pytest.fixture(params=[(1280, "light", True), (390, "dark", True), (390, "light", False)], ids=str)
def page(request, browser, address) -> Iterator[Page]:
    width, scheme, script = request.param
    options = {"viewport": {"width": width, "height": 850}, "java_script_enabled": script}
    with watched(browser, address, color_scheme=scheme, **options) as page:
        yield page


@pytest.fixture
def has_script(request) -> bool:
    return bool(request.node.callspec.params["page"][2])


def test_who_has_a_key_signs_in_hands_something_in_and_signs_out(page, address, has_script, publisher):
    page.goto(address)
    check(page, axe=has_script)
    expect(page.get_by_label("One a line")).to_be_disabled()
    expect(page.get_by_role("button", name="Fetch the images")).to_be_disabled()
    page.get_by_role("main").get_by_role("link", name="sign in").click()
    check(page, axe=has_script)
    page.get_by_label("Key").fill("none of the keys")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_have_text("This is none of the keys that are taken here.")
    expect(page.get_by_label("Key")).to_be_focused()
    expect(page.get_by_label("Key")).to_have_value("")
    check(page, axe=has_script)
    page.keyboard.type(KEY)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{address}/")
    check(page, axe=has_script)
    assert page.context.cookies()[0]["httpOnly"]
    page.get_by_label("One a line").fill("https://a.example/1")
    page.get_by_role("button", name="Fetch the images").click()
    page.wait_for_url("**/url_tasks/*")
    assert len(publisher.publications) == 1
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url(f"{address}/")
    expect(page.get_by_label("One a line")).to_be_disabled()
    assert page.context.cookies() == []


def test_one_comes_back_to_the_page_that_one_has_signed_in_from(page, address, world):
    task_id = world.settled_task({"error": 2, "success": 1})
    lines = f"{address}/url_tasks/{task_id}/items?reason=http_4xx"
    page.goto(lines)
    again = page.get_by_role("button", name="Try all lines of this reason again")
    expect(again).to_be_disabled()
    page.get_by_role("navigation", name="Pages").get_by_role("link", name="Sign in").click()
    page.get_by_label("Key").fill(KEY)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(lines)
    again.click()
    page.wait_for_url(f"{address}/url_tasks/{task_id}")
    assert world.database["items"].count_documents({"task_id": task_id, "outcome": "error"}) == 0
