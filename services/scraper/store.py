"""What was read of a page, as a document; written once, so that what follows from it is the same after a crash."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from bson import Binary

from common.database import Database, Document, unavailability
from common.inserting import insert_new
from common.items import Item, Outcome
from services.scraper.images import BrokenImage, InlineImage, LinkedImage, PageImage
from services.scraper.page import Page

MOST_TEXT_BYTES = 3 * 1024 * 1024
"""Of each form of the text; both, the images' URLs and inline images must fit into a document of 16 MiB."""


@dataclass(frozen=True, slots=True)
class Stored:
    """What of a page is needed again: the images it names."""

    images: tuple[PageImage, ...]


class Pages:
    """The pages that were read, by the id of their item."""

    def __init__(self, database: Database) -> None:
        self._pages = database["pages"]
        self._items = database["items"]
        self._tasks = database["tasks"]

    def is_wanted(self, item: Item) -> bool:
        """Tell whether a page is to be worked on: the page itself, or what of its images is not published yet."""
        with unavailability():
            state = self._items.find_one({"_id": item.item_id}, {"outcome": 1, "round": 1})
        ended_well = (Outcome.PENDING.value, Outcome.SUCCESS.value)
        return state is not None and state["round"] == item.round and state["outcome"] in ended_well

    def is_deleted(self, task_id: UUID) -> bool:
        """Tell whether the task was deleted meanwhile."""
        with unavailability():
            task = self._tasks.find_one({"_id": task_id}, {"deleted_at": 1})
        return task is None or "deleted_at" in task

    def find(self, item: Item) -> Stored | None:
        """Give what is stored of a page, None when it is still to be fetched."""
        with unavailability():
            document = self._pages.find_one({"_id": item.item_id}, {"images": 1})
        return None if document is None else Stored(tuple(_image(image) for image in document["images"]))

    def keep(self, item: Item, url: str, page: Page, *, images: bool) -> Stored:
        """Store a page that came from `url`; gives what is stored, which is an earlier reading if there is one."""
        found = page.images if images else ()
        text, is_cut = _cut(page.text)
        main_text, _ = _cut(page.main_text)
        document = {
            "_id": item.item_id,
            "task_id": item.task_id,
            "url": url,
            "title": page.title,
            "language": page.language,
            "description": page.description,
            "canonical_url": page.canonical_url,
            "text": text,
            "main_text": main_text,
            "images": [_document(image) for image in found],
            "images_left_out": page.images_left_out if images else 0,
            "is_cut": page.is_cut or is_cut,
            "scraped_at": datetime.now(UTC),
        }
        if insert_new(self._pages, [document]):
            earlier = self.find(item)
            if earlier is not None:
                return earlier
        return Stored(found)


def _cut(text: str) -> tuple[str, bool]:
    body = text.encode()
    if len(body) <= MOST_TEXT_BYTES:
        return text, False
    return body[:MOST_TEXT_BYTES].decode(errors="ignore"), True


def _document(image: PageImage) -> Document:
    match image:
        case InlineImage():
            return {"url": image.url, "media_type": image.media_type, "body": Binary(image.body)}
        case BrokenImage():
            return {"url": image.url, "detail": image.detail}
        case LinkedImage():
            return {"url": image.url}


def _image(document: dict[str, Any]) -> PageImage:
    if "body" in document:
        return InlineImage(document["url"], document["media_type"], document["body"])
    if "detail" in document:
        return BrokenImage(document["url"], document["detail"])
    return LinkedImage(document["url"])
