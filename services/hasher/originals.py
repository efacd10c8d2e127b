"""The bytes of images as received, kept under their MD5."""

from collections.abc import Mapping

from common.database import Database, unavailability
from common.inserting import insert_new


class Originals:
    """Keeps each content once."""

    def __init__(self, database: Database) -> None:
        self._originals = database["originals"]

    def keep(self, bodies: Mapping[str, bytes]) -> None:
        """Store the bodies, by MD5, that are not stored yet. Raises Unavailable."""
        with unavailability():
            known = {document["_id"] for document in self._originals.find({"_id": {"$in": list(bodies)}}, {"_id": 1})}
        new = [{"_id": md5, "body": body} for md5, body in bodies.items() if md5 not in known]
        insert_new(self._originals, new, blob="body")
