"""What a scraper does with a page: the same when it comes again, wherever it was interrupted."""

import base64
from collections.abc import Iterator

import pytest

from common.database import Database
from common.deletion import delete_task
from common.errors import Permanent
from common.facts import ImageFetched, ItemFailed, PageScraped, PageSubmitted, UrlSubmitted
from common.items import Item, item_id
from common.ledger import Ledger
from common.message import Message
from common.reasons import Reason
from common.settings import Settings
from services.scraper.handler import Scraper
from services.scraper.store import MOST_TEXT_BYTES, Pages
from tests.downloading import downloader
from tests.web_pages import Web, serving

GIF = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
INLINE = f"data:image/gif;base64,{base64.b64encode(GIF).decode()}"
PAGE = f"""<!doctype html><html lang=en><title>A page</title><base href=/pictures/>
<p>Some words.<img src=a.png><img src=b.png><img src="{INLINE}"><img src="data:,"><img src="data:text/plain,x">
<img src=a.png>"""


@pytest.fixture
def web() -> Iterator[Web]:
    with serving() as web:
        yield web


@pytest.fixture
def ledger(database: Database) -> Ledger:
    return Ledger(database)


def scraper_of(database: Database, **variables: str) -> Scraper:
    return Scraper(Ledger(database), Pages(database), downloader(), Settings.from_environ(variables))


@pytest.fixture
def scraper(database: Database) -> Scraper:
    return scraper_of(database)


def submitted(ledger: Ledger, url: str) -> Item:
    task_id = ledger.open_task(kind="images", name=None, refresh=False, page=url)
    [item] = ledger.add_items(task_id, 0, [url])
    ledger.close_task(task_id, 1)
    return item


def told(scraper: Scraper, item: Item, *, images: bool = True, refresh: bool = False) -> list[Message]:
    return list(scraper.handle(PageSubmitted(item, images=images, refresh=refresh).to_message()))


def lines(database: Database, item: Item) -> list[tuple[int, str]]:
    return [(row["line"], row["url"]) for row in database["items"].find({"task_id": item.task_id}).sort("_id")]


def test_a_pages_images_become_items_of_its_task(web: Web, database: Database, ledger: Ledger) -> None:
    item = submitted(ledger, web.html("/page", PAGE))
    messages = told(scraper_of(database), item, refresh=True)
    found = [f"{web.base_url}/pictures/a.png", f"{web.base_url}/pictures/b.png", INLINE[:80], "data:,"]
    assert lines(database, item) == list(enumerate([item.url, *found, "data:text/plain,x"]))
    a, b, inline, empty, text, page = messages
    expected = [Item(item.task_id, item_id(item.task_id, line), url) for line, url in enumerate(found, 1)]
    assert UrlSubmitted.from_message(a) == UrlSubmitted(expected[0], refresh=True)
    assert UrlSubmitted.from_message(b) == UrlSubmitted(expected[1], refresh=True)
    assert ImageFetched.from_message(inline) == ImageFetched.of(expected[2], GIF, "image/gif")
    assert ItemFailed.from_message(empty).reason is Reason.INVALID_URL
    assert ItemFailed.from_message(text).reason is Reason.NOT_AN_IMAGE
    assert PageScraped.from_message(page) == PageScraped(item)
    task = ledger.task(item.task_id)
    assert task is not None
    assert task["total"] == 6


def test_what_was_read_of_a_page_is_stored(web: Web, database: Database, ledger: Ledger, scraper: Scraper) -> None:
    item = submitted(ledger, web.html("/page", PAGE))
    assert [message.type for message in told(scraper, item, images=False)] == [PageScraped.NAME]
    page = database["pages"].find_one({"_id": item.item_id})
    assert page is not None
    assert (page["title"], page["language"], page["url"]) == ("A page", "en", item.url)
    assert "Some words." in page["text"]
    assert (page["images"], page["images_left_out"], page["is_cut"]) == ([], 0, False)
    assert len(lines(database, item)) == 1


