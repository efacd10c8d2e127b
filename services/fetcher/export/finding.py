"""Finding what is to be exported in MongoDB: by pages of ids, so that no cursor outlives a slow disk.

The page that a task began with is none of its lines; an image that was removed is not there.
"""

from collections.abc import Callable, Iterator, Sequence
from uuid import UUID

from common.database import Database, Document, unavailability
from common.deletion import is_removed
from common.items import item_id_range
from common.manifest import IMAGE_FIELDS, LINE_FIELDS, Image, Line
from services.fetcher.export.selection import Query
from services.fetcher.export.snapshot import Choosing

ITEMS = 1_000
WINDOW = 5_000
"""So many images at once are looked at; however few of them a query takes, no single question takes long."""

Told = Callable[[int], None]


class Finder:
    """Puts what a selection names into a snapshot, and counts the images of it that have no original."""

    def __init__(self, database: Database, choosing: Choosing, *, originals: bool) -> None:
        self._database = database
        self._items = database["items"]
        self._images = database["images"]
        self._originals = database["originals"] if originals else None
        self._choosing = choosing
        self.without_original = 0

    def task(self, task_id: UUID, told: Told) -> None:
        """Take all lines of a task, and each image once. `told` hears how many lines it was so far."""
        after, last = item_id_range(task_id)
        lines_so_far = 0
        while True:
            # The range of ids alone makes it the task's; `task_id` beside it would tempt the planner to sort.
            query = {"_id": {"$gt": after, "$lte": last}}
            with unavailability():
                documents = list(self._items.find(query, LINE_FIELDS).sort("_id").limit(ITEMS).hint("_id_"))
            if not documents:
                return
            lines = [Line.of(document) for document in documents]
            urls: dict[str, str] = {}
            for line in lines:
                if line.md5 is not None:
                    urls.setdefault(line.md5, line.url)
            self._add([Image.of({**document, "url": urls[document["_id"]]}) for document in self._new(urls)], lines)
            after = documents[-1]["_id"]
            lines_so_far += len(lines)
            told(lines_so_far)

    def query(self, query: Query, told: Told) -> None:
        """Take the images that meet a query. `told` hears how many were looked at so far."""
        looked_at = 0
        for window in self._windows():
            with unavailability():
                found = self._images.find({**query.condition(), "_id": window}, (*IMAGE_FIELDS, "removed_at"))
                taken = (document for document in found.sort("_id").hint("_id_") if query.takes(document["url"]))
                documents = [document for document in taken if not is_removed(self._database, document)]
            self._add([Image.of(document) for document in documents], [])
            looked_at += WINDOW
            told(looked_at)

    def _windows(self) -> Iterator[Document]:
        """Divide all images by their ids, as conditions on it. This reads the index alone."""
        after = ""
        while True:
            with unavailability():
                ids = self._images.find({"_id": {"$gt": after}}, {"_id": 1}).sort("_id").hint("_id_")
                ends = list(ids.skip(WINDOW - 1).limit(1))
            if not ends:
                yield {"$gt": after}
                return
            yield {"$gt": after, "$lte": ends[0]["_id"]}
            after = ends[0]["_id"]

    def _new(self, urls: dict[str, str]) -> list[Document]:
        md5s = self._choosing.unknown(urls)
        if not md5s:
            return []
        with unavailability():
            return list(self._images.find({"_id": {"$in": md5s}}, IMAGE_FIELDS))

    def _add(self, images: Sequence[Image], lines: Sequence[Line]) -> None:
        if self._originals is not None and images:
            with unavailability():
                ids = {"_id": {"$in": [image.md5 for image in images]}}
                # A count would read the bodies; this reads the index alone.
                stored = sum(1 for _ in self._originals.find(ids, {"_id": 1}).hint("_id_"))
            self.without_original += len(images) - stored
        self._choosing.add(images, lines)
