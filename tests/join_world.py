"""What a join is given and what it leaves behind."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from common.database import Database, Document
from common.facts import ImageGrayscaled, ImageHashed, ItemFailed, ItemKnown
from common.items import Item
from common.ledger import Ledger
from common.tally import tally
from services.aggregator.join import Join

Fact = ImageHashed | ImageGrayscaled | ItemKnown | ItemFailed


def submitted(database: Database, count: int = 1) -> list[Item]:
    """Write a new task with so many pending items."""
    ledger = Ledger(database)
    task_id = ledger.open_task(kind="url", name=None, refresh=False)
    return ledger.add_items(task_id, 1, [f"https://images.example/{number}.png" for number in range(count)])


def take(join: Join, facts: Sequence[Fact]) -> None:
    """Give the join facts of one kind, in one batch."""
    takers: dict[type, Any] = {
        ImageHashed: join.hashed,
        ImageGrayscaled: join.grayscaled,
        ItemKnown: join.known,
        ItemFailed: join.failed,
    }
    takers[type(facts[0])](facts)


def item_of(database: Database, item: Item) -> Document:
    """Give the item as it stands in the ledger."""
    document = database["items"].find_one({"_id": item.item_id})
    assert document is not None
    return document


def counts(database: Database, task_id: UUID) -> tuple[int, int, int, int]:
    """Give success, duplicate, error and pending of a task."""
    result = tally(database, task_id)
    return result.success, result.duplicate, result.error, result.pending


def left_behind(database: Database, item: Item) -> dict[str, Any]:
    """Give all that is stored on account of an item, without the moments at which it was written."""
    ended = {
        name: value for name, value in item_of(database, item).items() if name not in ("finished_at", "settlement")
    }
    images = [
        {name: value for name, value in image.items() if name != "inserted_at"}
        for image in database["images"].find({"item_id": item.item_id})
    ]
    grays = list(database["grays"].find({"_id": {"$in": [image["_id"] for image in images]}}))
    return {"item": ended, "images": images, "grays": grays}
