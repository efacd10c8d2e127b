"""A person finds out why a host is not asked, and ends its pause."""

from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect

from tests.watched import check, watched

LONG = ".".join(["w" * 60] * 4)


@pytest.mark.parametrize("window", [(1280, "dark", False), (390, "light", True)], ids=str)
def test_a_person_ends_a_pause(browser, address, world, window):
    width, scheme, script = window
    now = datetime.now(UTC)
    failing = {"asked": False, "reason": "http_5xx", "status": 503, "times": 2}
    world.pause("busy.example", until=now + timedelta(hours=1))
    world.pause(LONG, until=now + timedelta(minutes=1), **failing)
    world.pause("shaky.example", until=now - timedelta(minutes=1), **failing)
    options = {"viewport": {"width": width, "height": 850}, "java_script_enabled": script}
    with watched(browser, address, color_scheme=scheme, **options) as page:
        page.goto(f"{address}/monitoring")
        page.get_by_role("link", name="Hosts left alone").click()
        page.wait_for_url("**/hosts")
        check(page, axe=script)
        expect(page.locator("tbody tr")).to_have_count(3)
        expect(page.get_by_text("2 hosts are left alone")).to_be_visible()
        page.get_by_role("button", name="End the pause of busy.example").click()
        expect(page.locator("tbody tr")).to_have_count(2)
        page.get_by_role("button", name="Forget its failures of shaky.example").click()
        expect(page.locator("tbody tr")).to_have_count(1)
        page.get_by_role("button", name=f"End the pause of {LONG}").click()
        expect(page.get_by_text("No host is left alone")).to_be_visible()
        check(page, axe=script)
