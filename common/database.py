"""The MongoDB database: how it is connected to, its collections and indexes, and which errors mean "later".

tasks      _id: task id; kind, name, refresh, created_at, total (null while lines are still being written);
           of a page: page (its URL), is_current (no later task took its place), is_published, webhook, deleted_at
items      _id: item id; task_id, line, url, host, round, outcome; when ended: finished_at, took_ms (see common.steps)
           and md5, file_name, known_by (success, duplicate) or reason, status, detail, stage, attempts (error);
           former_md5: of an image that was let go of with its task, which is marked by removed_at: see common.deletion
           history: the ends of earlier rounds; hashes, message_id, settlement: see services.aggregator.join
pages      _id: item id; what was read of a page that was fetched: see services.scraper.store
images     _id: MD5; message_id, item_id, task_id, url, width, height, length_bytes, gray_bytes, format, mode,
           orientation, inserted_at, histogram (256 unsigned 32-bit little-endian counts);
           perceptual_hash (63 bits), perceptual_bands (its keys, see common.multi_index): of images that have one
grays      _id: MD5; png                originals  _id: MD5; body
thumbnails _id: MD5; webp: made of grays when first asked for
halves     _id: message id; a gray image that came before its hash
reopenings _id: hour; token, settled_at: see common.reopening
hours      _id: task, host, hour; what ended in each minute of it, once counted: see services.api.queries.hours
depths     _id: queue, step_seconds, start; messages waiting: see services.api.queries.depths
watch      _id: standstill; whether anything moves: see common.standstill
hosts      _id: host; until, times, reason, status, asked: left alone until then, see common.fetching.pauses;
           resumed: a person has ended it
dead_letters _id: letter id; messages that no worker could handle, the newest of them: see common.dead_letters
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pymongo
import pymongo.errors
from pymongo import ASCENDING, DESCENDING, IndexModel, MongoClient
from pymongo.database import Database as MongoDatabase
from pymongo.write_concern import WriteConcern

from common.errors import ConfigurationError, Unavailable

Document = dict[str, Any]
Database = MongoDatabase[Document]

HALF_LIFETIME_SECONDS = 7 * 86_400
PAUSES_KEPT_SECONDS = 3_600
STORED = {"md5": {"$exists": True}}
FINISHED = {"finished_at": {"$exists": True}}
HASHED = {"perceptual_bands": {"$exists": True}}
FAILED = {"outcome": "error"}
CURRENT = {"is_current": True}
NAMED = {"file_name": {"$exists": True}}
OWN_FAULT_CODES = {
    *(2, 9, 14, 40, 52, 54, 57),  # bad value, cannot be parsed, wrong type, conflicting or invalid field names
    *(10334, 17419, 17420),  # a document over 16 MiB
    11000,  # a duplicate key
}
"""What the server will say again to the same request. Everything else is worth waiting for: an outage, a lack of
disk or rights must never be held against the message that met it."""

COMPRESSED = ("grays", "originals", "thumbnails", "halves")
CAPPED = {"dead_letters": {"size": 1 << 30, "max": 10_000}}
MONITORED_DAYS = 34
"""So long are counts and depths kept: thirty days can be shown, and a document of depths spans up to sixty hours."""

FINISHED_KEY = ("finished_at", "_id", "outcome", "reason")
FAILED_KEY = ("finished_at", "_id", "host", "reason")
FOUND_KEY = ("md5", "host", "_id")
LEDGER_KEY = ("task_id", "outcome", "reason", "status", "known_by", "finished_at")

INDEXES = {
    "items": [
        # What a task has come to is read from this index alone.
        IndexModel([(name, ASCENDING) for name in LEDGER_KEY]),
        # What ended when is counted from these alone, and read in that order: of all, of a task, of a host; and errors.
        *(
            IndexModel([(name, ASCENDING) for name in (*prefix, *FINISHED_KEY)], partialFilterExpression=FINISHED)
            for prefix in ((), ("task_id",), ("host",))
        ),
        *(
            IndexModel([(name, ASCENDING) for name in (*prefix, *FAILED_KEY)], partialFilterExpression=FAILED)
            for prefix in ((), ("task_id",))
        ),
        IndexModel([("url", ASCENDING), ("task_id", ASCENDING)], partialFilterExpression=STORED),
        # Where an image was found: by host, as a gallery wants each one once, and in this order on its page.
        IndexModel([(name, ASCENDING) for name in FOUND_KEY], partialFilterExpression=STORED),
        IndexModel([("file_name", ASCENDING), ("finished_at", DESCENDING)], partialFilterExpression=NAMED),
    ],
    "images": [
        IndexModel([("inserted_at", DESCENDING), ("_id", DESCENDING)]),
        # Near-duplicates are told from this index alone: the hash stands beside each of its bands.
        IndexModel([("perceptual_bands", ASCENDING), ("perceptual_hash", ASCENDING)], partialFilterExpression=HASHED),
    ],
    "tasks": [
        IndexModel([("created_at", DESCENDING), ("_id", DESCENDING)]),
        IndexModel([("kind", ASCENDING), ("created_at", DESCENDING), ("_id", DESCENDING)]),
        # Of two requests for the same page at once, one finds the other's task.
        IndexModel([("kind", ASCENDING), ("page", ASCENDING)], unique=True, partialFilterExpression=CURRENT),
    ],
    "halves": [IndexModel([("first_at", ASCENDING)], expireAfterSeconds=HALF_LIFETIME_SECONDS)],
    "hours": [IndexModel([("counted_at", ASCENDING)], expireAfterSeconds=MONITORED_DAYS * 86_400)],
    "depths": [IndexModel([("start", ASCENDING)], expireAfterSeconds=MONITORED_DAYS * 86_400)],
    "hosts": [
        IndexModel([("until", ASCENDING)], expireAfterSeconds=PAUSES_KEPT_SECONDS),
        IndexModel([("until", DESCENDING), ("_id", DESCENDING)]),
    ],
    "dead_letters": [IndexModel([("at", DESCENDING), ("_id", DESCENDING)])],
}


def connect(url: str, *, application: str, pool_size: int = 16) -> Database:
    """Open the database that the URL names. Nothing is asked of the server yet.

    Writes are acknowledged by a majority and journaled: what is acked on the broker must outlive this server.
    """
    try:
        client: MongoClient[Document] = MongoClient(
            url,
            appname=f"graymill-{application}",
            tz_aware=True,
            uuidRepresentation="standard",
            serverSelectionTimeoutMS=5_000,
            connectTimeoutMS=5_000,
            socketTimeoutMS=30_000,
            maxPoolSize=pool_size,
        )
        return client.get_default_database(
            "graymill", write_concern=WriteConcern(w="majority", j=True, wtimeout=10_000)
        )
    except (pymongo.errors.PyMongoError, ValueError) as error:
        raise ConfigurationError(f"MONGO_URL: {error}") from error


def create_indexes(database: Database) -> None:
    """Create what is missing; harmless when several services do it at once."""
    with unavailability():
        present = database.list_collection_names()
        for name in COMPRESSED:
            if name not in present:
                _create_uncompressed(database, name)
        for name, most in CAPPED.items():
            if name not in present:
                _create(database, name, capped=True, **most)
        for collection, indexes in INDEXES.items():
            database[collection].create_indexes(indexes)


def _create_uncompressed(database: Database, name: str) -> None:
    """Spare the server from compressing what is compressed already."""
    _create(database, name, storageEngine={"wiredTiger": {"configString": "block_compressor=none"}})


def _create(database: Database, name: str, **options: Any) -> None:
    with suppress(pymongo.errors.CollectionInvalid):
        database.create_collection(name, **options)


def ping(database: Database, *, seconds: float = 1.0) -> bool:
    """Tell whether the database answers within so many seconds."""
    try:
        with pymongo.timeout(seconds):
            database.command("ping")
    except pymongo.errors.PyMongoError:
        return False
    return True


@contextmanager
def unavailability() -> Iterator[None]:
    """Translate errors of the database that say nothing about what was asked of it into Unavailable."""
    try:
        yield
    except (pymongo.errors.ConnectionFailure, pymongo.errors.OperationFailure) as error:
        if isinstance(error, pymongo.errors.OperationFailure) and _codes(error) & OWN_FAULT_CODES:
            raise
        raise Unavailable(f"MongoDB: {_in_short(error)}") from error


def _in_short(error: pymongo.errors.PyMongoError) -> str:
    """Leave out the driver's time-outs and its picture of the servers."""
    text, _, _ = str(error).partition(" (configured timeouts")
    return text.partition(", Timeout:")[0].partition(", full error:")[0][:300]


def _codes(error: pymongo.errors.OperationFailure) -> set[int | None]:
    details = error.details or {}
    return {error.code, *(write_error.get("code") for write_error in details.get("writeErrors", []))}