def test_a_page_that_comes_again_is_not_read_again_even_if_it_has_changed(
    web: Web, database: Database, ledger: Ledger, scraper: Scraper
) -> None:
    item = submitted(ledger, web.html("/page", PAGE))
    handling = scraper.handle(PageSubmitted(item, images=True).to_message())
    next(handling)  # and here the worker dies
    web.html("/page", "<p>Nothing left.<img src=other.png>")
    messages = told(scraper, item)
    assert [message.headers["url"] for message in messages[:2]] == [
        f"{web.base_url}/pictures/a.png",
        f"{web.base_url}/pictures/b.png",
    ]
    assert len(messages) == 6
    assert len(lines(database, item)) == 6
    assert web.asked == ["/page"]


def test_a_page_that_has_ended_still_tells_of_images_that_are_pending(
    web: Web, database: Database, ledger: Ledger, scraper: Scraper
) -> None:
    item = submitted(ledger, web.html("/page", PAGE))
    told(scraper, item)
    ended = [item.item_id, *(item_id(item.task_id, line) for line in (1, 3, 4, 5))]
    database["items"].update_many({"_id": {"$in": ended}}, {"$set": {"outcome": "success"}})
    url, page = told(scraper, item)
    assert url.headers["url"] == f"{web.base_url}/pictures/b.png"
    assert page.type == PageScraped.NAME


def test_a_page_of_another_round_or_that_failed_or_was_deleted_gives_nothing(
    web: Web, database: Database, ledger: Ledger, scraper: Scraper
) -> None:
    url = web.html("/page", PAGE)
    failed, deleted = submitted(ledger, url), submitted(ledger, url)
    failure = {"outcome": "error", "reason": Reason.TIMEOUT.value}
    database["items"].update_one({"_id": failed.item_id}, {"$set": failure})
    assert told(scraper, failed) == []
    [[reopened]] = list(ledger.reopen(failed.task_id, [Reason.TIMEOUT]))
    assert told(scraper, failed) == []
    delete_task(database, deleted.task_id)
    assert told(scraper, deleted) == []
    assert web.asked == []
    assert len(told(scraper, reopened)) == 6


def test_an_image_that_is_tried_again_is_told_of_in_its_new_round(
    web: Web, database: Database, ledger: Ledger, scraper: Scraper
) -> None:
    item = submitted(ledger, web.html("/page", PAGE))
    told(scraper, item)
    ended = {"_id": {"$ne": item_id(item.task_id, 2)}}
    database["items"].update_many(ended, {"$set": {"outcome": "success"}})
    failure = {"outcome": "error", "reason": Reason.TIMEOUT.value}
    database["items"].update_one({"_id": item_id(item.task_id, 2)}, {"$set": failure})
    assert [len(batch) for batch in ledger.reopen(item.task_id, [Reason.TIMEOUT])] == [1]
    url, _page = told(scraper, item)
    assert (UrlSubmitted.from_message(url).item.round, url.headers["url"][-5:]) == (1, "b.png")


def test_images_beyond_the_limit_are_counted(web: Web, database: Database, ledger: Ledger) -> None:
    item = submitted(ledger, web.html("/page", "".join(f"<img src={n}.png>" for n in range(7))))
    messages = told(scraper_of(database, PAGE_MAX_IMAGES="3"), item)
    assert len(messages) == 4
    page = database["pages"].find_one({"_id": item.item_id})
    assert page is not None
    assert page["images_left_out"] == 4


def test_a_text_that_no_document_could_hold_is_cut_at_a_character(
    web: Web, database: Database, ledger: Ledger, scraper: Scraper
) -> None:
    item = submitted(ledger, web.html("/page", "<p>" + "\u20ac" * 1_500_000))
    told(scraper, item)
    page = database["pages"].find_one({"_id": item.item_id})
    assert page is not None
    assert page["is_cut"]
    assert set(page["text"]) == {"\u20ac"}
    assert MOST_TEXT_BYTES - 3 < len(page["text"].encode()) <= MOST_TEXT_BYTES


@pytest.mark.parametrize(("kind", "body"), [("image/gif", GIF), ("application/json", b"{}"), ("text/html", GIF)])
def test_what_is_no_page_is_refused(web: Web, ledger: Ledger, scraper: Scraper, kind: str, body: bytes) -> None:
    web.pages["/other"] = (kind, body)
    with pytest.raises(Permanent) as refused:
        told(scraper, submitted(ledger, f"{web.base_url}/other"))
    assert refused.value.reason is Reason.NOT_HTML
