"""The stored images that match, newest first: a walk along an index that looks at a bounded number of its entries.

All images are walked in the order in which they were stored; those of a task or a host, which the ledger knows, in the
order in which their items ended. Of the items that gave the same image one stands for it, so that it comes once.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import UUID

from pymongo.collection import Collection

from common.database import FOUND_KEY, Database, Document, unavailability
from common.items import Outcome
from services.api.queries.images import METADATA, WITH_REMOVAL, StoredImage, present, stored_image
from services.api.queries.newest import Page, Position, after, cut
from services.api.queries.scope import Scope

IMAGES_LOOKED_AT = 5_000
"""So many are looked at for one page; then it ends, full or not, and the next page goes on there."""
ITEMS_LOOKED_AT = 1_000
"""An item takes longer: its image has to be looked up."""
AT_ONCE = 500
CLOCKS_AGREE = timedelta(hours=1)
"""An item ends after its image was stored, if clocks agree to within this."""
LEAST_KEY = "0" * 32
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
ANY = Scope()
GAVE = {"outcome": {"$in": [Outcome.SUCCESS.value, Outcome.DUPLICATE.value]}}

Entry = tuple[StoredImage, Position]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which images: None is any. `since` and `until`, both included, are about when an image was stored."""

    scope: Scope = ANY
    min_width: int | None = None
    max_width: int | None = None
    min_height: int | None = None
    max_height: int | None = None
    format: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    @property
    def condition(self) -> Document:
        """Give the filter on an image's document, without its time."""
        return _given(
            width={"$gte": self.min_width, "$lte": self.max_width},
            height={"$gte": self.min_height, "$lte": self.max_height},
            format={"$eq": self.format},
        )

    @property
    def times(self) -> Document:
        """Give the filter on when an image was stored."""
        return _given(inserted_at={"$gte": self.since, "$lte": self.until})


@dataclass(frozen=True, slots=True)
class Walk:
    """Entries of a collection, latest first. `bounds` is a range of the index, `sieve` what else is asked of them."""

    collection: Collection[Document]
    at: str
    index: list[tuple[str, int]]
    bounds: Document
    sieve: Document
    fields: Document
    looked_at: int
    images: Callable[[list[Document]], Iterable[Entry]]

    def end(self, position: Position | None) -> datetime | None:
        """Give the time at which enough has been looked at, None when there is less. The index alone is read."""
        query = {"$and": [self.bounds, after(position, self.at)]}
        found = self.collection.find(query, {self.at: 1}).sort(self._order).hint(self.index)
        with unavailability():
            documents = list(found.skip(self.looked_at).limit(1))
        return documents[0][self.at] if documents else None

    def entries(self, position: Position | None, end: datetime | None, most: int) -> list[Document]:
        """Give entries after the position, up to and including those of the end's time."""
        query = {"$and": [self.bounds, _given(**{self.at: {"$gte": end}}), after(position, self.at), self.sieve]}
        found = self.collection.find(query, self.fields).sort(self._order).hint(self.index)
        with unavailability():
            return list(found.limit(most))

    @property
    def _order(self) -> list[tuple[str, int]]:
        return [(self.at, -1), ("_id", -1)]


def gallery(
    database: Database, wanted: Wanted, limit: int, position: Position | None, *, looked_at: int | None = None
) -> Page[StoredImage]:
    """Give a page of the images that match. It may have fewer than `limit`, even none, and yet a next one.

    The keys of positions are 32 hexadecimal digits, of an MD5 or of an item's id.
    """
    of_items = wanted.scope != ANY
    walk = _items(database, wanted) if of_items else _images(database, wanted)
    walk = replace(walk, looked_at=looked_at or walk.looked_at)
    if position is not None and of_items:
        position = Position(position.at, UUID(hex=str(position.key)))
    end = walk.end(position)
    entries: list[Entry] = []
    most = limit + 1
    while len(entries) <= limit:
        found = walk.entries(position, end, most)
        entries += walk.images(found)
        if len(found) < most:
            break
        position = Position(found[-1][walk.at], found[-1]["_id"])
        most = min(2 * most, AT_ONCE)
    page = cut(entries, limit)
    if page.next is None and end is not None:
        return replace(page, next=Position(end, LEAST_KEY))
    return page


def _images(database: Database, wanted: Wanted) -> Walk:
    return Walk(
        collection=database["images"],
        at="inserted_at",
        index=[("inserted_at", -1), ("_id", -1)],
        bounds=wanted.times,
        sieve=wanted.condition,
        fields=WITH_REMOVAL,
        looked_at=IMAGES_LOOKED_AT,
        images=partial(_present, database),
    )


def _present(database: Database, documents: list[Document]) -> list[Entry]:
    return [
        (stored_image(document), Position(document["inserted_at"], document["_id"]))
        for document in present(database, documents)
    ]


def _items(database: Database, wanted: Wanted) -> Walk:
    scope = wanted.scope
    owner = {"task_id": scope.task_id} if scope.host is None else {"host": scope.host}
    since = LONG_AGO if wanted.since is None else wanted.since - CLOCKS_AGREE
    return Walk(
        collection=database["items"],
        at="finished_at",
        index=scope.index,
        bounds={**owner, "finished_at": {"$gte": since}},
        sieve={**GAVE, **scope.id_range},
        fields={"md5": 1, "finished_at": 1},
        looked_at=ITEMS_LOOKED_AT,
        images=partial(_given_by, database, wanted),
    )


def _given_by(database: Database, wanted: Wanted, items: list[Document]) -> list[Entry]:
    """Give the images for which these items stand."""
    scope = wanted.scope
    md5s = list({item["md5"] for item in items if "md5" in item})
    if not md5s:
        return []
    host = {} if scope.host is None else {"host": scope.host}
    # The first of each group is sought in the index; however often an image was found, the others are not read.
    standing: list[Document] = [
        {"$match": {"md5": {"$in": md5s}, **host, **scope.id_range}},
        {"$sort": dict.fromkeys(FOUND_KEY, 1)},
        {"$group": {"_id": "$md5", "first": {"$first": "$_id"}}},
    ]
    with unavailability():
        found = database["items"].aggregate(standing, hint=dict.fromkeys(FOUND_KEY, 1))
        first = {document["_id"]: document["first"] for document in found}
        chosen = [item for item in items if "md5" in item and first.get(item["md5"]) == item["_id"]]
        query = {"_id": {"$in": [item["md5"] for item in chosen]}, **wanted.condition, **wanted.times}
        images = {document["_id"]: stored_image(document) for document in database["images"].find(query, METADATA)}
    return [
        (images[item["md5"]], Position(item["finished_at"], item["_id"].hex))
        for item in chosen
        if item["md5"] in images
    ]


def _given(**bounds: Document) -> Document:
    """Leave out bounds that are None."""
    given = {name: {sign: value for sign, value in each.items() if value is not None} for name, each in bounds.items()}
    return {name: each for name, each in given.items() if each}
