"""`image.fetched` becomes `image.hashed`; the bytes themselves are kept under their MD5."""

from collections.abc import Sequence

from common.errors import MalformedMessage
from common.facts import ImageFetched, ImageHashed
from common.handling import Stage
from common.message import Message, Publication
from services.hasher.digest import md5_of
from services.hasher.originals import Originals


class Hasher:
    """Hashes batches. The bytes are stored before the hash is told: an image that exists has its original.

    Storing them here, and not in the aggregator, saves a third journey of each body through the broker.
    """

    def __init__(self, stage: Stage, originals: Originals | None) -> None:
        self._stage = stage
        self._originals = originals

    def handle(self, messages: Sequence[Message]) -> list[list[Publication]]:
        """Handle a batch; what cannot be read is buried, the others go on."""
        given: list[list[Publication]] = []
        bodies: dict[str, bytes] = {}
        for message in messages:
            try:
                fetched = ImageFetched.from_message(message)
            except MalformedMessage as error:
                given.append(self._stage.bury(message, str(error)))
                continue
            md5 = md5_of(fetched.body)
            bodies[md5] = fetched.body
            hashed = ImageHashed(fetched.item, fetched.message_id, md5, len(fetched.body))
            given.append([self._stage.topology.fact(hashed.to_message())])
        if self._originals is not None and bodies:
            self._originals.keep(bodies)
        return given
