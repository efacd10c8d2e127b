"""A page whose message kills the scrapers takes the images with it that nobody was told of; a retry has them back."""

from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from common.broker import parameters
from common.database import Database
from common.facts import ItemFailed, PageSubmitted
from common.items import Item, item_id
from common.page_tasks import Kind, PageTasks
from common.publisher import Publisher
from common.reasons import Reason
from common.settings import Settings
from common.tally import tally
from common.topology import Topology
from services.aggregator.join import Join
from tests.api_world import NotingPublisher
from tests.crashing_database import Crash, CrashingDatabase
from tests.fleet import eventually, fleet
from tests.join_world import take
from tests.page_world import PAGE, PageWorld
from tests.some_facts import grayscaled, hashed
from tests.supervision import supervised
from tests.web_pages import serving

IMAGES = [f"https://a.example/{number}.png" for number in range(4)]


def poison(page: Item) -> ItemFailed:
    return ItemFailed(page, "scraper", Reason.POISON, "delivered too often")


def dead_page(pages: PageWorld, ended: str) -> Item:
    """Write a page of four images, the first of which has been stored; gives the page's item."""
    task_id = pages.read(pages.task(Kind.IMAGES), IMAGES)
    page = Item(task_id, item_id(task_id, 0), PAGE)
    pages.world.end(task_id, 1, "success")
    if ended == "pending":
        state = {"$set": {"outcome": "pending"}, "$unset": {"finished_at": ""}}
        pages.database["items"].update_one({"_id": page.item_id}, state)
    return page


@pytest.mark.parametrize("ended", ["pending", "success"])
def test_what_no_fetcher_was_told_of_ends_with_its_page(database: Database, pages: PageWorld, ended: str) -> None:
    page, other = dead_page(pages, ended), dead_page(pages, "pending")
    for _ in range(2):
        take(Join(database), [poison(page)])
    items = list(database["items"].find({"task_id": page.task_id}).sort("_id"))
    assert [item["outcome"] for item in items] == [
        "success" if ended == "success" else "error",
        "success",
        *["error"] * 3,
    ]
    assert {(item["reason"], item["stage"], item["detail"]) for item in items[2:]} == {
        ("poison", "scraper", "its page: delivered too often")
    }
    assert tally(database, other.task_id).pending == 4


def test_an_image_that_is_being_stored_is_left_alone_and_so_is_a_later_round(
    database: Database, pages: PageWorld
) -> None:
    page = dead_page(pages, "pending")
    image = Item(page.task_id, item_id(page.task_id, 2), IMAGES[1])
    join = Join(database)
    database["items"].update_one({"_id": image.item_id}, {"$set": {"message_id": hashed(image, b"\x40").message_id}})
    take(join, [poison(replace(page, round=1))])
    assert tally(database, page.task_id).pending == 4
    take(join, [poison(page)])
    assert tally(database, page.task_id).pending == 1
    take(join, [hashed(image, b"\x40")])
    take(join, [grayscaled(image, b"\x40")])
    assert tally(database, page.task_id).success == 2


def test_who_dies_over_it_leaves_nothing_undone(database: Database, pages: PageWorld) -> None:
    for crash_at in range(1, 20):
        page = dead_page(pages, "pending")
        try:
            take(Join(cast(Any, CrashingDatabase(database, crash_at))), [poison(page)])
        except Crash:
            take(Join(database), [poison(page)])
        else:
            break
        assert tally(database, page.task_id).pending == 0
    assert crash_at > 3


def test_a_retry_tells_of_them_again(database: Database, pages: PageWorld) -> None:
    page = dead_page(pages, "pending")
    take(Join(database), [poison(page)])
    publisher = NotingPublisher()
    assert PageTasks(database, cast(Any, publisher)).retry(page.task_id, [Reason.POISON]) == 4
    [publication] = publisher.publications
    assert PageSubmitted.from_message(publication.message).item.round == 1
    assert tally(database, page.task_id).pending == 4


def test_a_page_that_kills_every_scraper_leaves_nothing_pending(
    database: Database, settings: Settings, topology: Topology, environment: dict[str, str], tmp_path: Path
) -> None:
    """The scrapers die after they have written the items of the images, and before anybody is told of them."""
    publisher = Publisher("tests", parameters(settings, "tests"), topology)
    with (
        serving() as web,
        fleet({"aggregator": 1}, environment, tmp_path),
        supervised(["scraper"], environment, tmp_path, launcher="tests.dying_scraper") as deaths,
    ):
        page = web.html("/page", "".join(f"<img src={number}.png>" for number in range(7)))
        task_id = PageTasks(database, publisher).submit(Kind.IMAGES, page).task_id
        eventually(lambda: tally(database, task_id).error == 8, deadline_seconds=120, what=f"{deaths}")
    publisher.close()
    reasons = {item["reason"] for item in database["items"].find({"task_id": task_id})}
    assert (reasons, tally(database, task_id).pending) == ({"poison"}, 0)
