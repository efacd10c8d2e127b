"""Images of a page whose message killed the scrapers: nobody is left to tell the fetchers of them."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from common.database import Database
from common.facts import ItemFailed
from common.items import Item, line_of
from common.ledger import Ledger
from common.reasons import Reason

PAGE = 0
"""The line that a page is on."""


def orphans(database: Database, facts: Iterable[ItemFailed]) -> Iterator[ItemFailed]:
    """Give the failure of each pending image whose page died as poison. Raises Unavailable.

    The page itself may have ended well before: its message comes by again when images are tried again.
    """
    ledger = Ledger(database)
    for fact in facts:
        if fact.reason is not Reason.POISON or line_of(fact.item.item_id) != PAGE:
            continue
        page = ledger.item(fact.item.item_id)
        if page is not None and page["round"] == fact.item.round:
            for images in ledger.pending(fact.item.task_id):
                yield from (_failure(image, fact) for image in images if line_of(image.item_id) != PAGE)


def _failure(image: Item, page: ItemFailed) -> ItemFailed:
    return replace(page, item=image, detail=f"its page: {page.detail}", download=None)
