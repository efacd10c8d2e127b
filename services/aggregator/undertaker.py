"""What the broker took away from a worker that died of it again and again."""

import logging
from collections.abc import Sequence

from common.handling import Stage
from common.message import Message, Publication
from common.topology import BINDINGS, Topology

log = logging.getLogger(__name__)

SECOND_CHANCE = "x-second-chance"


class Undertaker:
    """Gives every message a second chance, because it may have died of its neighbours; after that it is buried.

    A worker that crashes returns all that it holds, and each of those messages is one delivery nearer to its limit.
    """

    def __init__(self, topology: Topology) -> None:
        self._topology = topology

    def handle(self, messages: Sequence[Message]) -> list[list[Publication]]:
        """Decide for each message."""
        return [self._decide(message) for message in messages]

    def _decide(self, message: Message) -> list[Publication]:
        queue = self._died_in(message)
        if queue in BINDINGS and not message.headers.get(SECOND_CHANCE):
            log.warning("second chance: %s message_id=%s in %s", message.type, message.message_id, queue)
            return [self._topology.direct(queue, message.with_headers(**{SECOND_CHANCE: True}))]
        return Stage(queue, self._topology).bury(message, f"delivered too often without an answer from {queue}")

    def _died_in(self, message: Message) -> str:
        deaths = message.headers.get("x-death")
        latest = deaths[0] if isinstance(deaths, list) and deaths else {}
        name = latest.get("queue", "") if isinstance(latest, dict) else ""
        return str(name).removeprefix(self._topology.prefix) or "unknown"
