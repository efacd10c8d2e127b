"""A person finds messages that were set aside, sees why, and puts them back."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from common.dead_letters import DeadLetter, DeadLetters
from common.topology import Topology
from tests.api_world import NOON
from tests.some_facts import fetched, new_item
from tests.watched import check, watched


@pytest.fixture(params=[(1280, "dark", True), (390, "light", True), (390, "dark", False)], ids=str)
def page(request, browser, address) -> Iterator[Page]:
    width, scheme, script = request.param
    options = {"viewport": {"width": width, "height": 850}, "java_script_enabled": script}
    with watched(browser, address, color_scheme=scheme, **options) as page:
        yield page


def test_a_person_puts_messages_back(page, request, address, database, publisher):
    axe = request.node.callspec.params["page"][2]
    dead = [
        Topology().dead(queue, fetched(new_item(url="http://a.example/" + "w" * 500), body).to_message(), why)
        for queue, body, why in (
            ("hasher", b"1", "it broke"),
            ("grayscaler", b"2", "w" * 500),
            ("q" * 60, b"3", "it does not tell where it came from"),
        )
    ]
    letters = [DeadLetter.of(each.message, NOON + timedelta(seconds=n)) for n, each in enumerate(dead)]
    DeadLetters(database).keep(letters)
    page.goto(address)
    page.get_by_role("link", name="dead letters").click()
    page.wait_for_url("**/dead")
    check(page, axe=axe)
    expect(page.locator("tbody tr")).to_have_count(3)
    page.get_by_role("button", name=f"Put back {letters[0].letter_id}").click()
    expect(page.locator("tbody tr")).to_have_count(2)
    page.locator("tbody").get_by_role("link", name="image.fetched").last.click()
    page.wait_for_url("**/dead/*")
    check(page, axe=axe)
    expect(page.get_by_text("x-dead-reason")).to_be_visible()
    page.get_by_role("button", name="Put back into grayscaler").click()
    expect(page.locator("tbody tr")).to_have_count(1)
    page.get_by_role("button", name="Put all back").click()
    page.wait_for_url("**/dead")
    page.locator("tbody").get_by_role("link", name="image.fetched").click()
    page.wait_for_url("**/dead/*")
    expect(page.get_by_text("It cannot be put back")).to_be_visible()
    check(page, axe=axe)
    assert [publication.message.body for publication in publisher.publications] == [b"1", b"2"]
    DeadLetters(database).purge()
    page.get_by_role("link", name="← Dead letters").click()
    page.wait_for_url("**/dead")
    expect(page.get_by_text("No message is set aside")).to_be_visible()
    check(page, axe=axe)
