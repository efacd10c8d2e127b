"""Thumbnails, each made when it is first asked for, and then kept."""

from bson import Binary
from pymongo.write_concern import WriteConcern

from common.database import Database, unavailability
from services.api.queries.images import gray_png
from services.api.thumbnails import make_thumbnail

QUICKLY = WriteConcern(w=1, j=False)
"""What is lost is made again."""


def thumbnail_of(database: Database, md5: str) -> bytes | None:
    """Give the thumbnail of an image, a WebP."""
    thumbnails = database["thumbnails"].with_options(write_concern=QUICKLY)
    with unavailability():
        kept = thumbnails.find_one({"_id": md5})
    if kept is not None:
        return bytes(kept["webp"])
    png = gray_png(database, md5)
    if png is None:
        return None
    webp = make_thumbnail(png)
    with unavailability():
        thumbnails.replace_one({"_id": md5}, {"webp": Binary(webp)}, upsert=True)
    return webp
