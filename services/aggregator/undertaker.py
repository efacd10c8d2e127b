"""What the broker took away from a worker that died of it again and again."""

import logging
from collections.abc import Sequence

from common.errors import MalformedMessage
from common.facts import ItemFailed
from common.handling import Stage
from common.logs import about
from common.message import Message, Publication
from common.reasons import Reason
from common.topology import BINDINGS, SUSPECTS, Topology, suspects_of

log = logging.getLogger(__name__)


class Undertaker:
    """Has every message tried once more, alone, because it may have died of its neighbours; after that it is buried.

    A worker that crashes returns all that it holds, and each of those messages is one delivery nearer to its limit.
    """

    def __init__(self, topology: Topology) -> None:
        self._topology = topology

    def handle(self, messages: Sequence[Message]) -> list[list[Publication]]:
        """Decide for each message."""
        return [self._decide(message) for message in messages]

    def _decide(self, message: Message) -> list[Publication]:
        queue = self._died_in(message)
        if queue in BINDINGS:
            log.warning("a suspect: %s of %s", message.type, queue, extra=about(message))
            return [self._topology.direct(suspects_of(queue), message)]
        stage = Stage(queue.removesuffix(SUSPECTS), self._topology)
        dead, *told = stage.bury(message, f"delivered too often without an answer from {stage.queue}, at last alone")
        # Who died of being told of poison is not told again: the item stays pending, and the watchdog finds it.
        return [dead] if _tells_of_poison(message) else [dead, *told]

    def _died_in(self, message: Message) -> str:
        deaths = message.headers.get("x-death")
        latest = deaths[0] if isinstance(deaths, list) and deaths else {}
        name = latest.get("queue", "") if isinstance(latest, dict) else ""
        return str(name).removeprefix(self._topology.prefix) or "unknown"


def _tells_of_poison(message: Message) -> bool:
    try:
        return message.type == ItemFailed.NAME and ItemFailed.from_message(message).reason is Reason.POISON
    except MalformedMessage:
        return False
