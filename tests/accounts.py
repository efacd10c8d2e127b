"""The account that must hold after every run, whatever happened in it."""

import hashlib
import io
from collections import Counter
from uuid import UUID

import numpy as np
from PIL import Image

from common.database import Database


def check_accounts(database: Database, task_id: UUID, lines: int) -> Counter[str]:
    """Check that each line has one outcome and each stored image is what its bytes say; give the outcomes' counts."""
    items = list(database["items"].find({"task_id": task_id}))
    assert len(items) == lines
    outcomes = Counter(item["outcome"] for item in items)
    assert outcomes["pending"] == 0, outcomes
    assert all("finished_at" in item and "hashes" not in item for item in items)
    assert all("md5" in item for item in items if item["outcome"] != "error")
    assert all("reason" in item and "md5" not in item for item in items if item["outcome"] == "error")

    images = {image["_id"]: image for image in database["images"].find()}
    owners = Counter(item["md5"] for item in items if item["outcome"] == "success")
    assert set(owners.values()) <= {1}, "an image was stored for two items"
    assert set(owners) == {md5 for md5, image in images.items() if image["task_id"] == task_id}
    for item in items:
        if item["outcome"] == "success":
            assert images[item["md5"]]["item_id"] == item["_id"]
        if item["outcome"] == "duplicate":
            assert item["md5"] in images
            assert images[item["md5"]]["item_id"] != item["_id"]
    return outcomes


def check_pixels(database: Database) -> None:
    """Check every stored image: the MD5 of its bytes, and its gray version pixel by pixel."""
    ids = {image["_id"] for image in database["images"].find({}, {"_id": 1})}
    assert ids == {gray["_id"] for gray in database["grays"].find({}, {"_id": 1})}
    for image in database["images"].find():
        original = database["originals"].find_one({"_id": image["_id"]})
        gray = database["grays"].find_one({"_id": image["_id"]})
        assert original is not None
        assert gray is not None
        assert hashlib.md5(original["body"]).hexdigest() == image["_id"]
        with Image.open(io.BytesIO(original["body"])) as decoded, Image.open(io.BytesIO(gray["png"])) as stored:
            colours = np.asarray(decoded.convert("RGB")).astype(np.int64)
            assert stored.size == (image["width"], image["height"]) == decoded.size
            assert np.array_equal(np.asarray(stored), colours.sum(axis=2) // 3)
            histogram = np.frombuffer(image["histogram"], "<u4")
            assert np.array_equal(histogram, np.bincount(np.asarray(stored).ravel(), minlength=256))
