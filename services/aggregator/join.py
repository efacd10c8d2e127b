"""The join: an image's hash and its gray version, found by different workers, become one image and one outcome.

They come in any order, any number of times, to any number of aggregators, and a crash may come between any two
steps. Everything is decided in the item's document, by atomic updates of it alone:

1. A hash is noted in the item, under the message id of its download.
2. A gray version whose hash is noted claims the item for its download: it sets `message_id`, if that is not
   another's. From here on no failure and no other download ends the item.
3. The image is inserted under its MD5. If one is there, its `message_id` tells whose it is: our own means that we
   were here before a crash.
4. The outcome is written, once: only while the item is pending and claimed by this download.

A failure is an outcome that is written only while nobody has claimed the item. A gray version that comes before
its hash is put aside in `halves`, and whoever comes second, finds the other: each side first writes, then looks.
Nothing is acked before all of this is journaled; what is delivered again finds every step done or does it.
"""

import logging
import secrets
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from uuid import UUID

from bson import Int64
from pymongo import UpdateOne

from common.database import Database, Document, unavailability
from common.errors import Unavailable
from common.facts import ImageGrayscaled, ImageHashed, ItemFailed, ItemKnown, PageScraped
from common.inserting import insert_new
from common.items import Item, Outcome
from common.logs import about
from services.aggregator.documents import (
    Pair,
    failure,
    gray_from,
    half_document,
    image_document,
    image_of,
    known,
    stored,
    took,
)
from services.aggregator.orphans import orphans
from services.aggregator.outcomes import tell

log = logging.getLogger(__name__)

PENDING = Outcome.PENDING.value
GLANCE_SECONDS = 0.05
AT_ONCE = 8
"""As many gray images that were put aside are read at once: each may be as large as a document can be."""
End = tuple[Item, UUID | None, Document]
"""An item, the download that must have claimed it (None: nobody may have), and the fields that its end sets."""


