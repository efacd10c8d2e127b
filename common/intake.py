"""What a worker takes from the broker over one session: deliveries of all its queues, or one suspect at a time.

A worker that dies returns all that it held, and each of those messages comes nearer to its delivery limit. Those over
it are suspects, and wait in a queue of their own. A worker that finds some there takes nothing new, finishes what it
holds, and takes one suspect after the other while it holds nothing else: what it dies of then is what it held.
"""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from common.crew import Consumer, Delivery
from common.load import Load
from common.logs import about
from common.message import Message
from common.queue_states import QueueState, ask_queues
from common.session import Session
from common.topology import BINDINGS, Topology, suspects_of

log = logging.getLogger(__name__)

LOOK_SECONDS = 5.0
PATIENCE_SECONDS = 200.0
"""For what is held to be finished; two downloads, one after the other, may take 120 s."""
GLANCE_SECONDS = 0.02


class Intake:
    """Everything here runs on the session's thread."""

    def __init__(self, session: Session, load: Load, consumers: Sequence[Consumer], topology: Topology) -> None:
        self._session = session
        self._load = load
        self._consumers = consumers
        self._topology = topology
        self._tried = [consumer for consumer in consumers if consumer.queue in BINDINGS]
        self._tags: list[str] = []
        self._closed = False

    def open(self) -> None:
        """Take what there is, suspects first, until `close`."""
        if self._tried:
            ask_queues(self._session, [self._suspects(consumer) for consumer in self._tried], self._judge)
        else:
            self._consume()

    def close(self) -> None:
        """Take nothing more."""
        self._closed = True
        self._cancel(lambda: None)

    @property
    def _is_over(self) -> bool:
        return self._closed or not self._session.alive

    def _judge(self, states: Mapping[str, QueueState]) -> None:
        if self._is_over:
            return
        if any(state.messages for state in states.values()):
            self._cancel(partial(self._await_solitude, time.monotonic() + PATIENCE_SECONDS))
        else:
            self._go_on(LOOK_SECONDS)

    def _go_on(self, look_again_seconds: float) -> None:
        if not self._tags:
            self._consume()
        self._session.call_later(look_again_seconds, self._look)

    def _look(self) -> None:
        if not self._is_over:
            self.open()

    def _consume(self) -> None:
        for consumer in self._consumers:
            queue = self._topology.queue(consumer.queue)
            self._tags.append(self._session.consume(queue, consumer.prefetch_count, partial(self._deliver, consumer)))
        log.info("consuming %s", ", ".join(consumer.queue for consumer in self._consumers))

    def _cancel(self, then: Callable[[], None]) -> None:
        """Cancel the consumers one by one (pika takes the first answer for that of all), then go on."""
        if self._tags:
            self._session.cancel(self._tags.pop(), partial(self._cancel, then))
        else:
            then()

    def _await_solitude(self, deadline: float) -> None:
        if self._is_over:
            return
        if self._load.holds_nothing:
            log.warning("suspects wait: they are tried alone")
            self._try(self._tried)
        elif time.monotonic() < deadline:
            self._session.call_later(GLANCE_SECONDS, partial(self._await_solitude, deadline))
        else:
            log.warning("suspects wait, but what is held does not end")
            self._go_on(PATIENCE_SECONDS)

    def _try(self, consumers: Sequence[Consumer]) -> None:
        """Take the next suspect; once there is none, go on as usual."""
        if self._is_over:
            return
        if not consumers:
            self._go_on(LOOK_SECONDS)
            return
        consumer, *others = consumers
        deliver = partial(self._deliver_suspect, consumers)
        self._session.get(self._suspects(consumer), deliver, on_empty=partial(self._try, others))

    def _deliver_suspect(self, consumers: Sequence[Consumer], tag: int, message: Message) -> None:
        log.info("tried alone: %s", message.type, extra=about(message))
        self._deliver(consumers[0], tag, message)
        self._await_verdict(consumers)

    def _await_verdict(self, consumers: Sequence[Consumer]) -> None:
        if self._is_over:
            return
        if self._load.holds_nothing:
            self._try(consumers)
        else:
            self._session.call_later(GLANCE_SECONDS, partial(self._await_verdict, consumers))

    def _deliver(self, consumer: Consumer, tag: int, message: Message) -> None:
        self._load.delivered += 1
        consumer.inbox.put(Delivery(self._session, self._load, tag, message))

    def _suspects(self, consumer: Consumer) -> str:
        return self._topology.queue(suspects_of(consumer.queue))
