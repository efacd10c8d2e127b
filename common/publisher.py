"""A publisher for those who are no worker: the command line and the API. Confirms are pipelined.

`publish` returns once the messages are on their way, `flush` once the broker has all of them. When the connection
is lost, what was not confirmed is published again over the next one, with the same ids: consumers must not mind
a message that comes twice.
"""

import logging
import threading
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import Future
from functools import partial
from itertools import count

import pika

from common.broker import backoff, declare
from common.errors import ConfigurationError, Unavailable
from common.message import Publication
from common.queue_states import QueueState, ask_queues
from common.session import Session
from common.topology import Topology

log = logging.getLogger(__name__)

WINDOW = 2_000
"""Most messages on their way at once."""
SOUND_SECONDS = 4.0
"""So often it is found out whether the broker takes messages, whether or not there are any."""


class Publisher:
    """Publishes from any thread, over a connection that lives on a thread of its own."""

    def __init__(
        self, name: str, parameters: pika.URLParameters, topology: Topology, *, patience_seconds: float = 10.0
    ) -> None:
        self._name = name
        self._parameters = parameters
        self._topology = topology
        self._patience_seconds = patience_seconds
        self._numbers = count()
        self._unconfirmed: dict[int, Publication] = {}
        self._changed = threading.Condition()
        self._session: Session | None = None
        self._blocked = False
        self._closed = threading.Event()
        self._problem = "not connected yet"
        self._thread = threading.Thread(target=self._work, name="publisher", daemon=True)
        self._thread.start()

    @property
    def topology(self) -> Topology:
        """Where things are published to."""
        return self._topology

    @property
    def ready(self) -> bool:
        """Tell whether the broker takes messages now."""
        session = self._session
        return session is not None and session.alive and not self._blocked

    def publish(self, publications: Iterable[Publication]) -> None:
        """Send messages, waiting while too many are on their way. Raises Unavailable when the broker stays away."""
        batch: list[tuple[int, Publication]] = []
        for publication in publications:
            batch.append((next(self._numbers), publication))
            if len(batch) == WINDOW // 4:
                self._enqueue(batch)
                batch = []
        self._enqueue(batch)

    def flush(self) -> None:
        """Wait until everything published is confirmed. Raises Unavailable when that does not come about."""
        self._wait(0)

    def queue_states(self) -> dict[str, QueueState]:
        """Ask the broker how full the topology's queues are, by their names without prefix. Raises Unavailable."""
        names = {self._topology.queue(name): name for name in self._topology.queues}
        answer: Future[Mapping[str, QueueState]] = Future()
        session = self._session
        if session is None or self._blocked:  # it does not even listen
            raise Unavailable(f"RabbitMQ: {self._problem}")
        session.call(partial(ask_queues, session, list(names), answer.set_result))
        try:
            states = answer.result(self._patience_seconds)
        except TimeoutError as error:
            raise Unavailable("RabbitMQ: no answer about its queues") from error
        return {names[queue]: state for queue, state in states.items()}

    def close(self) -> None:
        """Close the connection. What is not confirmed by now may or may not have been published."""
        self._closed.set()
        if self._session is not None:
            self._session.call(self._session.close)
        self._thread.join(timeout=5)

    def _enqueue(self, batch: list[tuple[int, Publication]]) -> None:
        self._wait(WINDOW - len(batch))
        with self._changed:
            self._unconfirmed.update(batch)
            session = self._session
        if session is not None and batch:
            session.call(partial(self._send, session, batch))

    def _wait(self, most: int) -> None:
        """Wait until at most so many are unconfirmed, as long as that number goes down within the patience."""
        with self._changed:
            before, since = len(self._unconfirmed), time.monotonic()
            while len(self._unconfirmed) > most:
                self._changed.wait(self._patience_seconds / 10)
                if len(self._unconfirmed) < before:
                    before, since = len(self._unconfirmed), time.monotonic()
                elif time.monotonic() - since > self._patience_seconds:
                    raise Unavailable(f"RabbitMQ: {self._problem}")

    def _work(self) -> None:
        waits = backoff(2.0)
        while not self._closed.is_set():
            cause = self._connect_and_work()
            if cause is not None:
                self._problem = cause
                log.info("no connection to the broker: %s", cause)
                self._closed.wait(next(waits))

    def _connect_and_work(self) -> str | None:
        try:
            declare(self._parameters, self._topology)
            return Session(self._parameters, self._name, on_ready=self._ready, on_blocked=self._on_blocked).run()
        except (Unavailable, ConfigurationError) as error:
            return str(error)
        finally:
            self._session = None

    def _ready(self, session: Session) -> None:
        self._blocked = False
        self._problem = "no confirm from the broker"
        with self._changed:
            self._session = session
            again = list(self._unconfirmed.items())
        if self._closed.is_set():
            session.close()
        self._send(session, again)
        self._sound(session)

    def _sound(self, session: Session) -> None:
        if session.alive:
            if not self._blocked:
                session.sound()
            session.call_later(SOUND_SECONDS, partial(self._sound, session))

    def _on_blocked(self, blocked: bool) -> None:
        self._blocked = blocked
        self._problem = (
            "the broker takes no messages (memory or disk alarm)" if blocked else "no confirm from the broker"
        )

    def _send(self, session: Session, batch: list[tuple[int, Publication]]) -> None:
        for number, publication in batch:
            session.publish(publication, partial(self._confirmed, number))

    def _confirmed(self, number: int) -> None:
        with self._changed:
            self._unconfirmed.pop(number, None)
            self._changed.notify_all()