class Join:
    """Takes batches of facts; whatever it raises, the same batch may be given again."""

    def __init__(
        self,
        database: Database,
        *,
        patience_seconds: float = 0.0,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._database = database
        self._items = database["items"]
        self._images = database["images"]
        self._grays = database["grays"]
        self._halves = database["halves"]
        self._patience_seconds = patience_seconds
        self._hashes_come = True
        self._now = now

    def hashed(self, facts: Sequence[ImageHashed]) -> None:
        """Note hashes, and finish those whose gray version came first."""
        notes = [
            UpdateOne(
                _pending(fact.item),
                {"$set": {_hash_of(fact.message_id): {"md5": fact.md5, "length_bytes": fact.length_bytes}}},
            )
            for fact in facts
        ]
        self._update(notes)
        ids = [fact.message_id for fact in facts]
        with unavailability():
            early = [document["_id"] for document in self._halves.find({"_id": {"$in": ids}}, {"_id": 1})]
        for start in range(0, len(early), AT_ONCE):
            with unavailability():
                found = list(self._halves.find({"_id": {"$in": early[start : start + AT_ONCE]}}))
            self._finish([gray_from(document) for document in found])
        self._forget(early)

    def grayscaled(self, facts: Sequence[ImageGrayscaled]) -> None:
        """Finish images whose hash is noted; put the others aside until it is."""
        early = self._awaited(self._finish(facts))
        if early:
            insert_new(self._halves, [half_document(fact, self._now()) for fact in early], blob="png")
            waiting = {fact.message_id for fact in self._finish(early)}
            self._forget([fact.message_id for fact in early if fact.message_id not in waiting])

    def _awaited(self, early: list[ImageGrayscaled]) -> list[ImageGrayscaled]:
        """Wait a little for the hashes, and give back those whose hash has not come.

        They are mostly on their way, and to put a gray version aside is to write it twice. Once hashes have not come
        in time, nobody waits for any until they come first again.
        """
        until = time.monotonic() + (self._patience_seconds if self._hashes_come else 0.0)
        while early and time.monotonic() < until:
            time.sleep(GLANCE_SECONDS)
            early = self._finish(early)
        self._hashes_come = not early
        return early

    def known(self, facts: Sequence[ItemKnown]) -> None:
        """End items whose image another task has stored."""
        self._end((fact.item, None, known(fact)) for fact in facts)

    def scraped(self, facts: Sequence[PageScraped]) -> None:
        """End pages that were read. Their images are items of their own."""
        self._end((fact.item, None, {"outcome": Outcome.SUCCESS.value}) for fact in facts)

    def failed(self, facts: Sequence[ItemFailed]) -> None:
        """End items that a stage gave up, and the images of pages that died."""
        self._end((fact.item, None, failure(fact)) for fact in (*facts, *orphans(self._database, facts)))
        own = [fact for fact in facts if fact.download is not None]
        if own:
            self._give_up(own)

    def _give_up(self, facts: Sequence[ItemFailed]) -> None:
        """End items that aggregators had claimed for the download that they died of.

        They may have come as far as to store its image; then the item has it.
        """
        with unavailability():
            query = {"_id": {"$in": [fact.item.item_id for fact in facts]}, "outcome": PENDING}
            found = {item["_id"]: item for item in self._items.find(query, {"round": 1, "message_id": 1, "hashes": 1})}
        ends: list[End] = []
        for fact in facts:
            item = found.get(fact.item.item_id, {})
            if fact.download and item.get("message_id") == fact.download and item["round"] == fact.item.round:
                md5 = item["hashes"][fact.download.hex]["md5"]
                is_stored = self._owners([md5]).get(md5) == fact.download
                success = {"outcome": Outcome.SUCCESS.value, **image_of(fact.item, md5)}
                ends.append((fact.item, fact.download, success if is_stored else failure(fact)))
        self._end(ends)

    def _finish(self, facts: Sequence[ImageGrayscaled]) -> list[ImageGrayscaled]:
        """Bring gray versions to their outcome; give back those whose hash is not noted yet."""
        claims = [
            UpdateOne(
                {
                    **_pending(fact.item),
                    _hash_of(fact.message_id): {"$exists": True},
                    "message_id": {"$in": [None, fact.message_id]},
                },
                {"$set": {"message_id": fact.message_id}},
            )
            for fact in facts
        ]
        self._update(claims)
        ids = [fact.item.item_id for fact in facts]
        with unavailability():
            found = self._items.find({"_id": {"$in": ids}}, {"outcome": 1, "round": 1, "message_id": 1, "hashes": 1})
            items = {document["_id"]: document for document in found}
        ready: list[Pair] = []
        early: list[ImageGrayscaled] = []
        for fact in facts:
            item = items.get(fact.item.item_id)
            if item is None:
                log.warning("no such item", extra=about(fact.item, fact.message_id))
            elif item["outcome"] != PENDING or item["round"] != fact.item.round:
                log.debug("already ended", extra=about(fact.item, fact.message_id))
            elif item.get("message_id") == fact.message_id:
                noted = item["hashes"][fact.message_id.hex]
                ready.append(Pair(fact, noted["md5"], noted["length_bytes"]))
            elif item.get("message_id") is None:
                early.append(fact)
        if ready:
            self._complete(ready)
        return early

    def _complete(self, ready: Sequence[Pair]) -> None:
        """Store what is new, then write the outcomes."""
        now = self._now()
        owners = self._owners(pair.md5 for pair in ready)
        new: dict[str, Pair] = {}
        for pair in ready:
            if pair.md5 not in owners:
                new.setdefault(pair.md5, pair)
        # The pixels first: who finds an image may rely on finding its gray version.
        insert_new(self._grays, [{"_id": md5, "png": pair.gray.png} for md5, pair in new.items()], blob="png")
        present = insert_new(self._images, [image_document(pair, now) for pair in new.values()])
        owners |= {md5: pair.gray.message_id for md5, pair in new.items() if md5 not in present}
        owners |= self._owners(str(md5) for md5 in present)
        self._end((pair.gray.item, pair.gray.message_id, stored(pair, owners[pair.md5])) for pair in ready)

    def _forget(self, message_ids: Sequence[UUID]) -> None:
        """Delete halves that were put aside and are not waited for any more."""
        if message_ids:
            with unavailability():
                self._halves.delete_many({"_id": {"$in": list(message_ids)}})

    def _owners(self, md5s: Iterable[str]) -> dict[str, UUID]:
        wanted = list(md5s)
        if not wanted:
            return {}
        with unavailability():
            found = self._images.find({"_id": {"$in": wanted}}, {"message_id": 1})
            return {document["_id"]: document["message_id"] for document in found}

    def _end(self, ends: Iterable[End]) -> None:
        """Write outcomes where there is none yet, and log those that we wrote."""
        # The settlement's number tells afterwards which of several writers of the same outcome it was.
        written = [
            (item, claimed_by, {**end, "settlement": Int64(secrets.randbits(62))}) for item, claimed_by, end in ends
        ]
        now = self._now()
        updates = [
            UpdateOne(
                {**_pending(item), "message_id": claimed_by},
                {"$set": {**end, **took(item, now), "finished_at": now}, "$unset": {"hashes": ""}},
            )
            for item, claimed_by, end in written
        ]
        changed = self._update(updates)
        if changed != len(written):
            written = self._ours(written)
        tell(written, now)

    def _ours(self, written: Sequence[End]) -> list[End]:
        """Leave out what had ended before; a claim of ours that was lost with a primary must be made again."""
        claimed = {item.item_id for item, claimed_by, _end in written if claimed_by is not None}
        with unavailability():
            ids = {"$in": [item.item_id for item, _claimed_by, _end in written]}
            found = self._items.find({"_id": ids}, {"outcome": 1, "settlement": 1})
            state = {document["_id"]: document for document in found}
        if any(document["outcome"] == PENDING and document["_id"] in claimed for document in state.values()):
            raise Unavailable("MongoDB: a write was lost, probably with a primary; the batch is done again")
        settled = {document.get("settlement") for document in state.values()}
        return [entry for entry in written if entry[2]["settlement"] in settled]

    def _update(self, updates: list[UpdateOne]) -> int:
        if not updates:
            return 0
        with unavailability():
            return self._items.bulk_write(updates, ordered=False).modified_count


def _pending(item: Item) -> Document:
    return {"_id": item.item_id, "round": item.round, "outcome": PENDING}


def _hash_of(message_id: UUID) -> str:
    return f"hashes.{message_id.hex}"
